"""What a diagnosis costs: requests and median time, next to gradio_client's Client(...) and next to trying
the five candidate paths of the guides one by one.

Usage: python bench/diagnose.py URL [URL…]        (running Gradio apps, for example on 127.0.0.1)
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

RUNS = 15
PROCESSES = 3
BODIES = ({"inputs": "x", "parameters": {}}, {"data": ["x"]})


def median(work: Callable[[], object], runs: int = RUNS) -> float:
    """Median milliseconds, after one warm-up."""
    work()
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times) * 1000


def diagnosis(url: str) -> Callable[[], object]:
    from hfspace.live.gradio.probe import Place, look

    return lambda: look(Place(host=url))


def client(url: str) -> Callable[[], object]:
    from hfspace.live.gradio.client import quiet

    quiet()
    from gradio_client import Client

    def construct() -> None:
        made = Client(url, token=False, verbose=False, download_files=False, analytics_enabled=False)
        made.view_api(print_info=False, return_format="dict")
        made._kill_heartbeat.set()  # close() waits up to a second for it, which is not what is measured

    return construct


def candidates(url: str) -> Callable[[], object]:
    """Both bodies to all five paths, until one answers 200: what the guides say to do."""
    import httpx

    from hfspace.live.gradio.urls import SEED_PATHS

    def attempt() -> int:
        tried = 0
        for path in SEED_PATHS:
            for body in BODIES:
                tried += 1
                # A connection of its own: Gradio closes it after a 500. No certificates are loaded for http.
                with httpx.Client(timeout=10, verify=url.startswith("https")) as door:
                    if door.post(url + path, json=body).status_code == 200:
                        return tried
        return tried

    return attempt


def process(code: str) -> float:
    """Median milliseconds of a whole Python process, imports included."""
    return median(
        lambda: subprocess.run([sys.executable, "-c", code], check=True, capture_output=True), PROCESSES
    )


def measure(url: str) -> dict[str, object]:
    from hfspace.live.gradio.probe import Place, look

    reading = look(Place(host=url))
    ours, theirs, guessing = median(diagnosis(url)), median(client(url)), median(candidates(url))
    cold = process(f"from hfspace.live.gradio.probe import Place, look; look(Place(host={url!r}))")
    cold_client = process(
        "import os; os.environ.update(HF_HUB_DISABLE_TELEMETRY='1', GRADIO_ANALYTICS_ENABLED='False')\n"
        f"from gradio_client import Client; Client({url!r}, token=False, verbose=False)\nos._exit(0)"
    )
    return {
        "version": reading.app.version,
        "requests": reading.requests,
        "requests_of_client": "2 and an open stream",
        "requests_of_guessing": candidates(url)(),
        "ms": round(ours, 1),
        "ms_client": round(theirs, 1),
        "ms_guessing": round(guessing, 1),
        "client_to_ours": round(theirs / ours, 1),
        "guessing_to_ours": round(guessing / ours, 1),
        "process_ms": round(cold),
        "process_ms_client": round(cold_client),
        "process_client_to_ours": round(cold_client / cold, 1),
    }


def main() -> None:
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    for url in sys.argv[1:]:
        print(json.dumps(measure(url.rstrip("/")), indent=2))


if __name__ == "__main__":
    main()
