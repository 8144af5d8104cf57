"""Cost, policy and order: what a plan says beside its changes."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from hfspace.manifest.models import CreateSpec, Policy, SpaceSpec, VariableSpec
from hfspace.planner import order
from hfspace.planner.digest import digest
from hfspace.planner.plan import matches, plan
from hfspace.report import plan_text
from tests.unit.builders import checks, live, manifest, secret, snapshot, variable


def test_the_budget_counts_spaces_that_sleep_as_always_on() -> None:
    policy = Policy(max_monthly_usd=Decimal(100))
    asleep = live(hardware="t4-small", stage="SLEEPING", sleep_time=60)
    made = plan(manifest(policy, x=SpaceSpec(hardware="t4-small")), snapshot(asleep))
    assert made.cost.before_usd_per_hour == 0
    assert checks(made) == [
        "error policy: the ceiling after this plan is $292.00 per month, over the limit of $100.00. "
        "Most of it: acme/x $292.00."
    ]


def test_a_pause_takes_the_space_off_the_bill() -> None:
    made = plan(manifest(x=SpaceSpec(state="paused")), snapshot(live(hardware="t4-small")))
    assert (str(made.cost.before_usd_per_hour), made.cost.after_usd_per_hour) == ("0.40", 0)
    assert made.cost.after_usd_per_month == 0


def test_a_paused_space_costs_nothing_and_its_upgrade_neither() -> None:
    paused = live(stage="PAUSED")
    made = plan(manifest(x=SpaceSpec(hardware="t4-small")), snapshot(paused))
    assert made.cost.after_usd_per_hour == 0


def test_policy_names_each_breach() -> None:
    policy = Policy(max_deletes=0, allowed_hardware=("cpu-basic",), require_sleep_time=True, max_running=1)
    wanted = manifest(
        policy,
        a=SpaceSpec(state="absent"),
        b=SpaceSpec(hardware="t4-small"),
        c=SpaceSpec(state="running"),
        d=SpaceSpec(state="running"),
    )
    made = plan(wanted, snapshot(live("a"), live("b"), live("c", stage="PAUSED"), live("d", stage="PAUSED")))
    assert {check.address for check in made.errors} == {
        "policy.max_deletes",
        "policy.allowed_hardware",
        "policy.require_sleep_time",
        "policy.max_running",
    }


def test_a_plan_that_touches_too_many_is_refused() -> None:
    policy = Policy(max_change_percent=50)
    names = "abcdefghij"
    wanted = manifest(policy, **{name: SpaceSpec(visibility="private") for name in names})
    made = plan(wanted, snapshot(*(live(name) for name in names)))
    assert checks(made) == ["error policy: 10 of 10 Spaces would change (100%), more than the 50% allowed."]


def test_what_frees_money_comes_before_what_spends_it() -> None:
    wanted = manifest(
        a=SpaceSpec(hardware="t4-small"),
        b=SpaceSpec(state="paused"),
        c=SpaceSpec(visibility="private"),
        d=SpaceSpec(sdk="gradio", create=CreateSpec()),
    )
    made = plan(wanted, snapshot(live("a"), live("b", hardware="t4-small"), live("c")))
    by_space = {space: [c for c in made.changes if c.space == space] for space in wanted.spaces}
    phases = order.phases(by_space, {})
    assert [phases[f"acme/{name}"] for name in "abcd"] == [
        order.Phase.SPENDS,
        order.Phase.FREES,
        order.Phase.NEUTRAL,
        order.Phase.SPENDS,
    ]


def test_a_space_waits_for_the_phase_of_what_it_depends_on() -> None:
    wanted = manifest(a=SpaceSpec(hardware="t4-small"), b=SpaceSpec(state="paused", depends_on=("acme/a",)))
    made = plan(wanted, snapshot(live("a"), live("b")))
    by_space = {space: [c for c in made.changes if c.space == space] for space in wanted.spaces}
    phases = order.phases(by_space, {"acme/b": ("acme/a",)})
    assert phases["acme/b"] == phases["acme/a"] == order.Phase.SPENDS


def test_targets_cut_a_plan_by_space_address_and_glob() -> None:
    wanted = manifest(
        a=SpaceSpec(hardware="t4-small", visibility="private"), b=SpaceSpec(visibility="private")
    )
    now = snapshot(live("a"), live("b"))
    assert len(plan(wanted, now).changes) == 3
    assert {c.space for c in plan(wanted, now, targets=["acme/a"]).changes} == {"acme/a"}
    assert [c.address for c in plan(wanted, now, targets=["acme/a.hardware"]).changes] == ["acme/a.hardware"]
    assert len(plan(wanted, now, targets=["acme/*.visibility"]).changes) == 2


def test_a_plan_with_targets_says_what_it_looked_at_and_minds_its_own_policy_only() -> None:
    wanted = manifest(
        Policy(max_deletes=0, max_monthly_usd=Decimal(1), require_sleep_time=True),
        a=SpaceSpec(visibility="private"),
        b=SpaceSpec(state="absent"),
        c=SpaceSpec(hardware="t4-small"),
    )
    now = snapshot(live("a"), live("b"), live("c", hardware="t4-small", hardware_current="t4-small"))
    assert {check.address for check in plan(wanted, now).checks} >= {"policy.max_deletes"}
    made = plan(wanted, now, targets=["acme/a"])
    assert (made.declared, made.of) == (("acme/a",), 3)
    assert made.checks == ()
    assert "1 of 3 Spaces" in plan_text.render(made, color=False)
    assert "No changes: 1 of 3 Spaces as declared." in plan_text.render(
        replace(made, changes=()), color=False
    )
    assert plan(wanted, now, targets=["acme/b"]).breaches


def test_a_budgets_refusal_names_what_costs_most() -> None:
    specs = {f"s{n}": SpaceSpec(hardware="t4-small") for n in range(7)}
    wanted = manifest(Policy(max_monthly_usd=Decimal(1)), **specs)
    (breach,) = plan(wanted, snapshot(*(live(f"s{n}") for n in range(7)))).breaches
    assert breach.message.count("acme/s") == 5


def test_names_that_nobody_declared_are_listed_when_asked_for() -> None:
    wanted = manifest(a=SpaceSpec(variables={"A": VariableSpec(value="1")}))
    names = ("A", "DEBUG", "HFSPACE_RESTART")
    state = live("a", variables={name: variable("1") for name in names}, secrets={"S": secret()})
    assert plan(wanted, snapshot(state)).undeclared == ()
    assert plan(wanted, replace(snapshot(state), names_read=True)).undeclared == (
        "acme/a.variables.DEBUG",
        "acme/a.secrets.S",
    )


@given(st.permutations(["a", "b", "c", "d"]))
def test_equal_inputs_give_equal_plans(names: list[str]) -> None:
    wanted = manifest(**{name: SpaceSpec(hardware="t4-small", visibility="private") for name in names})
    made = plan(wanted, snapshot(*(live(name) for name in names)))
    again = plan(wanted, snapshot(*(live(name) for name in reversed(names))))
    assert made == again
    assert [change.space for change in made.changes] == sorted(change.space for change in made.changes)


def test_a_fingerprint_sees_settings_and_not_passing_stages() -> None:
    assert digest(live()) == digest(live(stage="SLEEPING", host="https://x.hf.space", sha="1"))
    assert digest(live()) != digest(live(hardware="t4-small"))
    assert digest(live()) != digest(live(stage="PAUSED"))


def test_a_paused_space_needs_no_sleep_time() -> None:
    policy = Policy(require_sleep_time=True)
    declared = manifest(policy, x=SpaceSpec(hardware="t4-small", state="paused"))
    paused = live(hardware="t4-small", stage="PAUSED", sleep_time=None)
    assert plan(declared, snapshot(paused)).checks == ()
    awake = manifest(policy, x=SpaceSpec(hardware="t4-small"))
    assert [check.severity for check in plan(awake, snapshot(paused)).checks] == ["error"]


def test_ignored_differences_are_those_of_the_targets() -> None:
    spec = SpaceSpec(visibility="private", ignore=frozenset({"visibility"}))
    wanted, now = manifest(a=spec, b=spec), snapshot(live("a"), live("b"))
    assert [change.space for change in plan(wanted, now, targets=["acme/a"]).ignored] == ["acme/a"]


def test_an_address_with_the_signs_of_a_glob_is_its_own_target() -> None:
    assert matches("acme/x.experiments.run[1]*", "acme/x", ("acme/x.experiments.run[1]*",))
    assert not matches("acme/x.experiments.run1", "acme/x", ("acme/x.experiments.run[2]",))
