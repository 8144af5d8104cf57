"""hfspace logs ID."""

from __future__ import annotations

import click

from hfspace.cli.context import Context, find_space, hfspace_command

_SECONDS = 30.0
"""How long a log is read that is not followed: an app that goes on talking never ends it."""


@hfspace_command(
    manifest=False,
    name="logs",
    epilog="\b\nExamples:\n  hfspace logs acme/whisper -f\n  hfspace logs acme/whisper --build --tail 50",
)
@click.argument("space", metavar="ID")
@click.option("--build", is_flag=True, help="The build log instead of the run log.")
@click.option("-f", "--follow", is_flag=True, help="Go on as lines come, until Ctrl-C.")
@click.option("--tail", type=click.IntRange(1), help="Only the last so many lines.")
def command(context: Context, space: str, build: bool, follow: bool, tail: int | None) -> int:
    """Print the run log of a Space, or its build log."""
    from hfspace.text import opening

    hub = context.hub()
    seconds = None if follow else _SECONDS
    for line in hub.logs(find_space(hub, space), build=build, follow=follow, tail=tail, seconds=seconds):
        context.echo(opening(line))
    return 0
