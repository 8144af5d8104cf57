"""The HTML page of a plan: complete, self-contained, and nothing in it that a value could become."""

from __future__ import annotations

import pytest

from hfspace.model import Plan
from hfspace.report.plan_html import render
from tests.report import plans
from tests.report.html_page import Page, check_inert


@pytest.mark.parametrize(
    "made",
    [plans.plan(), plans.everything(), plans.over_budget(), plans.hostile(), plans.large(300)],
    ids=["empty", "everything", "over budget", "hostile", "large"],
)
def test_the_page_is_well_formed_and_needs_nothing_from_elsewhere(made: Plan) -> None:
    check_inert(render(made), {"lang", "charset", "name", "content", "http-equiv", "class", "scope"})


def test_it_says_what_the_text_says() -> None:
    words = " ".join(Page(render(plans.everything())).words)
    for change in plans.everything().changes:
        assert change.space in words
    for check in plans.everything().checks:
        assert check.message[:40] in words
    assert "over budget" in " ".join(Page(render(plans.over_budget())).words)
    assert "No changes" in render(plans.plan())


def test_secrets_are_not_shown() -> None:
    made = plans.plan(plans.change("acme/x", "secrets", "canary-old", "canary-new", key="A", sensitive=True))
    assert "canary" not in render(made)


def test_what_could_not_be_checked_did_not_fail() -> None:
    failed = plans.check("acme/x", "sdk", "error", "It is static.")
    unknown = plans.check("acme/x", "variables", "unknown", "They can't be read.")
    assert "<h1>No changes; 1 check failed, 1 unknown</h1>" in render(plans.plan(failed, unknown))
    assert "<h1>No changes; 1 unknown</h1>" in render(plans.plan(unknown))
