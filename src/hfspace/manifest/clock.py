"""The clock: which settings of a manifest hold at a time, why, and until when. Pure: `now` is an argument,
and whoever asks for a plan, a calendar or a bill of one run gives the same one.

A window holds while a clock on the wall of the manifest's `timezone` shows a time inside it. On the two days
of a change of the clocks it is therefore as long as the wall makes it: 02:30-03:30 is half an hour in spring,
and an hour and a half, in two parts, in autumn.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from itertools import pairwise

from hfspace.manifest import ticks
from hfspace.manifest.clock_models import Window
from hfspace.manifest.hours import DAYS, days_between
from hfspace.manifest.models import Manifest, Moment, SpaceSpec
from hfspace.manifest.zones import zone
from hfspace.model import FREE_HARDWARE

_DAY = timedelta(days=1)
_HORIZON = timedelta(days=8)
"""Hours of the week that do not change in so long never change: only times of one day come later."""

_FAR = timedelta(days=400)
_SOME_DAY = datetime(2026, 1, 1)

_WEEK = timedelta(days=6, hours=23)


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A time in which the same settings hold, from `start` until just before `end`, both in UTC. `spec` is
    the Space as it is to be then; `window` is what holds, None outside all of them."""

    start: datetime
    end: datetime
    spec: SpaceSpec
    window: Window | None
    reason: str

    @property
    def hours(self) -> float:
        return (self.end - self.start) / timedelta(hours=1)


def at(manifest: Manifest, now: datetime) -> Manifest:
    """The manifest as it is to be at `now`, a time with a zone: windows applied, the last tick of each
    `restart.every` in place. `clock` says of each Space that hours rule what holds, and until when. May be
    asked again for another time."""
    written, where = declared(manifest), zone(manifest.timezone)
    clock = {space: _moment(spec, where, now) for space, spec in written.items() if spec.has_hours}
    spaces = {
        space: _effective(spec, clock[space].window, where, now) if space in clock else spec
        for space, spec in written.items()
    }
    return replace(manifest, spaces=spaces, clock=clock, as_of=now.astimezone(UTC))


def declared(manifest: Manifest) -> dict[str, SpaceSpec]:
    """Every Space as it is written, also in a manifest that is that of one time."""
    return {**manifest.spaces, **{space: moment.declared for space, moment in manifest.clock.items()}}


def variants(spec: SpaceSpec) -> list[tuple[SpaceSpec, tuple[str, ...]]]:
    """All that a Space is to be at one time or another: as it stands outside all windows, then inside each,
    with the path of the window below the Space."""
    inside = ((_with(spec, one), ("when", str(index))) for index, one in enumerate(spec.when or ()))
    return [(spec, ()), *inside]


def unreached(spec: SpaceSpec, where: tzinfo) -> list[int]:
    """The windows that never hold, since others before them do whenever they would."""
    windows = spec.when or ()
    hidden = []
    for index, window in enumerate(windows):
        start = (window.start or _SOME_DAY).replace(tzinfo=where).astimezone(UTC)
        until = window.until.replace(tzinfo=where).astimezone(UTC) if window.until else start + _HORIZON
        if window.until and not window.start:
            start = until - _HORIZON
        earlier = windows[:index] if window.start or window.until else _weekly(windows[:index])
        parts = _holders((*earlier, window), where, start, min(until, start + _FAR))
        if all(holder != len(earlier) for _, _, holder in parts):
            hidden.append(index)
    return hidden


def _weekly(windows: tuple[Window, ...]) -> tuple[Window, ...]:
    return tuple(one for one in windows if not (one.start or one.until))


def managed(spec: SpaceSpec) -> SpaceSpec:
    """The Space without the hardware and the state that are only looked at (`ignore`)."""
    alone: dict[str, None] = {key: None for key in ("hardware", "state") if key in spec.ignore}
    if not alone:
        return spec
    windows = tuple(
        one.model_copy(update={"settings": one.settings.model_copy(update=alone)}) for one in spec.when or ()
    )
    return spec.model_copy(update={**alone, "when": windows})


def segments(spec: SpaceSpec, where: tzinfo, start: datetime, end: datetime) -> list[Segment]:
    """What holds for one Space from `start` to `end`, gapless, in order, exact to the second: a new Segment
    begins where another window holds. `spec` is as it is written, not that of `at`: see `declared`."""
    windows = spec.when or ()
    parts = _holders(windows, where, start.astimezone(UTC), end.astimezone(UTC))
    kinds = {
        holder: (_with(spec, window), window, _reason(spec, window))
        for holder in {holder for _, _, holder in parts}
        for window in [None if holder is None else windows[holder]]
    }
    return [
        Segment(start=first, end=last, spec=item, window=window, reason=reason)
        for first, last, holder in parts
        for item, window, reason in [kinds[holder]]
    ]


def totals(
    spec: SpaceSpec, where: tzinfo, start: datetime, end: datetime
) -> list[tuple[SpaceSpec, timedelta]]:
    """For how long, in sum, each of the things holds that the Space is to be from `start` to `end`."""
    windows = spec.when or ()
    sums = _sums(windows, where, start.astimezone(UTC), end.astimezone(UTC))
    return [(_with(spec, None if holder is None else windows[holder]), length) for holder, length in sums]


def transitions(manifest: Manifest, start: datetime, end: datetime) -> list[datetime]:
    """Every time after `start` and before `end`, in UTC and in order, at which something in the manifest
    begins or ends to hold, or a restart is due."""
    times: set[datetime] = set()
    where = zone(manifest.timezone)
    for spec in declared(manifest).values():
        times.update(segment.start for segment in segments(spec, where, start, end)[1:])
        every, tick = spec.restart and spec.restart.every, start
        while every and (tick := ticks.following(every, where, tick)) < end:
            times.add(tick)
    return sorted(times)


def next_transition(manifest: Manifest, now: datetime) -> datetime | None:
    """The first of them after `now`; None where there is none any more."""
    clock = at(manifest, now).clock.values()
    return min((moment.ends for moment in clock if moment.ends is not None), default=None)


def day_and_time(time: datetime, now: datetime, where: tzinfo) -> str:
    """`Thu 08:00`, or with its date where the name of a day would not say which."""
    local = time.astimezone(where)
    day = DAYS[local.weekday()] if abs(time - now) < _WEEK else f"{local:%Y-%m-%d}"
    return f"{day} {local:%H:%M}" + (f":{local:%S}" if local.second else "")


def _moment(spec: SpaceSpec, where: tzinfo, now: datetime) -> Moment:
    windows = spec.when or ()
    holder = _holder(windows, now.astimezone(where).replace(tzinfo=None))
    window = None if holder is None else windows[holder]
    until = _until(windows, where, now.astimezone(UTC), holder)
    reason = _reason(spec, window)
    if until is not None:
        reason += f", until {day_and_time(until, now, where)}"
    every = spec.restart.every if spec.restart else None
    return Moment(
        declared=spec,
        window=window,
        reason=reason if windows else "",
        until=until,
        next_tick=ticks.following(every, where, now) if every else None,
    )


def _effective(spec: SpaceSpec, window: Window | None, where: tzinfo, now: datetime) -> SpaceSpec:
    changed = _with(spec, window)
    if spec.restart is None or spec.restart.every is None:
        return changed
    last = ticks.marker(ticks.last(spec.restart.every, where, now))
    return changed.model_copy(update={"restart": spec.restart.model_copy(update={"value": last})})


def _with(spec: SpaceSpec, window: Window | None) -> SpaceSpec:
    """The Space as it is to be inside a window. Free hardware has a sleep time of its own."""
    if window is None:
        return spec
    given = window.settings.given
    if given.get("hardware") in FREE_HARDWARE and "sleep_time" not in given:
        given["sleep_time"] = None
    return spec.model_copy(update=given)


def _reason(spec: SpaceSpec, window: Window | None) -> str:
    if window is not None:
        return f"inside {window.text}"
    windows = [one for one in spec.when or () if one.during] or spec.when or ()
    return f"outside {windows[0].text}" if len(windows) == 1 else "outside all its windows"


def _holder(windows: tuple[Window, ...], wall: datetime) -> int | None:
    """The first window that holds when a clock on the wall shows `wall`."""
    return next((index for index, one in enumerate(windows) if one.holds(wall)), None)


@lru_cache(maxsize=512)
def _holders(
    windows: tuple[Window, ...], where: tzinfo, start: datetime, end: datetime
) -> tuple[tuple[datetime, datetime, int | None], ...]:
    """(from, until, index of the window) without gaps, each with another holder than the one before."""
    parts: list[tuple[datetime, datetime, int | None]] = []
    for first, last, offset in _spans(where, start, end):
        edges = sorted({first, last, *(_edges(windows, first + offset, last + offset, offset))})
        for begins, ends in pairwise(edges):
            holder = _holder(windows, (begins + offset).replace(tzinfo=None))
            if parts and parts[-1][2] == holder:
                parts[-1] = (parts[-1][0], ends, holder)
            else:
                parts.append((begins, ends, holder))
    return tuple(parts)


@lru_cache(maxsize=512)
def _sums(
    windows: tuple[Window, ...], where: tzinfo, start: datetime, end: datetime
) -> tuple[tuple[int | None, timedelta], ...]:
    """How long each window holds, and none. A fleet has the same hours many times."""
    sums: dict[int | None, timedelta] = {}
    for first, last, holder in _holders(windows, where, start, end):
        sums[holder] = sums.get(holder, timedelta()) + (last - first)
    return tuple(sums.items())


def _edges(
    windows: tuple[Window, ...], first: datetime, last: datetime, offset: timedelta
) -> Iterator[datetime]:
    """Times, in UTC, between two readings of the wall at which a window may begin or end."""
    wall_first, wall_last = first.replace(tzinfo=None), last.replace(tzinfo=None)
    days = days_between(wall_first.date(), wall_last.date())
    for window in windows:
        times = [one for one in (window.start, window.until) if one is not None]
        if window.during is not None:
            hours = {window.during.start, window.during.end}
            times += [datetime.combine(day, hour) for day in days for hour in hours]
        yield from ((one - offset).replace(tzinfo=UTC) for one in times if wall_first < one < wall_last)


def _spans(where: tzinfo, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime, timedelta]]:
    """The time from `start` to `end` in parts in which the zone's offset to UTC is one."""
    begins, now, offset = start, start, _offset(where, start)
    while now < end:
        following = min(now + _DAY, end)
        if _offset(where, following) != offset:
            change = _change(where, now, following, offset)
            if change < end:
                yield begins, change, offset
                begins, offset = change, _offset(where, change)
        now = following
    if begins < end:
        yield begins, end, offset


def _change(where: tzinfo, low: datetime, high: datetime, offset: timedelta) -> datetime:
    """The second between two times at which the offset stops to be `offset`."""
    low = low.replace(microsecond=0)
    while (seconds := round((high - low).total_seconds())) > 1:
        middle = low + timedelta(seconds=seconds // 2)
        low, high = (middle, high) if _offset(where, middle) == offset else (low, middle)
    return high


def _offset(where: tzinfo, time: datetime) -> timedelta:
    return time.astimezone(where).utcoffset() or timedelta(0)


@lru_cache(maxsize=512)
def _until(windows: tuple[Window, ...], where: tzinfo, now: datetime, holder: int | None) -> datetime | None:
    """When another window holds than `holder`, which holds `now`; None for never again."""
    starts = [now]
    for window in windows:
        for wall in (window.start, window.until):
            if wall is not None and (time := wall.replace(tzinfo=where).astimezone(UTC)) > now:
                starts.append(time - _DAY if time - _DAY > now else now)
    for start in sorted(set(starts)):
        for begins, _, other in _holders(windows, where, start, start + _HORIZON):
            if other != holder and begins > now:
                return begins
    return None
