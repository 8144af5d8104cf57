"""hfspace show: one Space in full."""

from __future__ import annotations

from dataclasses import replace

import click

from hfspace.cli.context import Context, hfspace_command, space_id
from hfspace.errors import HubError


@hfspace_command(
    manifest=False,
    name="show",
    epilog="\b\nExamples:\n  hfspace show acme/whisper\n  hfspace show acme/whisper --format json",
)
@click.argument("space", metavar="ID")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the answer."
)
def command(context: Context, space: str, form: str) -> int:
    """Show one Space in full: stage, hardware, price, variables, names of secrets, volumes."""
    import json

    from hfspace.report import spaces as report

    hub = context.hub()
    state = hub.space(space_id(space))
    for name in ("variables", "secrets"):
        try:
            state = replace(state, **{name: getattr(hub, name)(state.id)})
        except HubError as error:
            context.debug(error.message)
    flavors = hub.flavors()
    if form == "json":
        context.echo(json.dumps({"format_version": 1, **report.to_json([state], flavors)[0]}, indent=2))
    else:
        context.echo(report.detail(state, flavors))
    return 0
