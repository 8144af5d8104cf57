"""The reconcile loop: plan, apply what may be done alone, report; again after the interval.

Level-based like everything else: a tick that failed is not repeated, the next one sees what is left.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from hfspace.errors import HfspaceError, Interrupted
from hfspace.live.limiter import Pace
from hfspace.model import Action, ApplyResult, Change, Plan

_JITTER = 0.1
_LONGEST_BACK_OFF = 3600.0


class Auto(StrEnum):
    """What the loop may do by itself. Each step includes the one before; nothing ever deletes a Space."""

    NONE = "none"
    WAKE = "wake"
    SETTINGS = "settings"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """One turn of the loop. `left` is the plan without what was allowed; `error` is set when it failed."""

    plan: Plan | None = None
    left: tuple[Change, ...] = ()
    result: ApplyResult | None = None
    error: HfspaceError | None = None

    @property
    def ok(self) -> bool:
        return self.error is None and (self.result is None or not self.result.failed)


class Reporter(Protocol):
    def __call__(self, tick: Tick) -> None: ...


def allowed(change: Change, auto: Auto) -> bool:
    """Whether the loop may carry out `change` by itself."""
    if change.facet == "existence":
        return auto is Auto.ALL and change.action is Action.CREATE
    if change.facet == "experiments" and change.action is Action.DELETE:
        return auto is Auto.ALL
    wakes = change.facet == "state" and change.action is Action.RESTART
    if auto is Auto.WAKE:
        return wakes
    return auto in {Auto.SETTINGS, Auto.ALL}


def tick(make_plan: Callable[[], Plan], carry_out: Callable[[Plan], ApplyResult], auto: Auto) -> Tick:
    """Plan once, and apply what `auto` allows. Only Interrupted is raised."""
    try:
        made = make_plan()
        may, left = _parted(made, auto)
        blocked = any(check.facet == "policy" for check in made.errors)
        if not may or blocked:
            return Tick(plan=made, left=made.changes)
        result = carry_out(replace(made, changes=may))
        if result.interrupted:
            raise Interrupted("Interrupted.")
        return Tick(plan=made, left=left, result=result)
    except Interrupted:
        raise
    except HfspaceError as error:
        return Tick(error=error)


def _parted(made: Plan, auto: Auto) -> tuple[tuple[Change, ...], tuple[Change, ...]]:
    """What may be done, and what is left: of a Space that may not be created, everything is."""
    stays = {item.space for item in made.changes if item.facet == "existence" and not allowed(item, auto)}
    may = tuple(item for item in made.changes if item.space not in stays and allowed(item, auto))
    return may, tuple(item for item in made.changes if item not in may)


def loop(turn: Callable[[], Tick], report: Reporter, pace: Pace, *, interval: float, once: bool) -> Tick:
    """Turn after turn until the pace is stopped; the last Tick. `interval` is in seconds from end to start,
    so that two turns never overlap; failures in a row double it, up to an hour."""
    failures = 0
    while True:
        done = turn()
        report(done)
        failures = 0 if done.ok else failures + 1
        if once:
            return done
        pause = min(interval * 2**failures, max(_LONGEST_BACK_OFF, interval))
        try:
            pace.sleep(pause * random.uniform(1 - _JITTER, 1 + _JITTER), "watching")  # noqa: S311
        except Interrupted:
            return done
