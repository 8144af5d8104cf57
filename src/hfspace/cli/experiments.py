"""hfspace experiments: what is on a Trackio Space, and single writes to it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

import click

from hfspace.cli.context import Context, hfspace_command
from hfspace.cli.experiments_artifacts import upload_artifact_command
from hfspace.cli.experiments_files import compare_command, export_command, plot_command, sync_command
from hfspace.cli.experiments_watch import watch_command
from hfspace.cli.trackio import (
    ReportOptions,
    document,
    format_option,
    json_object,
    metrics_object,
    place_options,
    tracker_of,
)
from hfspace.errors import ExperimentNotFound, UsageError
from hfspace.live.trackio.port import STATUSES, Experiment, LogEntry, Tracker
from hfspace.monitor.connection import RecordingTarget
from hfspace.report import experiments as report
from hfspace.report.cells import counted
from hfspace.text import plain

_REF = click.argument("ref", metavar="NAME|ID")
_YES = click.option("--yes", is_flag=True, help="Write without asking.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentListOptions(ReportOptions):
    status: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OneOptions(ReportOptions):
    """One experiment, by its exact name or its id."""

    ref: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateOptions(ReportOptions):
    name: str
    description: str
    parameters: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentStatusOptions(OneOptions):
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsOptions(OneOptions):
    metrics: str
    step: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParametersOptions(OneOptions):
    parameters: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulateOptions(OneOptions):
    yes: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions(ReportOptions):
    yes: bool


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
    ExperimentListOptions,
    name="list",
    epilog="\b\nExamples:\n  hfspace experiments list\n"
    "  hfspace experiments list --space acme/track --status running --format json",
)
@place_options
@click.option("--status", type=click.Choice(STATUSES), help="Only those with this status.")
@format_option
def list_command(context: Context, options: ExperimentListOptions) -> int:
    """List the experiments of a Trackio Space."""
    with tracker_of(context, options) as (tracker, target):
        experiments = [one for one in tracker.list(target.project) if options.status in (None, one.status)]
        kind = tracker.kind
    if options.form == "json":
        items = [report.to_json(one) for one in experiments]
        context.echo(document(target, kind=kind, experiments=items))
    else:
        context.echo(report.table(experiments))
        if kind == "trackio" and options.status is not None:
            context.note("Official trackio keeps no status.")
    return 0


@hfspace_command(
    OneOptions,
    name="show",
    epilog="\b\nExample:\n  hfspace experiments show smollm3-ft --space acme/track",
)
@_REF
@place_options
@format_option
def show_command(context: Context, options: OneOptions) -> int:
    """Show one experiment in full: parameters, and its last metrics."""
    with tracker_of(context, options) as (tracker, target):
        experiment = tracker.show(options.ref, target.project)
    if options.form == "json":
        context.echo(document(target, experiment=report.to_json(experiment)))
    else:
        context.echo(report.detail(experiment))
    return 0


@hfspace_command(
    CreateOptions,
    name="create",
    epilog="\b\nExamples:\n  hfspace experiments create smollm3-ft --description 'SmolLM3 fine-tuning'\n"
    "  hfspace experiments create smollm3-ft --parameters '{\"learning_rate\": 2e-5}'",
)
@click.argument("name")
@click.option("--description", default="", help="Kept by the Gradio app, which can't change it later.")
@click.option("--parameters", metavar="JSON|@FILE", help="Its parameters.")
@place_options
@format_option
def create_command(context: Context, options: CreateOptions) -> int:
    """Create an experiment. When one of that name exists, nothing is written: it may be repeated."""
    values = json_object(options.parameters, "Parameters") if options.parameters else {}
    _check_name(options.name)
    with tracker_of(context, options) as (tracker, target):
        existing = _existing(tracker, options.name, target)
        experiment = existing or tracker.ensure(
            options.name,
            description=options.description,
            parameters=values or None,
            project=target.project,
        )
    done = "Exists already, nothing was changed:" if existing else "Created"
    _print(context, options, target, experiment, done, created=existing is None)
    if existing and values:
        context.note("Its parameters can be changed: hfspace experiments log-parameters.")
    return 0


@hfspace_command(
    ExperimentStatusOptions,
    name="status",
    epilog="\b\nExample:\n  hfspace experiments status smollm3-ft completed",
)
@_REF
@click.argument("status", type=click.Choice(STATUSES))
@place_options
@format_option
def status_command(context: Context, options: ExperimentStatusOptions) -> int:
    """Set the status of an experiment. Official trackio keeps none."""
    with tracker_of(context, options) as (tracker, target):
        experiment = tracker.update_status(options.ref, options.status, target.project)
    _print(context, options, target, experiment, f"Now {experiment.status}:")
    return 0


@hfspace_command(
    MetricsOptions,
    name="log-metrics",
    epilog="\b\nExamples:\n  hfspace experiments log-metrics smollm3-ft '{\"loss\": 0.5}' --step 100\n"
    "  hfspace experiments log-metrics smollm3-ft @metrics.json",
)
@_REF
@click.argument("metrics", metavar="JSON|@FILE")
@click.option("--step", type=int, help="The step they belong to.")
@place_options
@format_option
def log_metrics_command(context: Context, options: MetricsOptions) -> int:
    """Log metrics: a JSON object of numbers. What was logged can't be taken back."""
    values, step = metrics_object(options.metrics), options.step
    entry = LogEntry(metrics=values, step=step, key=f"cli:{uuid.uuid4().hex}")
    with tracker_of(context, options) as (tracker, target):
        tracker.log_metrics(options.ref, [entry], target.project)
    if options.form == "json":
        context.echo(document(target, experiment=options.ref, logged=values, step=step))
    else:
        where = f" at step {step}" if step is not None else ""
        context.echo(plain(f"Logged {counted(len(values), 'metric')}{where}: '{options.ref}'."))
    return 0


@hfspace_command(
    ParametersOptions,
    name="log-parameters",
    epilog="\b\nExample:\n  hfspace experiments log-parameters smollm3-ft '{\"batch_size\": 8}'",
)
@_REF
@click.argument("parameters", metavar="JSON|@FILE")
@place_options
@format_option
def log_parameters_command(context: Context, options: ParametersOptions) -> int:
    """Add or change parameters: a JSON object. Others stay as they are."""
    values = json_object(options.parameters, "Parameters")
    with tracker_of(context, options) as (tracker, target):
        experiment = tracker.log_parameters(options.ref, values, target.project)
    done = f"{counted(len(values), 'parameter')} logged, {len(experiment.parameters):,} in all:"
    _print(context, options, target, experiment, done)
    return 0


@hfspace_command(
    SimulateOptions,
    name="simulate",
    epilog="\b\nExample:\n  hfspace experiments simulate smollm3-ft --yes",
)
@_REF
@_YES
@place_options
@format_option
def simulate_command(context: Context, options: SimulateOptions) -> int:
    """WRITES made-up metrics into an experiment, for trying things out. They can't be removed."""
    with tracker_of(context, options) as (tracker, target):
        experiment = tracker.show(options.ref, target.project)
        question = f"This writes made-up metrics into '{experiment.name}'; they can't be removed."
        _ask(context, options.yes, question)
        experiment = tracker.simulate(experiment.id, target.project)
    done = f"Made-up metrics written, {experiment.metrics:,} entries:"
    _print(context, options, target, experiment, done)
    return 0


@hfspace_command(
    DemoOptions,
    name="demo",
    epilog="\b\nExample:\n  hfspace experiments demo --space acme/track --yes",
)
@_YES
@place_options
@format_option
def demo_command(context: Context, options: DemoOptions) -> int:
    """WRITES a demo experiment with made-up metrics. It can't be removed."""
    with tracker_of(context, options) as (tracker, target):
        where = target.url or target.space
        _ask(context, options.yes, f"This writes a demo experiment to {where}; it can't be removed.")
        experiment = tracker.demo()
    _print(context, options, target, experiment, "Created")
    return 0


for _one in (
    list_command,
    show_command,
    watch_command,
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
    upload_artifact_command,
):
    command.add_command(_one)


def _print(
    context: Context,
    options: ReportOptions,
    target: RecordingTarget,
    experiment: Experiment,
    done: str,
    **fields: Any,
) -> None:
    """One experiment: as JSON, else what was done to it in one line."""
    if options.form == "json":
        context.echo(document(target, **fields, experiment=report.to_json(experiment)))
    else:
        context.echo(f"{done} {report.one_line(experiment)}")


def _existing(tracker: Tracker, name: str, target: RecordingTarget) -> Experiment | None:
    try:
        experiment = tracker.show(name, target.project)
    except ExperimentNotFound:
        return None
    return experiment if experiment.name == name else None  # an id may look like a name


def _ask(context: Context, yes: bool, text: str) -> None:
    if not yes and not context.confirm(f"{plain(text)}\nGo on?"):
        raise UsageError("Nothing was written.")


def _check_name(name: str) -> None:
    if not name.strip() or name != name.strip() or not name.isprintable():
        raise UsageError(
            f"{name!r} can't be the name of an experiment.",
            hint="No line breaks or control characters, and no space at either end.",
        )
