"""How an apply ends: the word fits, and 'again' is said only where it can help."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from hfspace.cli.live import View
from hfspace.cli.progress import describe
from hfspace.model import Action, ApplyResult, Outcome, Status
from hfspace.report.apply_text import render
from tests.report import plans


def outcome(status: Status, **values: Any) -> Outcome:
    return Outcome(space="acme/x", status=status, **values)


@pytest.mark.parametrize(
    ("outcomes", "first", "last"),
    [
        ([outcome(Status.DONE)], "Done: 0 changes made; 1 Space done.", "Done"),
        ([outcome(Status.NOT_TRIED, error="why")], "Not finished: ", "Run the same command again"),
        (
            [outcome(Status.FAILED, error="no", final=True)],
            "Failed: ",
            "The same run again ends the same way",
        ),
        (
            [outcome(Status.DONE), outcome(Status.NOT_TRIED, error="not touched: no source", final=True)],
            "Not finished: ",
            "The same run again ends the same way",
        ),
        ([outcome(Status.FAILED, error="503")], "Failed: ", "Run the same command again"),
    ],
)
def test_the_last_lines_of_an_apply(outcomes: list[Outcome], first: str, last: str) -> None:
    text = render(ApplyResult(outcomes=tuple(outcomes)))
    assert any(line.startswith(first) for line in text.splitlines())
    assert text.splitlines()[-1].startswith(last)
    assert "0 failed" not in text


def test_a_change_is_told_as_the_plan_shows_it() -> None:
    assert describe(plans.change("acme/x", "sleep_time", -1, 3600)) == "acme/x.sleep_time: 1h"
    starts = plans.change("acme/x", "state", "PAUSED", "RUNNING", action=Action.RESTART, effects=("wakes",))
    assert describe(starts) == "acme/x: started"


def test_the_live_view_fits_its_terminal_and_escapes_what_the_hub_says() -> None:
    view = View(40, above=lambda text: None, now=lambda: 0.0)
    for number in range(30):
        view.begin(f"acme/space-{number:02}" + "x" * 90)
    view.tell("acme/space-00" + "x" * 90, "BUILD\x1b[2JING")
    view.end("acme/space-29" + "x" * 90)
    out = io.StringIO()
    Console(file=out, width=60, height=12, color_system=None).print(view)
    lines = out.getvalue().splitlines()
    assert "\x1b" not in out.getvalue()
    assert len(lines) <= 12
    assert max(map(len, lines)) <= 60
    assert "and 21 more" in out.getvalue()
    assert "1/40" in lines[-1]
