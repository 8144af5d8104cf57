"""Saved plans: applied as they were reviewed, or refused with the name of what moved."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hfspace.errors import PlanFileError, UsageError
from hfspace.localhub import LocalHub
from hfspace.model import Plan
from hfspace.planner.codec import FORMAT_VERSION
from hfspace.planner.saved import load, save, why_stale
from tests.converge.harness import Runner
from tests.converge.killing import Commands

pytestmark = pytest.mark.xdist_group("kill")

MANIFEST = """version: 1
spaces:
  acme/x: {hardware: "${FLAVOR:-t4-small}", visibility: private}
  acme/y: {visibility: public}
  acme/new: {sdk: gradio, create: {}}
"""
SEED: dict[str, Any] = {
    "accounts": {
        "alice": {"orgs": {"acme": "admin"}},
        "bob": {"orgs": {"acme": "admin"}},
        "acme": {"type": "org", "plan": "team"},
    },
    "tokens": {
        "hf_local_write": {"account": "alice", "role": "write"},
        "hf_local_bob": {"account": "bob", "role": "write"},
    },
    "spaces": {"acme/x": {}, "acme/y": {}},
    "hub": {"time_scale": 300},
}


# ------------------------------------------------------------ the file


@pytest.fixture
def made() -> Iterator[Plan]:
    with LocalHub(seed=SEED, clock="manual") as hub:
        yield Runner(hub, MANIFEST).plan()


def test_what_is_saved_is_what_is_loaded(made: Plan, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    save(made, path)
    assert replace(load(path), snapshot=dict(made.snapshot)) == replace(made, snapshot=dict(made.snapshot))
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["plan.json"]  # no half-written file beside it


def edited(path: Path, **values: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (
            {"format_version": FORMAT_VERSION + 1},
            f"was made by a newer hfspace (format {FORMAT_VERSION + 1}, ",
        ),
        ({"format_version": "1"}, "is not a plan."),
        ({"changes": []}, "is damaged or was edited."),
        ({"account": "mallory"}, "is damaged or was edited."),
        ({"checksum": None}, "is damaged or was edited."),
        ({"unknown": 1}, "is damaged or was edited."),
    ],
)
def test_an_edited_plan_is_refused(made: Plan, tmp_path: Path, values: dict[str, Any], said: str) -> None:
    path = tmp_path / "plan.json"
    save(made, path)
    edited(path, **values)
    with pytest.raises(PlanFileError) as caught:
        load(path)
    assert said in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b"\x00\xff\xfe", b"version: 1\n", b"[" * 100_000, b'{"a": 1}']
)
def test_what_is_no_plan_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "plan.json"
    path.write_bytes(content)
    with pytest.raises(PlanFileError, match="is not a plan"):
        load(path)


def test_every_truncation_of_a_plan_is_refused(made: Plan, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    save(made, path)
    whole = path.read_bytes()
    for length in range(0, len(whole), 97):
        path.write_bytes(whole[:length])
        with pytest.raises(PlanFileError):
            load(path)


def test_a_checksum_that_fits_nonsense_is_refused_too(made: Plan, tmp_path: Path) -> None:
    from hfspace.planner.saved import _checksum

    body = {"format_version": FORMAT_VERSION, "changes": [{"address": 1}]}
    path = tmp_path / "plan.json"
    path.write_text(json.dumps({**body, "checksum": _checksum(body)}))
    with pytest.raises(PlanFileError, match="is damaged"):
        load(path)


def test_a_missing_file_a_folder_and_a_place_that_can_not_be_written(made: Plan, tmp_path: Path) -> None:
    with pytest.raises(PlanFileError, match="There is no file"):
        load(tmp_path / "none.json")
    with pytest.raises(PlanFileError, match="can't be read: Is a directory"):
        load(tmp_path)
    with pytest.raises(UsageError, match="can't be saved"):
        save(made, tmp_path / "none" / "plan.json")


# ------------------------------------------------------------ what moved


def test_each_thing_that_moved_is_named(made: Plan) -> None:
    manifest = replace(made.manifest, sha256="0")
    cases: list[tuple[Plan, list[str]]] = [
        (made, []),
        (replace(made, hub="https://other"), [f"it was made for {made.hub}, and this is https://other"]),
        (replace(made, account="bob"), ["it was made as alice, and this is bob"]),
        (replace(made, account=None), ["it was made as alice, and this is nobody"]),
        (replace(made, manifest=manifest), ["the manifest changed (spaces.yaml)"]),
        (replace(made, snapshot={**made.snapshot, "acme/x": "0"}), ["acme/x changed on the Hub"]),
        (replace(made, snapshot={"acme/y": made.snapshot["acme/y"]}), ["acme/x is gone"]),
        (replace(made, snapshot={**made.snapshot, "acme/new": "0"}), ["acme/new was created"]),
        (replace(made, snapshot={**made.snapshot, "acme/y": "0"}), []),  # not touched by the plan
        (replace(made, requests=99, cost=replace(made.cost, before_usd_per_hour=Decimal(9))), []),
    ]
    for fresh, moved in cases:
        assert why_stale(made, fresh, 0.0) == moved
    both = replace(made, account="bob", manifest=manifest)
    assert len(why_stale(made, both, 0.0)) == 2


# ------------------------------------------------------------ as processes


@pytest.fixture(scope="module")
def commands() -> Iterator[Commands]:
    with Commands() as commands:
        yield commands


@pytest.fixture
def hub(commands: Commands) -> Iterator[LocalHub]:
    (commands.folder / "spaces.yaml").write_text(MANIFEST)
    with LocalHub(seed=SEED) as hub:
        yield hub


def saved(commands: Commands, hub: LocalHub, *args: str) -> None:
    code, output = commands.run(hub, "plan", "--out", "plan.json", *args)
    assert code == 0, output


def test_a_saved_plan_that_creates_is_applied(commands: Commands, hub: LocalHub) -> None:
    """Was refused as stale: a Space that is not there yet has no fingerprint."""
    saved(commands, hub)
    code, output = commands.run(hub, "apply", "plan.json", "--yes")
    assert code == 0, output
    assert "acme/new" in hub.spaces()
    assert commands.run(hub, "plan", "--detailed-exitcode")[0] == 0


def test_a_saved_plan_of_a_target_does_that_and_nothing_else(commands: Commands, hub: LocalHub) -> None:
    """Did everything that the Space's declaration asked for, reviewed or not."""
    saved(commands, hub, "--target", "acme/x.hardware")
    code, output = commands.run(hub, "apply", "plan.json", "--yes")
    assert code == 0, output
    assert hub.space("acme/x")["requested"] == "t4-small"
    assert hub.space("acme/x")["visibility"] == "public"
    assert "acme/new" not in hub.spaces()


def test_another_account_another_hub_and_another_environment_are_refused(
    commands: Commands, hub: LocalHub
) -> None:
    saved(commands, hub)
    hub.token = "hf_local_bob"
    code, output = commands.run(hub, "apply", "plan.json", "--yes")
    assert (code, "it was made as alice, and this is bob" in output) == (1, True), output
    hub.token = "hf_local_write"
    with LocalHub(seed=SEED) as other:
        code, output = commands.run(other, "apply", "plan.json", "--yes")
        assert (code, f"it was made for {hub.url}, and this is {other.url}" in output) == (1, True), output
        assert other.writes() == []
    commands.env["FLAVOR"] = "a10g-small"
    try:
        code, output = commands.run(hub, "apply", "plan.json", "--yes")
    finally:
        del commands.env["FLAVOR"]
    # Was applied: the text was the same, and what ${FLAVOR} stood for had been forgotten.
    assert (code, "the manifest changed" in output) == (1, True), output
    assert hub.writes() == []


def test_a_space_that_moves_after_the_check_is_refused_too(commands: Commands, hub: LocalHub) -> None:
    saved(commands, hub)
    reads: list[str] = []

    def move(when: str, method: str, path: str) -> None:
        """Between the check of the whole plan and the first write to the Space."""
        if when == "before" and path == "/api/spaces/acme/x":
            reads.append(path)
            hub.set_space("acme/x", visibility="protected")

    hub.set_hook(move)
    code, output = commands.run(hub, "apply", "plan.json", "--yes", "--parallelism", "1")
    assert reads
    assert (code, "acme/x has moved since the plan was saved" in output) == (3, True), output
    assert hub.space("acme/x")["requested"] == "cpu-basic"
