"""hfspace logs ID."""

from __future__ import annotations

import time

import click

from hfspace.cli.context import Context, find_space, hfspace_command
from hfspace.planner.counts import UNKNOWN
from hfspace.text import opening

_SECONDS = 30.0
"""How long a log is read that is not followed: an app that goes on talking never ends it."""
_SILENCE = 4.9
"""The Hub's client leaves a stream that is silent for 5 s, and does not say so."""


@hfspace_command(
    manifest=False,
    name="logs",
    epilog="\b\nExamples:\n  hfspace logs acme/whisper -f\n  hfspace logs acme/whisper --build --tail 50",
)
@click.argument("space", metavar="ID")
@click.option("--build", is_flag=True, help="The build log instead of the run log.")
@click.option("-f", "--follow", is_flag=True, help="Go on as lines come, until Ctrl-C.")
@click.option("--tail", type=click.IntRange(1, 100_000), help="Only the last so many lines.")
def command(context: Context, space: str, build: bool, follow: bool, tail: int | None) -> int:
    """Print the run log of a Space, or its build log."""
    hub = context.hub()
    seconds = None if follow else _SECONDS
    ref = find_space(hub, space)
    started, is_silent = time.monotonic(), True
    for line in hub.logs(ref, build=build, follow=follow, tail=tail, seconds=seconds):
        is_silent = False
        context.echo(opening(line))
    if not is_silent or follow:
        return 0
    if time.monotonic() - started < _SILENCE:
        context.note(f"The log of {ref} is empty.")
        return 0
    context.warn(f"No line of the log of {ref} came in time; whether it is empty is not known. Follow it: -f")
    return UNKNOWN
