"""hfspace bill: what the Hub says was used, beside what is scheduled and the ceiling."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

import click

from hfspace.bills import bill_of_account, bill_of_manifest, chosen_label
from hfspace.cli.context import Context, hfspace_command
from hfspace.cli.inputs import allow_unknown_option
from hfspace.cli.session import open_session
from hfspace.errors import UsageError
from hfspace.manifest.values import parse_duration
from hfspace.model.billing import month
from hfspace.planner.bill import WAYS, Bill
from hfspace.planner.counts import UNKNOWN
from hfspace.report import bill as report
from hfspace.report.focus import csv_of

_MONTH = re.compile(r"\d{4}-\d{2}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class BillOptions:
    """Which time, whose, and how it is summed and shown."""

    month: str | None
    since: str | None
    owners: tuple[str, ...]
    by: str | None
    label: str | None
    form: str
    allow_unknown: bool


@hfspace_command(
    BillOptions,
    name="bill",
    epilog="\b\nExamples:\n  hfspace bill                       this month, by Space\n"
    "  hfspace bill --month 2026-10 --by day\n  hfspace bill --label team --format csv > teams.csv\n"
    "  hfspace bill --owner acme --since 7d --format focus > focus.csv",
)
@click.option("--month", metavar="YYYY-MM", help="A calendar month, in UTC. [this one]")
@click.option("--since", metavar="TIME", help="From a day (2026-11-10), or for so long (7d, 12h), until now.")
@click.option("--owner", "owners", multiple=True, metavar="NAME", help="Repeatable. [the manifest's]")
@click.option("--by", type=click.Choice(WAYS), default=None, help="What is summed. [space]")
@click.option("--label", metavar="NAME", help="Sum by this label of the manifest's Spaces.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "csv", "focus"]),
    default="text",
    help="Form of the bill; focus is FOCUS 1.2 as CSV.",
)
@allow_unknown_option
def command(context: Context, options: BillOptions) -> int:
    """Show what the Hub billed: by Space, owner, hardware, label or day. Needs the Billing read permission.

    Beside it what the manifest's hours cost in the rest of this month, and the ceiling."""
    now = datetime.now(UTC).timestamp()
    bill = _bill(context, options, now)
    match options.form:
        case "json":
            context.echo(report.to_json(bill))
        case "csv":
            context.echo("\n".join(report.to_csv(bill)))
        case "focus":
            context.echo("\n".join(csv_of(bill)))
        case _:
            context.echo("\n".join(report.text_lines(bill, columns=context.columns)))
    if options.form in {"csv", "focus"}:
        for owner, why in sorted(bill.billed.unknown.items()):
            context.warn(f"{owner} is not in it: {why}.")
    return UNKNOWN if bill.billed.unknown and not options.allow_unknown else 0


def _bill(context: Context, options: BillOptions, now: float) -> Bill:
    start, end = _times(options, now)
    by = options.by or ("label" if options.label else "space")
    if options.label and by != "label":
        raise UsageError(f"--by {by} and --label exclude each other.", hint="Leave one out.")
    if not context.has_manifest:
        if by == "label":
            chosen_label(None, options.label)
        return bill_of_account(context.hub(), start, end, now, by=by, owners=options.owners)
    session = open_session(context)
    label = chosen_label(session.manifest, options.label) if by == "label" else ""
    return bill_of_manifest(session, start, end, by=by, label=label, owners=options.owners)


def _times(options: BillOptions, now: float) -> tuple[float, float]:
    """From when until when. Raises UsageError."""
    if options.month and options.since:
        raise UsageError("--month and --since exclude each other.", hint="Leave one out.")
    if options.since:
        return _since(options.since, now), now
    if options.month is None:
        return month(now)
    try:
        if not _MONTH.fullmatch(options.month):
            raise ValueError
        start = datetime.strptime(options.month, "%Y-%m").replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise UsageError(f"--month {options.month} is no month.", hint="Write 2026-11.") from None
    if start > now:
        raise UsageError(f"--month {options.month} has not begun.", hint="See hfspace calendar.")
    return month(start)


def _since(text: str, now: float) -> float:
    try:
        start = datetime.fromisoformat(text)
        begins = start.replace(tzinfo=start.tzinfo or UTC).timestamp()
    except ValueError:
        try:
            seconds = parse_duration(text)
        except ValueError:
            seconds = 0
        if seconds <= 0:
            raise UsageError(f"--since {text} is no time.", hint="Write 2026-11-10, or 7d.") from None
        begins = now - seconds
    if not 0 < begins < now:
        raise UsageError(f"--since {text} is not before now.", hint="Write 2026-11-10, or 7d.")
    return begins
