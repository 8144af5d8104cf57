"""hfspace restart ID."""

from __future__ import annotations

import click

from hfspace.cli.context import Context, hfspace_command, space_id


@hfspace_command(
    manifest=False,
    name="restart",
    epilog="\b\nExamples:\n  hfspace restart acme/whisper\n  hfspace restart acme/whisper --factory",
)
@click.argument("space", metavar="ID")
@click.option("--factory", is_flag=True, help="Build it anew, without any cache.")
def command(context: Context, space: str, factory: bool) -> int:
    """Restart a Space, or start a paused one."""
    space = space_id(space)
    context.hub().restart(space, factory=factory)
    context.echo(f"{space} is restarting. Wait for it: hfspace wait {space}")
    return 0
