"""The rules by which savings are found, one function each: a Space in, what could be saved out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from decimal import Decimal

from hfspace.manifest.zones import zone
from hfspace.model import BILLED, FAILED, HOURS_PER_MONTH, NEVER, Flavor
from hfspace.planner.case import Case, Saving
from hfspace.planner.use import DAY, HOUR, hours_outside, used_hours
from hfspace.text import one_line, rough_time

_SLEEP = 30 * 60
_SLEEP_TEXT = "30m"
_LONG_SLEEP = 3600
_STOPS = 3
"""Runs that ended, before anything is concluded from their ends."""
_STUCK = 3600
_LEAST = Decimal(1)
"""USD a month: less is not worth an edit."""
_NOTHING = Decimal(0)
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def _never_sleeps(case: Case) -> Iterator[Saving]:
    """Paid hardware that is up and never sleeps. With visits: what lies outside their hours."""
    state, spec = case.state, case.spec
    stays = state.sleep_time == NEVER and not case.is_planned("sleep_time")
    if not (stays and case.price and state.stage in BILLED and spec) or spec.when or spec.state == "paused":
        return
    if "require_sleep_time" in spec.exempt:  # somebody gave a reason, which every plan shows
        return
    use, visits = case.use, case.evidence.visited(case.space)
    if use is not None and visits is not None:
        where = zone(case.manifest.timezone)
        used = used_hours(visits, where)
        outside = hours_outside(use.awake, used, where)
        usd = use.per_month(outside * case.price)
        if usd >= _LEAST:
            evidence = (
                f"{outside:.0f} of {use.hours:.0f} billed hours in {use.days:.0f} days lie outside "
                f"{used.text}, and all {len(visits)} visits that are known inside"
            )
            window = [{"during": used.text, "set": {"state": "running"}}]
            advice = f"Run it {used.text} and pause it outside."
            yield case.saving("awake-outside-hours", usd, evidence, advice, state="paused", when=window)
        return
    usd = case.usd_per_month
    if usd >= _LEAST:
        evidence = f"{case.flavor} at ${case.price}/h never sleeps; {case.billed()}; visits are not known"
        advice = f"Let it sleep after {_SLEEP_TEXT} without a visit; the next one wakes it."
        yield case.saving("no-sleep-time", usd, evidence, advice, sleep_time=_SLEEP_TEXT)


def _sleeps_late(case: Case) -> Iterator[Saving]:
    """A sleep time that is most of what is billed: runs that ended did so after it, without a visit."""
    sleep, use, spec = case.state.sleep_time, case.use, case.spec
    if not (sleep and use and spec and case.price) or sleep < _LONG_SLEEP:
        return
    if spec.when or case.is_planned("sleep_time"):
        return
    tails = sum(1 for start, stop in use.ended if stop - start >= sleep)
    idle = Decimal(tails * (sleep - _SLEEP)) / HOUR
    usd = use.per_month(idle * case.price)
    if tails >= _STOPS and idle * 2 > use.hours and usd >= _LEAST:
        evidence = (
            f"{tails} runs of {case.flavor} ended in {use.days:.0f} days, none of them before its sleep time "
            f"of {rough_time(sleep)}: that is {tails * sleep / HOUR:.0f} of {use.hours:.0f} billed hours"
        )
        advice = f"Let it sleep after {_SLEEP_TEXT}."
        yield case.saving("long-sleep-time", usd, evidence, advice, sleep_time=_SLEEP_TEXT)


def _broken(case: Case) -> Iterator[Saving]:
    """Failed on paid hardware, or starting for so long that it never comes up."""
    state, price = case.state, case.price_of(case.state.hardware or case.flavor)
    flavor, use, stage = state.hardware or case.flavor, case.use, state.stage or ""
    mended = case.spec is not None and case.spec.on_error.do != "report" and stage == "RUNTIME_ERROR"
    if not price or mended or (case.spec and case.spec.stays_paused):
        return
    advice = f"Mend it (hfspace logs {case.space}); until then, pause it."
    if stage in FAILED:
        why = f": {one_line(state.error_message, 80)}" if state.error_message else ""
        evidence = (
            f"{stage}{why} on {flavor}; a failed Space is not billed, each start of it is, at ${price}/h"
        )
        yield case.saving("failed-on-paid", None, evidence, advice, state="paused")
    elif stage == "APP_STARTING" and use and use.running and use.end - use.running >= _STUCK:
        evidence = (
            f"starting on {flavor}, and billed, for {rough_time(use.end - use.running)}: it serves nobody"
        )
        usd = price * HOURS_PER_MONTH
        yield case.saving("never-comes-up", usd, evidence, advice, state="paused")
    elif stage == "BUILDING" and (age := _commit_age(case)) is not None and age >= DAY:
        evidence = (
            f"BUILDING on {flavor}, and its newest commit is {rough_time(age)} old; a build is not billed"
        )
        advice = f"See why (hfspace logs {case.space} --build): once it runs, it bills ${price}/h."
        yield case.saving("keeps-building", None, evidence, advice)


def _commit_age(case: Case) -> float | None:
    modified = case.state.details.modified if case.state.details else None
    return None if modified is None else case.now - datetime.fromisoformat(modified).timestamp()


def _not_reached(case: Case) -> Iterator[Saving]:
    """Hardware that was asked for, that it does not run on, and that nothing is moving it to."""
    state, use = case.state, case.use
    asked, current = state.hardware, state.hardware_current
    if not asked or not current or asked == current or state.stage != "RUNNING" or use is None:
        return
    if case.is_planned("hardware"):
        return
    if asked in use.flavors or (use.running is None and case.price_of(current)):
        return
    more = case.price_of(asked) - case.price_of(current)
    evidence = f"asks for {asked}, which was never billed in {use.days:.0f} days, and runs on {current}"
    if more > 0:
        advice = f"Ask for {current}: {asked} would bill ${more}/h more from the moment it is reached."
        yield case.saving("hardware-not-reached", None, evidence, advice, hardware=current)
    elif more < 0:
        advice = f"Restart it, and look at what the Hub says: it still bills ${-more}/h more than asked for."
        yield case.saving("hardware-not-reached", -more * HOURS_PER_MONTH, evidence, advice)


def _cheaper(case: Case) -> Iterator[Saving]:
    """Another flavor with the same GPU memory, or more, for less."""
    state, spec, now = case.state, case.spec, case.flavors.get(case.flavor)
    if (
        now is None
        or case.is_planned("hardware")
        or state.hardware != case.flavor
        or state.stage not in BILLED | {"SLEEPING"}
    ):
        return
    if spec is None or spec.when or spec.state == "paused":
        return
    allowed = case.manifest.policy.allowed_hardware
    fits = [
        one
        for one in case.flavors.values()
        if 0 < one.usd_per_hour < now.usd_per_hour
        and _is_as_large(one, now)
        and (allowed is None or one.name in allowed)
    ]
    if not fits:
        return
    best = min(fits, key=lambda one: (one.usd_per_hour, one.name))
    share = 1 - best.usd_per_hour / now.usd_per_hour
    usd = case.usd_per_month * share
    if usd >= _LEAST:
        evidence = (
            f"{now.name} ({now.accelerator}) at ${now.usd_per_hour}/h; {best.name} ({best.accelerator}) "
            f"has the GPU memory for ${best.usd_per_hour}/h; {case.billed()}"
        )
        advice = "Try the other GPU: how fast it is for this app is not known."
        yield case.saving("cheaper-flavor", usd, evidence, advice, hardware=best.name)


def _is_as_large(one: Flavor, other: Flavor) -> bool:
    """As many GPUs with as much memory, and no less of CPU and RAM, as the Hub lists them; what it does
    not tell is not as large."""
    first, second = _gpus(one), _gpus(other)
    if first is None or second is None or first[0] != second[0] or first[1] < second[1]:
        return False
    cpu, ram = _number(one.cpu), _number(one.ram)
    return cpu >= _number(other.cpu) > 0 and ram >= _number(other.ram) > 0


def _gpus(flavor: Flavor) -> tuple[Decimal, Decimal] | None:
    """How many, and their memory in GB: '1 L4 24 GB'."""
    words = flavor.accelerator.split()
    if len(words) < 4 or words[-1] != "GB" or not words[0].isdigit():
        return None
    return Decimal(words[0]), _number(words[-2])


def _number(text: str) -> Decimal:
    match = _NUMBER.search(text)
    return Decimal(match[0]) if match else _NOTHING


def unmanaged(case: Case) -> Iterator[Saving]:
    """A paid Space of the owners that nobody declares."""
    used = case.use is not None and case.use.usd > 0
    if not (case.price or used) or case.state.stage not in BILLED | {"SLEEPING"}:
        return
    if case.state.stage == "SLEEPING" and not used:
        return
    usd = case.usd_per_month
    if usd >= _LEAST:
        evidence = f"{case.state.stage} on {case.flavor}, declared nowhere; {case.billed()}"
        advice = f"Declare it (hfspace init {case.space}), or pause it (hfspace pause {case.space})."
        yield case.saving("unmanaged", usd, evidence, advice)


def dead_volumes(cases: Iterable[Case]) -> Iterator[Saving]:
    """Buckets that only Spaces mount which do not run: storage is billed all the same."""
    mounts: dict[str, list[Case]] = {}
    for case in cases:
        for volume in case.state.volumes or ():
            if volume.type == "bucket" and volume.source:
                mounts.setdefault(volume.source, []).append(case)
    for source, by in sorted(mounts.items()):
        if all(_is_dead(case) for case in by) and any(case.spec for case in by):
            case = next(case for case in by if case.spec)
            days = min(one.use.days for one in by if one.use)
            names = ", ".join(f"{one.space} ({one.state.stage})" for one in by)
            evidence = f"bucket {source} is mounted by {names} alone: nothing billed in {days:.0f} days"
            advice = "Delete the bucket if nothing else needs it; its size, which is billed, is not read."
            yield case.saving("dead-volume", None, evidence, advice)


def _is_dead(case: Case) -> bool:
    off = case.state.stage in FAILED | {"PAUSED", "STOPPED"}
    return off and case.use is not None and not case.use.awake


RULES: tuple[Callable[[Case], Iterator[Saving]], ...] = (
    _never_sleeps,
    _sleeps_late,
    _broken,
    _not_reached,
    _cheaper,
)
