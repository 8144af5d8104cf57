"""The limiter waits before the wall, and every wait can be ended."""

from __future__ import annotations

import threading

import pytest

from hfspace.errors import Interrupted, RateLimited, WaitTimeout
from hfspace.live.limiter import Limiter, Pace


class FakePace(Pace):
    """A pace whose clock moves only when somebody sleeps."""

    def __init__(self, timeout: float | None = None) -> None:
        super().__init__()
        self.time = 100.0
        self.slept: list[float] = []
        self._end = None if timeout is None else self.time + timeout

    def now(self) -> float:
        return self.time

    @property
    def left(self) -> float | None:
        return None if self._end is None else self._end - self.time

    def sleep(self, seconds: float, what: str) -> None:
        self.slept.append(seconds)
        self.time += seconds


def limiter(pace: Pace) -> tuple[Limiter, list[str]]:
    told: list[str] = []
    return Limiter(pace, told.append), told


def answer(left: int, reset: int, quota: int = 100) -> dict[str, str]:
    return {
        "ratelimit": f'"api";r={left};t={reset}',
        "ratelimit-policy": f'"fixed window";"api";q={quota};w=300',
    }


def test_nothing_is_held_back_before_the_hub_has_told_a_limit() -> None:
    pace = FakePace()
    one, _ = limiter(pace)
    for _ in range(500):
        one.acquire()
    assert pace.slept == []
    assert one.requests == 500


def test_it_waits_for_the_window_before_a_429_and_says_so_once() -> None:
    pace = FakePace()
    one, told = limiter(pace)
    one.acquire()
    one.release(answer(2, 40))
    one.acquire()
    one.acquire()
    assert pace.slept == []
    one.acquire()
    assert len(pace.slept) == 1
    assert 40 <= pace.slept[0] <= 42
    assert told == ["Rate limit: no request left of 100; the Hub's window opens in 41 s."]


def test_requests_in_flight_are_taken_off_what_the_hub_says_is_left() -> None:
    pace = FakePace()
    one, _ = limiter(pace)
    for _ in range(3):
        one.acquire()
    one.release(answer(2, 40))  # two more are under way, and will use both
    one.acquire()
    assert len(pace.slept) == 1


def test_a_1000_requests_through_a_window_of_100_never_meet_the_wall() -> None:
    pace = FakePace()
    one, _ = limiter(pace)
    used, opened, refusals = 0, pace.time, 0
    for _ in range(1000):
        one.acquire()
        if pace.time - opened >= 60:
            used, opened = 0, pace.time
        used += 1
        refusals += used > 100
        one.release(answer(max(100 - used, 0), max(int(60 - (pace.time - opened)), 0)))
    assert refusals == 0
    assert 9 <= len(pace.slept) <= 10


def test_a_wait_longer_than_the_deadline_is_refused_at_once() -> None:
    pace = FakePace(timeout=10)
    one, _ = limiter(pace)
    one.acquire()
    one.release(answer(0, 200))
    with pytest.raises(RateLimited) as caught:
        one.acquire()
    assert caught.value.reset_in > 200
    assert pace.slept == []


def test_a_refusal_closes_the_window_for_every_thread() -> None:
    pace = FakePace()
    one, _ = limiter(pace)
    one.acquire()
    one.release(None)
    assert one.refused(7.0) == pytest.approx(7.0)
    one.acquire()
    assert sum(pace.slept) >= 7


def test_stop_ends_a_sleep_at_once() -> None:
    pace = Pace()
    threading.Timer(0.05, pace.stop).start()
    with pytest.raises(Interrupted):
        pace.sleep(30, "testing")


def test_the_deadline_ends_a_sleep() -> None:
    with pytest.raises(WaitTimeout):
        Pace(timeout=0.05).sleep(30, "testing")


def test_the_hubs_explicit_wish_wins_over_a_window_that_is_not_used_up() -> None:
    limiter = Limiter(Pace(), notify=lambda text: None)
    limiter.acquire()
    limiter.release(
        {"ratelimit": '"api";r=400;t=169', "ratelimit-policy": '"fixed window";"api";q=500;w=300'}
    )
    assert limiter.refused(3.0) == 3.0
    assert limiter.refused(None) <= 4.0
