"""A training in a process of its own that ends in one of many ways.

Usage: python ending.py FORM WAY, with the place in PLACE_URL (a real app) or FAKE_STORE (see run_cli.py).
It logs five entries at steps RANK*100 + 0…4, and in a forked child one more at RANK*100 + 50. An interpreter
that starts anew in the middle (`restart`) logs five more, at 5…9.
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
WAYS = (
    "normal", "exception", "exit_0", "exit_1", "interrupt", "term", "kill", "os_exit", "fork", "restart",
)  # fmt: skip
ENTRIES = 5
RANK = int(os.environ.get("RANK", "0"))
FIRST = 100 * RANK + (ENTRIES if "RESTARTED" in os.environ else 0)


def log_all(log: Callable[..., None]) -> None:
    for step in range(FIRST, FIRST + ENTRIES):
        log({"loss": 1 / (step + 1)}, step=step)


def end(way: str, monitor: ExperimentMonitor) -> None:
    match way:
        case "exception":
            raise RuntimeError("the training failed")
        case "exit_0" | "exit_1":
            sys.exit(int(way[-1]))
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
                monitor.log({"loss": 50.0}, step=100 * RANK + 50)
                os._exit(0)
            os.waitpid(child, 0)
        case "restart":
            if "RESTARTED" not in os.environ:
                os.environ["RESTARTED"] = "1"
                os.execv(sys.executable, [sys.executable, *sys.argv])


def with_callback(monitor: ExperimentMonitor, way: str) -> None:
    import types

    if "transformers" not in sys.modules:
        module: Any = types.ModuleType("transformers")
        module.TrainerCallback = type("TrainerCallback", (), {})
        sys.modules["transformers"] = module
    callback = monitor.callback()
    state = types.SimpleNamespace(is_world_process_zero=True, global_step=0)
    callback.on_train_begin(None, state, None)
    for step in range(FIRST, FIRST + ENTRIES):
        state.global_step = step
        callback.on_log(None, state, None, logs={"loss": 1 / (step + 1)})
    end(way, monitor)
    callback.on_train_end(None, state, None)


def main(form: str, way: str) -> None:
    place: dict[str, Any] = {"url": os.environ.get("PLACE_URL"), "project": os.environ.get("PLACE_PROJECT")}
    if place["url"] is None:
        place = {"space": "acme/track"}
    enabled = form != "rank_0" or RANK == 0
    monitor = ExperimentMonitor(
        os.environ.get("RUN_NAME", "run"),
        **place,
        flush_every=0.2,
        retry_pauses=(0.1, 0.5),
        flush_timeout=80,
        enabled=enabled,
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
            log_all(monitor.log_metrics)
            end(way, monitor)


if __name__ == "__main__":
    if "FAKE_STORE" in os.environ:
        from tests.monitor.run_cli import install

        install()
    main(sys.argv[1], sys.argv[2])
