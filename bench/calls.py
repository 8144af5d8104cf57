"""What a call costs beside gradio_client's own, in turns in one run: repeated, with a State, the first.

Usage: python bench/calls.py URL        (a running tests/apps/gradio_shapes.py)
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

from hfspace.diagnosis import connect
from hfspace.diagnosis.simple import open_hub
from hfspace.live.gradio.client import open_client

RUNS = 25
FIRST = 3
ENDPOINTS = {"repeated": "/upper", "with a State": "/remember"}
LIMIT = 1.5


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def first(url: str) -> tuple[float, float]:
    """Connect, call once, close: ours and gradio_client's (whose process has it imported already)."""
    hub = open_hub({})

    def ours() -> None:
        with connect(url, api_name="/remember", hub=hub, manifest=None) as connection:
            connection.call("a")

    def theirs() -> None:
        client = open_client(url, None, 60)
        client.predict("a", api_name="/remember")
        client.close()

    pairs = [(seconds(ours), seconds(theirs)) for _ in range(FIRST)]
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs)


def repeated(url: str, name: str) -> tuple[float, float]:
    client = open_client(url, None, 60)
    with connect(url, api_name=name, hub=open_hub({}), manifest=None) as connection:
        connection.call("a")
        client.predict("a", api_name=name)
        pairs = [
            (seconds(lambda: connection.call("a")), seconds(lambda: client.predict("a", api_name=name)))
            for _ in range(RUNS)
        ]
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs)


def row(what: str, ours: float, theirs: float) -> str:
    milliseconds = f"{ours * 1000:6.0f} ms   gradio_client {theirs * 1000:6.0f} ms"
    return f"{what:<14} {milliseconds}   {ours / theirs:.2f} x"


def main() -> int:
    """Print each pair and its ratio; 1 when a repeated call costs more than 1.5 times gradio_client's."""
    url = sys.argv[1]
    worst = 0.0
    for what, name in ENDPOINTS.items():
        pair = repeated(url, name)
        worst = max(worst, pair[0] / pair[1])
        print(row(what, *pair))
    print(row("the first", *first(url)))
    return int(worst > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
