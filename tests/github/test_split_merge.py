"""What a pull request changes apart from what was pending, and shards' plans joined into one."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from hfspace.errors import UsageError
from hfspace.github.merge import merge
from hfspace.github.split import split
from hfspace.model import Action, ManifestRef, Plan
from tests.report.plans import change, check, cost, plan

ONE = change("acme/a", "hardware", "x", "y")
TWO = change("acme/b", "hardware", "x", "y")


def test_without_a_base_everything_is_the_pull_requests() -> None:
    made = plan(ONE, check("acme/a", "stage", "error", "down"))
    parted = split(made, None)
    assert (parted.mine, parted.before, parted.checks_before) == (made.changes, (), ())
    assert parted.checks_mine == made.checks


def test_pending_changes_stand_apart_wherever_they_moved_in_the_file() -> None:
    moved = replace(ONE, source=None)
    parted = split(plan(moved, TWO), plan(ONE))
    assert (parted.mine, parted.before, parted.settled) == ((TWO,), (moved,), ())


def test_another_value_is_the_pull_requests() -> None:
    parted = split(plan(replace(ONE, after="z")), plan(ONE))
    assert [change.after for change in parted.mine] == ["z"]
    assert parted.settled == ()


def test_what_is_pending_no_more_is_settled() -> None:
    assert split(plan(), plan(ONE)).settled == (ONE,)


def test_a_secret_that_was_pending_stays_pending() -> None:
    secret = change("acme/a", "secrets", key="K", action=Action.UPDATE, sensitive=True)
    assert split(plan(secret), plan(secret)).mine == ()


def test_checks_are_told_apart_too() -> None:
    old, new = check("acme/a", "stage", "error", "down"), check("acme/b", "stage", "error", "down")
    parted = split(plan(old, new), plan(old))
    assert (parted.checks_mine, parted.checks_before) == ((new,), (old,))


def shard(*items: Any, declared: tuple[str, ...], **values: Any) -> Plan:
    return plan(*items, declared=declared, **values)


def test_shards_become_one_plan_with_one_bill() -> None:
    first = shard(ONE, declared=("acme/a",), cost=cost("1", "2"), snapshot={"acme/a": "1" * 32})
    second = shard(
        TWO,
        check("acme/b", "stage", "warning", "down"),
        declared=("acme/b", "acme/c"),
        cost=cost("0.5", "0.25"),
        unmanaged=("acme/a", "acme/z"),
    )
    whole = merge([second, first])
    assert whole.declared == ("acme/a", "acme/b", "acme/c")
    assert whole.changes == (ONE, TWO)
    assert whole.cost.before_usd_per_hour == Decimal("1.5")
    assert whole.cost.after_usd_per_month == Decimal("2.25") * 730
    assert whole.unmanaged == ("acme/z",)
    assert whole.requests == 6
    assert [found.message for found in whole.checks] == ["down"]
    assert set(whole.snapshot) == {"acme/a", "acme/b"}


def test_the_ceiling_is_checked_for_the_whole() -> None:
    first = shard(ONE, declared=("acme/a",), cost=cost("0", "1", "1000"))
    second = shard(TWO, declared=("acme/b",), cost=cost("0", "1", "1000"))
    assert first.errors == second.errors == ()
    (error,) = merge([first, second]).errors
    assert error.facet == "policy"
    assert error.message == "All shards together may cost $1,460 per month, and the limit is $1,000."


def test_what_a_share_said_of_the_ceiling_gives_way_to_the_whole() -> None:
    own = check("", "policy", "error", "over by itself", address="policy.max_monthly_usd", of_sum=True)
    first = shard(ONE, own, declared=("acme/a",), cost=cost("0", "2", "1000"))
    (error,) = merge([first, shard(TWO, declared=("acme/b",), cost=cost("0", "1", "1000"))]).errors
    assert error.message.startswith("All shards together may cost $2,190")


def test_hardware_without_a_price_breaks_the_budget_of_the_whole_too() -> None:
    unpriced = check("acme/a", "policy", "error", "no price", address="policy.max_monthly_usd")
    first = shard(ONE, unpriced, declared=("acme/a",), cost=cost("0", "0", "1000"))
    (error,) = merge([first, shard(TWO, declared=("acme/b",), cost=cost("0", "0", "1000"))]).errors
    assert error.message == "no price"


def test_a_breach_that_each_shard_tells_is_told_once() -> None:
    breach = check("", "policy", "error", "two", address="policy.max_deletes")
    assert len(merge([shard(breach, declared=("a/a",)), shard(breach, declared=("a/b",))]).checks) == 1


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (shard(declared=("acme/b",), hub="http://other"), "different Hubs"),
        (shard(declared=("acme/b",), account="bob"), "different accounts"),
        (shard(declared=("acme/b",), manifest=ManifestRef(files=(), sha256="1")), "different manifests"),
        (shard(declared=("acme/a",)), "acme/a is in two of the plans"),
    ],
)
def test_what_does_not_belong_together_is_refused(other: Plan, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        merge([shard(declared=("acme/a",)), other])


def test_nothing_to_merge() -> None:
    with pytest.raises(UsageError, match="no plan to merge"):
        merge([])
