"""hfspace calendar: the hours of the coming days, and what they cost."""

from __future__ import annotations

from dataclasses import dataclass

import click

from hfspace.cli.context import Context, hfspace_command
from hfspace.cli.session import open_session
from hfspace.report.calendar_json import to_json
from hfspace.report.calendar_text import lines


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarOptions:
    """How many days, and how they are shown."""

    days: int
    form: str


@hfspace_command(
    CalendarOptions,
    name="calendar",
    epilog="\b\nExamples:\n  hfspace calendar\n  hfspace calendar --days 14 -v     each time by itself\n"
    "  hfspace calendar --format html > calendar.html",
)
@click.option("--days", type=click.IntRange(1, 92), default=7, show_default=True, help="From today on.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "html"]),
    default="text",
    help="Form of the calendar on stdout.",
)
def command(context: Context, options: CalendarOptions) -> int:
    """Show when each Space is up in the coming days, and what that costs beside always on."""
    calendar = open_session(context).calendar(options.days)
    if options.form == "json":
        context.echo(to_json(calendar))
    elif options.form == "html":
        from hfspace.report.calendar_html import render  # the other forms need no templates

        context.echo(render(calendar))
    else:
        text = lines(calendar, columns=context.columns, color=context.color, verbose=bool(context.verbose))
        context.echo("\n".join(text))
    return 0
