"""What people read, held fast in tests/golden: HFSPACE_UPDATE_GOLDEN=1 writes it anew."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

from hfspace.github import drift_issue
from hfspace.github.comment import Said, body
from hfspace.report import plan_markdown, plan_text
from tests.github.page import read
from tests.report.plans import change, everything, large, over_budget, plan, varied, with_hours

GOLDEN = Path(__file__).parents[1] / "golden"
RUN = "https://github.com/octo/fleet/actions/runs/5"
SAID = Said(name="spaces.yaml", sha="a" * 40, artifact_url=RUN)


def base_of_everything() -> object:
    """Some of it was pending before, and one thing was that is no more."""
    made = everything()
    gone = change("acme/archive", "hardware", "t4-small", "cpu-basic")
    return replace(made, changes=(*made.changes[:5], gone), checks=made.checks[:1])


PAGES = {
    "plan.txt": lambda: plan_text.render(everything(), color=False),
    "plan-verbose.txt": lambda: plan_text.render(everything(), color=False, verbose=1),
    "plan-in-ci.txt": lambda: plan_text.render(over_budget(), color=False, automation=True),
    "plan-empty.txt": lambda: plan_text.render(plan(), color=False),
    "plan-large.txt": lambda: plan_text.render(large(), color=False),
    "plan-hours.txt": lambda: plan_text.render(with_hours(), color=False),
    "plan-hours.md": lambda: plan_markdown.render(with_hours()),
    "plan.md": lambda: plan_markdown.render(everything()),
    "plan-empty.md": lambda: plan_markdown.render(plan()),
    "comment.md": lambda: body(everything(), SAID),
    "comment-large.md": lambda: body(large(), SAID),
    "comment-with-base.md": lambda: body(everything(), SAID, base_of_everything()),  # type: ignore[arg-type]
    "comment-over-budget.md": lambda: body(over_budget(), replace(SAID, from_fork=True)),
    "drift-issue.md": lambda: drift_issue.body(everything(), name="spaces.yaml", run_url=RUN),
}


@pytest.mark.parametrize("name", PAGES)
def test_it_reads_as_it_did(name: str) -> None:
    path, text = GOLDEN / name, f"{str(PAGES[name]()).rstrip()}\n"
    if os.environ.get("HFSPACE_UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("changes", [40, 400, 2_000, 6_000])
def test_a_large_plan_of_different_changes_fits_and_says_what_it_leaves_out(changes: int) -> None:
    made = varied(changes)
    text = str(body(made, SAID, replace(made, changes=made.changes[::2])))
    assert len(text) < 65_536
    page = read(text)
    assert page.unbalanced == []
    if changes >= 2_000:
        shown = sum(len(rows) - 1 for rows in page.rows)
        assert shown > 200
        assert f"[full plan]({RUN})" in text
        more = sum(int(n.replace(",", "")) for n in re.findall(r"\*\*([\d,]+) more changes? not shown", text))
        by_space = [row for row in text.splitlines() if re.match(r"\| \S+ \| (<code>acme/|\s*\|)", row)]
        assert more + len(by_space) == changes


def test_a_large_plan_of_like_changes_is_told_whole() -> None:
    text = str(body(large(2_000), SAID))
    assert len(text) < 65_536
    assert "not shown here" not in text
    assert " more\n" not in text
    assert {f"acme/space-{number:04}" for number in range(500)} <= set(read(text).code)


def test_an_even_larger_one_counts_the_names_that_do_not_fit() -> None:
    text = str(body(large(20_000), SAID))
    assert len(text) < 65_536
    assert re.search(r"</code> and [\d,]+ more\n", text)
