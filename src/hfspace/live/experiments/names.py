"""The names under which the Gradio Trackio app and its clients know these methods."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hfspace.errors import UsageError
from hfspace.live.trackio.port import Experiment, LogEntry, Series, Tracker
from hfspace.model import Json


class EndpointNames:
    """Aliases: each does what the method of the port does, and raises what that raises."""

    def create_experiment(
        self: Tracker,
        name: str,
        description: str = "",
        parameters: Mapping[str, Json] | None = None,
        project: str | None = None,
    ) -> Experiment:
        """As `create`."""
        text_of(name, "The name of an experiment")
        text_of(description, "A description")
        return self.create(name, description=description, parameters=parameters, project=project)

    def list_experiments(self: Tracker, project: str | None = None) -> tuple[Experiment, ...]:
        """As `list`."""
        return self.list(project)

    def get_experiment_details(self: Tracker, experiment_id: str, project: str | None = None) -> Experiment:
        """As `show`."""
        return self.show(ref_of(experiment_id), project)

    def update_experiment_status(
        self: Tracker, experiment_id: str, status: str, project: str | None = None
    ) -> Experiment:
        """As `update_status`."""
        return self.update_status(ref_of(experiment_id), status, project)

    def create_metrics_plot(
        self: Tracker, experiment_id: str, metric_name: str = "loss", project: str | None = None
    ) -> Series:
        """As `plot`: the values, not a picture of them."""
        return self.plot(ref_of(experiment_id), metric_name, project)

    def create_experiment_comparison(
        self: Tracker, experiment_ids: str | Sequence[str], metric: str = "loss", project: str | None = None
    ) -> tuple[Series, ...]:
        """As `compare`; ids may be one text with commas."""
        refs = experiment_ids.split(",") if isinstance(experiment_ids, str) else experiment_ids
        return self.compare([ref.strip() for ref in texts_of(refs, "Ids")], metric, project)

    def simulate_training_data(self: Tracker, experiment_id: str, project: str | None = None) -> Experiment:
        """As `simulate`: WRITES invented metrics."""
        return self.simulate(ref_of(experiment_id), project)

    def create_demo_experiment(self: Tracker) -> Experiment:
        """As `demo`: WRITES an invented experiment."""
        return self.demo()


def text_of(value: object, what: str) -> str:
    """`value`, when it is text. Raises UsageError."""
    if not isinstance(value, str):
        raise UsageError(f"{what} is text, not {type(value).__name__}.")
    return value


def ref_of(value: object) -> str:
    return text_of(value, "An experiment's id or name")


def optional_texts(**arguments: object) -> None:
    """Raises UsageError for one that is neither text nor None."""
    for name, value in arguments.items():
        if value is not None:
            text_of(value, f"{name}=")


def texts_of(values: object, what: str) -> list[str]:
    """A list of texts; not one text, which would be taken letter by letter. Raises UsageError."""
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise UsageError(f"{what} are a list of texts, not {type(values).__name__}.")
    return [text_of(value, f"Each of {what[0].lower()}{what[1:]}") for value in values]


def map_of(value: object, what: str) -> Mapping[Any, Any]:
    """`value`, when it is a mapping. Raises UsageError."""
    if not isinstance(value, Mapping):
        raise UsageError(f"{what} is a mapping, not {type(value).__name__}.")
    return value


def number_of(value: object, what: str) -> float:
    """`value`, when it is a number that is not negative. Raises UsageError."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
        raise UsageError(f"{what} is a number from 0 on, not {value!r:.40}.")
    return value


def entries_of(metrics: object, step: int | None) -> list[LogEntry]:
    """Entries as they are, or the one that a map of metrics at a step is; its key makes it count once.
    Raises UsageError for anything else."""
    if isinstance(metrics, Mapping):
        return [LogEntry(metrics=metrics, step=step, key=f"client:{uuid.uuid4().hex}")]
    is_list = isinstance(metrics, Sequence) and not isinstance(metrics, str | bytes)
    entries = list(metrics) if is_list else []  # type: ignore[call-overload]
    if not is_list or not all(isinstance(entry, LogEntry) for entry in entries):
        raise UsageError(
            f"Metrics are a map, or a list of LogEntry, not {type(metrics).__name__}.",
            hint='Write log_metrics(id, {"loss": 0.5}, step=100).',
        )
    if step is not None:
        raise UsageError("A step goes with one map of metrics.", hint="A LogEntry has a step of its own.")
    return entries
