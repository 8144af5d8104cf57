"""hfspace report: the fleet on one page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from hfspace.cli.context import Context, hfspace_command
from hfspace.cli.inputs import allow_unknown_option
from hfspace.cli.session import open_session
from hfspace.errors import UsageError
from hfspace.files import write_atomically
from hfspace.fleet import read_fleet
from hfspace.planner.counts import UNKNOWN
from hfspace.report.fleet import render


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOptions:
    """Where the page goes, and whether what is unknown counts."""

    html: str
    allow_unknown: bool


@hfspace_command(
    ReportOptions,
    name="report",
    epilog="\b\nExamples:\n  hfspace report --html fleet.html\n  hfspace report --html - > fleet.html",
)
@click.option("--html", metavar="FILE", required=True, help="Write the page here; - is stdout.")
@allow_unknown_option
def command(context: Context, options: ReportOptions) -> int:
    """The fleet on one HTML page without scripts or requests: stage, sync, hardware, hours and cost of each
    Space, cost by owner, label, hardware and day, what the plan changes, failed checks, savings."""
    fleet = read_fleet(open_session(context, unmanaged=True))
    text = render(fleet)
    if options.html == "-":
        context.echo(text)
    else:
        _write(Path(options.html), text)
        context.note(f"Written: {options.html}")
    lacks = fleet.plan.unknowns or fleet.snapshot.unreadable or fleet.billed.unknown
    return UNKNOWN if lacks and not options.allow_unknown else 0


def _write(path: Path, text: str) -> None:
    try:
        write_atomically(path, text)
    except OSError as error:
        raise UsageError(f"{path} could not be written: {error.strerror}.") from None
