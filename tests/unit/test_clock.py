"""Windows, ticks and what holds at a time. Pure: no test asks a clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hfspace.errors import ManifestError
from hfspace.manifest import ticks
from hfspace.manifest.clock import at, next_transition, segments, transitions, unreached
from hfspace.manifest.hours import parse_hours, parse_local
from hfspace.manifest.loader import load
from hfspace.manifest.models import Manifest, SpaceSpec
from hfspace.manifest.zones import names, zone

ZONES = ("UTC", "Europe/Paris", "Australia/Lord_Howe", "Asia/Tokyo", "America/Santiago", "America/New_York")
WEEK = timedelta(days=7)


def spec(*windows: dict[str, Any], **values: Any) -> SpaceSpec:
    return SpaceSpec.model_validate({"state": "paused", "when": list(windows), **values})


def hours(text: str, **settings: Any) -> dict[str, Any]:
    return {"during": text, "set": settings or {"state": "running"}}


def whole(text: str, **spaces: str) -> Manifest:
    body = "".join(f"\n  acme/{name}: {value}" for name, value in spaces.items())
    return load([("spaces.yaml", f"version: 1\ntimezone: {text}\nspaces:{body}\n")], env={})


def awake_minutes(one: SpaceSpec, where: str, day: datetime) -> float:
    start = day.replace(tzinfo=zone(where))
    end = (day + timedelta(days=1)).replace(tzinfo=zone(where))
    return sum(part.hours * 60 for part in segments(one, zone(where), start, end) if part.spec.is_up)


@pytest.mark.parametrize(
    ("text", "days", "start", "end"),
    [
        ("Mon-Fri 08:00-19:00", "01234", "08:00", "19:00"),
        ("Fri 22:00-02:00", "4", "22:00", "02:00"),
        ("Mon,Wed 9:00-10:30", "02", "09:00", "10:30"),
        ("mon , wednesday 9:00 - 10:30", "02", "09:00", "10:30"),
        ("Sat-Mon 00:00-06:00", "056", "00:00", "06:00"),
        ("daily 06:00-00:00", "0123456", "06:00", "00:00"),
        ("Sat-Sun", "56", "00:00", "00:00"),
        ("08:00-09:00", "0123456", "08:00", "09:00"),
    ],
)
def test_hours_are_read_as_people_write_them(text: str, days: str, start: str, end: str) -> None:
    one = parse_hours(text)
    assert "".join(map(str, sorted(one.days))) == days
    assert (f"{one.start:%H:%M}", f"{one.end:%H:%M}") == (start, end)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Mon 08:00-24:00", "there is no 24:00: write 00:00, which ends the day"),
        ("Mon 25:00-26:00", "there is no 25:00"),
        ("Mon 08:00-08:00", "whole days are written without times"),
        ("Mondy 08:00-09:00", "did you mean Mon"),
        ("weekdays 08:00-09:00", "is no day of the week"),
        ("Mon 8-9", "write 08:00"),
        ("Mon 08:00", "08:00-19:00"),
        ("Mon 08:00-09:00 CET", "with one space between"),
        ("", "hours are days and times"),
    ],
)
def test_hours_that_are_none_are_refused(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_hours(text)


@given(st.text(max_size=40))
def test_any_text_is_hours_or_refused(text: str) -> None:
    for read in (parse_hours, parse_local):
        try:
            read(text)
        except ValueError as error:
            assert str(error)  # noqa: PT017


def test_every_zone_can_be_loaded() -> None:
    for name in names():
        assert zone(name).utcoffset(datetime(2026, 1, 1)) is not None


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("Europe/Pariss", "Europe/Paris"),
        ("paris", "Europe/Paris"),
        ("New York", "America/New_York"),
        ("x", "such"),
    ],
)
def test_an_unknown_zone_names_the_nearest(name: str, says: str) -> None:
    with pytest.raises(ManifestError) as caught:
        whole(name)
    (problem,) = caught.value.problems
    assert (problem.line, problem.message) == (2, f"'timezone' can't be '{name}'")
    assert says in problem.hint


@pytest.mark.parametrize(
    ("text", "day", "minutes"),
    [
        ("daily 08:00-19:00", datetime(2026, 3, 29), 660),
        ("daily 08:00-19:00", datetime(2026, 10, 25), 660),
        ("daily 02:30-03:30", datetime(2026, 3, 29), 30),
        ("daily 02:30-03:30", datetime(2026, 10, 25), 90),
        ("daily 02:00-03:00", datetime(2026, 3, 29), 0),
        ("daily 02:00-03:00", datetime(2026, 10, 25), 120),
        ("daily", datetime(2026, 3, 29), 23 * 60),
        ("daily", datetime(2026, 10, 25), 25 * 60),
    ],
)
def test_a_window_is_as_long_as_the_wall_makes_it(text: str, day: datetime, minutes: int) -> None:
    assert awake_minutes(spec(hours(text)), "Europe/Paris", day) == minutes


def test_past_midnight_belongs_to_the_day_on_which_it_began() -> None:
    one = spec(hours("Fri 22:00-02:00"))
    friday = datetime(2026, 11, 27, tzinfo=UTC)
    parts = [part for part in segments(one, zone("UTC"), friday, friday + WEEK) if part.spec.is_up]
    assert [(part.start, part.hours) for part in parts] == [(friday + timedelta(hours=22), 4)]


def test_the_first_window_that_holds_wins() -> None:
    box = {"from": "2026-12-01T09:00", "until": "2026-12-01T18:00", "set": {"hardware": "a10g-small"}}
    one = spec(box, hours("Mon-Fri 08:00-19:00"), hardware="cpu-upgrade")
    tuesday = datetime(2026, 12, 1, tzinfo=UTC)
    parts = segments(one, zone("UTC"), tuesday, tuesday + timedelta(days=1))
    assert [(part.start.hour, part.spec.state, part.spec.hardware) for part in parts] == [
        (0, "paused", "cpu-upgrade"),
        (8, "running", "cpu-upgrade"),
        (9, "paused", "a10g-small"),
        (18, "running", "cpu-upgrade"),
        (19, "paused", "cpu-upgrade"),
    ]


def test_a_window_that_sets_nothing_is_a_holiday() -> None:
    one = spec({"from": "2026-12-24", "until": "2026-12-27", "set": {}}, hours("Mon-Fri 08:00-19:00"))
    christmas = datetime(2026, 12, 24, tzinfo=UTC)
    assert not any(
        part.spec.is_up for part in segments(one, zone("UTC"), christmas, christmas + 3 * (WEEK / 7))
    )


WALLS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)).map(lambda one: one.replace(microsecond=0))
TIMES = st.times().map(lambda one: f"{one:%H:%M}")
WINDOWS = st.one_of(
    st.builds(
        lambda days, start, end: hours(f"{','.join(days)} {start}-{end}" if start != end else ",".join(days)),
        st.lists(st.sampled_from(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]), min_size=1, unique=True),
        TIMES,
        TIMES,
    ),
    st.builds(
        lambda start, length: {
            "from": f"{start:%Y-%m-%dT%H:%M:%S}",
            "until": f"{start + length:%Y-%m-%dT%H:%M:%S}",
            "set": {"state": "running"},
        },
        WALLS,
        st.timedeltas(timedelta(minutes=1), timedelta(days=20)).map(
            lambda one: one - one % timedelta(seconds=1)
        ),
    ),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(WINDOWS, max_size=3), st.sampled_from(ZONES), WALLS, st.integers(0, 10 * 86400))
def test_segments_say_what_holds_at_every_second(
    windows: list[dict[str, Any]], where: str, start: datetime, length: int
) -> None:
    one, here = spec(*windows), zone(where)
    begin, end = start.replace(tzinfo=UTC), start.replace(tzinfo=UTC) + timedelta(seconds=length)
    parts = segments(one, here, begin, end)
    assert [part.start for part in parts[1:]] == [part.end for part in parts[:-1]]
    assert not parts or (parts[0].start, parts[-1].end) == (begin, end)
    for part in parts:
        for moment in (part.start, part.end - timedelta(seconds=1), part.start + (part.end - part.start) / 2):
            wall = moment.astimezone(here).replace(tzinfo=None)
            first = next((window for window in one.when or () if window.holds(wall)), None)
            assert part.window == first


@settings(max_examples=60, deadline=None)
@given(st.lists(WINDOWS, max_size=3), st.sampled_from(ZONES), WALLS)
def test_what_holds_lasts_until_it_is_said_to_end(
    windows: list[dict[str, Any]], where: str, start: datetime
) -> None:
    now = start.replace(tzinfo=UTC)
    declared = Manifest(**{**_empty(), "spaces": {"acme/x": spec(*windows)}, "timezone": where})
    until = next_transition(declared, now)
    before = segments(declared.spaces["acme/x"], zone(where), now, until or now + timedelta(days=30))
    assert len(before) == 1
    if until is not None:
        after = at(declared, until).clock["acme/x"]
        assert after.window != before[0].window
        assert at(declared, until - timedelta(seconds=1)).clock["acme/x"].window == before[0].window
        assert until in transitions(declared, now, until + timedelta(seconds=1))


def _empty() -> dict[str, Any]:
    from hfspace.manifest.models import Policy
    from hfspace.model import ManifestRef

    return {"ref": ManifestRef(files=("spaces.yaml",), sha256="0"), "policy": Policy()}


def test_the_manifest_of_another_time_can_be_asked_of_that_of_one() -> None:
    declared = whole(
        "Europe/Paris", x="{state: paused, when: [{during: Mon-Fri 08:00-19:00, set: {state: running}}]}"
    )
    day, night = datetime(2026, 11, 25, 12, tzinfo=UTC), datetime(2026, 11, 25, 22, tzinfo=UTC)
    assert at(declared, day).spaces["acme/x"].state == "running"
    assert at(at(declared, day), night) == at(declared, night)
    assert at(declared, night).clock["acme/x"].reason == "outside Mon-Fri 08:00-19:00, until Thu 08:00"
    assert at(declared, day).clock["acme/x"].reason == "inside Mon-Fri 08:00-19:00, until Wed 19:00"


@pytest.mark.parametrize(
    ("now", "last", "following"),
    [
        ("2026-03-29T12:00", "2026-03-29T01:00", "2026-03-30T00:30"),  # 02:30 is not there: at the change
        ("2026-10-25T12:00", "2026-10-25T00:30", "2026-10-26T01:30"),  # 02:30 twice: the first
        ("2026-11-25T01:30", "2026-11-25T01:30", "2026-11-26T01:30"),  # at the tick itself
        ("2026-11-25T01:29", "2026-11-24T01:30", "2026-11-25T01:30"),
    ],
)
def test_ticks_on_the_days_when_clocks_change(now: str, last: str, following: str) -> None:
    moment, where = datetime.fromisoformat(now).replace(tzinfo=UTC), zone("Europe/Paris")
    assert ticks.marker(ticks.last("30 2 * * *", where, moment)) == f"{last}Z"
    assert ticks.marker(ticks.following("30 2 * * *", where, moment)) == f"{following}Z"


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["30 4 * * 1", "0 */6 * * *", "*/15 * * * *", "0 0 1 * *", "30 2 * * *", "5 4 * * sun"]),
    st.sampled_from(ZONES),
    WALLS,
)
def test_the_last_tick_is_the_one_before_the_next(every: str, where: str, start: datetime) -> None:
    now = start.replace(tzinfo=UTC)
    last, following = ticks.last(every, zone(where), now), ticks.following(every, zone(where), now)
    assert last <= now < following
    assert ticks.following(every, zone(where), last) == following
    assert ticks.last(every, zone(where), following) == following
    assert ticks.tick_of(ticks.marker(last)) == last


@pytest.mark.parametrize(
    ("every", "minutes"),
    [
        ("* * * * *", 1),
        ("*/15 * * * 1", 15),
        ("0,58 * * * *", 2),
        ("0,58 4 * * *", 58),
        ("59 0,23 * * *", 60),
        ("30 4 * * 1", 1440),
    ],
)
def test_the_shortest_time_between_two_ticks(every: str, minutes: int) -> None:
    assert ticks.shortest(every) == timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("windows", "hidden"),
    [
        (["Mon-Fri 08:00-19:00", "Mon 09:00-10:00"], [1]),
        (["Mon 09:00-10:00", "Mon-Fri 08:00-19:00"], []),
        (["Mon-Fri 08:00-19:00", "Mon 18:00-20:00"], []),
        (["daily", "Sat-Sun", "Fri 22:00-02:00"], [1, 2]),
        (["Mon-Wed", "Thu-Sun", "daily 10:00-11:00"], [2]),
    ],
)
def test_what_is_never_reached_is_known(windows: list[str], hidden: list[int]) -> None:
    assert unreached(spec(*map(hours, windows)), zone("Europe/Paris")) == hidden


def test_a_box_is_hidden_only_by_what_holds_all_of_its_time() -> None:
    box = {"from": "2026-11-30T08:00", "until": "2026-11-30T12:00", "set": {"state": "running"}}
    assert unreached(spec(hours("Mon 07:00-13:00"), box), zone("UTC")) == [1]
    assert unreached(spec(hours("Mon 09:00-13:00"), box), zone("UTC")) == []
    assert unreached(spec(box, hours("Mon 09:00-13:00")), zone("UTC")) == []
