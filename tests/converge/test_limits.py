"""The Hub's rate limit is waited for and hardly ever met; --timeout and Ctrl-C end every wait at once."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from hfspace.live.limiter import Pace
from hfspace.localhub import LocalHub
from tests.converge.harness import OPTIONS, Runner
from tests.converge.killing import Commands

pytestmark = pytest.mark.xdist_group("kill")


class ScaledPace(Pace):
    """A clock that runs `scale` times as fast as ours, as the local Hub's does."""

    def __init__(self, scale: float) -> None:
        super().__init__()
        self._scale = scale

    def now(self) -> float:
        return time.monotonic() * self._scale

    def sleep(self, seconds: float, what: str) -> None:
        super().sleep(seconds / self._scale, what)


def fleet(count: int, window: int, quota: int, **hub: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    names = [f"acme/s{number:03}" for number in range(count)]
    seed = {
        "spaces": {name: {} for name in names},
        "hub": {"rate_limit": {"requests": quota, "window": window}, **hub},
    }
    return seed, {"version": 1, "spaces": {name: {"variables": {"A": "1"}} for name in names}}


def refused_by_window(hub: LocalHub, seconds: float) -> Counter[int]:
    began = hub.requests()[0].time
    return Counter(int((one.time - began) / seconds) for one in hub.requests() if one.status == 429)


def test_a_thousand_requests_through_a_window_of_a_hundred() -> None:
    seed, manifest = fleet(130, window=300, quota=100)
    with LocalHub(seed=seed, clock="manual") as hub:
        runner = Runner(hub, manifest)
        runner.pace._end = 1e9
        assert not runner.apply().failed
        requests = hub.requests()
        assert len(requests) > 1000
        assert [one for one in requests if one.status == 429] == []
        assert runner.pace.slept < 300 * (len(requests) / 100 + 2)
        waits = [line for line in runner.told if line.startswith("Rate limit: no request left of 100")]
        assert len(waits) >= 10
        assert re.search(r"the Hub's window opens in \d+ s", waits[0])


def test_eight_threads_meet_the_wall_at_most_once_in_a_window() -> None:
    seed, manifest = fleet(30, window=1, quota=80, time_scale=300)
    with LocalHub(seed=seed) as hub:
        runner = Runner(hub, manifest)
        pace = ScaledPace(1)
        runner.pace, runner.client.limiter.pace = pace, pace  # type: ignore[assignment]
        runner.look = replace(runner.look, threads=8)
        options = replace(OPTIONS, parallelism=8, poll_seconds=0.05, settle_seconds=0.2)
        assert not runner.apply(options=options).failed
        assert len(hub.requests()) > 240
        assert max(refused_by_window(hub, 1.0).values(), default=0) <= 1
        assert any("window opens in" in line for line in runner.told)


# ------------------------------------------------------------ as processes


@pytest.fixture(scope="module")
def commands() -> Iterator[Commands]:
    with Commands() as commands:
        yield commands


STUCK: dict[str, Any] = {"spaces": {"acme/x": {"stage": "PAUSED", "build": "stuck"}}}
WAKE = "version: 1\nspaces: {acme/x: {state: running}}\n"


def until(what: Callable[[], object], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def interrupted(
    commands: Commands, hub: LocalHub, ready: Callable[[], object], *args: str
) -> tuple[int, str, float]:
    """Starts a command, sends it Ctrl-C when `ready`; exit code, output, and how long it took to end."""
    pid = commands.start(hub, *args)
    ended = threading.Event()
    try:
        until(ready)
        time.sleep(0.2)
        began = time.monotonic()
        os.kill(pid, signal.SIGINT)
        threading.Timer(15, lambda: ended.is_set() or os.kill(pid, signal.SIGKILL)).start()
        code, output = commands.end()
    finally:
        ended.set()
    return code, output, time.monotonic() - began


def polls(hub: LocalHub) -> int:
    return sum(1 for one in hub.requests() if one.path.endswith("/runtime"))


def test_ctrl_c_ends_the_wait_for_a_stage(commands: Commands) -> None:
    (commands.folder / "spaces.yaml").write_text(WAKE)
    with LocalHub(seed=STUCK) as hub:
        code, output, took = interrupted(commands, hub, lambda: polls(hub) > 2, "apply", "--yes")
        assert (code, took < 3) == (130, True), output
        assert "Interrupted: 1 change made" in output
        assert hub.space("acme/x")["restart_calls"] == 1


def test_sigterm_ends_it_the_same_way(commands: Commands) -> None:
    (commands.folder / "spaces.yaml").write_text(WAKE)
    with LocalHub(seed=STUCK) as hub:
        pid = commands.start(hub, "apply", "--yes")
        until(lambda: polls(hub) > 2)
        os.kill(pid, signal.SIGTERM)
        began = time.monotonic()
        code, output = commands.end()
        assert (code, time.monotonic() - began < 3) == (130, True), output
        assert "Interrupted: 1 change made" in output


@pytest.mark.parametrize("spaces", [1, 12], ids=["one reader", "eight readers"])
def test_ctrl_c_ends_the_wait_for_the_rate_limit_while_planning(commands: Commands, spaces: int) -> None:
    seed, _ = fleet(spaces, window=300, quota=3)
    names = "".join(f"  {name}: {{variables: {{A: '1'}}}}\n" for name in seed["spaces"])
    (commands.folder / "spaces.yaml").write_text(f"version: 1\nspaces:\n{names}")
    with LocalHub(seed=seed) as hub:
        told = commands.folder / "output"
        code, output, took = interrupted(
            commands, hub, lambda: "Rate limit" in told.read_text(), "apply", "--yes"
        )
        assert (code, took < 3) == (130, True), (output, took)
        assert "no request left of 3; the Hub's window opens in" in output


@pytest.mark.parametrize("spaces", [1, 12], ids=["one reader", "eight readers"])
def test_the_timeout_ends_the_wait_for_the_rate_limit(commands: Commands, spaces: int) -> None:
    seed, _ = fleet(spaces, window=300, quota=3)
    names = "".join(f"  {name}: {{variables: {{A: '1'}}}}\n" for name in seed["spaces"])
    (commands.folder / "spaces.yaml").write_text(f"version: 1\nspaces:\n{names}")
    with LocalHub(seed=seed) as hub:
        began = time.monotonic()
        code, output = commands.run(hub, "apply", "--yes", "--timeout", "20s")
        assert (code, time.monotonic() - began < 3) == (1, True), output
        assert "rate limit opens again in" in output
        assert "--timeout" in output


def test_the_timeout_ends_the_wait_for_a_stage(commands: Commands) -> None:
    (commands.folder / "spaces.yaml").write_text(WAKE)
    with LocalHub(seed=STUCK) as hub:
        began = time.monotonic()
        code, output = commands.run(hub, "apply", "--yes", "--timeout", "1s")
        assert (code, time.monotonic() - began < 4) == (3, True), output
        assert "acme/x is still BUILDING after" in output
        assert "hfspace logs acme/x --build" in output


def test_a_second_ctrl_c_leaves_at_once(commands: Commands) -> None:
    """The first one lets a request in flight end, and this one takes long."""
    (commands.folder / "spaces.yaml").write_text(WAKE)
    with LocalHub(seed=STUCK) as hub:
        slow = threading.Event()

        def hang(when: str, method: str, path: str) -> None:
            if when == "before" and path.endswith("/restart"):
                slow.set()
                time.sleep(4)

        hub.set_hook(hang)
        pid = commands.start(hub, "apply", "--yes")
        assert slow.wait(20)
        began = time.monotonic()
        os.kill(pid, signal.SIGINT)
        time.sleep(0.5)
        os.kill(pid, signal.SIGINT)
        code, _ = commands.end()
        assert (code, time.monotonic() - began < 3) == (130, True)
        hub.set_hook(None)
