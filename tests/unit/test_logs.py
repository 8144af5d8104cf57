"""hfspace logs, where a log has no line."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hfspace.cli.main import run
from hfspace.localhub import LocalHub


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalHub]:
    seed = {"spaces": {"acme/x": {"logs": {"run": []}}}}
    with LocalHub(seed=seed, clock="manual") as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setenv("HF_TOKEN", hub.token)
        yield hub


@pytest.mark.parametrize(
    ("patience", "code", "says"),
    [(1000.0, 0, "The log of acme/x is empty."), (0.0, 4, "whether it is empty is not known")],
    ids=["the Hub ended it", "it was silent"],
)
def test_a_log_without_a_line_is_empty_only_when_the_hub_says_so(
    hub: LocalHub,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    patience: float,
    code: int,
    says: str,
) -> None:
    monkeypatch.setattr("hfspace.cli.logs._SILENCE", patience)

    assert run(["logs", "acme/x"]) == code

    output = capsys.readouterr()
    assert output.out == ""
    assert says in output.err
