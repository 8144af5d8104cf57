"""The names under which the Gradio Trackio app and its clients know these methods."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

from hfspace.errors import UsageError
from hfspace.live.trackio.port import Entry, Experiment, Series, Tracker
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
        return self.show(text_of(experiment_id, "An experiment's id or name"), project)

    def update_experiment_status(
        self: Tracker, experiment_id: str, status: str, project: str | None = None
    ) -> Experiment:
        """As `update_status`."""
        return self.update_status(text_of(experiment_id, "An experiment's id or name"), status, project)

    def create_metrics_plot(
        self: Tracker, experiment_id: str, metric_name: str = "loss", project: str | None = None
    ) -> Series:
        """As `plot`: the values, not a picture of them."""
        return self.plot(text_of(experiment_id, "An experiment's id or name"), metric_name, project)

    def create_experiment_comparison(
        self: Tracker, experiment_ids: str | Sequence[str], metric: str = "loss", project: str | None = None
    ) -> tuple[Series, ...]:
        """As `compare`; ids may be one text with commas."""
        refs = experiment_ids.split(",") if isinstance(experiment_ids, str) else list(experiment_ids)
        return self.compare([ref.strip() for ref in refs], metric, project)

    def simulate_training_data(self: Tracker, experiment_id: str, project: str | None = None) -> Experiment:
        """As `simulate`: WRITES invented metrics."""
        return self.simulate(text_of(experiment_id, "An experiment's id or name"), project)

    def create_demo_experiment(self: Tracker) -> Experiment:
        """As `demo`: WRITES an invented experiment."""
        return self.demo()


def text_of(value: object, what: str) -> str:
    """`value`, when it is text. Raises UsageError."""
    if not isinstance(value, str):
        raise UsageError(f"{what} is text, not {type(value).__name__}.")
    return value


def entries_of(metrics: object, step: int | None) -> list[Entry]:
    """Entries as they are, or the one that a map of metrics at a step is; its key makes it count once.
    Raises UsageError for anything else."""
    if isinstance(metrics, Mapping):
        return [Entry(metrics=metrics, step=step, key=f"client:{uuid.uuid4().hex}")]
    is_list = isinstance(metrics, Sequence) and not isinstance(metrics, str | bytes)
    entries = list(metrics) if is_list else []  # type: ignore[call-overload]
    if not is_list or not all(isinstance(entry, Entry) for entry in entries):
        raise UsageError(
            f"Metrics are a map, or a list of Entry, not {type(metrics).__name__}.",
            hint='Write log_metrics(id, {"loss": 0.5}, step=100).',
        )
    if step is not None:
        raise UsageError("A step goes with one map of metrics.", hint="An Entry has a step of its own.")
    return entries
