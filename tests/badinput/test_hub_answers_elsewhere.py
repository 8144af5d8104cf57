"""The other commands that read the Hub take the same odd answers without a crash."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hfspace.cli.main import run
from hfspace.live import transport
from tests.badinput.answering import answering
from tests.badinput.hub_answers import SPACE, of
from tests.badinput.test_hub_answers import CASES, ONE

COMMANDS = {
    "show": ["show", "acme/a"],
    "show as JSON": ["show", "acme/a", "--format", "json"],
    "status": ["status"],
    "list": ["list", "acme"],
    "doctor": ["doctor"],
    "init": ["init", "acme", "--out", "-"],
    "plan as HTML": ["plan", "--format", "html"],
    "plan as JSON": ["plan", "--format", "json"],
    "diagnose": ["diagnose", "acme/a"],
    "apply": ["apply", "--yes", "--no-wait", "--timeout", "1s"],
    "pause": ["pause", "acme/a"],
}
VOLUMES = {"runtime": {"stage": "RUNNING", "hardware": {}, "volumes": [5]}}
SLOW = ("long", "deep", "cut_off", "html_error", "future_status", "variables_many")


@pytest.fixture(autouse=True)
def ready(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith(("HF", "HUGGINGFACE")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HF_TOKEN", "hf_canaryToken0123456789")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("A_SECRET", "canary-secret-value")
    monkeypatch.setattr(transport, "ATTEMPTS", 1)
    monkeypatch.chdir(tmp_path)
    Path("spaces.yaml").write_text(ONE)


@pytest.mark.parametrize(
    "odd", [pytest.param("hostile", id="hostile"), pytest.param("", id="all", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("command", COMMANDS)
def test_no_answer_crashes_a_command(
    command: str, odd: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for case, (place, answer) in CASES.items():
        if odd not in case or case.partition("/")[2] in SLOW:
            continue
        with answering({place: answer}) as (url, _):
            monkeypatch.setenv("HF_ENDPOINT", url)
            code = run(COMMANDS[command])
        out, err = capsys.readouterr()
        said = out + err
        assert code in {0, 1, 2, 3, 4}, case
        assert "this is a bug" not in said, f"{case}: {said[-400:]}"
        assert "Traceback" not in said, case
        assert "canary" not in said, case
        assert "\x1b" not in said, case
        assert "\u202e" not in said, case


@pytest.mark.parametrize("command", [["list", "acme"], ["init", "acme", "--out", "-"]])
@pytest.mark.parametrize(
    "odd", [None, "text", {"id": "acme/b", "runtime": 5}, {"id": 5}, {"id": "acme/b", **VOLUMES}]
)
def test_one_odd_item_of_a_listing_is_told_and_the_others_are_there(
    command: list[str], odd: object, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with answering({"listing": of([SPACE, odd, {**SPACE, "id": "acme/c"}])}) as (url, _):
        monkeypatch.setenv("HF_ENDPOINT", url)
        code = run(command)
    out, err = capsys.readouterr()
    assert code == 4
    assert "acme/a" in out
    assert "acme/c" in out
    assert (
        f"{'acme/b' if isinstance(odd, dict) and odd['id'] != 5 else 'One item'} of a listing is left out"
        in err
    )
