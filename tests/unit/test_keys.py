"""A manifest key is declared once: the models read what people write, and the rest is read from them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from hfspace.cli.main import run
from hfspace.errors import ManifestError
from hfspace.manifest.clock_models import RestartSpec, Window, WindowSettings
from hfspace.manifest.group_models import GroupSpec
from hfspace.manifest.keys import keys
from hfspace.manifest.loader import load
from hfspace.manifest.models import (
    CardSpec,
    CreateSpec,
    EndpointSpec,
    FilesSpec,
    OnErrorSpec,
    Policy,
    SecretSpec,
    SpaceSpec,
    VariableSpec,
    VolumeSpec,
)
from hfspace.manifest.reference import table
from hfspace.manifest.trackio_models import ExperimentSpec, TrackioSpec

MODELS = (
    SpaceSpec, Policy, EndpointSpec, TrackioSpec, ExperimentSpec, CreateSpec, VolumeSpec, VariableSpec,
    SecretSpec, OnErrorSpec, FilesSpec, CardSpec, RestartSpec, Window, WindowSettings,
)  # fmt: skip


def space(text: str) -> SpaceSpec:
    return load([("spaces.yaml", f"version: 1\nspaces:\n  acme/x:\n    {text}\n")], env={}).spaces["acme/x"]


def refused(text: str) -> str:
    with pytest.raises(ManifestError) as caught:
        load([("spaces.yaml", f"version: 1\nspaces:\n  acme/x:\n    {text}\n")], env={})
    return "; ".join(f"{one.message}: {one.hint}" for one in caught.value.problems)


@pytest.mark.parametrize(
    ("written", "field", "value"),
    [
        ({"sleep_time": "1h"}, "sleep_time", 3600),
        ({"sleep_time": "never"}, "sleep_time", -1),
        ({"on_error": "restart"}, "on_error", OnErrorSpec(do="restart")),
        ({"on_error": {"do": "restart", "after": "30m"}}, "on_error", OnErrorSpec(do="restart", after=1800)),
        ({"variables": {"A": 1}}, "variables", {"A": VariableSpec(value="1")}),
        ({"depends_on": ["https://huggingface.co/spaces/a/b"]}, "depends_on", ("a/b",)),
        ({"prune": ["variables"]}, "prune", frozenset({"variables"})),
        ({"create": True}, "create", CreateSpec()),
        ({"experiments": {"a": None}}, "experiments", {"a": ExperimentSpec()}),
    ],
)
def test_a_model_reads_what_people_write(written: dict[str, Any], field: str, value: object) -> None:
    assert getattr(SpaceSpec.model_validate(written), field) == value


@pytest.mark.parametrize("model", MODELS)
def test_every_key_has_a_text_and_an_example(model: type[BaseModel]) -> None:
    for name, key in keys(model).items():
        assert key.text.endswith("."), name
        assert key.example, name


def test_prune_and_ignore_take_the_keys_that_say_so_and_no_other() -> None:
    for field, meaning in (("prune", "prunable"), ("ignore", "ignorable")):
        for name, key in keys(SpaceSpec).items():
            if getattr(key, meaning):
                assert getattr(SpaceSpec.model_validate({field: [name]}), field) == {name}
            else:
                with pytest.raises(ValidationError, match="literal_error"):
                    SpaceSpec.model_validate({field: [name]})


@pytest.mark.parametrize("name", sorted(SpaceSpec.model_fields))
def test_the_example_of_a_key_is_valid(name: str) -> None:
    beside = {
        "sleep_time": "hardware: t4-small",
        "depends_on": "sdk: gradio\n  acme/backend: {}",
        "create": "sdk: gradio",
    }
    space(f"{name}: {keys(SpaceSpec)[name].example}\n    {beside.get(name, '')}")


@pytest.mark.parametrize(
    "model",
    [
        SpaceSpec,
        Policy,
        GroupSpec,
        FilesSpec,
        CardSpec,
        EndpointSpec,
        TrackioSpec,
        Window,
        WindowSettings,
        RestartSpec,
    ],
)
def test_the_reference_is_what_the_models_say(model: type[BaseModel]) -> None:
    assert table(model) in (Path(__file__).parents[2] / "docs/manifest.md").read_text()


def test_an_endpoint_names_method_and_fields_of_a_route() -> None:
    spec = space("endpoint: {path: '/items/{item}', method: GET, params: {item: 7}, query: {q: x}}").endpoint
    assert spec is not None
    assert (spec.method, spec.params, spec.query) == ("GET", {"item": 7}, {"q": "x"})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("endpoint: {api_name: /p, method: GET}", "for an HTTP route"),
        ("endpoint: {path: /p, params: {a: 1}}", "has no part {a}"),
        ("endpoint: {path: /p, method: GET, body: {a: 1}}", "a GET has no body"),
        ("endpoint: {path: /p, body: {a: 1}, example: [1]}", "two bodies"),
        ("on_error: {do: restart, after: soon}", "a duration is"),
        ("on_error: {do: reboot}", "'do' can't be 'reboot'"),
        ("on_error: reboot", "'on_error' can't be 'reboot'"),
        ("trackio: {artifacts: 'hf://models/a/b'}", "can't keep artifacts"),
        ("trackio: {backend: wandb}", "'wandb' is no backend of experiments"),
        ("trackio: {endpoints: {creat: /x}}", "It is one of: create, list, show"),
        ("trackio: {endpoints: {create: /}}", "'/' is no name of an endpoint"),
        ("trackio: {backend: trackio, endpoints: {create: /x}}", "only the Gradio app"),
    ],
)
def test_what_does_not_fit_together_is_refused(text: str, says: str) -> None:
    assert says.lower() in refused(text).lower()


def test_a_static_space_keeps_no_secrets() -> None:
    assert "can't keep secrets" in refused("sdk: static\n    secrets: {A: {env: B}}")


def test_defaults_give_a_static_space_no_secrets() -> None:
    text = "version: 1\ndefaults: {secrets: {A: {env: B}}}\nspaces: {acme/x: {sdk: static}, acme/y: {}}\n"
    manifest = load([("spaces.yaml", text)], env={})
    assert [bool(spec.secrets) for spec in manifest.spaces.values()] == [False, True]


@pytest.mark.parametrize("name", ["trail.", "x.git", ".x", "-x", "x-", "a--b", "a..b", "x" * 97])
def test_an_id_that_the_hub_refuses_is_refused(name: str) -> None:
    text = f"version: 1\nspaces:\n  harbour/{name}: {{}}\n"
    with pytest.raises(ManifestError):
        load([("spaces.yaml", text)], env={})


def test_depends_on_does_not_tell_cases_apart() -> None:
    text = "version: 1\nspaces:\n  acme/x: {depends_on: [Acme/BACK]}\n  acme/back: {}\n"
    assert load([("spaces.yaml", text)], env={}).spaces["acme/x"].depends_on == ("acme/back",)


def test_explain_says_what_a_key_takes(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "spaces.sleep_time"]) == 0
    out = capsys.readouterr().out
    assert "90s, 30m, 1h, 2d, seconds, never" in out
    assert "sleep_time: 1h" in out
    assert "a static Space can't hold it" in out
    assert run(["explain", "endpoint"]) == 0
    assert re.search(r"^    params +Values of", capsys.readouterr().out, re.MULTILINE)


def test_explain_names_the_nearest_key(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "spaces.sleeptime"]) == 1
    assert "Did you mean 'sleep_time'?" in capsys.readouterr().err


def test_explain_as_json_lists_the_keys_below(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "policy", "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["format_version"] == 1
    assert next(child["field"] for child in document["keys"]) == "policy.max_monthly_usd"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("secrets: [HF_TOKEN]", "Write a map, such as {"),
        ("state: on", "It is one of: running, awake, paused, absent."),
        ("dev_mode: on", 'Write true, or "on" for the text.'),
    ],
)
def test_the_advice_is_what_the_key_takes(text: str, says: str) -> None:
    assert says in refused(text)
