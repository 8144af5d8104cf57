"""The reconcile loop: plan, apply what may be done alone, report; again after the interval.

Level-based like everything else: a tick that failed is not repeated, the next one sees what is left.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Protocol

from hfspace.errors import HfspaceError, Interrupted
from hfspace.live.limiter import Pace
from hfspace.model import Action, ApplyResult, ApprovedPlan, Change, Plan, Subject

_JITTER = 0.1
_LONGEST_BACK_OFF = 3600.0
_MOST_RESTARTS = 3
_RESTARTS_WITHIN = 24 * 3600.0


class Auto(StrEnum):
    """What the loop may do by itself. Each step includes the one before; nothing ever deletes a Space."""

    NONE = "none"
    WAKE = "wake"
    SETTINGS = "settings"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """One turn of the loop. `left` is the plan without what was allowed; `given_up` are Spaces that fail
    again and again, and are not restarted any more; `error` is set when it failed."""

    plan: Plan | None = None
    left: tuple[Change, ...] = ()
    given_up: tuple[str, ...] = ()
    result: ApplyResult | None = None
    error: HfspaceError | None = None

    @property
    def ok(self) -> bool:
        return self.error is None and (self.result is None or not self.result.failed)


class Reporter(Protocol):
    def __call__(self, tick: Tick) -> None: ...


def allowed(change: Change, auto: Auto) -> bool:
    """Whether the loop may carry out `change` by itself."""
    if change.subject is Subject.SPACE:
        return auto is Auto.ALL and change.creates_space
    if change.subject is Subject.APP and change.action is Action.DELETE:
        return auto is Auto.ALL
    wakes = change.subject is Subject.STAGE and change.action is Action.RESTART
    if auto is Auto.WAKE:
        return wakes
    return auto in {Auto.SETTINGS, Auto.ALL}


@dataclass(slots=True)
class Patience:
    """How often the loop has restarted each Space that had failed (`on_error`): at most three times in 24
    hours. One apply has its own limit; without this one, a Space that crashes after an hour would be
    restarted every hour, for ever."""

    now: Callable[[], float]
    restarts: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def lost(self, change: Change) -> bool:
        """Whether `change` restarts a Space that was restarted often enough."""
        if not change.mends:
            return False
        recent = [at for at in self.restarts[change.space] if at > self.now() - _RESTARTS_WITHIN]
        self.restarts[change.space] = recent
        return len(recent) >= _MOST_RESTARTS

    def learn(self, result: ApplyResult) -> None:
        for outcome in result.outcomes:
            self.restarts[outcome.space] += [self.now() for change in outcome.applied if change.mends]


def tick(
    make_plan: Callable[[], Plan],
    carry_out: Callable[[ApprovedPlan], ApplyResult],
    auto: Auto,
    patience: Patience,
) -> Tick:
    """Plan once, and apply what `auto` allows. Only Interrupted is raised."""
    try:
        newest = make_plan()
        may, left, given_up = _parted(newest, auto, patience)
        if not may or newest.breaches:
            return Tick(plan=newest, left=newest.changes, given_up=given_up)
        result = carry_out(replace(newest, changes=may).approve())
        patience.learn(result)
        if result.interrupted:
            raise Interrupted("Interrupted.")
        return Tick(plan=newest, left=left, result=result, given_up=given_up)
    except Interrupted:
        raise
    except HfspaceError as error:
        return Tick(error=error)


def _parted(
    newest: Plan, auto: Auto, patience: Patience
) -> tuple[tuple[Change, ...], tuple[Change, ...], tuple[str, ...]]:
    """What may be done, what is left, and the Spaces that were restarted too often. Of a Space that may not
    be created, everything is left."""
    stays = {
        item.space for item in newest.changes if item.subject is Subject.SPACE and not allowed(item, auto)
    }
    lost = {item.space for item in newest.changes if patience.lost(item)}
    may = tuple(
        item
        for item in newest.changes
        if item.space not in stays and allowed(item, auto) and not (item.space in lost and item.mends)
    )
    left = tuple(item for item in newest.changes if item not in may)
    return may, left, tuple(sorted(lost)) if auto is not Auto.NONE else ()


def loop(
    turn: Callable[[], Tick],
    report: Reporter,
    pace: Pace,
    *,
    interval: float,
    once: bool,
    spread: Callable[[float, float], float] = random.uniform,
) -> Tick:
    """Turn after turn until the pace is stopped; the last Tick. `interval` is in seconds from end to start,
    so that two turns never overlap; failures in a row double it, up to an hour. A tenth more or less, by
    `spread`, keeps several loops from asking the Hub at the same moment."""
    failures = 0
    while True:
        done = turn()
        report(done)
        failures = 0 if done.ok else failures + 1
        if once:
            return done
        pause = min(interval * 2**failures, max(_LONGEST_BACK_OFF, interval))
        try:
            pace.sleep(pause * spread(1 - _JITTER, 1 + _JITTER), "watching")
        except Interrupted:
            return done
