"""Resource groups of an organisation, and their spend limits: at a limit the group's paid Spaces are paused,
and neither restarted nor upgraded until the next month (docs/hub-api.md section 17).

A limit is in cents per calendar month: `total` of everything, `spaces` of Spaces. Here Spaces are all there
is.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hfspace.localhub import hardware, ledger, machine
from hfspace.localhub.machine import Doc
from hfspace.localhub.store import Store
from hfspace.localhub.wire import Refused

PRODUCTS = ("total", "inferenceProviders", "spaces", "jobs", "endpoints")
_MOMENT = 0.001
_STEPS = 40
"""Halvings of the time in which a limit was reached: below a second for any month."""


def of(store: Store, owner: str) -> list[dict[str, Any]]:
    """The groups of an organisation: id, name, description, spendLimits."""
    every: dict[str, list[dict[str, Any]]] = store.meta("groups", {})
    return every.get(owner.lower(), [])


def keep(store: Store, owner: str, groups: list[dict[str, Any]]) -> None:
    store.set_meta("groups", {**store.meta("groups", {}), owner.lower(): groups})


def enforce(store: Store, now: float) -> None:
    """Pause what has reached its group's limit, as of the moment at which it did: in every month since this
    was last done."""
    every = [group for groups in store.meta("groups", {}).values() for group in groups]
    if not every:
        return
    for _, end in ledger.months(store.meta("enforced"), now):
        for group in every:
            if (cents := limit(group)) is not None:
                _enforce(store, group["id"], cents, min(now, end - _MOMENT))
    store.set_meta("enforced", now)


def _enforce(store: Store, group: str, cents: int, now: float) -> None:
    docs = [doc for doc in store.docs().values() if doc["resource_group"] == group]
    if spent(docs, now) >= cents:
        _stop(store, docs, group, _reached(docs, cents, now))


def limit(group: dict[str, Any]) -> int | None:
    """The cents that the group's Spaces may spend in a month."""
    limits = group["spendLimits"]
    return min((limits[name] for name in ("total", "spaces") if name in limits), default=None)


def spent(docs: Iterable[Doc], now: float) -> float:
    """Cents of the calendar month, up to `now`."""
    start, end = ledger.month(now)
    every = [line for doc in docs for line in ledger.lines(machine.settled(doc, now), now)]
    return sum(micro_usd(line) for line in ledger.within(every, start, end)) / 10_000


def micro_usd(line: ledger.Line) -> int:
    return 0 if line.grant else line.minutes * hardware.micro_usd(line.flavor)


def check(store: Store, doc: Doc, flavor: str | None, now: float) -> None:
    """Raise Refused where the Space would cost something and its group has spent all that it may."""
    groups = of(store, doc["id"].split("/")[0])
    group = next((one for one in groups if one["id"] == doc["resource_group"]), None)
    if group is None or not hardware.micro_usd(flavor or ""):
        return
    cents = limit(group)
    docs = [one for one in store.docs().values() if one["resource_group"] == group["id"]]
    if cents is not None and spent(docs, now) >= cents:
        raise Refused(403, f"The spend limit of the resource group {group['name']} is reached for this month")


def _reached(docs: list[Doc], cents: int, now: float) -> float:
    """When in this month the limit was reached."""
    low, high = ledger.month(now)[0], now
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if spent(docs, middle) >= cents else (middle, high)
    return high


def _stop(store: Store, docs: Iterable[Doc], group: str, at: float) -> None:
    for doc in docs:
        then = machine.settled(doc, at)
        if then["stage"] in ledger.BILLED | {"BUILDING"} and hardware.micro_usd(then["requested"] or ""):
            then = {**then, "limited": group}
            machine.pause(then, at)
            store.put(then)
