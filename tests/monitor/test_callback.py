"""The monitor as a transformers callback."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from typing import Any

import pytest

from hfspace import ExperimentMonitor
from hfspace.errors import UsageError
from tests.monitor.fake import FakeTracker

Make = Callable[..., ExperimentMonitor]


class State:
    def __init__(self, step: int = 0, first: bool = True) -> None:
        self.global_step = step
        self.is_world_process_zero = first


class Arguments:
    def to_dict(self) -> dict[str, Any]:
        return {"learning_rate": 2e-5, "hub_token": "<HUB_TOKEN>"}


@pytest.fixture
def transformers(monkeypatch: pytest.MonkeyPatch) -> type:
    base = type("TrainerCallback", (), {})
    module = types.SimpleNamespace(TrainerCallback=base)
    monkeypatch.setitem(sys.modules, "transformers", module)  # type: ignore[arg-type]
    return base


def test_the_callback_records_a_training(monitor: Make, transformers: type) -> None:
    tracker = FakeTracker()
    callback = monitor(tracker).callback()
    assert isinstance(callback, transformers)
    callback.on_train_begin(Arguments(), State(), None, model=None)
    callback.on_log(Arguments(), State(10), None, logs={"loss": 0.5, "epoch": 0.1})
    callback.on_log(Arguments(), State(20), None, logs={"loss": 0.4})
    callback.on_train_end(Arguments(), State(20), None)
    assert tracker.logged("run") == [(10, {"loss": 0.5, "epoch": 0.1}), (20, {"loss": 0.4})]
    assert tracker.named("run").parameters["learning_rate"] == 2e-5
    assert tracker.named("run").status == "completed"


def test_the_callback_in_a_block_leaves_the_end_to_the_block(monitor: Make, transformers: type) -> None:
    tracker = FakeTracker()

    def train() -> None:
        with monitor(tracker) as run:
            callback = run.callback()
            callback.on_train_begin(Arguments(), State(), None)
            callback.on_train_end(Arguments(), State(), None)
            raise ValueError("evaluation after the training failed")

    with pytest.raises(ValueError, match="evaluation"):
        train()
    assert tracker.named("run").status == "failed"


def test_other_ranks_record_nothing(monitor: Make, transformers: type) -> None:
    tracker = FakeTracker()
    callback = monitor(tracker).callback()
    callback.on_train_begin(Arguments(), State(first=False), None)
    callback.on_log(Arguments(), State(1, first=False), None, logs={"loss": 1.0})
    callback.on_train_end(Arguments(), State(first=False), None)
    assert tracker.calls == []


def test_without_transformers_the_callback_says_so(monitor: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="transformers is not installed"):
        monitor(FakeTracker()).callback()
