"""hfspace hold ID: the hours of the manifest leave a Space alone for a while."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import click

from hfspace.cli.context import Context, find_space, hfspace_command
from hfspace.cli.inputs import parse_timeout
from hfspace.errors import UsageError
from hfspace.live.hold import FOREVER, hold, read_holds, release, time_of
from hfspace.manifest.hours import parse_local
from hfspace.manifest.zones import DEFAULT_ZONE, zone

_LONGEST = timedelta(days=31)
_MINUTE = timedelta(minutes=1)
_TIME_OF_DAY = re.compile(r"\d\d:\d\d", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldOptions:
    """Which Space, and for how long; none of the three only asks."""

    space: str
    length: str | None
    until: str | None
    is_release: bool


@hfspace_command(
    HoldOptions,
    name="hold",
    epilog="\b\nExamples:\n  hfspace hold acme/whisper --for 2h\n  hfspace hold acme/whisper --until 18:00\n"
    "  hfspace hold acme/whisper --until 2026-12-01T18:00\n  hfspace hold acme/whisper     is it held?\n"
    "  hfspace hold acme/whisper --release",
)
@click.argument("space", metavar="ID")
@click.option("--for", "length", metavar="DURATION", help="So long from now on: 30m, 2h, 1d.")
@click.option(
    "--until", metavar="TIME", help="18:00, or 2026-12-01T18:00, in the time zone of the manifest, else UTC."
)
@click.option("--release", "is_release", is_flag=True, help="End the hold.")
def command(context: Context, options: HoldOptions) -> int:
    """Keep the clock's hands off a Space that somebody is using: what `when` and `restart.every` decide about
    it is left alone until the time is over. Nothing restarts."""
    if sum([options.length is not None, options.until is not None, options.is_release]) > 1:
        raise UsageError("--for, --until and --release can't be given together.", hint="Give one.")
    hub = context.hub()
    space = find_space(hub, options.space)
    timezone = _timezone(context, space)
    now = datetime.fromtimestamp(time.time(), UTC)
    if options.length is None and options.until is None:
        return _release_or_show(context, options, space, timezone, now)
    until = _until(options, timezone, now)
    hold(space, until, hub)
    context.echo(
        f"{space} is held until {_text(until, timezone)}: its hours are left alone. "
        f"End it: hfspace hold {space} --release"
    )
    return 0


def _release_or_show(context: Context, options: HoldOptions, space: str, timezone: str, now: datetime) -> int:
    hub = context.hub()
    tags = read_holds(space, hub)
    until = max(map(time_of, tags), default=now)
    if options.is_release:
        release(space, tags, hub)
        context.echo(f"{space} is not held any more." if until > now else f"{space} was not held.")
    elif until > now:
        context.echo(f"{space} is held until {_text(until, timezone)}.")
    else:
        context.echo(f"{space} is not held.")
    return 0


def _timezone(context: Context, space: str) -> str:
    """The time zone of the manifest, where there is one. Raises UsageError for a Space that it declares
    without hours: nothing would be kept off it."""
    if not context.has_manifest:
        return DEFAULT_ZONE
    manifest = context.load_manifest()
    spec = manifest.spaces.get(space)
    if spec is None:
        context.note(f"{space} is not declared in this manifest.")
    elif not spec.has_hours:
        raise UsageError(
            f"{space} has no hours (`when`, `restart.every`): there is nothing to keep off it.",
            hint="What else the manifest says of it is left alone with `ignore`.",
        )
    return manifest.timezone


def _until(options: HoldOptions, timezone: str, now: datetime) -> datetime:
    """Up to the next whole minute. Raises UsageError for a time that is over, or too far."""
    if options.length is not None:
        until = now + timedelta(seconds=parse_timeout(options.length, "--for"))
    else:
        until = _local(options.until or "", timezone, now)
    until = datetime.fromtimestamp(-(-until.timestamp() // 60) * 60, UTC)
    if until <= now:
        raise UsageError(f"--until {options.until} is over already.", hint="Give a time to come.")
    if until - now > _LONGEST + _MINUTE:
        raise UsageError(
            "A hold is for 31 days at most.",
            hint="Change the hours of the manifest, or `ignore` its state.",
        )
    return until


def _local(text: str, timezone: str, now: datetime) -> datetime:
    """A time on the wall of a zone; one without a day is the next one."""
    where = zone(timezone)
    today = now.astimezone(where).date()
    try:
        if not _TIME_OF_DAY.fullmatch(text):
            return parse_local(text).replace(tzinfo=where).astimezone(UTC)
        times = [parse_local(f"{day}T{text}") for day in (today, today + timedelta(days=1))]
    except ValueError as error:
        raise UsageError(f"--until {text}: {error}.", hint="Write 18:00 or 2026-12-01T18:00.") from None
    return next(one for time in times if (one := time.replace(tzinfo=where).astimezone(UTC)) > now)


def _text(until: datetime, timezone: str) -> str:
    if until == FOREVER:
        return "it is released"
    return f"{until.astimezone(zone(timezone)):%a %Y-%m-%d %H:%M} ({timezone})"
