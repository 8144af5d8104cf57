"""What ExperimentMonitor.log() costs in the training thread, beside the least that a durable entry can cost
in the same process: json.dumps of the same dict and one write() to a file. In microseconds of the thread's
own CPU time, which a busy machine does not stretch as it does the clock. Exit code 1: above BOUND times that.

Usage: python bench/monitor.py [CALLS]      trackio.log() is measured too where trackio can be imported
"""

from __future__ import annotations

import gc
import importlib.util
import json
import logging
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from hfspace import ExperimentMonitor

METRICS = {"loss": 0.512, "grad_norm": 1.25, "learning_rate": 2e-5, "epoch": 0.31}
BOUND = 5
ROUND = 200


def each(call: Callable[[int], object], start: int, count: int) -> tuple[float, float]:
    """Microseconds of a call: of this thread's CPU, and on the clock."""
    clock, cpu = time.perf_counter_ns(), time.thread_time_ns()
    for at in range(start, start + count):
        call(at)
    cpu, clock = time.thread_time_ns() - cpu, time.perf_counter_ns() - clock
    return cpu / count / 1000, clock / count / 1000


def write_line(folder: Path) -> Callable[[int], object]:
    file = os.open(folder / "plain.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    return lambda at: os.write(file, (json.dumps({"step": at, **METRICS}) + "\n").encode())


def trackio_log(folder: Path) -> Callable[[int], object]:
    os.environ["TRACKIO_DIR"] = str(folder / "trackio")
    import trackio

    run = trackio.init(project="bench", embed=False)
    return lambda at: run.log(METRICS, step=at)


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    logging.disable(logging.CRITICAL)  # no Space is named: all goes to the spool, and the log says so
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        monitor = ExperimentMonitor("bench", spool_dir=folder, flush_timeout=0.1, env={}).start()
        calls: dict[str, Callable[[int], object]] = {
            "json.dumps and write()": write_line(folder),
            "log()": lambda at: monitor.log(METRICS, step=at),
        }
        if importlib.util.find_spec("trackio"):
            calls["trackio.log()"] = trackio_log(folder)
        gc.collect()
        # Turn and turn about: the machine's own moods are larger than what is measured.
        rounds = [
            {name: each(call, at, ROUND) for name, call in calls.items()} for at in range(0, count, ROUND)
        ]
        monitor.finish()
        if "trackio" in sys.modules:
            sys.modules["trackio"].finish()
    least = statistics.median(times["json.dumps and write()"][0] for times in rounds)
    print(f"{'microseconds a call, median':<30}{'CPU':>8}{'clock':>8}{'ratio':>8}")
    for name in calls:
        cpu, clock = (statistics.median(times[name][part] for times in rounds) for part in (0, 1))
        print(f"{name:<30}{cpu:8.2f}{clock:8.2f}{cpu / least:8.1f}")
    return int(statistics.median(times["log()"][0] for times in rounds) > BOUND * least)


if __name__ == "__main__":
    sys.exit(main())
