"""hfspace experiments plot, compare, export and sync: pictures, files, and spools."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hfspace.cli.context import Context, hfspace_command
from hfspace.cli.trackio import (
    connection_settings,
    document,
    format_option,
    place_options,
    replaced,
    target_of,
    tracker_of,
)
from hfspace.errors import UsageError
from hfspace.live.trackio.port import STATUSES
from hfspace.text import plain

if TYPE_CHECKING:
    from hfspace.live.trackio.port import Series
    from hfspace.monitor.connection import Target
    from hfspace.monitor.sync import Doors, Synced
    from hfspace.report.plots import Picture

_PICTURES = (".svg", ".html", ".png")
_OUT = click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write it to FILE.svg, .html (one file, no script) or .png; else it is drawn here.",
)
_LOG_Y = click.option("--log-y", is_flag=True, help="A logarithmic scale.")


@hfspace_command(
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
def plot_command(
    context: Context,
    ref: str,
    metrics: tuple[str, ...],
    out: Path | None,
    log_y: bool,
    form: str,
    **options: Any,
) -> int:
    """Draw metrics of one experiment: in the terminal, or to a file."""
    _check_out(out)
    wanted = metrics or ("loss",)
    with tracker_of(context, options) as (tracker, target):
        series = [tracker.plot(ref, metric, target.project) for metric in dict.fromkeys(wanted)]
        if not any(item.points for item in series):
            latest = tracker.show(ref, target.project).latest
            hint = (
                f"Its last entry names: {', '.join(list(latest)[:12])}." if latest else "It has no metrics."
            )
            raise UsageError(f"'{ref}' has no values of {', '.join(wanted)}.", hint=hint)
    _show(context, series, f"{series[0].experiment}: {', '.join(wanted)}", target, out, log_y, form)
    return 0


@hfspace_command(
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
def compare_command(
    context: Context,
    refs: tuple[str, ...],
    metric: str,
    out: Path | None,
    log_y: bool,
    form: str,
    **options: Any,
) -> int:
    """Draw one metric of several experiments over each other."""
    _check_out(out)
    if len(set(refs)) < 2:
        raise UsageError("Comparing takes two experiments.", hint="One alone: hfspace experiments plot.")
    with tracker_of(context, options) as (tracker, target):
        series = tracker.compare(list(dict.fromkeys(refs)), metric, target.project)
    if not any(item.points for item in series):
        raise UsageError(f"None of these experiments has values of '{metric}'.")
    _show(context, series, metric, target, out, log_y, form)
    return 0


@hfspace_command(
    name="export",
    epilog="\b\nExamples:\n  hfspace experiments export --out runs.jsonl\n"
    "  hfspace experiments export run-a run-b --out metrics.csv\n"
    "  hfspace experiments export --table experiments --out runs.parquet",
)
@click.argument("refs", metavar="[NAME|ID]…", nargs=-1)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="FILE.jsonl, .csv or .parquet; else JSONL to stdout.",
)
@click.option(
    "--table",
    type=click.Choice(["metrics", "experiments"]),
    default="metrics",
    show_default=True,
    help="What a CSV or Parquet file holds; JSONL holds both.",
)
@click.option("--metric", "metrics", multiple=True, help="Also read this metric; repeatable.")
@place_options
def export_command(
    context: Context,
    refs: tuple[str, ...],
    out: Path | None,
    table: Any,
    metrics: tuple[str, ...],
    **options: Any,
) -> int:
    """Export all that can be read of the named experiments, or of all. Says what can't be read."""
    from hfspace.monitor import export
    from hfspace.report.cells import counted

    form = _export_form(out)
    if form == ".parquet":
        export.load_pyarrow()
    with tracker_of(context, options) as (tracker, target):
        made = export.read(
            tracker,
            refs,
            project=target.project,
            metrics=metrics,
            notify=lambda text: context.debug(plain(text)),
        )
    if out is None:
        context.echo("\n".join(export.as_jsonl(made)))
    else:
        with replaced(out) as temporary:
            if form == ".parquet":
                export.write_parquet(made, temporary, table)
            elif form == ".csv":
                temporary.write_text(export.as_csv(made, table), encoding="utf-8")
            else:
                temporary.write_text("\n".join(export.as_jsonl(made)) + "\n", encoding="utf-8")
    for sentence in made.missing:
        context.warn(plain(sentence))
    values = sum(len(series.points) for _, series in made.series)
    what = f"{counted(len(made.experiments), 'experiment')}, {counted(values, 'value')}"
    context.note(f"{what}{f' in {out}' if out else ''}.")
    return 0


@hfspace_command(
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
def sync_command(
    context: Context, spools: tuple[Path, ...], keep: bool, status: str | None, form: str, **options: Any
) -> int:
    """Send what a training could not send, in order. Killed at any point, it may be run again.

    A SPOOL is a file, or a folder of them; without one, the folder that the monitor uses. Each goes where its
    run wanted to send it, unless --space, --url or --project say otherwise.
    """
    from hfspace.monitor.connection import Target
    from hfspace.monitor.spool import default_folder
    from hfspace.monitor.sync import sync
    from hfspace.report import experiments as report

    paths = _spool_files(context, spools)
    if not paths:
        where = "" if spools else f" in {default_folder(context.env)}"
        context.note(plain(f"Nothing to send{where}."))
    over, default = _places(context, options) if paths else (Target(), Target())
    results = sync(
        paths,
        _doors(context, options),
        over=over,
        default=default,
        clean=not keep,
        status=status,
    )
    if not spools:
        # Nobody asked for these by name: a training that is going on sends its own spool.
        results = [item for item in results if not item.busy]
    if form == "json":
        context.echo(document(over, spools=[report.synced_to_json(r) for r in results]))
    elif results:
        context.echo(report.synced_table(results))
    for item in results:
        if item.error is None and item.status is None and not item.removed:
            context.note(plain(f"'{item.name}' was killed: set how it ended with --status, if you know it."))
    return _exit_code(results)


def _exit_code(results: Sequence[Synced]) -> int:
    """0 all sent, 1 nothing was, 3 some was and some not: run it again."""
    if all(item.error is None for item in results):
        return 0
    return 3 if any(item.sent for item in results) else 1


def _doors(context: Context, options: dict[str, Any]) -> Doors:
    from hfspace.monitor.connection import connect
    from hfspace.monitor.sync import Doors

    settings = connection_settings(context, options)
    return Doors(
        connect=lambda target: connect(target, **settings),
        notify=lambda text: context.note(plain(text)),
    )


def _places(context: Context, options: dict[str, Any]) -> tuple[Target, Target]:
    """What the options say, which goes before what a spool says; and where one goes that says nothing."""
    from hfspace.monitor.connection import Target

    found = target_of(context, options, required=False)
    if options["space"] or options["url"]:
        return found, Target()
    return Target(project=options["project"], backend=options["backend"]), found


def _spool_files(context: Context, named: Sequence[Path]) -> list[Path]:
    from hfspace.monitor.spool import default_folder

    if not named:
        return sorted(default_folder(context.env).glob("*.jsonl"))
    found: list[Path] = []
    for path in named:
        found += sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    return found


def _check_out(out: Path | None) -> None:
    """Before anything is asked of the app."""
    if out is None:
        return
    if out.suffix.lower() not in _PICTURES:
        raise UsageError(f"{out} has no known form.", hint=f"Name it {', '.join(_PICTURES)}.")
    if out.suffix.lower() == ".png":
        from hfspace.report.plot_forms import load_matplotlib

        load_matplotlib()


def _export_form(out: Path | None) -> str:
    form = out.suffix.lower() if out is not None else ".jsonl"
    if form not in (".jsonl", ".csv", ".parquet"):
        raise UsageError(f"{out} has no known form.", hint="Name it .jsonl, .csv or .parquet.")
    return form


def _show(
    context: Context,
    series: Sequence[Series],
    title: str,
    target: Target,
    out: Path | None,
    log_y: bool,
    form: str,
) -> None:
    """The series as JSON on stdout, as a file, or drawn here."""
    from hfspace.report import experiments as report
    from hfspace.report import plots

    made = plots.picture(series, title, log_y=log_y)
    if out is not None:
        _write_picture(made, out)
        context.note(f"Written: {out}")
    if form == "json":
        items = [report.series_to_json(item) for item in series]
        context.echo(document(target, series=items, file=str(out) if out else None))
    elif out is None:
        context.echo(_drawing(context, made))


def _write_picture(made: Picture, out: Path) -> None:
    from hfspace.report import plot_forms, plots

    with replaced(out) as temporary:
        match out.suffix.lower():
            case ".png":
                temporary.write_bytes(plot_forms.png(made))
            case ".html":
                temporary.write_text(plot_forms.page(made), encoding="utf-8")
            case _:
                temporary.write_text(plots.svg(made), encoding="utf-8")


def _drawing(context: Context, made: Picture) -> str:
    import shutil

    from hfspace.report.plot_forms import terminal

    size = shutil.get_terminal_size((80, 24)) if sys.stdout.isatty() else None
    width, height = (min(size.columns, 160), max(8, min(size.lines - 8, 24))) if size else (80, 16)
    return terminal(made, width=width, height=height, color=context.color)
