"""hfspace experiments plot, compare, export and sync: pictures, files, and spools."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from hfspace.cli.context import Context, hfspace_command
from hfspace.cli.trackio import (
    PlaceOptions,
    ReportOptions,
    connection_settings,
    document,
    format_option,
    place_options,
    replaced,
    target_of,
    tracker_of,
)
from hfspace.errors import UsageError
from hfspace.live.trackio.port import STATUSES, Series
from hfspace.monitor import export
from hfspace.monitor.connection import RecordingTarget, connect
from hfspace.monitor.spool import default_folder
from hfspace.monitor.sync import Doors, Synced, sync
from hfspace.monitor.sync_report import synced_table, synced_to_json
from hfspace.report import experiments as report
from hfspace.report import plot_forms, plots
from hfspace.report.cells import counted
from hfspace.report.plots import Picture
from hfspace.text import plain

_PICTURES = (".svg", ".html", ".png")
_FORMS = {".jsonl": "jsonl", ".json": "json", ".csv": "csv", ".parquet": "parquet"}
_OUT = click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write it to FILE.svg, .html (one file, no script) or .png; else it is drawn here.",
)
_LOG_Y = click.option("--log-y", is_flag=True, help="A logarithmic scale.")


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureOptions(ReportOptions):
    """Where a picture goes, and its scale."""

    out: Path | None
    log_y: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PlotOptions(PictureOptions):
    ref: str
    metrics: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareOptions(PictureOptions):
    refs: tuple[str, ...]
    metric: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOptions(PlaceOptions):
    refs: tuple[str, ...]
    out: Path | None
    form: str | None
    table: export.Table
    metrics: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncOptions(ReportOptions):
    spools: tuple[Path, ...]
    keep: bool
    status: str | None


@hfspace_command(
    PlotOptions,
    name="plot",
    epilog="\b\nExamples:\n  hfspace experiments plot smollm3-ft\n"
    "  hfspace experiments plot smollm3-ft --metric loss --metric eval_loss --log-y\n"
    "  hfspace experiments plot smollm3-ft --metric loss --out loss.svg",
)
@click.argument("ref", metavar="NAME|ID")
@click.option("--metric", "metrics", multiple=True, help="Repeatable. [loss]")
@_OUT
@_LOG_Y
@place_options
@format_option
def plot_command(context: Context, options: PlotOptions) -> int:
    """Draw metrics of one experiment: in the terminal, or to a file."""
    _check_out(options.out)
    ref, metrics = options.ref, tuple(dict.fromkeys(options.metrics)) or ("loss",)
    with tracker_of(context, options) as (tracker, target):
        series = [tracker.plot(ref, metric, target.project) for metric in metrics]
        if not any(item.points for item in series):
            latest = tracker.show(ref, target.project).latest
            hint = (
                f"Its last entry names: {', '.join(list(latest)[:12])}." if latest else "It has no metrics."
            )
            raise UsageError(f"'{ref}' has no values of {', '.join(metrics)}.", hint=hint)
    _show(context, options, target, series, f"{series[0].experiment}: {', '.join(metrics)}")
    return 0


@hfspace_command(
    CompareOptions,
    name="compare",
    epilog="\b\nExamples:\n  hfspace experiments compare run-a run-b\n"
    "  hfspace experiments compare run-a run-b run-c --metric eval_loss --out compare.html",
)
@click.argument("refs", metavar="NAME|ID…", nargs=-1, required=True)
@click.option("--metric", default="loss", show_default=True)
@_OUT
@_LOG_Y
@place_options
@format_option
def compare_command(context: Context, options: CompareOptions) -> int:
    """Draw one metric of several experiments over each other."""
    _check_out(options.out)
    refs = list(dict.fromkeys(options.refs))
    if len(refs) < 2:
        raise UsageError("Comparing takes two experiments.", hint="One alone: hfspace experiments plot.")
    with tracker_of(context, options) as (tracker, target):
        series = tracker.compare(refs, options.metric, target.project)
    if not any(item.points for item in series):
        raise UsageError(f"None of these experiments has values of '{options.metric}'.")
    _show(context, options, target, series, options.metric)
    return 0


@hfspace_command(
    ExportOptions,
    name="export",
    epilog="\b\nExamples:\n  hfspace experiments export --out runs.json\n"
    "  hfspace experiments export run-a run-b --out metrics.csv\n"
    "  hfspace experiments export --format excel --out metrics.csv\n"
    "  hfspace experiments export --table experiments --out runs.parquet",
)
@click.argument("refs", metavar="[NAME|ID]…", nargs=-1)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="FILE.jsonl, .json, .csv or .parquet; else to stdout.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice([*_FORMS.values(), "excel"]),
    help="Where the file's name does not say it; excel is a CSV that Excel opens as it is. [jsonl]",
)
@click.option(
    "--table",
    type=click.Choice(["metrics", "experiments"]),
    default="metrics",
    show_default=True,
    help="What a CSV or Parquet file holds; JSON and JSONL hold both.",
)
@click.option("--metric", "metrics", multiple=True, help="Also read this metric; repeatable.")
@place_options
def export_command(context: Context, options: ExportOptions) -> int:
    """Export all that can be read of the named experiments, or of all. Says what can't be read."""
    form = _export_form(options)
    with tracker_of(context, options) as (tracker, target):
        exported = export.read(
            tracker,
            options.refs,
            project=target.project,
            metrics=options.metrics,
            notify=lambda text: context.debug(plain(text)),
        )
    exported = context.secrets.redact_all(exported)  # a file passes no door
    if options.out is None:
        context.echo(export.as_text(exported, form, options.table).rstrip("\r\n"))
    else:
        with replaced(options.out) as temporary:
            if form == "parquet":
                export.write_parquet(exported, temporary, options.table)
            else:
                temporary.write_bytes(export.as_text(exported, form, options.table).encode())
    for sentence in exported.missing:
        context.warn(plain(sentence))
    values = sum(len(series.points) for _, series in exported.series)
    what = f"{counted(len(exported.experiments), 'experiment')}, {counted(values, 'value')}"
    context.note(plain(f"{what}{f' in {options.out}' if options.out else ''}."))
    return 0


@hfspace_command(
    SyncOptions,
    name="sync",
    epilog="\b\nExamples:\n  hfspace experiments sync                       all spools of this machine\n"
    "  hfspace experiments sync run.jsonl --space acme/track\n"
    "  hfspace experiments sync --status failed",
)
@click.argument("spools", metavar="[SPOOL]…", nargs=-1, type=click.Path(path_type=Path))
@click.option("--keep", is_flag=True, help="Keep a spool of which all was sent; else it is deleted.")
@click.option(
    "--status",
    type=click.Choice(STATUSES),
    help="Set this where a run was killed and did not say how it ended.",
)
@place_options
@format_option
def sync_command(context: Context, options: SyncOptions) -> int:
    """Send what a training could not send, in order. Killed at any point, it may be run again.

    A SPOOL is a file, or a folder of them; without one, the folder that the monitor uses. Each goes where its
    run wanted to send it, unless --space, --url or --project say otherwise.
    """
    paths = _spool_files(context, options.spools)
    if not paths:
        where = ", ".join(str(spool) for spool in options.spools) or default_folder(context.env)
        context.note(plain(f"Nothing to send in {where}."))
    over, default = _places(context, options) if paths else (RecordingTarget(), RecordingTarget())
    results = sync(
        paths,
        _doors(context, options),
        over=over,
        default=default,
        clean=not options.keep,
        status=options.status,
    )
    if not options.spools:
        # Nobody asked for these by name: a training that is going on sends its own spool.
        results = [item for item in results if not item.busy]
    if options.form == "json":
        context.echo(document(over, spools=[synced_to_json(item) for item in results]))
    elif results:
        context.echo(synced_table(results))
    for item in results:
        if item.error is None and item.status is None and not item.removed:
            context.note(plain(f"'{item.name}' was killed: set how it ended with --status, if you know it."))
    return _exit_code(results)


def _exit_code(results: Sequence[Synced]) -> int:
    """0 all sent, 1 nothing was, 3 some was and some not: run it again."""
    if all(item.error is None for item in results):
        return 0
    return 3 if any(item.sent for item in results) else 1


def _doors(context: Context, options: PlaceOptions) -> Doors:
    settings = connection_settings(context, options)
    return Doors(
        connect=lambda target: connect(target, **settings),
        notify=lambda text: context.note(plain(text)),
    )


def _places(context: Context, options: SyncOptions) -> tuple[RecordingTarget, RecordingTarget]:
    """What the options say, which goes before what a spool says; and where one goes that says nothing."""
    target = target_of(context, options, required=False)
    if options.space or options.url:
        return target, RecordingTarget()
    return RecordingTarget(project=options.project, backend=options.backend), target


def _spool_files(context: Context, named: Sequence[Path]) -> list[Path]:
    if not named:
        return sorted(default_folder(context.env).glob("*.jsonl"))
    files: list[Path] = []
    for path in named:
        files += sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    return files


def _check_out(out: Path | None) -> None:
    """Before anything is asked of the app."""
    if out is None:
        return
    if out.suffix.lower() not in _PICTURES:
        raise UsageError(f"{out} has no known form.", hint=f"Name it {', '.join(_PICTURES)}.")
    if out.suffix.lower() == ".png":
        plot_forms.load_matplotlib()


def _export_form(options: ExportOptions) -> str:
    """The form that is asked for, checked before anything is asked of the app."""
    suffix = options.out.suffix.lower() if options.out is not None else ".jsonl"
    form = options.form or _FORMS.get(suffix)
    if form is None:
        raise UsageError(
            f"{options.out} has no known form.", hint=f"Name it {', '.join(_FORMS)}, or give --format."
        )
    if form == "parquet":
        if options.out is None:
            raise UsageError("Parquet is written to a file.", hint="Name it: --out FILE.parquet.")
        export.load_pyarrow()
    return form


def _show(
    context: Context, options: PictureOptions, target: RecordingTarget, series: Sequence[Series], title: str
) -> None:
    """The series as JSON on stdout, as a file, or drawn here."""
    series, title = context.secrets.redact_all(series), context.secrets.redact(title)
    picture, out = plots.picture(series, title, log_y=options.log_y), options.out
    if out is not None:
        _write_picture(picture, out)
        context.note(f"Written: {out}")
    if options.form == "json":
        items = [report.series_to_json(item) for item in series]
        context.echo(document(target, series=items, file=str(out) if out else None))
    elif out is None:
        context.echo(_drawing(context, picture))


def _write_picture(picture: Picture, out: Path) -> None:
    with replaced(out) as temporary:
        match out.suffix.lower():
            case ".png":
                temporary.write_bytes(plot_forms.png(picture))
            case ".html":
                temporary.write_text(plot_forms.page(picture), encoding="utf-8")
            case _:
                temporary.write_text(plots.svg(picture), encoding="utf-8")


def _drawing(context: Context, picture: Picture) -> str:
    size = shutil.get_terminal_size((80, 24)) if sys.stdout.isatty() else None
    width, height = (min(size.columns, 160), max(8, min(size.lines - 8, 24))) if size else (80, 16)
    return plot_forms.terminal(picture, width=width, height=height, color=context.color)
