"""The reconcile loop: plan, apply what may be done alone, report; again after the interval.

Level-based like everything else: a tick that failed is not repeated, the next one sees what is left. Where
the hours of the manifest ask for something else before the interval is over, the loop wakes up then.
"""

from __future__ import annotations

import math
import random
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from hfspace.errors import HfspaceError, Interrupted, StalePlanError
from hfspace.live.limiter import Pace
from hfspace.model import Action, ApplyResult, ApprovedPlan, Change, Plan, Subject

_JITTER = 0.1
_LONGEST_BACK_OFF = 3600.0
_MOST_RESTARTS = 3
_RESTARTS_WITHIN = 24 * 3600.0
_AFTER = 1.0
"""Seconds after a transition at which the loop wakes up: never before it, by whatever clock."""


class Auto(StrEnum):
    """What the loop may do by itself. Each step includes the one before; nothing ever deletes a Space."""

    NONE = "none"
    WAKE = "wake"
    SETTINGS = "settings"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """One turn of the loop. `left` is the plan without what was allowed; `by_hand` are differences that came
    about since the turn before, which nobody declared and no hour brought; `given_up` are Spaces that fail
    again and again, and are not restarted any more; `error` is set when it failed."""

    plan: Plan | None = None
    left: tuple[Change, ...] = ()
    by_hand: tuple[Change, ...] = ()
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
    if change.subject is Subject.GROUP:
        return auto is Auto.ALL  # what an organisation may spend is no setting of a Space
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


@dataclass(slots=True)
class Memory:
    """What the turn before left, so that the next one can tell what somebody did by hand since: once, when it
    is new. A difference that an edit of the manifest or an hour brought is nobody's."""

    _asked: tuple[str, str | None] | None = None
    _left: frozenset[str] = frozenset()

    def by_hand(self, newest: Plan) -> tuple[Change, ...]:
        if self._asked != _asked(newest):
            return ()
        return tuple(
            change for change in newest.changes if change.address not in self._left and not change.mends
        )

    def learn(self, newest: Plan, result: ApplyResult | None) -> None:
        done = (
            {change.address for outcome in result.outcomes for change in outcome.applied} if result else set()
        )
        self._asked = _asked(newest)
        self._left = frozenset(change.address for change in newest.changes) - done


def _asked(newest: Plan) -> tuple[str, str | None]:
    """What a plan was made from beside the Hub: the manifest, and which of its hours."""
    return newest.manifest.sha256, newest.valid_until


def tick(
    make_plan: Callable[[], Plan],
    carry_out: Callable[[ApprovedPlan], ApplyResult],
    auto: Auto,
    patience: Patience,
    memory: Memory,
) -> Tick:
    """Plan once, and apply what `auto` allows. Only Interrupted is raised."""
    try:
        try:
            return _turn(make_plan, carry_out, auto, patience, memory)
        except StalePlanError:  # an hour ended between the plan and its first write: nothing was done
            return _turn(make_plan, carry_out, auto, patience, memory)
    except Interrupted:
        raise
    except HfspaceError as error:
        return Tick(error=error)


def _turn(
    make_plan: Callable[[], Plan],
    carry_out: Callable[[ApprovedPlan], ApplyResult],
    auto: Auto,
    patience: Patience,
    memory: Memory,
) -> Tick:
    newest = make_plan()
    by_hand = memory.by_hand(newest)
    may, left, given_up = _parted(newest, auto, patience)
    if not may or newest.breaches:
        memory.learn(newest, None)
        return Tick(plan=newest, left=newest.changes, by_hand=by_hand, given_up=given_up)
    result = carry_out(replace(newest, changes=may).approve())
    patience.learn(result)
    memory.learn(newest, result)
    if result.interrupted:
        raise Interrupted("Interrupted.")
    return Tick(plan=newest, left=left, by_hand=by_hand, result=result, given_up=given_up)


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
    clock: Callable[[], float] = time.time,
) -> Tick:
    """Turn after turn until the pace is stopped; the last Tick. `interval` is in seconds from end to start,
    so that two turns never overlap; failures in a row double it, up to an hour. A tenth more or less, by
    `spread`, keeps several loops from asking the Hub at the same moment. A transition that comes earlier,
    by `clock`, ends the pause, also of the plan before a turn that failed."""
    failures, due = 0, math.inf
    while True:
        done = turn()
        report(done)
        failures = 0 if done.ok else failures + 1
        if once:
            return done
        if done.plan is not None:
            due = next_transition(done.plan)
        pause = min(interval * 2**failures, max(_LONGEST_BACK_OFF, interval))
        pause *= spread(1 - _JITTER, 1 + _JITTER)
        left = due + _AFTER - clock()
        if left > 0 or done.ok:  # a failure is no reason to ask at once, again and again
            pause = min(pause, max(left, 0.0))
        try:
            pace.sleep(pause, "watching")
        except Interrupted:
            return done


def next_transition(plan: Plan) -> float:
    """When the hours of a plan's manifest ask for something else, in seconds since 1970; infinity for
    never."""
    return math.inf if plan.valid_until is None else datetime.fromisoformat(plan.valid_until).timestamp()
