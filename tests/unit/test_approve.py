"""Only an approved plan is applied, and what stands in the way is said all at once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hfspace.applier.executor import apply
from hfspace.errors import PlanRefused, UsageError
from hfspace.model import ApprovedPlan
from hfspace.planner.counts import exit_code
from tests.report.plans import change, check, delete, over_budget, plan


def test_a_plan_without_objections_is_approved() -> None:
    made = plan(change("acme/x", "sleep_time", -1, 3600))
    assert made.approve().plan is made


def test_every_reason_is_said_at_once() -> None:
    made = plan(
        delete("acme/old", {"sdk": "gradio"}),
        *over_budget().checks,
        check("acme/y", "stage", "warning", "down"),
        role="read",
    )
    with pytest.raises(PlanRefused) as caught:
        made.approve(strict=True)
    text = str(caught.value)
    assert len(caught.value.reasons) == 4
    for words in ("ceiling after this plan", "deletes acme/old", "role read", "warnings"):
        assert words in text


def test_a_budget_is_not_overridden_by_force_and_the_share_of_changes_is() -> None:
    budget = over_budget()
    with pytest.raises(PlanRefused):
        budget.approve(force=True)
    share = replace(check("", "policy", "error", "too many"), overridable=True)
    made = plan(change("acme/x", "sleep_time", -1, 3600), share)
    with pytest.raises(PlanRefused):
        made.approve()
    assert made.approve(force=True)


def test_force_does_not_go_by_the_text_of_an_address() -> None:
    named = check("", "policy", "error", "over", address="policy.max_change_percent")
    with pytest.raises(PlanRefused):
        plan(change("acme/x", "sleep_time", -1, 3600), named).approve(force=True)


def test_without_a_token_only_an_empty_plan_is_approved() -> None:
    anonymous = {"account": None, "role": "anonymous"}
    assert plan(**anonymous).approve()
    with pytest.raises(PlanRefused):
        plan(change("acme/x", "sleep_time", -1, 3600), **anonymous).approve()


def test_what_was_not_looked_at_is_exit_code_4_unless_something_is_worse() -> None:
    unknown = check("acme/x", "secrets", "unknown", "can't be listed")
    assert exit_code(plan()) == 0
    assert exit_code(plan(unknown)) == 4
    assert exit_code(plan(unknown), allow_unknown=True) == 0
    assert exit_code(plan(unknown, check("acme/x", "stage", "error", "gone"))) == 1


def test_nothing_but_approve_makes_an_approved_plan() -> None:
    made = plan(change("acme/x", "sleep_time", -1, 3600), *over_budget().checks)
    with pytest.raises(PlanRefused, match="not approved"):
        ApprovedPlan(plan=made)
    with pytest.raises(UsageError, match="Only an approved plan"):
        apply(made, None)  # type: ignore[arg-type]
