"""A training in a process of its own that ends in one of many ways.

Usage: python ending.py FORM WAY, with the place in PLACE_URL (a real app) or FAKE_STORE (see run_cli.py).
It logs five entries at steps RANK*100 + 0…4, and in a forked child one more at RANK*100 + 50.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from hfspace import ExperimentMonitor

FORMS = ("with", "start_finish", "start", "bare", "decorator", "callback", "rank_0", "all_ranks")
WAYS = ("normal", "exception", "sys_exit", "interrupt", "term", "kill", "os_exit", "fork")
ENTRIES = 5


def log_all(log: Callable[..., None], start: int = 0) -> None:
    for step in range(start, start + ENTRIES):
        log({"loss": 1 / (step + 1)}, step=step)


def end(way: str, monitor: ExperimentMonitor) -> None:
    match way:
        case "exception":
            raise RuntimeError("the training failed")
        case "sys_exit":
            sys.exit(3)
        case "interrupt":
            raise KeyboardInterrupt
        case "term":
            os.kill(os.getpid(), signal.SIGTERM)
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "os_exit":
            os._exit(4)
        case "fork":
            child = os.fork()
            if child == 0:
                monitor.log({"loss": 50.0}, step=100 * int(os.environ.get("RANK", "0")) + 50)
                os._exit(0)
            os.waitpid(child, 0)


def with_callback(monitor: ExperimentMonitor, way: str) -> None:
    import types

    if "transformers" not in sys.modules:
        module: Any = types.ModuleType("transformers")
        module.TrainerCallback = type("TrainerCallback", (), {})
        sys.modules["transformers"] = module
    callback = monitor.callback()
    state = types.SimpleNamespace(is_world_process_zero=True, global_step=0)
    callback.on_train_begin(None, state, None)
    for step in range(ENTRIES):
        state.global_step = step
        callback.on_log(None, state, None, logs={"loss": 1 / (step + 1)})
    end(way, monitor)
    callback.on_train_end(None, state, None)


def main(form: str, way: str) -> None:
    rank = int(os.environ.get("RANK", "0"))
    place: dict[str, Any] = {"url": os.environ.get("PLACE_URL"), "project": os.environ.get("PLACE_PROJECT")}
    if place["url"] is None:
        place = {"space": "acme/track"}
    enabled = form != "rank_0" or rank == 0
    monitor = ExperimentMonitor(
        os.environ.get("RUN_NAME", "run"), **place, flush_every=0.2, retry_pauses=(0.1, 0.5), enabled=enabled
    )
    match form:
        case "with":
            with monitor:
                log_all(monitor.log)
                end(way, monitor)
        case "start_finish":
            monitor.start()
            log_all(monitor.log)
            end(way, monitor)
            monitor.finish()
        case "start":
            monitor.start()
            log_all(monitor.log)
            end(way, monitor)
        case "decorator":

            @monitor
            def train() -> None:
                log_all(monitor.log)
                end(way, monitor)

            train()
        case "callback":
            with_callback(monitor, way)
        case _:
            log_all(monitor.log_metrics, 100 * rank)
            end(way, monitor)


if __name__ == "__main__":
    if "FAKE_STORE" in os.environ:
        from tests.monitor.run_cli import install

        install()
    main(sys.argv[1], sys.argv[2])
