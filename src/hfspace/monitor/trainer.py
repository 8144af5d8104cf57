"""The monitor as a transformers.TrainerCallback."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from hfspace.errors import UsageError


class Recorder(Protocol):
    """What the callback needs of a monitor."""

    @property
    def spool(self) -> Path | None: ...
    def start(self) -> Any: ...
    def log(self, metrics: Any, step: int | None = None) -> None: ...
    def log_config(self, config: Any) -> None: ...
    def finish(self, status: str = "completed") -> None: ...
    def end_unknown_as(self, status: str) -> None: ...


def make_callback(monitor: Recorder) -> Any:
    """An instance of a TrainerCallback. Raises UsageError when transformers can't be imported."""
    try:
        base: Any = import_module("transformers").TrainerCallback
    except (ImportError, AttributeError):
        raise UsageError(
            "transformers is not installed, so there is no Trainer to call back.",
            hint="pip install transformers; without it, use `with ExperimentMonitor(...) as monitor:`.",
        ) from None
    methods = _methods(monitor)
    return type("ExperimentMonitorCallback", (base,), methods)()


def _methods(monitor: Recorder) -> dict[str, Any]:
    """Only the main process of a distributed training records. The Trainer tells a callback how a training
    ends only when it ends well: in a `with` block the monitor knows the rest, else the interpreter's end."""
    began: list[bool] = []

    def on_train_begin(self: Any, args: Any, state: Any, control: Any, **others: Any) -> None:
        if not _is_first(state):
            return
        if monitor.spool is None:
            monitor.start()
            monitor.end_unknown_as("paused")
            began.append(True)
        monitor.log_config(_settings(args, others.get("model")))

    def on_log(
        self: Any, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **others: Any
    ) -> None:
        if logs and _is_first(state):
            monitor.log(logs, step=state.global_step)

    def on_train_end(self: Any, args: Any, state: Any, control: Any, **others: Any) -> None:
        if began and _is_first(state):
            monitor.finish("completed")

    return {"on_train_begin": on_train_begin, "on_log": on_log, "on_train_end": on_train_end}


def _is_first(state: Any) -> bool:
    return bool(getattr(state, "is_world_process_zero", True))


def _settings(args: Any, model: Any) -> dict[str, Any]:
    """The training arguments, and of the model's configuration what they don't name."""
    values: dict[str, Any] = {}
    for source in (getattr(model, "config", None), args):
        to_dict = getattr(source, "to_dict", None)
        if callable(to_dict):
            try:
                values |= to_dict()
            except Exception:  # noqa: BLE001, S112 - a foreign configuration; the training goes on without it
                continue
    return values
