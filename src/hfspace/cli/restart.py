"""hfspace restart ID."""

from __future__ import annotations

import click

from hfspace.applier.operations import restart_advice
from hfspace.cli.context import Context, find_space, hfspace_command
from hfspace.errors import UsageError


@hfspace_command(
    manifest=False,
    name="restart",
    epilog="\b\nExamples:\n  hfspace restart acme/whisper\n  hfspace restart acme/whisper --factory",
)
@click.argument("space", metavar="ID")
@click.option("--factory", is_flag=True, help="Build it anew, without any cache.")
@click.option("--force", is_flag=True, help="Also while it builds or starts, or where a restart can't help.")
def command(context: Context, space: str, factory: bool, force: bool) -> int:
    """Restart a Space, start a paused one, or wake a sleeping one. Looks at its stage first."""
    hub = context.hub()
    state = hub.space(find_space(hub, space))
    advice = restart_advice(state, factory=factory)
    if advice.refusal and (advice.final or not force):
        raise UsageError(advice.refusal, hint=advice.hint)
    hub.restart(state.id, factory=factory)
    if advice.effect:
        context.note(advice.effect)
    context.echo(f"{state.id} is restarting. Wait for it: hfspace wait {state.id}")
    return 0
