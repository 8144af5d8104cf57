"""The plan in a terminal: nothing is wider than it, and what changes stands before what only failed."""

from __future__ import annotations

import pytest

from hfspace.report.plan_text import render
from hfspace.text import width
from tests.report import plans


@pytest.mark.parametrize("columns", [200, 100, 80, 60])
def test_no_line_of_a_plan_is_wider_than_the_terminal(columns: int) -> None:
    for plan in (plans.everything(), plans.over_budget()):
        body = render(plan, color=False, columns=columns, automation=True).split("\nNot declared")[0]
        assert max(map(width, body.splitlines())) <= columns


def test_prices_survive_a_narrow_terminal() -> None:
    text = render(plans.everything(), color=False, columns=60)
    for price in ("+$0.40/h", "-$1.05/h", "-$1.00/h"):
        assert price in text


def test_what_apply_can_not_mend_stands_after_what_changes() -> None:
    text = render(plans.everything(), color=False)
    assert text.index("~ acme/whisper-demo") < text.index("Failed or unknown") < text.index("! acme/gone")
