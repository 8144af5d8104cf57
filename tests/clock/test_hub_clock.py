"""A machine whose clock is wrong is told so, by the Date of the Hub's answers."""

from __future__ import annotations

from email.utils import formatdate

import pytest

import hfspace
from hfspace.live.hub import connect
from hfspace.live.hub_clock import HubClock
from hfspace.localhub import LocalHub

NOW = 1_790_000_000.0


def clock(*ahead: float) -> HubClock:
    """The clock after answers whose Dates are so many seconds ahead of this machine's."""
    one = HubClock(now=lambda: NOW)
    for seconds in ahead:
        one.learn({"date": formatdate(NOW + seconds, usegmt=True)})
    return one


def test_an_hour_is_told_in_either_direction() -> None:
    behind = "This machine's clock is 60 min behind the Hub's: hours begin and end that much too late."
    assert clock(3590).problem == behind.replace("60", "59")
    assert clock(3600).problem == behind.replace("60 min", "1 h")
    assert "1 h ahead of the Hub's" in clock(-3600).problem
    assert "too early" in clock(-3600).problem


def test_a_minute_is_not() -> None:
    assert clock(60).problem == clock(-60).problem == clock().problem == ""


def test_an_old_answer_of_a_cache_says_nothing() -> None:
    assert clock(-86400, 1, -3600).problem == ""


@pytest.mark.parametrize(
    "date", ["", "yesterday", "Wed, 99 Nov 2026 10:00:00 GMT", "Mon, 01 Jan 99999 00:00:00 GMT"]
)
def test_a_date_that_is_none_is_left_out(date: str) -> None:
    one = HubClock(now=lambda: NOW)
    one.learn({"date": date})
    assert one.ahead is None


@pytest.mark.parametrize("ahead", [0, 3600, -3600])
def test_the_local_hub_has_a_clock_of_its_own(ahead: int) -> None:
    with LocalHub(seed={"hub": {"clock_ahead": ahead}}) as hub:
        client = connect(hub.url, hub.token)
        client.whoami()
        learned = client.limiter.clock.ahead
    assert learned is not None
    assert abs(learned - ahead) < 60


HOURS = "version: 1\nspaces: {acme/x: {state: paused, when: [{during: Sat-Sun, set: {state: running}}]}}"


@pytest.mark.parametrize(
    ("text", "ahead", "count"),
    [(HOURS, 3600, 1), (HOURS, 0, 0), ("version: 1\nspaces: {acme/x: {}}", 3600, 0)],
)
def test_a_plan_tells_it_once_where_there_are_hours(text: str, ahead: int, count: int) -> None:
    notes: list[str] = []
    seed = {"hub": {"clock_ahead": ahead}, "spaces": {"acme/x": {"sdk": "gradio"}}}
    with LocalHub(seed=seed) as hub:
        client = connect(hub.url, hub.token, notify=notes.append)
        hfspace.open(manifest=hfspace.load([("spaces.yaml", text)], env={}), hub=client, env={}).plan()
    assert sum("clock is" in note for note in notes) == count
