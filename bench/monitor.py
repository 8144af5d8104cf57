"""What ExperimentMonitor.log() costs in the training thread, in microseconds, beside queue.Queue.put of the
same dict in the same process, and what a training loop loses by it.

Usage: python bench/monitor.py [CALLS]
"""

from __future__ import annotations

import gc
import queue
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from hfspace import ExperimentMonitor

METRICS = {"loss": 0.512, "grad_norm": 1.25, "learning_rate": 2e-5, "epoch": 0.31}
WORK = 20_000


def each(call: Callable[[int], object], count: int, pause: float = 0.0) -> list[float]:
    """Microseconds of each call."""
    times = []
    for at in range(count):
        started = time.perf_counter_ns()
        call(at)
        times.append((time.perf_counter_ns() - started) / 1000)
        if pause:
            time.sleep(pause)
    return times


def said(name: str, times: list[float], unit: float) -> None:
    ranked = sorted(times)
    median, p99 = statistics.median(ranked), ranked[int(len(ranked) * 0.99)]
    print(f"{name:<42}{median:8.2f}{p99:9.2f}{ranked[-1]:10.1f}{median / unit:9.1f}{p99 / unit:9.1f}")


def steps(monitor: ExperimentMonitor, count: int, *, logged: bool) -> float:
    """Microseconds for a step of pure Python work: the worst case, as it keeps the interpreter."""
    started = time.perf_counter()
    for at in range(count):
        sum(range(WORK))
        if logged:
            monitor.log(METRICS, step=at)
    return (time.perf_counter() - started) / count * 1e6


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    plain: queue.Queue[dict[str, float]] = queue.Queue()
    gc.collect()
    base = each(lambda at: plain.put(METRICS), count)
    unit = statistics.median(base)
    cold = each(lambda at: plain.put(METRICS), min(count, 1000), pause=0.001)
    with tempfile.TemporaryDirectory() as folder:
        # No Space: everything goes through the queue and the spool, and sending fails at once.
        options = {"spool_dir": Path(folder), "flush_timeout": 0.1, "env": {}}
        with ExperimentMonitor("bench", most_queued=10 * count, **options) as monitor:
            flood = each(lambda at: monitor.log(METRICS, step=at), count)
            time.sleep(0.5)
            paced = each(lambda at: monitor.log(METRICS, step=at), min(count, 1000), pause=0.001)
        print(f"{'microseconds':<42}{'median':>8}{'p99':>9}{'max':>10}{'ratio':>9}{'p99/put':>9}")
        said("queue.Queue.put", base, unit)
        said("queue.Queue.put, one each millisecond", cold, unit)
        said("log(), one after the other", flood, unit)
        said("log(), one each millisecond", paced, unit)
        with ExperimentMonitor("bench", most_queued=10 * count, **options) as monitor:
            # Turn and turn about: the machine's own moods are larger than what is measured.
            pairs = [(steps(monitor, 40, logged=False), steps(monitor, 40, logged=True)) for _ in range(60)]
        work = statistics.median(without for without, _ in pairs)
        extra = statistics.median(with_it - without for without, with_it in pairs)
        print(f"a step of {work:.0f} us of Python work takes {extra:+.1f} us longer with log()")


if __name__ == "__main__":
    main()
