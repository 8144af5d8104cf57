"""Days of a fleet on a clock that only the simulation moves: a runner that comes at an interval and may be
lost in the middle of an apply, a Hub that fails, and people who click. Each minute is compared with the
second reading of the manifest (reading.py)."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import yaml

import hfspace
from hfspace.applier.run import Options
from hfspace.applier.watch import Auto, Memory, Patience, Tick, next_transition, tick
from hfspace.errors import Interrupted, WaitTimeout
from hfspace.live.hub import connect
from hfspace.live.limiter import Pace
from hfspace.localhub import LocalHub
from tests.clock.reading import setting

ZONE = "Europe/Paris"
START = datetime(2026, 10, 22, 22, tzinfo=UTC)
"""The midnight before Friday; clocks are changed on the Sunday."""

OPTIONS = Options(parallelism=1, poll_seconds=5, settle_seconds=20)
DAILY, WEEKLY = "30 4 * * *", "15 3 * * 1"
_DOWN = frozenset({"PAUSED", "STOPPED", "SLEEPING"})
_STEP = 60.0


def fleet(count: int) -> dict[str, Any]:
    """Spaces of five kinds: office hours that begin at different minutes, nights over midnight, two windows,
    an upgrade inside hours, and Spaces that are always up and restart regularly."""
    return {f"acme/{_KINDS[number % 5]}-{number // 5}": _space(number) for number in range(count)}


_KINDS = ("office", "night", "two", "upgrade", "regular")


def _space(number: int) -> dict[str, Any]:
    late = 5 * (number // 5)
    paid = {"hardware": "cpu-upgrade", "sleep_time": "7d"}
    up = {"state": "running"}
    office = {"during": f"Mon-Fri 08:{late:02}-19:{late:02}", "set": up}
    hours: list[list[dict[str, Any]]] = [
        [office],
        [{"during": f"Fri-Sun 22:{late:02}-02:{30 + late // 2:02}", "set": up}],
        [
            {"during": f"Mon-Fri 09:{late:02}-12:00", "set": up},
            {"during": f"daily 14:{late:02}-18:30", "set": up},
        ],
        [
            {
                "during": f"Tue,Sat 10:{late:02}-16:00",
                "set": {**up, "hardware": "t4-small", "sleep_time": "2d"},
            },
            office,
        ],
    ]
    kind = number % 5
    if kind == 4:
        return {**paid, "state": "running", "restart": {"every": WEEKLY if number % 2 else DAILY}}
    return {**paid, "state": "paused", "when": hours[kind]}


class Clock:
    """The one clock of it all, in seconds since 1970; who moves it is told each minute."""

    def __init__(self, hub: LocalHub) -> None:
        self.now = START.timestamp()
        self._hub = hub
        self.minutes: list[dict[str, str]] = []

    def advance(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            minute = START.timestamp() + len(self.minutes) * _STEP
            if minute <= self.now:
                self.minutes.append(
                    {space: str(self._hub.space(space)["stage"]) for space in self._hub.spaces()}
                )
                minute += _STEP
            step = min(end, minute) - self.now
            self._hub.advance(step)
            self.now += step


class SimulatedPace(Pace):
    """Waits move the clock. A runner that is to be lost ends in its first wait after `lost_at`."""

    def __init__(self, clock: Clock, lost_at: float | None) -> None:
        super().__init__()
        self._clock, self._lost_at = clock, lost_at
        self._timeout, self._deadline = 900.0, clock.now + 900.0

    def now(self) -> float:
        return self._clock.now

    def sleep(self, seconds: float, what: str) -> None:
        if self._lost_at is not None and self._clock.now >= self._lost_at:
            self.stop()
        if self.stopped:
            raise Interrupted("Interrupted.")
        if self.left is not None and seconds > self.left:
            raise WaitTimeout(f"Time is up while {what}.")
        self._clock.advance(seconds)


@dataclass(slots=True, kw_only=True)
class Result:
    """What happened: the stage of each Space by the minute, when turns of the runner came to a good end, and
    the changes that were left in the end."""

    minutes: list[dict[str, str]]
    turns: list[float] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    restarts: dict[str, int] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)


class Simulation:
    """`interval` is in seconds. Everything that is random follows from `seed`."""

    def __init__(self, *, spaces: int, days: float, interval: float, seed: int) -> None:
        self.declared, self._days, self._interval = fleet(spaces), days, interval
        self._dice = random.Random(seed)
        self._seed = seed
        text = yaml.safe_dump({"version": 1, "timezone": ZONE, "spaces": self.declared})
        self._manifest = hfspace.load([("spaces.yaml", text)], env={})
        self._memory, self._patience = Memory(), Patience(now=lambda: self._clock.now)

    def run(self) -> Result:
        with LocalHub(seed=self._live(), clock="manual") as hub:
            self._hub, self._clock = hub, Clock(hub)
            self._result = Result(minutes=self._clock.minutes)
            self._turn(lost=False)
            before = {space: hub.space(space)["restarts"] for space in self.declared}
            self._break()
            end = START.timestamp() + self._days * 86400
            clicks, due = self._clicks(end), 0.0
            click = next(clicks, None)
            runs_at = self._clock.now + self._interval
            while self._clock.now < end:
                until = min(end, runs_at, click[0] if click else end)
                self._clock.advance(max(0.0, until - self._clock.now))
                if click and self._clock.now >= click[0]:
                    self._click(click[1])
                    click = next(clicks, None)
                if self._clock.now >= runs_at:
                    at_a_transition = due < self._clock.now < due + 5
                    done = self._turn(lost=self._dice.random() < (0.4 if at_a_transition else 0.02))
                    due = next_transition(done.plan) if done is not None and done.plan else due
                    wakes = due + 1 if due >= self._clock.now else end
                    runs_at = min(self._clock.now + self._interval, wakes)
            hub.clear_faults()
            self._turn(lost=False)
            last = self._turn(lost=False)
            assert last is not None
            self._result.left = [change.address for change in last.left]
            self._result.restarts = {
                space: hub.space(space)["restarts"] - before[space] for space in self.declared
            }
            return self._result

    def _live(self) -> dict[str, Any]:
        one = {"sdk": "gradio", "stage": "PAUSED", "hardware": "cpu-upgrade", "sleep_time": 7 * 86400}
        spaces = {
            space: {**one, "stage": "RUNNING"} if "when" not in spec else one
            for space, spec in self.declared.items()
        }
        return {"spaces": spaces, "hub": {"rate_limit": {"requests": 100_000}}}

    def _break(self) -> None:
        """A Hub on a bad week."""
        writes = ("restart", "pause", "hardware", "variables")
        reads = {"path": "/api/*", "method": "GET", "status": 503, "probability": 0.01, "seed": self._seed}
        lost = [
            {
                "path": f"/api/spaces/*/*/{path}",
                "method": "POST",
                "probability": 0.1,
                "seed": self._seed + number,
            }
            for number, path in enumerate(writes)
        ]
        for number, fault in enumerate(lost):
            self._hub.add_fault({**fault, "drop": "after" if number % 2 else "before"})
            self._hub.add_fault({**fault, "status": 503, "seed": self._seed + 100 + number})
        self._hub.add_fault(reads)

    def _turn(self, *, lost: bool) -> Tick | None:
        """One turn of the runner; None when it was lost: before it began, or in its first waits."""
        if lost and self._dice.random() < 0.3:
            self._result.counts["lost runners"] += 1
            return None
        pace = SimulatedPace(self._clock, self._clock.now + self._dice.uniform(0, 10) if lost else None)
        hub = connect(self._hub.url, self._hub.token, pace=pace)
        session = hfspace.open(manifest=self._manifest, hub=hub, env={})
        session.clock = lambda: self._clock.now
        try:
            done = tick(
                lambda: session.plan(to_apply=True),
                lambda approved: session.apply(approved, options=OPTIONS),
                Auto.SETTINGS,
                self._patience,
                self._memory,
            )
        except Interrupted:
            self._result.counts["lost runners"] += 1
            self._result.counts["of these in an apply"] += 1
            return None
        self._result.counts["turns"] += 1
        self._result.counts["failed turns"] += not done.ok
        self._result.counts["by hand"] += len(done.by_hand)
        if done.ok:
            self._result.turns.append(self._clock.now)
        return done

    def _clicks(self, end: float) -> Iterator[tuple[float, str]]:
        """About one click a day on each second Space, never on those whose restarts are counted."""
        spaces = [space for space, spec in self.declared.items() if "when" in spec]
        now = START.timestamp()
        while (now := now + self._dice.expovariate(len(spaces) / 2 / 86400)) < end:
            yield now, self._dice.choice(spaces)

    def _click(self, space: str) -> None:
        """Somebody starts what is paused, or pauses what runs."""
        stage = "RUNNING" if self._hub.space(space)["stage"] in _DOWN else "PAUSED"
        self._hub.set_space(space, stage=stage, ahead=[])
        self._result.counts["clicks"] += 1


def wanted(spec: dict[str, Any], time: float) -> bool:
    """Whether a Space is to be up, by the second reading."""
    wall = datetime.fromtimestamp(time, ZoneInfo(ZONE)).replace(tzinfo=None)
    return bool(setting(spec, wall, "state") == "running")


def is_up(stage: str) -> bool:
    return stage not in _DOWN


def mismatches(simulation: Simulation, result: Result) -> dict[str, list[tuple[int, int]]]:
    """Per Space, each run of minutes in which it was not as the manifest says: first minute, and how many."""
    found: dict[str, list[tuple[int, int]]] = {space: [] for space in simulation.declared}
    for number, stages in enumerate(result.minutes):
        time = START.timestamp() + number * _STEP
        for space, spec in simulation.declared.items():
            if is_up(stages[space]) != wanted(spec, time):
                runs = found[space]
                if runs and runs[-1][0] + runs[-1][1] == number:
                    runs[-1] = (runs[-1][0], runs[-1][1] + 1)
                else:
                    runs.append((number, 1))
    return found


def ticks(every: str, days: float) -> int:
    """How many ticks of DAILY or WEEKLY there are in the days, counted by the wall."""
    hour, minute, monday = (4, 30, False) if every == DAILY else (3, 15, True)
    count = 0
    for number in range(round(days * 1440)):
        wall = (START + timedelta(minutes=number)).astimezone(ZoneInfo(ZONE))
        due = (wall.hour, wall.minute) == (hour, minute) and (wall.weekday() == 0 or not monday)
        count += due and wall.fold == 0
    return count
