"""Which window holds: every minute of the weeks in which clocks are changed, against a reading of our own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from hfspace.manifest.clock import at, next_transition, segments, transitions
from hfspace.manifest.loader import load
from hfspace.manifest.models import Manifest
from hfspace.manifest.zones import zone
from tests.clock.reading import DAYS, minutes, setting, week_of, window

ZONES = ["Europe/Paris", "America/New_York", "Pacific/Auckland", "Australia/Lord_Howe", "Asia/Kolkata"]
"""North, west, south of the equator, south with half an hour, and without any change at half an hour."""

WINDOWS = {
    "office": ["Mon-Fri 08:00-19:00"],
    "late": ["Fri,Sat 22:00-02:30"],
    "short": ["02:30-03:30"],
    "around": ["Sat-Mon 01:00-03:00"],
    "midnight": ["Sun 00:00-00:01", "Sun 23:59-00:00"],
    "two": ["Mon-Fri 09:00-12:00", "daily 08:00-20:00", "Sat-Sun"],
    "wraps": ["Sat-Tue 23:30-23:29"],
}
FLAVORS = ("t4-small", "a10g-small", "l4x1")


def space(*windows: str) -> dict[str, Any]:
    """A Space whose hardware tells which of these windows holds."""
    when = [
        {"during": during, "set": {"state": "running", "hardware": flavor}}
        for during, flavor in zip(windows, FLAVORS, strict=False)
    ]
    return {"hardware": "cpu-upgrade", "state": "paused", "sleep_time": "1h", "when": when}


def boxed(change: datetime, name: str) -> dict[str, Any]:
    """A Space with a time box around a change of the clocks, before its hours of the week."""
    wall = change.astimezone(ZoneInfo(name)).replace(tzinfo=None)
    times = (wall - timedelta(hours=5, minutes=7), wall + timedelta(hours=6, minutes=11))
    start, end = (time.isoformat(timespec="minutes") for time in times)
    box = {"from": start, "until": end, "set": {"hardware": "a100-large", "state": "running"}}
    one = space("Mon-Fri 08:00-19:00", "02:00-04:00")
    from_then = {**one["when"][1], "from": start}
    return {**one, "when": [box, one["when"][0], from_then]}


@cache
def changes(name: str) -> tuple[datetime, ...]:
    """The times of 2027 at which the clocks of a zone are changed; those of Paris where they are not."""
    where = ZoneInfo(name)
    halves = [datetime(2027, 1, 1, tzinfo=UTC) + timedelta(minutes=30 * count) for count in range(365 * 48)]
    changed = (
        later
        for earlier, later in pairwise(halves)
        if earlier.astimezone(where).utcoffset() != later.astimezone(where).utcoffset()
    )
    return tuple(changed) or changes("Europe/Paris")


def loaded(name: str, spaces: dict[str, Any]) -> Manifest:
    text = yaml.safe_dump({"version": 1, "timezone": name, "spaces": spaces})
    return load([("spaces.yaml", text)], env={})


def weeks(name: str) -> Iterator[tuple[dict[str, Any], Manifest, datetime, datetime]]:
    """What is declared, in YAML and as it is loaded, and the week around each change."""
    assert len(changes(name)) == 2
    for change in changes(name):
        spaces = {f"acme/{key}": space(*during) for key, during in WINDOWS.items()}
        spaces["acme/boxed"] = boxed(change, name)
        yield spaces, loaded(name, spaces), *week_of(change)


def assert_segments(
    manifest: Manifest, spaces: dict[str, Any], name: str, start: datetime, end: datetime
) -> None:
    """Each minute lies in the segment of the window that the other reading finds."""
    where = ZoneInfo(name)
    walls = [(minute, minute.astimezone(where).replace(tzinfo=None)) for minute in minutes(start, end)]
    for one, written in spaces.items():
        parts = segments(manifest.spaces[one], zone(name), start, end)
        assert (parts[0].start, parts[-1].end) == (start, end)
        assert all(first.end == second.start for first, second in pairwise(parts))
        left = iter(parts)
        part = next(left)
        for minute, wall in walls:
            while minute >= part.end:
                part = next(left)
            number = window(written, wall)
            expected = None if number is None else (manifest.spaces[one].when or ())[number]
            assert part.window is expected, (one, minute)


@pytest.mark.parametrize("name", ZONES)
def test_every_minute_of_both_weeks(name: str) -> None:
    for spaces, manifest, start, end in weeks(name):
        assert_segments(manifest, spaces, name, start, end)


def assert_at(manifest: Manifest, spaces: dict[str, Any], name: str, times: list[datetime]) -> None:
    for time in times:
        now, wall = at(manifest, time), time.astimezone(ZoneInfo(name)).replace(tzinfo=None)
        for one, written in spaces.items():
            for key in ("hardware", "state"):
                assert getattr(now.spaces[one], key) == setting(written, wall, key), (one, time)


@pytest.mark.parametrize("name", ZONES)
def test_at_before_at_and_after_each_transition(name: str) -> None:
    """A second before it the old window holds, at it and a second after it the new one; and the manifest of
    any time says itself when it is over."""
    for spaces, manifest, start, end in weeks(name):
        turns = transitions(manifest, start, end)
        assert len(turns) > 40
        steps = [turn + timedelta(seconds=step) for turn in turns for step in (-1, 0, 1)]
        assert_at(manifest, spaces, name, steps)
        for first, second in pairwise([start, *turns]):
            assert next_transition(manifest, first) == second


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", ZONES)
def test_at_every_minute_of_both_weeks(name: str) -> None:
    for spaces, manifest, start, end in weeks(name):
        assert_at(manifest, spaces, name, minutes(start, end))


# ------------------------------------------------------------ windows that nobody thought of

_times = st.tuples(st.integers(0, 23), st.sampled_from([0, 1, 29, 30, 31, 59])).map(
    lambda t: f"{t[0]:02}:{t[1]:02}"
)
_days = st.one_of(
    st.sampled_from(DAYS),
    st.tuples(st.sampled_from(DAYS), st.sampled_from(DAYS)).filter(lambda d: d[0] != d[1]).map("-".join),
    st.just("Mon,Wed,Sun"),
    st.just("daily"),
)
_hours = st.tuples(_times, _times).filter(lambda hours: hours[0] != hours[1]).map("-".join)


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(ZONES),
    st.booleans(),
    st.lists(st.tuples(_days, _hours).map(" ".join), min_size=1, max_size=3),
)
def test_every_minute_of_windows_that_are_drawn(name: str, autumn: bool, during: list[str]) -> None:
    start, end = week_of(changes(name)[autumn])
    spaces = {"acme/drawn": space(*during)}
    assert_segments(loaded(name, spaces), spaces, name, start, end)
