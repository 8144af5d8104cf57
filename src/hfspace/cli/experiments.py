"""hfspace experiments: what is on a Trackio Space, and single writes to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from hfspace.cli.context import Context, hfspace_command
from hfspace.cli.experiments_files import compare_command, export_command, plot_command, sync_command
from hfspace.cli.trackio import (
    document,
    format_option,
    json_object,
    metrics_object,
    place_options,
    tracker_of,
)
from hfspace.errors import UsageError
from hfspace.live.trackio.port import STATUSES, Entry
from hfspace.text import plain

if TYPE_CHECKING:
    from hfspace.live.trackio.port import Experiment, Tracker
    from hfspace.monitor.connection import Target

_REF = click.argument("ref", metavar="NAME|ID")
_YES = click.option("--yes", is_flag=True, help="Write without asking.")


@click.group(
    name="experiments",
    epilog="\b\nExamples:\n  hfspace experiments list --space acme/track\n"
    "  hfspace experiments plot my-run --metric loss\n"
    "  hfspace experiments sync                       what a training could not send",
)
def command() -> None:
    """Trackio experiments: list, show, write, draw, export, and send what a training left behind.

    Works on both kinds of Trackio Space: the Gradio app with *_interface endpoints, and official trackio
    from 0.24 on. REF is an experiment's exact name, or its id.
    """


@hfspace_command(
    name="list",
    epilog="\b\nExamples:\n  hfspace experiments list\n"
    "  hfspace experiments list --space acme/track --status running --format json",
)
@place_options
@click.option("--status", type=click.Choice(STATUSES), help="Only those with this status.")
@format_option
def list_command(context: Context, status: str | None, form: str, **options: Any) -> int:
    """List the experiments of a Trackio Space."""
    from hfspace.report import experiments as report

    with tracker_of(context, options) as (tracker, target):
        found = tracker.list(target.project)
        kind = tracker.kind
    shown = [item for item in found if status in (None, item.status)]
    if form == "json":
        items = [report.to_json(item) for item in shown]
        context.echo(document(target, kind=kind, experiments=items))
    else:
        context.echo(report.table(shown))
        if kind == "trackio" and status is not None:
            context.note("Official trackio keeps no status.")
    return 0


@hfspace_command(name="show", epilog="\b\nExample:\n  hfspace experiments show smollm3-ft --space acme/track")
@_REF
@place_options
@format_option
def show_command(context: Context, ref: str, form: str, **options: Any) -> int:
    """Show one experiment in full: parameters, and its last metrics."""
    from hfspace.report import experiments as report

    with tracker_of(context, options) as (tracker, target):
        found = tracker.show(ref, target.project)
    _print(context, found, target, form, report.detail(found))
    return 0


@hfspace_command(
    name="create",
    epilog="\b\nExamples:\n  hfspace experiments create smollm3-ft --description 'SmolLM3 fine-tuning'\n"
    "  hfspace experiments create smollm3-ft --parameters '{\"learning_rate\": 2e-5}'",
)
@click.argument("name")
@click.option("--description", default="", help="Kept by the Gradio app, which can't change it later.")
@click.option("--parameters", metavar="JSON|@FILE", help="Its parameters.")
@place_options
@format_option
def create_command(
    context: Context, name: str, description: str, parameters: str | None, form: str, **options: Any
) -> int:
    """Create an experiment. When one of that name exists, nothing is written: it may be repeated."""
    values = json_object(parameters, "Parameters") if parameters else {}
    _check_name(name)
    with tracker_of(context, options) as (tracker, target):
        found = _existing(tracker, name, target)
        made = found is None
        if found is None:
            found = tracker.ensure(
                name, description=description, parameters=values or None, project=target.project
            )
    said = "Created" if made else "Exists already, nothing was changed:"
    _print(context, found, target, form, None, said=said, created=made)
    if not made and values:
        context.note("Its parameters can be changed: hfspace experiments log-parameters.")
    return 0


@hfspace_command(name="status", epilog="\b\nExample:\n  hfspace experiments status smollm3-ft completed")
@_REF
@click.argument("status", type=click.Choice(STATUSES))
@place_options
@format_option
def status_command(context: Context, ref: str, status: str, form: str, **options: Any) -> int:
    """Set the status of an experiment. Official trackio keeps none."""
    with tracker_of(context, options) as (tracker, target):
        found = tracker.update_status(ref, status, target.project)
    _print(context, found, target, form, None, said=f"Now {found.status}:")
    return 0


@hfspace_command(
    name="log-metrics",
    epilog="\b\nExamples:\n  hfspace experiments log-metrics smollm3-ft '{\"loss\": 0.5}' --step 100\n"
    "  hfspace experiments log-metrics smollm3-ft @metrics.json",
)
@_REF
@click.argument("metrics", metavar="JSON|@FILE")
@click.option("--step", type=int, help="The step they belong to.")
@place_options
@format_option
def log_metrics_command(
    context: Context, ref: str, metrics: str, step: int | None, form: str, **options: Any
) -> int:
    """Log metrics: a JSON object of numbers. What was logged can't be taken back."""
    import uuid

    from hfspace.report.cells import counted

    values = metrics_object(metrics)
    entry = Entry(metrics=values, step=step, key=f"cli:{uuid.uuid4().hex}")
    with tracker_of(context, options) as (tracker, target):
        tracker.log_metrics(ref, [entry], target.project)
    if form == "json":
        context.echo(document(target, experiment=ref, logged=values, step=step))
    else:
        where = f" at step {step}" if step is not None else ""
        context.echo(plain(f"Logged {counted(len(values), 'metric')}{where}: '{ref}'."))
    return 0


@hfspace_command(
    name="log-parameters",
    epilog="\b\nExample:\n  hfspace experiments log-parameters smollm3-ft '{\"batch_size\": 8}'",
)
@_REF
@click.argument("parameters", metavar="JSON|@FILE")
@place_options
@format_option
def log_parameters_command(context: Context, ref: str, parameters: str, form: str, **options: Any) -> int:
    """Add or change parameters: a JSON object. Others stay as they are."""
    from hfspace.report.cells import counted

    values = json_object(parameters, "Parameters")
    with tracker_of(context, options) as (tracker, target):
        found = tracker.log_parameters(ref, values, target.project)
    said = f"{counted(len(values), 'parameter')} logged, {len(found.parameters):,} in all:"
    _print(context, found, target, form, None, said=said)
    return 0


@hfspace_command(name="simulate", epilog="\b\nExample:\n  hfspace experiments simulate smollm3-ft --yes")
@_REF
@_YES
@place_options
@format_option
def simulate_command(context: Context, ref: str, yes: bool, form: str, **options: Any) -> int:
    """WRITES made-up metrics into an experiment, for trying things out. They can't be removed."""
    with tracker_of(context, options) as (tracker, target):
        found = tracker.show(ref, target.project)
        _ask(context, yes, f"This writes made-up metrics into '{found.name}'; they can't be removed.")
        found = tracker.simulate(found.id, target.project)
    _print(context, found, target, form, None, said=f"Made-up metrics written, {found.metrics:,} entries:")
    return 0


@hfspace_command(name="demo", epilog="\b\nExample:\n  hfspace experiments demo --space acme/track --yes")
@_YES
@place_options
@format_option
def demo_command(context: Context, yes: bool, form: str, **options: Any) -> int:
    """WRITES a demo experiment with made-up metrics. It can't be removed."""
    with tracker_of(context, options) as (tracker, target):
        where = target.url or target.space
        _ask(context, yes, f"This writes a demo experiment to {where}; it can't be removed.")
        found = tracker.demo()
    _print(context, found, target, form, None, said="Created")
    return 0


for _one in (
    list_command,
    show_command,
    create_command,
    status_command,
    log_metrics_command,
    log_parameters_command,
    plot_command,
    compare_command,
    simulate_command,
    demo_command,
    export_command,
    sync_command,
):
    command.add_command(_one)


def _print(
    context: Context,
    found: Experiment,
    target: Target,
    form: str,
    text: str | None,
    *,
    said: str = "",
    **fields: Any,
) -> None:
    """One experiment: as JSON, else `text`, else what was done to it in one line."""
    from hfspace.report import experiments as report

    if form == "json":
        context.echo(document(target, **fields, experiment=report.to_json(found)))
    else:
        context.echo(text if text is not None else f"{said} {report.one_line(found)}")


def _existing(tracker: Tracker, name: str, target: Target) -> Experiment | None:
    from hfspace.errors import ExperimentNotFound

    try:
        found = tracker.show(name, target.project)
    except ExperimentNotFound:
        return None
    return found if found.name == name else None  # an id may look like a name


def _ask(context: Context, yes: bool, text: str) -> None:

    if not yes and not context.confirm(f"{plain(text)}\nGo on?"):
        raise UsageError("Nothing was written.")


def _check_name(name: str) -> None:
    if not name.strip() or name != name.strip() or not name.isprintable():
        raise UsageError(
            f"{name!r} can't be the name of an experiment.",
            hint="No line breaks or control characters, and no space at either end.",
        )
