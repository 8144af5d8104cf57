"""hfspace show: one Space in full."""

from __future__ import annotations

from dataclasses import replace

import click

from hfspace.cli.context import Context, find_space, hfspace_command
from hfspace.errors import HubError
from hfspace.report import spaces as report
from hfspace.text import json_text


@hfspace_command(
    manifest=False,
    name="show",
    epilog="\b\nExamples:\n  hfspace show acme/whisper\n  hfspace show https://acme-whisper.hf.space\n"
    "  hfspace show acme/whisper --format json",
)
@click.argument("space", metavar="ID")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the answer."
)
def command(context: Context, space: str, form: str) -> int:
    """Show one Space in full: stage, hardware, price, likes, dates, variables, names of secrets, volumes."""
    hub = context.hub()
    state = hub.space(find_space(hub, space))
    for name in ("variables", "secrets"):
        try:
            state = replace(state, **{name: getattr(hub, name)(state.id)})
        except HubError as error:
            context.debug(error.message)
    flavors = hub.flavors()
    if form == "json":
        context.echo(json_text({"format_version": 1, **report.to_json(state, flavors)}))
    else:
        context.echo(report.detail(state, flavors))
    return 0
