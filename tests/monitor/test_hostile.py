"""Hostile names and descriptions through hfspace experiments: text stays text."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from hfspace.errors import TrackioUnavailable
from hfspace.live.trackio.port import LogEntry
from tests.monitor.command_line import HOSTILE, Cli, rows_of


@pytest.fixture
def hostile(cli: Cli) -> Cli:
    made = cli.tracker.create(HOSTILE, description=HOSTILE, parameters={HOSTILE: HOSTILE})
    cli.tracker.log_metrics(
        made.id, [LogEntry(metrics={HOSTILE: 1.0, "loss": 2.0}, step=1, time=HOSTILE)] * 2
    )
    cli.tracker.create("=1+1")
    cli.tracker.log_metrics("=1+1", [LogEntry(metrics={"loss": 2.0}, step=1)])
    return cli


def active(text: str) -> set[str]:
    return {char for char in text if not char.isprintable() and char != "\n"}


@pytest.mark.parametrize(
    "args",
    [
        ("list",),
        ("show", "exp_1"),
        ("show", "exp_1", "--format", "json"),
        ("plot", "exp_1"),
        ("compare", "exp_1", "exp_2"),
        ("export",),
        ("status", "exp_1", "failed"),
        ("log-parameters", "exp_1", '{"a": 1}'),
        ("log-metrics", HOSTILE, '{"a": 1}'),
        ("show", HOSTILE + "x"),
        ("create", HOSTILE),
    ],
)
def test_hostile_text_never_reaches_the_terminal(hostile: Cli, args: tuple[str, ...]) -> None:
    _, out, err = hostile(*args)
    assert active(out + err) == set()
    assert out + err != ""
    lines = (out + err).splitlines()
    assert not any(line.startswith("🟢") for line in lines)


def test_hostile_text_in_files_is_text(hostile: Cli, tmp_path: Path) -> None:
    assert hostile("plot", "exp_1", "--metric", HOSTILE, "--metric", "loss", "--out", "x.svg")[0] == 0
    assert hostile("compare", "exp_1", "exp_2", "--out", "x.html")[0] == 0
    svg, page = (tmp_path / "x.svg").read_text(), (tmp_path / "x.html").read_text()
    names = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(svg).iter()}
    assert names <= {"svg", "title", "rect", "text", "path", "polyline", "circle"}
    assert "<script" not in page
    assert active(svg + page) == set()
    hostile("export", "--out", "x.csv")
    rows = rows_of(tmp_path / "x.csv")
    assert {row["name"] for row in rows} >= {"'=1+1"}
    assert active((tmp_path / "x.csv").read_text()) == set()
    hostile("export", "--out", "x.jsonl")
    text = (tmp_path / "x.jsonl").read_text()
    assert text.isascii()
    assert json.loads(text.splitlines()[1])["name"] == HOSTILE


def test_an_error_of_the_app_is_shown_as_text(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(project: str | None = None) -> None:
        raise TrackioUnavailable(f"It said {HOSTILE}.")

    monkeypatch.setattr(cli.tracker, "list", fail)
    code, out, err = cli("list")
    assert (code, out) == (1, "")
    assert active(err) == set()
