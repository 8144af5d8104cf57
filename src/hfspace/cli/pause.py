"""hfspace pause ID."""

from __future__ import annotations

import click

from hfspace.applier.operations import pause_advice
from hfspace.cli.context import Context, find_space, hfspace_command
from hfspace.errors import UsageError


@hfspace_command(manifest=False, name="pause", epilog="\b\nExample:\n  hfspace pause acme/whisper")
@click.argument("space", metavar="ID")
def command(context: Context, space: str) -> int:
    """Pause a Space: it is down until it is restarted, and costs nothing. Looks at its stage first."""
    hub = context.hub()
    state = hub.space(find_space(hub, space))
    advice = pause_advice(state)
    if advice.refusal:
        raise UsageError(advice.refusal, hint=advice.hint)
    if advice.done:
        context.echo(advice.effect)
        return 0
    hub.pause(state.id)
    if advice.effect:
        context.note(advice.effect)
    context.echo(f"{state.id} is paused. Start it again: hfspace restart {state.id}")
    return 0
