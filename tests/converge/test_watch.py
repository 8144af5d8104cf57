"""The reconcile loop: how long it waits, what it may do alone, what it tells, and how it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

import hfspace
from hfspace.applier.watch import Auto, Memory, Patience, Tick, allowed, loop, tick
from hfspace.cli.watch import summary
from hfspace.errors import HfspaceError, HubUnreachable, Interrupted
from hfspace.live.limiter import Pace
from hfspace.localhub import LocalHub
from hfspace.model import (
    Action,
    ApplyResult,
    ApprovedPlan,
    Change,
    Cost,
    ManifestRef,
    Outcome,
    Plan,
    Status,
    Subject,
)
from tests.converge.killing import Commands
from tests.report import plans

pytestmark = pytest.mark.xdist_group("kill")

# ------------------------------------------------------------ the loop


class CountedPace(Pace):
    """Sleeps in no time, and is stopped after so many."""

    def __init__(self, sleeps: int) -> None:
        super().__init__()
        self.slept: list[float] = []
        self._sleeps = sleeps

    def sleep(self, seconds: float, what: str) -> None:
        if len(self.slept) == self._sleeps:
            raise Interrupted("Interrupted.")
        self.slept.append(seconds)


GOOD, BAD = Tick(), Tick(error=HubUnreachable("no answer"))


def turns(*ticks: Tick, interval: float = 300, spread: float = 1.0) -> list[float]:
    """The pauses between these turns."""
    given = iter(ticks)
    pace = CountedPace(len(ticks) - 1)
    loop(
        lambda: next(given), lambda one: None, pace, interval=interval, once=False, spread=lambda a, b: spread
    )
    return pace.slept


def test_failures_in_a_row_double_the_pause_up_to_an_hour_and_a_good_turn_ends_that() -> None:
    assert turns(GOOD, BAD, BAD, GOOD, BAD, GOOD) == [300, 600, 1200, 300, 600]
    assert turns(*[BAD] * 9)[-1] == 3600
    assert turns(BAD, BAD, interval=7200) == [7200]


def test_the_pause_is_spread_by_a_tenth() -> None:
    assert turns(GOOD, GOOD, spread=0.9) == [270]
    pace, asked = CountedPace(50), []
    loop(lambda: GOOD, asked.append, pace, interval=100, once=False)
    assert len(set(pace.slept)) > 10
    assert all(90 <= pause <= 110 for pause in pace.slept)


def test_once_is_one_turn() -> None:
    pace = CountedPace(9)
    seen: list[Tick] = []
    assert loop(lambda: BAD, seen.append, pace, interval=1, once=True) is BAD
    assert (len(seen), pace.slept) == (1, [])


# ------------------------------------------------------------ hours


def holds_until(seconds: float) -> Tick:
    """A turn whose plan holds so many seconds after 1970."""
    return Tick(plan=replace(plan_of(), valid_until=f"{datetime.fromtimestamp(seconds, UTC).isoformat()}"))


def waits(*ticks: Tick, now: float = 1000.0) -> list[float]:
    """The pauses after these turns, on a clock that only the pauses move."""
    given, pace = iter(ticks), CountedPace(len(ticks) - 1)
    loop(
        lambda: next(given),
        lambda one: None,
        pace,
        interval=300,
        once=False,
        spread=lambda a, b: 1.1,
        clock=lambda: now + sum(pace.slept),
    )
    return pace.slept


def test_it_wakes_up_a_second_after_a_transition_and_never_before() -> None:
    assert waits(holds_until(1120), holds_until(5000), holds_until(5000)) == pytest.approx([121, 330])


def test_a_transition_that_passed_while_something_was_applied_is_looked_at_at_once() -> None:
    assert waits(holds_until(990), holds_until(5000), holds_until(5000)) == pytest.approx([0, 330])


def test_a_failed_turn_keeps_the_transition_of_the_plan_before() -> None:
    assert waits(holds_until(1400), BAD, holds_until(9000), GOOD) == pytest.approx([330, 71, 330])


def test_a_failure_past_its_transition_backs_off_all_the_same() -> None:
    assert waits(holds_until(1010), BAD, BAD, BAD) == pytest.approx([11, 660, 1320])


# ------------------------------------------------------------ what it may do


def change(facet: str, action: Action, space: str = "acme/x", **values: Any) -> Change:
    subject = {"existence": Subject.SPACE, "state": Subject.STAGE}.get(facet, Subject.SETTING)
    address = f"{space}.{facet}"
    return Change(address=address, space=space, facet=facet, subject=subject, action=action, **values)


def plan_of(*changes: Change) -> Plan:
    zero = Decimal(0)
    cost = Cost(
        before_usd_per_hour=zero, after_usd_per_hour=zero, before_usd_per_month=zero, after_usd_per_month=zero
    )
    return Plan(
        hub="http://hub",
        account="alice",
        role="write",
        manifest=ManifestRef(files=(), sha256=""),
        declared=("acme/x",),
        changes=changes,
        checks=(),
        cost=cost,
        requests=0,
        snapshot={},
    )


WAKES = change("state", Action.RESTART, before="PAUSED")
MENDS = change("state", Action.RESTART, before="RUNTIME_ERROR")
PAUSES = change("state", Action.PAUSE)
SETS = change("hardware", Action.UPDATE)
CREATES = change("existence", Action.CREATE)
DELETES = change("existence", Action.DELETE)


@pytest.mark.parametrize(
    ("auto", "may"),
    [
        (Auto.NONE, set()),
        (Auto.WAKE, {WAKES.before, MENDS.before}),
        (Auto.SETTINGS, {WAKES.before, MENDS.before, "pause", "hardware"}),
        (Auto.ALL, {WAKES.before, MENDS.before, "pause", "hardware", "create"}),
    ],
)
def test_what_each_mode_may_do(auto: Auto, may: set[str]) -> None:
    named = {
        WAKES.before: WAKES,
        MENDS.before: MENDS,
        "pause": PAUSES,
        "hardware": SETS,
        "create": CREATES,
        "delete": DELETES,
    }
    assert {name for name, one in named.items() if allowed(one, auto)} == may


def carried(approved: ApprovedPlan) -> ApplyResult:
    applied = approved.plan.changes
    return ApplyResult(outcomes=(Outcome(space="acme/x", status=Status.DONE, applied=applied),))


def watched(plan: Plan, auto: Auto, memory: Memory) -> Tick:
    return tick(lambda: plan, carried, auto, Patience(now=float), memory)


def test_what_is_done_by_hand_is_told_once() -> None:
    """Neither what an hour nor what an edit brought, nor what was told already."""
    memory, clicked = Memory(), change("hardware", Action.UPDATE)
    calm = replace(plan_of(), valid_until="2026-11-25T19:00:00+00:00")
    turns = [
        calm,
        replace(calm, changes=(clicked,)),
        replace(calm, changes=(clicked,)),
        calm,
        replace(calm, changes=(clicked,)),
        replace(calm, changes=(WAKES, clicked), valid_until="2026-11-26T08:00:00+00:00"),
        replace(calm, changes=(WAKES, MENDS), valid_until="2026-11-26T08:00:00+00:00"),
    ]
    done = [watched(one, Auto.NONE, memory) for one in turns]
    told = [[one.address for one in turn.by_hand] for turn in done]
    assert told == [[], ["acme/x.hardware"], [], [], ["acme/x.hardware"], [], []]
    assert summary(done[1])["by_hand"] == ["acme/x.hardware"]


def test_what_was_put_right_and_is_done_again_is_told_again() -> None:
    memory, clicked = Memory(), change("hardware", Action.UPDATE)
    plans = [plan_of(), plan_of(clicked), plan_of(clicked)]
    done = [watched(one, Auto.SETTINGS, memory) for one in plans]
    assert [len(turn.by_hand) for turn in done] == [0, 1, 1]
    assert [turn.result is not None for turn in done] == [False, True, True]


def test_a_space_that_fails_again_and_again_is_given_up_for_a_day() -> None:
    clock = [0.0]
    patience = Patience(now=lambda: clock[0])
    done: list[Tick] = []
    for _ in range(5):
        done.append(tick(lambda: plan_of(MENDS, SETS), carried, Auto.ALL, patience, Memory()))
        clock[0] += 3600
    assert [one.given_up for one in done] == [(), (), (), ("acme/x",), ("acme/x",)]
    assert [len(one.left) for one in done] == [0, 0, 0, 1, 1]
    assert done[3].result is not None
    assert done[3].result.outcomes[0].applied == (SETS,)  # the rest is still done
    clock[0] = 25 * 3600.0
    assert tick(lambda: plan_of(MENDS), carried, Auto.ALL, patience, Memory()).given_up == ()


def test_waking_has_no_such_limit() -> None:
    patience = Patience(now=lambda: 0.0)
    for _ in range(9):
        assert tick(lambda: plan_of(WAKES), carried, Auto.WAKE, patience, Memory()).left == ()


def test_a_failed_turn_is_told_and_not_raised() -> None:
    def fail() -> Plan:
        raise HfspaceError("nothing works")

    done = tick(fail, carried, Auto.ALL, Patience(now=lambda: 0.0), Memory())
    assert (done.ok, str(done.error)) == (False, "nothing works")


# ------------------------------------------------------------ as a process


@pytest.fixture(scope="module")
def commands() -> Iterator[Commands]:
    with Commands() as commands:
        yield commands


MANIFEST = """
version: 1
policy: {max_deletes: 5}
spaces:
  acme/off: {state: running}
  acme/old: {state: absent}
  acme/set: {visibility: private}
  acme/new: {sdk: gradio, create: {}}
"""
SEED: dict[str, Any] = {
    "spaces": {"acme/off": {"stage": "PAUSED"}, "acme/old": {}, "acme/set": {}},
    "hub": {"time_scale": 300},
}


@pytest.fixture
def hub(commands: Commands) -> Iterator[LocalHub]:
    (commands.folder / "spaces.yaml").write_text(MANIFEST)
    with LocalHub(seed=SEED) as hub:
        yield hub


@pytest.mark.parametrize(
    ("auto", "writes"),
    [
        ("none", set()),
        ("wake", {"restart"}),
        ("settings", {"restart", "settings"}),
        ("all", {"restart", "settings", "create"}),
    ],
)
def test_once_does_what_the_mode_allows_and_reports_the_rest(
    commands: Commands, hub: LocalHub, auto: str, writes: set[str]
) -> None:
    code, output = commands.run(hub, "watch", "--once", "--auto", auto, "--log-format", "json")
    assert code == 2, output  # the deletion is left in every mode
    assert {one.path.rpartition("/")[2] for one in hub.writes()} == writes
    told = [json.loads(line) for line in output.splitlines()]
    line = next(one for one in told if "result" in one)
    assert (line["result"], line["pending"]) == ("ok", 4 - len(writes))
    assert line.get("applied", 0) == len(writes)
    assert re.match(r"\d{4}-\d\d-\d\dT", line["time"])


def test_once_says_by_its_exit_code_how_it_went(commands: Commands, hub: LocalHub) -> None:
    (commands.folder / "spaces.yaml").write_text("version: 1\nspaces: {acme/set: {visibility: public}}\n")
    assert commands.run(hub, "watch", "--once")[0] == 0
    hub.add_fault({"path": "/api/whoami-v2", "status": 401})
    code, output = commands.run(hub, "watch", "--once")
    assert (code, "failed" in output) == (1, True)


def test_once_is_not_green_over_what_could_not_be_read(commands: Commands, hub: LocalHub) -> None:
    """Was 0: a watch in a cron job stayed green over variables that its token may not see."""
    (commands.folder / "spaces.yaml").write_text("version: 1\nspaces: {acme/set: {variables: {A: x}}}\n")
    hub.add_fault({"path": "*/variables", "status": 403})
    assert commands.run(hub, "watch", "--once")[0] == 4
    assert commands.run(hub, "watch", "--once", "--allow-unknown")[0] == 0


def until(what: Callable[[], object], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


def turns_told(commands: Commands) -> int:
    return (commands.folder / "output").read_text().count('"result"')


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_turns_again_serves_health_and_metrics_and_stops_cleanly(
    commands: Commands, hub: LocalHub, how: signal.Signals
) -> None:
    port = free_port()
    pid = commands.start(
        hub, "watch", "--interval", "1s", "--metrics-port", str(port), "--log-format", "json"
    )
    until(lambda: turns_told(commands) >= 2)
    assert get(f"http://127.0.0.1:{port}/healthz") == (200, "ok\n")
    status, text = get(f"http://127.0.0.1:{port}/metrics")
    assert status == 200
    assert re.search(r'hfspace_turns_total\{result="ok"\} [2-9]', text)
    assert "hfspace_changes_pending 4.0" in text
    assert get(f"http://127.0.0.1:{port}/other")[0] == 404
    began = time.monotonic()
    os.kill(pid, how)
    code, output = commands.end()
    assert (code, time.monotonic() - began < 2) == (0, True), output
    assert "Stopped." in output
    assert hub.writes() == []


def test_health_is_bad_while_no_turn_succeeds(commands: Commands, hub: LocalHub) -> None:
    hub.add_fault({"path": "/api/whoami-v2", "status": 401})
    port = free_port()
    pid = commands.start(
        hub, "watch", "--interval", "1s", "--metrics-port", str(port), "--log-format", "json"
    )
    until(lambda: turns_told(commands) >= 1)
    assert get(f"http://127.0.0.1:{port}/healthz")[0] == 503
    assert 'hfspace_turns_total{result="failed"} 1.0' in get(f"http://127.0.0.1:{port}/metrics")[1]
    os.kill(pid, signal.SIGTERM)
    assert commands.end()[0] == 0


def test_sigterm_in_the_middle_of_an_apply_is_a_clean_stop_too(commands: Commands) -> None:
    """Exited 130: the loop let the interruption of the apply through."""
    (commands.folder / "spaces.yaml").write_text("version: 1\nspaces: {acme/x: {state: running}}\n")
    with LocalHub(seed={"spaces": {"acme/x": {"stage": "PAUSED", "build": "stuck"}}}) as hub:
        pid = commands.start(hub, "watch", "--auto", "wake")
        until(lambda: sum(1 for one in hub.requests() if one.path.endswith("/runtime")) > 2)
        os.kill(pid, signal.SIGTERM)
        code, output = commands.end()
        assert code == 0, output
        assert hub.space("acme/x")["restart_calls"] == 1


def test_a_second_watch_of_the_same_manifest_is_refused(commands: Commands, hub: LocalHub) -> None:
    with Commands() as others:
        pid = commands.start(hub, "watch", "--interval", "60s", "--log-format", "json")
        until(lambda: turns_told(commands) >= 1)
        same = str(commands.folder / "spaces.yaml")
        code, output = others.run(hub, "-f", same, "watch", "--once")
        assert (code, "Another `hfspace watch` of this manifest is running here." in output) == (1, True)
        (others.folder / "spaces.yaml").write_text(MANIFEST)
        assert others.run(hub, "watch", "--once")[0] == 2  # another manifest is another matter
        os.kill(pid, signal.SIGTERM)
        assert commands.end()[0] == 0
        assert others.run(hub, "-f", same, "watch", "--once")[0] == 2


def test_a_bad_interval_is_named(commands: Commands, hub: LocalHub) -> None:
    code, output = commands.run(hub, "watch", "--interval", "soon")
    assert (code, "--interval soon is not a duration" in output) == (1, True)


def test_a_port_in_use_is_said(commands: Commands, hub: LocalHub) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        bound.listen()
        code, output = commands.run(hub, "watch", "--once", "--metrics-port", str(bound.getsockname()[1]))
    assert (code, "can't be used" in output) == (1, True)


def test_a_space_seen_at_rest_is_not_as_old_as_its_commit() -> None:
    """Was restarted again by each turn, minutes after somebody had restarted it: its commit was old."""
    spec = {"state": "running", "on_error": {"do": "restart", "after": "30m"}}
    text = json.dumps({"version": 1, "spaces": {"acme/x": spec}})
    live = {"sdk": "docker", "stage": "RUNNING", "hardware": "cpu-upgrade", "sleep_time": 3600}
    with LocalHub(seed={"spaces": {"acme/x": live}}, clock="manual") as hub:
        env = {"HF_ENDPOINT": hub.url, "HF_TOKEN": "hf_local_write"}
        at_rest: dict[str, float] = {}
        year = 365 * 86400.0

        def changes(minutes: float) -> tuple[list[str], list[str]]:
            session = hfspace.open(manifest=hfspace.load([("spaces.yaml", text)], env={}), env=env)
            session.at_rest, session.clock = at_rest, lambda: time.time() + year + minutes * 60
            newest = session.plan()
            return [change.address for change in newest.changes], [one.message for one in newest.checks]

        assert changes(0) == ([], [])
        hub.set_space("acme/x", stage="BUILDING")
        assert changes(20) == ([], [])
        assert changes(31)[0] == ["acme/x.state"]
        at_rest.clear()
        assert changes(20)[0] == ["acme/x.state"]


def test_what_could_not_be_checked_did_not_fail() -> None:
    failed, unknown = (plans.check("acme/x", "sdk", level, "") for level in ("error", "unknown"))
    assert summary(Tick(plan=plans.plan(failed, unknown)))["checks_failed"] == 1
