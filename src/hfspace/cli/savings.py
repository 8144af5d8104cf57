"""hfspace savings: what costs more than it must, why, and the edits that mend it."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from hfspace.cli.context import Context, hfspace_command
from hfspace.cli.session import open_session
from hfspace.errors import UsageError
from hfspace.files import read_limited
from hfspace.fleet import read_savings
from hfspace.manifest.rewrite import edits_of, write
from hfspace.planner.case import Saving
from hfspace.planner.counts import UNKNOWN
from hfspace.report.savings import text_lines, to_json
from hfspace.session import Session
from hfspace.text import json_text

_MOST_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class SavingsOptions:
    """How far back use is read, what is known of visits, and what happens to the edits."""

    days: int
    visits: Path | None
    form: str
    write: bool
    yes: bool


@hfspace_command(
    SavingsOptions,
    name="savings",
    epilog="\b\nExamples:\n  hfspace savings\n  hfspace savings --write && hfspace plan\n"
    "  hfspace savings --visits visits.csv --format json",
)
@click.option(
    "--days",
    type=click.IntRange(1, 365),
    default=30,
    show_default=True,
    help="Judge the use of so many days.",
)
@click.option(
    "--visits",
    type=click.Path(dir_okay=False, path_type=Path),
    help="CSV of visits from your own records: owner/name, then an ISO 8601 time.",
)
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the result."
)
@click.option("--write", is_flag=True, help="Write the edits into the manifest, after showing them.")
@click.option("--yes", is_flag=True, help="Do not ask before writing.")
def command(context: Context, options: SavingsOptions) -> int:
    """What costs more than it must: dollars a month, the evidence, and the edit that mends it. Nothing is
    claimed that the Hub's record of billed minutes, or your record of visits, does not show."""
    visits = read_visits(options.visits) if options.visits else {}
    session = open_session(context, unmanaged=True)
    report = read_savings(session, visits=visits, days=options.days)
    if options.form == "json":
        context.echo(json_text(to_json(report)))
    else:
        context.echo("\n".join(text_lines(report)))
    if options.write and not _written(context, session, report.savings.items, yes=options.yes):
        return 1
    lacks = report.unreadable or (options.visits and report.unknown)
    return UNKNOWN if lacks else 0


def read_visits(path: Path) -> dict[str, tuple[float, ...]]:
    """Times by Space in lower case, in seconds since the epoch. Raises UsageError."""
    try:
        text = read_limited(path, _MOST_BYTES).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path} can't be read: {getattr(error, 'strerror', None) or 'it is not text'}."
        ) from None
    visits: dict[str, list[float]] = {}
    rows = csv.reader(io.StringIO(text))
    try:
        for row in rows:
            if row and not (rows.line_num == 1 and row[0].strip().lower() == "space"):
                moment = datetime.fromisoformat(row[1].strip())
                time = moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
                visits.setdefault(row[0].strip().lower(), []).append(time)
    except (csv.Error, IndexError, ValueError, OverflowError):
        hint = "Write owner/name,2026-11-25T09:30:00Z on each line."
        raise UsageError(f"{path}:{rows.line_num} is no visit.", hint=hint) from None
    return {space: tuple(sorted(times)) for space, times in visits.items()}


def _written(context: Context, session: Session, items: Sequence[Saving], *, yes: bool) -> bool:
    """Whether all edits stand in the manifest: they are shown, asked for, and written all or none."""
    settings = [(one.space, key, value) for one in items for key, value in one.edits]
    edits = edits_of(session.manifest, settings)
    if not edits:
        context.note("There is nothing to write.")
        return True
    for edit in edits:
        click.echo(edit.diff, err=True)
    files = " and ".join(str(edit.file) for edit in edits)
    if not yes and not context.confirm(f"Write this into {files}?"):
        context.note("Not written.")
        return False
    write(edits)
    context.note(f"Written: {files}. See `hfspace plan`.")
    return True
