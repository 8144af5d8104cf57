"""What hours and regular restarts can't say although each key by itself is fine."""

from __future__ import annotations

from datetime import datetime, timedelta

from hfspace.manifest import ticks
from hfspace.manifest.clock import variants
from hfspace.manifest.clock_models import Window
from hfspace.manifest.experiments import Complaints
from hfspace.manifest.hours import days_between
from hfspace.manifest.models import SpaceSpec
from hfspace.manifest.wording import sentence
from hfspace.model import FREE_HARDWARE

_LONG = timedelta(days=8)
"""In so long, hours of the week come at least once."""


def problems(spec: SpaceSpec) -> Complaints:
    """What is wrong with the hours of one Space."""
    if spec.state == "absent" and spec.has_hours:
        key = "when" if spec.when else "restart"
        yield (key,), "a Space that is to be absent has no hours", "Remove one of the two."
        return
    for index, window in enumerate(spec.when or ()):
        at = ("when", str(index))
        for part, message, hint in _window(window):
            yield (*at, *part), message, hint
    for variant, path in variants(spec)[1:]:
        for part, message, hint in _settings(variant, spec):
            yield (*path, *part), message, hint
    yield from _awake(spec)
    yield from _restart(spec)


def _window(window: Window) -> Complaints:
    if window.during is None and window.start is None and window.until is None:
        yield (), "a window needs a time", "Write during, or from and until."
    elif window.start and window.until and window.start >= window.until:
        yield ("until",), "the window never occurs: it is over before it begins", "Write until after from."
    elif not _occurs(window):
        yield (
            ("during",),
            "the window never occurs: none of its hours is between from and until",
            "Correct it.",
        )


def _occurs(window: Window) -> bool:
    """Whether some of the hours of a window are between its two times."""
    hours, start, until = window.during, window.start, window.until
    if hours is None or start is None or until is None or until - start >= _LONG:
        return True
    length = timedelta(minutes=hours.minutes)
    begins = (datetime.combine(day, hours.start) for day in days_between(
        start.date() - timedelta(days=1), until.date()
    ) if day.weekday() in hours.days)  # fmt: skip
    return any(one < until and one + length > start for one in begins)


def _settings(inside: SpaceSpec, outside: SpaceSpec) -> Complaints:
    """What a Space can't be inside a window."""
    given = inside.hardware if inside.hardware != outside.hardware else None
    if inside.hardware in FREE_HARDWARE and inside.sleep_time is not None:
        message = f"{inside.hardware} has a fixed sleep time, inside this window too"
        yield ("set", "sleep_time"), message, "Remove sleep_time, or set paid hardware beside it."
    if given == "zero-a10g" and inside.sdk not in {None, "gradio"}:
        message = f"ZeroGPU runs Gradio Spaces only, and this is {inside.sdk}"
        yield ("set", "hardware"), message, "Choose other hardware."


def _awake(spec: SpaceSpec) -> Complaints:
    if spec.state == "awake" and spec.hardware in FREE_HARDWARE:
        message = "free hardware is kept awake only inside a window"
        yield ("state",), message, "Write awake into a window of `when`, or use running."


def _restart(spec: SpaceSpec) -> Complaints:
    restart = spec.restart
    if restart is None:
        return
    given = [key for key in ("value", "every", "on") if getattr(restart, key) is not None]
    if len(given) != 1:
        message = f"restart has {' and '.join(given) or 'nothing that it waits for'}"
        yield ("restart",), message, "Write one of value, every and on."
    if restart.on is not None and spec.files is None:
        yield ("restart", "on"), "there are no files of ours that a restart could follow", "Declare files."
    if restart.every is not None and (why := ticks.problem(restart.every)):
        yield (
            ("restart", "every"),
            f"'{restart.every[:60]}' is no time: {why}",
            sentence('minute, hour, day, month, day of the week: "30 4 * * 1" is Monday, 04:30'),
        )
