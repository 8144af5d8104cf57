"""What a training script sees of the monitor: nothing, whatever the app, the disk or the values do."""

from __future__ import annotations

import logging
import math
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hfspace import ExperimentMonitor
from hfspace.errors import UsageError
from hfspace.monitor.spool import left_behind
from tests.monitor.fake import FakeTracker

Make = Callable[..., ExperimentMonitor]


def until(condition: Callable[[], bool]) -> None:
    for _ in range(500):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it never came to be")


@pytest.mark.parametrize("keyed", [True, False])
def test_a_run_is_recorded_and_leaves_no_file(monitor: Make, tmp_path: Path, keyed: bool) -> None:
    tracker = FakeTracker(keyed=keyed)
    with monitor(tracker, config={"lr": 2e-5}, description="a run") as run:
        for step in range(300):
            run.log({"loss": 1 / (step + 1)}, step=step)
        run.log_config({"extra": True})
    assert tracker.logged("run") == [(step, {"loss": 1 / (step + 1)}) for step in range(300)]
    live = tracker.named("run")
    about = {"description": "a run"} if keyed else {}
    assert live.parameters == {**about, "lr": 2e-5, "extra": True}
    assert live.description == (None if keyed else "a run")
    assert live.status == (None if keyed else "completed")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ValueError("x"), "failed"),
        (KeyboardInterrupt(), "paused"),
        (SystemExit(3), "failed"),
        (SystemExit("no data"), "failed"),
        (SystemExit(0), "completed"),
        (SystemExit(), "completed"),
    ],
)
def test_how_the_block_ended_is_the_status(monitor: Make, error: BaseException, status: str) -> None:
    tracker = FakeTracker()

    def train() -> None:
        with monitor(tracker) as run:
            run.log({"loss": 1.0}, step=1)
            raise error

    with pytest.raises(type(error)):
        train()
    assert tracker.named("run").status == status
    assert tracker.logged("run") == [(1, {"loss": 1.0})]


def test_a_finished_experiment_runs_again_when_it_is_continued(monitor: Make) -> None:
    tracker = FakeTracker()
    tracker.update_status(tracker.create("run").id, "completed")
    with monitor(tracker) as run:
        run.log({"loss": 1.0})
        until(lambda: tracker.named("run").status == "running")
    assert tracker.named("run").status == "completed"


def test_while_the_app_is_down_nothing_is_lost_and_nobody_waits(monitor: Make) -> None:
    down = threading.Event()
    down.set()
    tracker = FakeTracker(fault=lambda call: "before" if down.is_set() else None)
    started = time.monotonic()
    run = monitor(tracker).start()
    for step in range(500):
        run.log({"loss": float(step)}, step=step)
    assert time.monotonic() - started < 2
    until(lambda: run.unsent > 500)
    down.clear()
    until(lambda: run.unsent == 0)
    run.finish()
    assert [step for step, _ in tracker.logged("run")] == list(range(500))


def test_an_app_that_never_answers_costs_the_end_a_bounded_time(
    monitor: Make, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    tracker = FakeTracker(fault=lambda call: "before")
    started = time.monotonic()
    with caplog.at_level(logging.INFO, "hfspace.monitor"), monitor(tracker, flush_timeout=0.3) as run:
        run.log({"loss": 1.0})
    assert time.monotonic() - started < 5
    (path,) = tmp_path.iterdir()
    assert caplog.messages[-1] == (
        f"'run': 3 entries were not sent yet. Send with: hfspace experiments sync {path}"
    )
    assert sum("can't be sent now" in message for message in caplog.messages) == 1


def test_an_app_that_hangs_costs_the_end_a_bounded_time(monitor: Make) -> None:
    release = threading.Event()

    def hang(call: str) -> None:
        release.wait(20)

    started = time.monotonic()
    with monitor(FakeTracker(fault=hang), flush_timeout=0.2) as run:
        run.log({"loss": 1.0})
    assert time.monotonic() - started < 5
    assert run.unsent > 0
    release.set()


def test_a_bug_in_the_client_does_not_reach_the_training(
    monitor: Make, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    class Broken(FakeTracker):
        def show(self, ref: str, project: str | None = None) -> Any:
            raise RuntimeError("canary-in-an-exception")

    with monitor(Broken(), flush_timeout=0.2, token="canary-token") as run:
        run.log({"loss": 1.0})
    assert run.unsent == 3
    assert "can't be sent now: RuntimeError." in caplog.text
    (path,) = tmp_path.iterdir()
    assert "canary" not in caplog.text + path.read_text() + repr(run)


def test_without_a_space_the_run_is_kept_in_its_spool(monitor: Make, tmp_path: Path) -> None:
    with monitor(None, flush_timeout=0.2) as run:
        run.log({"loss": 1.0})
    (path,) = tmp_path.iterdir()
    assert '"loss":1.0' in path.read_text()
    assert '"status":"completed"' in path.read_text()


class Scalar:
    """What numpy and torch have in common."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def item(self) -> Any:
        if isinstance(self.value, Exception):
            raise self.value
        return self.value


class Nameless:
    def __str__(self) -> str:
        raise ValueError


class Subclass(float):
    """numpy.float64 is a float."""


def test_values_that_json_cannot_hold(monitor: Make, caplog: pytest.LogCaptureFixture) -> None:
    tracker = FakeTracker()
    reused = Scalar(0.5)
    with monitor(tracker) as run:
        run.log(
            {"loss": reused, "acc": Subclass(0.25), "n": Scalar(3), "ok": True, "note": "x\ud800"}, step=1
        )
        reused.value = 99.0
        run.log({"loss": math.nan, "up": math.inf, "kept": 1}, step=2)
        run.log({"loss": Scalar(math.nan), "many": Scalar(ValueError()), "object": object()}, step=3)
        run.log({"late": 1}, step=Scalar(7))  # type: ignore[arg-type]
        run.log({"later": 1}, step="x")  # type: ignore[arg-type]
        run.log({3: 1, "hf": "hf_abcdefghijklmnopqrstuvwx"})  # type: ignore[dict-item]
        run.log({"big": 2**70, "huge": 10**5000, Nameless(): 1}, step=10**5000)
        run.log(5)  # type: ignore[arg-type]
        run.log({})
    logged = [
        (step, {name: "nan" if value != value else value for name, value in metrics.items()})
        for step, metrics in tracker.logged("run")
    ]
    assert logged == [
        (1, {"loss": 0.5, "acc": 0.25, "n": 3, "ok": True, "note": "x?"}),
        (2, {"loss": "nan", "up": math.inf, "kept": 1}),
        (3, {"loss": "nan"}),
        (7, {"late": 1}),
        (None, {"later": 1}),
        (None, {"3": 1, "hf": "(token, not logged)"}),
        (None, {"big": float(2**70), "huge": math.inf, "<Nameless>": 1}),
    ]
    about = [message for message in caplog.messages if "left out" in message]
    assert len(about) == len({"many", "object", "step"})


def test_configurations_are_recorded_whole(monitor: Make) -> None:
    tracker = FakeTracker()
    knot: dict[str, Any] = {}
    knot["self"] = knot
    config = {
        "path": Path("/data"),
        "nan": math.nan,
        "betas": (0.9, Scalar(0.99)),
        "tags": {"b", "a"},
        "deep": {"x": {1: None}},
        "dtype": Scalar(ValueError()).__class__,
        "hub_token": "hf_abcdefghijklmnopqrstuvwx",
        "long": "x" * 20_000,
        "knot": knot,
        "huge": 10**5000,
    }
    with monitor(tracker, config=config):
        pass
    found = tracker.named("run").parameters
    assert found["path"] == "/data"
    assert found["huge"].startswith("0x")
    assert found["nan"] == "nan"
    assert found["betas"] == [0.9, 0.99]
    assert found["tags"] == ["a", "b"]
    assert found["deep"] == {"x": {"1": None}}
    assert found["hub_token"] == "(token, not logged)"
    assert len(found["long"]) == 10_001


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "a\x1b[2J", "a\u202eb", None])
def test_a_name_that_no_app_can_hold_is_refused_at_once(monitor: Make, name: Any) -> None:
    with pytest.raises(UsageError):
        monitor(FakeTracker(), name=name)


def test_memory_is_bounded_while_the_disk_refuses(
    monitor: Make, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hfspace.monitor.spool import Spool

    def refuse(self: Spool, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    run = monitor(FakeTracker(), most_queued=10, flush_timeout=0.2).start()
    monkeypatch.setattr(Spool, "_write", refuse)
    for step in range(25):
        run.log({"loss": 1.0}, step=step)
    run.finish()
    assert any("26 entries LOST, the disk took no more" in message for message in caplog.messages)


def test_a_flood_of_entries_arrives_whole(monitor: Make) -> None:
    tracker = FakeTracker(keyed=True)
    with monitor(tracker, most_queued=500, flush_timeout=60) as run:
        for step in range(5_000):
            run.log({"loss": 1.0}, step=step)
    assert [step for step, _ in tracker.logged("run")] == list(range(5_000))


def test_a_full_disk_for_a_while_loses_nothing(monitor: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    from hfspace.monitor.spool import Spool

    write, full = Spool._write, threading.Event()
    full.set()

    def failing(self: Spool, data: bytes) -> None:
        if full.is_set():
            raise OSError(28, "No space left on device")
        write(self, data)

    tracker = FakeTracker()
    run = monitor(tracker).start()
    monkeypatch.setattr(Spool, "_write", failing)
    for step in range(20):
        run.log({"loss": 1.0}, step=step)
    time.sleep(0.2)
    full.clear()
    run.finish()
    assert [step for step, _ in tracker.logged("run")] == list(range(20))


def test_a_folder_that_cannot_be_written_is_replaced(monitor: Make, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    tracker = FakeTracker()
    with monitor(tracker, spool_dir=blocked / "below") as run:
        run.log({"loss": 1.0})
    assert len(tracker.logged("run")) == 1


def test_without_a_thread_to_spare_the_end_sends_it(monitor: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    tracker = FakeTracker()
    monkeypatch.setattr(threading.Thread, "start", refuse)
    with monitor(tracker) as run:
        run.log({"loss": 1.0})
    assert len(tracker.logged("run")) == 1


def test_switched_off_it_does_nothing(monitor: Make, tmp_path: Path) -> None:
    tracker = FakeTracker()
    with monitor(tracker, enabled=False) as run:
        run.log({"loss": 1.0})
    assert tracker.calls == []
    assert list(tmp_path.iterdir()) == []


def test_the_first_log_starts_the_run_under_the_names_that_people_know(tmp_path: Path) -> None:
    tracker = FakeTracker()
    run = ExperimentMonitor(
        experiment_name="run", enable_tracking=True, tracker=tracker, spool_dir=tmp_path, env={}
    )
    run.log_metrics({"loss": 1.0}, step=100)
    run.log_config({"lr": 2e-5})
    run.finish()
    assert tracker.logged("run") == [(100, {"loss": 1.0})]
    assert tracker.named("run").parameters == {"lr": 2e-5}
    off = ExperimentMonitor("off", enable_tracking=False, tracker=tracker, spool_dir=tmp_path, env={})
    off.log({"loss": 1.0})
    assert off.spool is None


def test_an_entry_is_in_the_file_when_log_returns(monitor: Make) -> None:
    run = monitor(FakeTracker(fault=lambda call: "before"), flush_timeout=0.1)
    for step in range(50):
        run.log({"loss": 1.0}, step=step)
        assert run.spool is not None
        assert f'"step":{step},' in run.spool.read_text().splitlines()[-1]
    assert "hfspace experiments sync" in run.spool.read_text().splitlines()[0]
    run.finish()


def test_what_is_logged_after_the_end_continues_the_run(monitor: Make) -> None:
    tracker = FakeTracker()
    with monitor(tracker) as run:
        run.log({"loss": 1.0})
    run.log({"eval_loss": 2.0})
    run.finish()
    assert [metrics for _, metrics in tracker.logged("run")] == [{"loss": 1.0}, {"eval_loss": 2.0}]
    assert tracker.named("run").status == "completed"


def test_a_decorated_function_is_a_run_each_time(monitor: Make) -> None:
    tracker = FakeTracker()
    run = monitor(tracker)

    @run
    def train(step: int) -> None:
        run.log({"loss": 1.0}, step=step)
        if step == 2:
            raise ValueError

    train(1)
    assert tracker.named("run").status == "completed"
    with pytest.raises(ValueError):
        train(2)
    assert [step for step, _ in tracker.logged("run")] == [1, 2]
    assert tracker.named("run").status == "failed"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_keeps_its_entries_and_ends_nothing(monitor: Make, tmp_path: Path) -> None:
    tracker = FakeTracker()
    with monitor(tracker) as run:
        run.log({"loss": 1.0}, step=1)
        child = os.fork()
        if child == 0:
            run.log({"loss": 2.0}, step=2)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        run.log({"loss": 3.0}, step=3)
    assert [step for step, _ in tracker.logged("run")] == [1, 3]
    assert tracker.named("run").status == "completed"
    assert [header.name for header in left_behind(tmp_path)] == ["run"]
    (left,) = tmp_path.iterdir()
    text = left.read_text()
    assert '"step":2' in text
    assert '"status"' not in text


def test_a_configuration_is_recorded_although_nothing_was_logged(monitor: Make) -> None:
    tracker = FakeTracker()
    monitor(tracker, config={"lr": 2e-5}).finish()
    assert tracker.named("run").parameters == {"lr": 2e-5}
    assert tracker.named("run").status == "completed"


def test_a_monitor_that_was_given_nothing_makes_no_experiment(monitor: Make) -> None:
    tracker = FakeTracker()
    monitor(tracker).finish()
    assert tracker.calls == []


def test_what_earlier_processes_left_is_said_at_the_next_start(
    monitor: Make, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    for name in ("run-a", "run-b"):
        with monitor(FakeTracker(fault=lambda call: "before"), name, flush_timeout=0.1) as run:
            run.log({"loss": 1.0})
    (tmp_path / "notes.jsonl").write_text("mine\n")
    caplog.clear()
    with monitor(FakeTracker()) as run:
        pass
    assert caplog.messages == [
        "2 earlier runs have not been sent in full ('run-a', 'run-b'). "
        f"Send with: hfspace experiments sync {tmp_path}"
    ]


def test_an_exit_that_was_caught_says_nothing_of_the_end(monitor: Make) -> None:
    tracker, original = FakeTracker(), sys.exit
    run = monitor(tracker).start()
    with pytest.raises(SystemExit):
        sys.exit(1)
    assert run._process_end.status("completed") == "failed"
    run.log({"loss": 1.0})
    assert run._process_end.status("completed") == "completed"
    run.finish()
    assert sys.exit is original


def test_two_runs_that_end_in_any_order_leave_sys_exit_as_it_was(monitor: Make) -> None:
    original = sys.exit
    first, second = monitor(FakeTracker(), "a").start(), monitor(FakeTracker(), "b").start()
    first.finish()
    with pytest.raises(SystemExit) as caught:
        sys.exit(7)
    assert caught.value.code == 7
    assert second._process_end.status("completed") == "failed"
    second.finish()
    assert sys.exit is original


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"space": 5}, "space= is text, not int"),
        ({"config": "x"}, "config= is a mapping, not str"),
        ({"flush_every": "x"}, "flush_every= is a number from 0 on, not 'x'"),
        ({"flush_timeout": -1}, "flush_timeout= is a number from 0 on, not -1"),
        ({"most_queued": None}, "most_queued= is a number from 0 on, not None"),
        ({"retry_pauses": 1}, "retry_pauses= are two numbers"),
        ({"spool_dir": 5}, "spool_dir= is a path, not int"),
        ({"env": 5}, "env= is a mapping, not int"),
        ({"experiment_name": "other"}, "two names"),
    ],
)
def test_an_argument_of_a_wrong_type_is_a_sentence(monitor: Make, options: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        monitor(FakeTracker(), **options)


def test_what_cannot_be_logged_is_said_and_ends_nothing(
    monitor: Make, caplog: pytest.LogCaptureFixture
) -> None:
    tracker = FakeTracker()
    run = monitor(tracker).start()
    run.log("loss")  # type: ignore[arg-type]
    run.log_config(["lr"])  # type: ignore[arg-type]
    run.finish("done")
    assert caplog.messages == [
        "log() was given what it can't record: What is logged is a mapping, not str.",
        "Parameters can't be recorded: A configuration is a mapping, not list.",
        "'done' is no status: the run is recorded as failed.",
    ]
    assert tracker.named("run").status == "failed"
    with pytest.raises(UsageError, match="decorates a function"):
        run("train")
