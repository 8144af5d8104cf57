"""Whatever the Hub answers, a plan is made or refused in a sentence: to the letter what is printed.

`HFSPACE_UPDATE_GOLDEN=1 pytest tests/badinput` writes the expected output anew: read the difference then.
"""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import pytest

from hfspace.cli.main import run
from hfspace.live import transport
from tests.badinput.answering import answering, good
from tests.badinput.hub_answers import BODIES, PLACES, SINGLE, Answer

UPDATE_GOLDEN = bool(os.environ.get("HFSPACE_UPDATE_GOLDEN"))
EXPECTED = Path(__file__).parent / "hub_expected"
CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
ONE = """version: 1
spaces:
  acme/a:
    hardware: t4-small
    sleep_time: 1h
    state: running
    visibility: public
    variables: {MODEL: small}
    secrets: {KEY: {env: A_SECRET}}
"""
THREE = ONE + "  acme/b: {hardware: t4-small}\n  acme/c: {hardware: t4-small}\n"
CASES: dict[str, tuple[str, Answer]] = {
    **{f"{place}/{name}": (place, make(good(place))) for place in PLACES for name, make in BODIES.items()},
    **{f"{place}/{name}": (place, answer) for name, (place, answer) in SINGLE.items()},
}


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


def planned(
    answers: dict[str, Answer], capsys: pytest.CaptureFixture[str], *options: str
) -> tuple[str, list[tuple[str, str]]]:
    """The exit code and all that `hfspace plan` prints, and the requests that were made."""
    Path("spaces.yaml").write_text(THREE if "listing" in answers else ONE)
    with answering(answers) as (url, seen):
        os.environ["HF_ENDPOINT"] = url
        code = run(["plan", *options])
        out, err = capsys.readouterr()
    return f"exit {code}\n{out}{err}".replace(url, "http://hub"), seen


def demand(said: str) -> None:
    assert re.match(r"exit [014]\n", said)
    assert "Traceback" not in said
    assert "this is a bug" not in said
    assert "canary" not in said
    assert not CONTROL.search(said), CONTROL.search(said)
    assert max(len(line) for line in said.splitlines()) < 1500
    assert not re.search(r"^\s*::", said, re.MULTILINE), "a command of GitHub Actions"


@pytest.mark.parametrize("case", CASES)
def test_an_answer_of_the_hub(
    case: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "")
    place, answer = CASES[case]
    start = time.monotonic()
    said, _ = planned({place: answer}, capsys)
    assert time.monotonic() - start < 10
    demand(said)
    golden = EXPECTED / f"{case}.txt"
    if UPDATE_GOLDEN:
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(said)
    assert said == golden.read_text(), f"{golden} differs"


def test_no_expectation_is_left_over() -> None:
    assert len(CASES) >= 150
    assert {str(path.relative_to(EXPECTED).with_suffix("")) for path in EXPECTED.glob("*/*.txt")} == set(
        CASES
    )
