"""hfspace init: what is adopted plans to nothing, and what can't be written is said in a comment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hfspace.cli.main import run
from hfspace.localhub import LocalHub
from hfspace.manifest.adopt import STARTER, Found, manifest_of
from hfspace.manifest.loader import load
from hfspace.manifest.models import SpaceSpec
from hfspace.model import Secret, SpaceState, Variable, Volume

SEED = {
    "accounts": {"alice": {"orgs": {"acme": "admin"}}, "acme": {"type": "org", "plan": "team"}},
    "tokens": {
        "hf_local_write": {"account": "alice", "role": "write"},
        "hf_local_read": {"account": "alice", "role": "read"},
    },
    "spaces": {
        "acme/paid": {
            "stage": "RUNNING", "hardware": "t4-small", "sleep_time": 3600, "visibility": "private",
            "variables": {"A": "1.10", "B": "$HOME: yes # \u00e9 \U0001f917\nline", "on": "x", "EMPTY": ""},
            "secrets": {"KEY": "canary-value"},
        },
        "acme/paused": {"stage": "PAUSED", "hardware": "cpu-basic", "visibility": "protected"},
        "acme/site": {"sdk": "static"},
        "acme/broken": {"stage": "RUNTIME_ERROR", "hardware": "a10g-small", "sleep_time": -1},
    },
}  # fmt: skip


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_TOKEN", "hf_local_write")
    return tmp_path


def test_what_is_adopted_plans_to_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with LocalHub(seed=SEED) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        assert run(["init", "acme"]) == 0
        assert "4 Spaces" in capsys.readouterr().err
        assert run(["plan", "--detailed-exitcode"]) == 0, capsys.readouterr().out
        assert hub.writes() == []
    text = (folder / "spaces.yaml").read_text()
    assert "canary" not in text
    assert "#   KEY: {env: KEY}" in text
    assert "visibility: protected" in text
    assert "# state: it is RUNTIME_ERROR now" in text
    assert "sleep_time: 1h" in text
    assert "hardware: t4-small  # $0.40/h" in text
    assert "# it never sleeps: $730 a month" in text
    assert (folder / "spaces.schema.json").exists()


def test_an_owner_without_spaces_is_an_error_and_writes_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Was a manifest of no Spaces, and exit 0."""
    with LocalHub(seed=SEED) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        assert run(["init", "nobody"]) == 1
    assert "no Space of nobody" in capsys.readouterr().err
    assert not (folder / "spaces.yaml").exists()


def test_a_file_that_is_there_is_kept(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "spaces.yaml").write_text("mine")
    assert run(["init"]) == 1
    assert "is there already" in capsys.readouterr().err
    assert (folder / "spaces.yaml").read_text() == "mine"
    assert run(["init", "--force"]) == 0
    assert run(["validate"]) == 0
    assert run(["init", "--out", "-"]) == 0
    assert "max_deletes: 0" in capsys.readouterr().out


def test_single_spaces_and_a_token_that_may_not_read_everything(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with LocalHub(seed=SEED) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setenv("HF_TOKEN", "")
        assert run(["init", "https://huggingface.co/spaces/acme/broken"]) == 0
        monkeypatch.setenv("HF_TOKEN", "hf_local_read")
        assert run(["init", "acme/nope", "--out", "b.yaml"]) == 1
        assert "does not exist" in capsys.readouterr().err
    made = load([("a", (folder / "spaces.yaml").read_text())], env={})
    assert made.spaces["acme/broken"].hardware == "a10g-small"


def test_the_starter_is_valid() -> None:
    assert load([("a", STARTER)], env={}).policy.max_deletes == 0


TEXT = st.text(st.characters(codec="utf-8"), max_size=12)


@given(
    st.dictionaries(st.one_of(st.sampled_from(["A", "on", "HFSPACE_RESTART"]), TEXT), TEXT, max_size=4),
    st.dictionaries(TEXT, TEXT, max_size=2),
    st.one_of(st.none(), st.sampled_from(["True", "no", "t4-small"]), TEXT),
    st.sampled_from(["RUNNING", "PAUSED", "ODD\n- x", None]),
    st.one_of(st.just("acme/b"), TEXT),
)  # fmt: skip
def test_whatever_the_hub_holds_a_valid_manifest_comes_out(
    variables: dict[str, str], secrets: dict[str, str], hardware: str | None, stage: str | None, bucket: str
) -> None:
    state = SpaceState(
        id="acme/x",
        sdk="gradio",
        visibility="public",
        stage=stage,
        hardware=hardware,
        sleep_time=60,
        variables={key: Variable(value=value, description=value[:3]) for key, value in variables.items()},
        secrets={key: Secret(description=value) for key, value in secrets.items()},
        volumes=(Volume(type="bucket", source=bucket, mount_path="/data"),),
    )
    text = manifest_of([Found(state=state, problem="odd\n  evil: x")])
    spec = load([("a", text)], env={}).spaces["acme/x"]
    for key, one in (spec.variables or {}).items():
        assert one.value == variables[key]


def test_volumes_that_a_listing_lacks_are_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    volume = {"type": "bucket", "source": "acme/audio", "mountPath": "/data"}
    seed = {**SEED, "spaces": {"acme/v": {"stage": "RUNNING", "volumes": [volume]}}}
    with LocalHub(seed=seed) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        assert run(["init", "acme"]) == 0
        assert run(["plan", "--detailed-exitcode"]) == 0, capsys.readouterr().out
    assert "hf://buckets/acme/audio" in (folder / "spaces.yaml").read_text()


def test_volumes_that_nobody_tells_are_said() -> None:
    assert "# volumes: the Hub did not tell" in manifest_of([Found(state=SpaceState(id="acme/x"))])


def test_what_spaces_share_is_a_default_and_says_the_same() -> None:
    def state(name: str, **values: Any) -> SpaceState:
        given = {"sdk": "gradio", "visibility": "public", "hardware": "t4-small", "sleep_time": 3600}
        return SpaceState(id=f"acme/{name}", stage="RUNNING", volumes=(), **{**given, **values})

    states = [
        state("a"), state("b"), state("c", sleep_time=60), state("free", hardware="cpu-basic"),
        state("d", visibility="private"),
    ]  # fmt: skip
    text = manifest_of([Found(state=one) for one in states])
    assert text.count("sdk: gradio") == 1
    manifest = load([("a", text)], env={})
    for one in states:
        spec = manifest.spaces[one.id]
        assert (spec.sdk, spec.hardware, spec.state) == ("gradio", one.hardware, "running")
        assert spec.sleep_time == (None if one.hardware == "cpu-basic" else one.sleep_time)
    assert text.count("sleep_time") == 2


def test_the_starter_changes_nothing_of_a_space_that_is_adopted() -> None:
    text = STARTER.replace("  {}\n", "  acme/x: {}\n")
    assert load([("a", text)], env={}).spaces["acme/x"] == SpaceSpec()
