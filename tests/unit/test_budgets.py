"""Every limit in dollars, broken: what it says, of whom, and what may still happen past it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from hfspace.errors import PlanRefused, UsageError
from hfspace.localhub import LocalHub
from hfspace.manifest.models import Manifest, Policy, SpaceSpec
from hfspace.model import LocalInputs, Plan, Snapshot
from hfspace.model.billing import Billed, Charge, Usage
from hfspace.planner import budgets, guardrails
from hfspace.planner.plan import plan
from hfspace.report import plan_text
from tests.converge.harness import Runner
from tests.unit.builders import checks, live, manifest, snapshot

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
LEFT = Decimal(132)
"""Hours of November from then on."""
INPUTS = LocalInputs(now=NOON.timestamp())
T4 = SpaceSpec(hardware="t4-small", sleep_time=3600)


def billed(usd: str, space: str | None = "acme/x", **unknown: str) -> Billed:
    charge = Charge(
        owner="acme", kind="Spaces", product="spaces/t4-small/minutes", usd=Decimal(usd), space=space
    )
    usage = Usage(owner="acme", start=0, end=1, source="usage-v2", charges=(charge,))
    return Billed(usages=() if "acme" in unknown else (usage,), unknown=unknown)


def on_t4(name: str = "x", **values: Any) -> Any:
    return live(name, hardware="t4-small", sleep_time=3600, **values)


def made(wanted: Manifest, now: Snapshot) -> Plan:
    return plan(wanted, now, INPUTS)


def policy(**rules: Any) -> Policy:
    return Policy.model_validate(rules)


def errors(result: Plan) -> list[tuple[str, str]]:
    return [(check.address, check.space) for check in result.errors]


# ------------------------------------------------------------ each limit, broken


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        (
            {"max_monthly_usd": 100},
            "the ceiling after this plan is $292.00 per month, over the limit of $100.00. "
            "Most of it: acme/x $292.00.",
        ),
        (
            {"max_scheduled_usd": 100},
            "the hours that the manifest leaves on cost $292.00 per month, over the limit of $100.00. "
            "Most of it: acme/x $292.00.",
        ),
        (
            {"max_usd_per_hour": "0.39"},
            "right after this plan there are billed $0.40 per hour, over the limit of $0.39. "
            "Most of it: acme/x $0.40.",
        ),
        (
            {"max_usd_per_hour": {"acme": 0.1, "other": 0}},
            "right after this plan of acme there are billed $0.40 per hour, over the limit of $0.10. "
            "Most of it: acme/x $0.40.",
        ),
        ({"forbid_public": True}, "acme/x is public."),
        ({"require_sleep_time": "30m"}, "acme/x sleeps after 1h, and 30m is the longest."),
        ({"allowed_hardware": ["cpu-basic"]}, "acme/x is to run on t4-small, which is not allowed."),
    ],
)
def test_each_policy_broken_says_which_and_by_how_much(rules: dict[str, Any], says: str) -> None:
    result = made(manifest(policy(**rules), x=T4), snapshot(on_t4()))
    assert checks(result) == [f"error policy: {says}"]
    with pytest.raises(PlanRefused):
        result.approve()


def test_past_what_may_be_spent_a_space_does_not_start_and_the_others_go_on() -> None:
    wanted = manifest(
        policy(max_spent_usd=50),
        x=T4.model_copy(update={"state": "running"}),
        y=SpaceSpec(state="paused"),
        z=SpaceSpec(visibility="private"),
    )
    now = snapshot(on_t4(stage="PAUSED"), on_t4("y"), live("z"), billed=billed("41.20"))
    result = made(wanted, now)
    (refused,) = result.errors
    assert (refused.address, refused.space, refused.scope) == ("policy.max_spent_usd", "acme/x", "space")
    # 132 hours of November at $0.40 are left.
    assert refused.message == (
        "not started or upgraded: this month is on course for $94.00, over the limit of $50.00 "
        "($41.20 billed, $52.80 scheduled)."
    )
    assert [change.space for change in result.approve().plan.changes] == ["acme/x", "acme/y", "acme/z"]


def test_a_plan_past_the_limit_that_only_frees_may_be_applied() -> None:
    wanted = manifest(
        policy(max_spent_usd=50, max_monthly_usd=100, max_scheduled_usd=100, max_usd_per_hour="0.1"),
        x=T4,
        y=SpaceSpec(state="paused"),
        d=SpaceSpec(hardware="cpu-basic"),
        gone=SpaceSpec(state="absent"),
    )
    states = (on_t4(), on_t4("y"), live("d", hardware="a10g-small"), on_t4("gone"))
    result = made(wanted, snapshot(*states, billed=billed("60")))
    assert result.errors == ()
    assert [check.severity for check in result.checks] == ["warning"] * 4
    assert all("only frees" in one.message or "nothing starts" in one.message for one in result.checks)
    assert len(result.approve(allow_delete=True).plan.changes) == 3


def test_an_upgrade_is_refused_and_a_restart_at_the_same_price_is_not() -> None:
    wanted = manifest(
        policy(max_spent_usd=1), up=SpaceSpec(hardware="a10g-small"), same=SpaceSpec(dev_mode=True)
    )
    now = snapshot(on_t4("up"), on_t4("same"), billed=billed("2"))
    assert errors(made(wanted, now)) == [("policy.max_spent_usd", "acme/up")]


def test_a_limit_is_that_of_an_owner_or_of_a_label_alone() -> None:
    speech = T4.model_copy(update={"labels": {"team": "speech"}})
    wanted = manifest(
        policy(max_scheduled_usd={"all": 1000, "team=speech": 300, "team=vision": 300, "acme": 500}),
        a=speech,
        b=speech,
        c=T4.model_copy(update={"labels": {"team": "vision"}}),
    )
    result = made(wanted, snapshot(on_t4("a"), on_t4("b"), on_t4("c")))
    assert errors(result) == [
        ("policy.max_scheduled_usd.acme", ""),
        ("policy.max_scheduled_usd.team=speech", ""),
    ]
    assert "the hours of team=speech that the manifest leaves on cost $584.00" in result.errors[1].message


def test_what_the_hub_bills_without_a_name_counts_for_its_owner() -> None:
    wanted = manifest(policy(max_spent_usd={"all": 5}), x=SpaceSpec(hardware="t4-small"))
    assert errors(made(wanted, snapshot(live(), billed=billed("60", space=None)))) == [
        ("policy.max_spent_usd", "acme/x")
    ]


# ------------------------------------------------------------ unknown


def test_unknown_spending_is_unknown_once_and_stops_only_what_would_start() -> None:
    unknown = billed("0", acme="needs the Billing read permission")
    limit = policy(max_spent_usd=50)
    still = made(manifest(limit, x=T4), snapshot(on_t4(), billed=unknown))
    assert checks(still) == [
        "unknown policy: what was spent is unknown: acme needs the Billing read permission."
    ]
    assert still.to_apply().errors == ()
    starting = made(manifest(limit, x=SpaceSpec(hardware="t4-small")), snapshot(live(), billed=unknown))
    assert starting.errors == ()
    assert errors(starting.to_apply()) == [("policy.max_spent_usd", "acme/x")]
    assert plan_text.render(still, color=False).count("Billing read") == 1
    asked = made(manifest(x=T4), snapshot(on_t4(), billed=unknown))
    assert "spent unknown: acme: needs the Billing read permission." in plan_text.render(asked, color=False)


def test_without_a_question_nothing_is_said_of_spending() -> None:
    result = made(manifest(x=T4), snapshot(on_t4()))
    assert (result.cost.spent_usd, result.cost.spent_unknown) == (None, "")
    assert "spent" not in plan_text.render(result, color=False)


def test_the_plan_says_what_was_spent_and_where_the_month_ends() -> None:
    wanted = manifest(policy(max_spent_usd=150), x=T4)
    result = made(wanted, snapshot(on_t4(), billed=billed("41.20")))
    assert "\n      spent $41.20 of $150 this month, on course for $94.00." in plan_text.render(
        result, color=False
    )
    assert result.cost.course_usd == Decimal("41.20") + LEFT * Decimal("0.40")


# ------------------------------------------------------------ leaving a rule


def test_a_space_leaves_a_rule_with_a_reason_that_every_plan_shows() -> None:
    why = "demo day, until 2026-12-05"
    spec = SpaceSpec(hardware="t4-small", exempt={"require_sleep_time": why, "max_usd_per_hour": "grant"})
    rules = policy(require_sleep_time=True, max_usd_per_hour=0, forbid_public=True)
    result = made(manifest(rules, x=spec, y=SpaceSpec()), snapshot(on_t4(), live("y", visibility="private")))
    assert errors(result) == [("policy.forbid_public", "acme/x")]
    assert result.exempt == {"acme/x": {"max_usd_per_hour": "grant", "require_sleep_time": why}}
    text = plan_text.render(result, color=False)
    assert re.search(rf"i policy.require_sleep_time +exempt: {why}", text)


def test_a_pull_request_can_t_leave_a_rule_by_itself() -> None:
    base = manifest(policy(require_sleep_time=True, max_usd_per_hour={"team=a": 1}), x=T4)
    loose = SpaceSpec(
        hardware="t4-small",
        exempt={"require_sleep_time": "because"},
        free_hardware=True,
        labels={"team": "b"},
    )
    proposed = manifest(Policy(), x=loose)
    kept = guardrails.guarded(proposed, base)
    assert errors(made(kept, snapshot(live(visibility="private", hardware="t4-small")))) == [
        ("policy.require_sleep_time", "acme/x")
    ]
    assert kept.spaces["acme/x"].free_hardware is False
    said = " ".join(check.message for check in guardrails.changed(proposed, base))
    assert "acme/x would leave require_sleep_time (because); this plan keeps it." in said
    assert "acme/x would count as free" in said
    assert "acme/x changes its labels" in said
    assert "max_usd_per_hour is changed from team=a 1 to no limit" in said


# ------------------------------------------------------------ labels and grants


def test_a_label_is_a_target() -> None:
    speech = SpaceSpec(visibility="private", labels={"team": "speech"})
    wanted = manifest(a=speech, b=SpaceSpec(visibility="private"))
    now = snapshot(live("a"), live("b"))
    for target in ("team=speech", "team=sp*"):
        result = plan(wanted, now, targets=[target])
        assert {change.space for change in result.changes} == {"acme/a"}
        assert result.declared == ("acme/a",)
    with pytest.raises(UsageError, match="no Space has this label"):
        plan(wanted, now, targets=["team=vision"])


def test_free_hardware_costs_nothing_in_any_figure() -> None:
    granted = SpaceSpec(hardware="a10g-small", free_hardware=True, state="running")
    result = made(manifest(x=granted), snapshot(live()))
    assert (result.cost.after_usd_per_month, result.cost.scheduled_usd_per_month) == (0, 0)
    assert result.changes[0].usd_per_hour_after is None


def test_a_change_s_price_is_that_of_the_plan_whatever_its_facet_says() -> None:
    """One change of a Space has all of its money: the one that moves it."""
    spec = SpaceSpec(hardware="t4-small", state="running", visibility="private")
    result = made(manifest(x=spec), snapshot(live(stage="PAUSED", replicas=None)))
    prices = {one.facet: (one.usd_per_hour_before, one.usd_per_hour_after) for one in result.changes}
    assert prices == {
        "hardware": (0, Decimal("0.40")),
        "state": (None, None),
        "visibility": (None, None),
    }
    both = sum(one.usd_per_hour_after or 0 for one in result.changes)
    assert both == result.cost.after_usd_per_hour


def test_three_replicas_are_three_times_the_change() -> None:
    state = replace(live(hardware="t4-small"), replicas=3)
    result = made(manifest(x=SpaceSpec(state="paused")), snapshot(state))
    assert result.changes[0].usd_per_hour_before == Decimal("1.20")


# ------------------------------------------------------------ what a change costs, computed by the Hub

WANTED = {
    "up": "hardware: a10g-small, sleep_time: 1h",
    "down": "hardware: cpu-upgrade, sleep_time: never",
    "free": "hardware: cpu-basic",
    "pause": "state: paused",
    "start": "state: running",
    "both": "hardware: a10g-small, sleep_time: 1h, state: running",
    "off": "hardware: a10g-small, sleep_time: 1h, state: paused",
    "gone": "state: absent",
    "mend": "on_error: restart",
    "set": "variables: {A: b}",
}
STAGES = {"run": "RUNNING", "sleep": "SLEEPING", "stop": "PAUSED", "fail": "RUNTIME_ERROR"}


def test_what_the_changes_cost_is_what_the_hub_bills_after_them() -> None:
    """Every wanted state from every stage: the prices of the changes add up to the difference between what
    the local Hub bills per hour before the apply and after it."""
    names = [f"{want}-{stage}" for want in WANTED for stage in STAGES]
    spaces = {
        f"acme/{name}": {
            "hardware": "t4-small",
            "stage": STAGES[name.partition("-")[2]],
            "replicas": 2 if name.startswith("p") else 1,
        }
        for name in names
    }
    text = "version: 1\nspaces:\n" + "".join(
        f"  acme/{name}: {{{WANTED[name.partition('-')[0]]}}}\n" for name in names
    )
    switches = {"hardware_change_wakes_paused": False, "config_change_wakes_paused": False}
    with LocalHub(seed={"spaces": spaces, "hub": {"switches": switches}}, clock="manual") as hub:
        runner = Runner(hub, text, {})
        before, result = bills(hub, names), runner.plan()
        assert sum(before.values()) == result.cost.before_usd_per_hour
        runner.apply()
        after = bills(hub, names)
    for name in names:
        its = [change for change in result.changes if change.space == f"acme/{name}"]
        moved = sum((one.usd_per_hour_after or 0) - (one.usd_per_hour_before or 0) for one in its)
        assert moved == after[name] - before[name], name


def bills(hub: LocalHub, names: list[str]) -> dict[str, Decimal]:
    """USD per hour of each Space by the stage that the Hub has it in now."""
    prices = {"cpu-basic": "0", "cpu-upgrade": "0.03", "t4-small": "0.40", "a10g-small": "1.00"}
    billed = {"RUNNING", "APP_STARTING", "RUNNING_BUILDING", "RUNNING_APP_STARTING"}
    usd = dict.fromkeys(names, Decimal(0))
    for name in names:
        if f"acme/{name}" in hub.spaces():
            doc = hub.space(f"acme/{name}")
            if doc["stage"] in billed:
                usd[name] = Decimal(prices[doc["current"] or doc["requested"]]) * doc["replicas"]
    return usd


def test_a_limit_of_nobody_is_told_by_validate() -> None:
    labelled = SpaceSpec(labels={"team": "a"})
    wanted = manifest(
        policy(max_spent_usd={"all": 1, "acme": 1, "acne": 1, "team=a": 1, "team=b": 1}), x=labelled
    )
    assert [check.message for check in budgets.idle(wanted)] == [
        "max_spent_usd is of acne, and no Space here is",
        "max_spent_usd is of team=b, and no Space here is",
    ]
