"""hfspace pause ID."""

from __future__ import annotations

import click

from hfspace.cli.context import Context, hfspace_command, space_id


@hfspace_command(manifest=False, name="pause", epilog="\b\nExample:\n  hfspace pause acme/whisper")
@click.argument("space", metavar="ID")
def command(context: Context, space: str) -> int:
    """Pause a Space: it is down until it is restarted, and costs nothing."""
    space = space_id(space)
    hub = context.hub()
    if hub.space(space).stage == "PAUSED":
        context.echo(f"{space} is paused already.")
        return 0
    hub.pause(space)
    context.echo(f"{space} is paused. Start it again: hfspace restart {space}")
    return 0
