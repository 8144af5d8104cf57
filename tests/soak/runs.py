"""One command against a hostile Hub, app or Trackio, in a process of its own: what it took, what it said."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hfspace.localhub import LocalHub
from tests.soak.hostile import app, proxy, serving

TOKEN = "hf_local_canaryTOKEN0123"
SECRET = "canary-SECRET-value-0123"
MANIFEST = """version: 1
spaces:
  acme/a:
    hardware: t4-small
    sleep_time: 1h
    variables: {MODEL: small}
    secrets: {KEY: {env: CANARY}}
    endpoint: {%s}
  acme/t:
    experiments: {e: {status: running}}
"""
ENDPOINTS = {
    "gradio": "api_name: /add, example: [1, 1], expect: {type: number}",
    "http": "path: /echo, method: POST, body: {}, expect: {type: object, properties: {said: {type: string}}}",
}
COMMANDS: dict[str, tuple[list[str], float]] = {
    "plan": (["plan", "--check-endpoints", "-v"], 58),
    "apply": (["apply", "--yes", "--timeout", "6s", "--format", "json"], 18),
    "diagnose": (["diagnose", "acme/a", "--invoke", "--timeout", "2s", "--invoke-timeout", "4s"], 18),
    "call": (["call", "acme/a", "--timeout", "5s"], 23),
    "experiments": (["experiments", "list", "--space", "acme/t", "--timeout", "10s"], 18),
    "logs": (["logs", "acme/a", "--tail", "3"], 12),
}
"""The arguments, and the sum of the deadlines that hold for it in seconds: 8 for each request to the Hub that
is made after another (two attempts, below), 10 for a look at an app, and what its options say. An apply has
its --timeout for what it reads, then for each Space."""

SPARE = 5.0
"""Seconds beside the deadlines: to start, to work, to end."""

# The Hub's limits in small: 4 s where it has 120 s, two attempts in place of five.
START = """
from hfspace.live import limiter, transport
transport.ANSWER_SECONDS, transport.TIMEOUT_SECONDS, transport.ATTEMPTS = 4.0, 2.0, 2
limiter._LONGEST_WAIT = 2.0
from hfspace.cli import logs
logs._SECONDS = 4.0
from hfspace.cli.main import main
main()
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """One run. `code` is negative when it had to be killed. `own_seconds` are those that it took without
    those in which it was ready to go on and the machine ran something else."""

    name: str
    args: list[str]
    deadline: float
    code: int
    seconds: float
    own_seconds: float
    peak_mib: float
    text: str
    served: Counter[str]


def run(number: int, folder: Path, patience: float = 1.0) -> Ended:
    """The run of this number: its command, its servers and their answers are all drawn by it. `patience` says
    how much slower this machine is than one where a command starts in half a second."""
    rng = random.Random(number)
    command = rng.choice(list(COMMANDS))
    kind = rng.choice(["interface", "trackio"] if command == "experiments" else ["gradio", "http"])
    in_hub = command == "logs" or rng.random() < 0.4
    share = rng.choice([0.15, 0.4, 0.8])
    (folder / "spaces.yaml").write_text(MANIFEST % ENDPOINTS.get(kind, ENDPOINTS["gradio"]))
    with (
        serving(app(kind), f"app {number}", 0.0 if in_hub else share) as behind,
        LocalHub(seed=_seed(behind.url)) as hub,
        serving(proxy(hub.url), f"hub {number}", share if in_hub else 0.0) as front,
    ):
        args, seconds = COMMANDS[command]
        ended = _ended(args, (seconds + SPARE) * patience, front.url, folder)
        served = front.served + behind.served
        return Ended(name=f"{number} {command}", args=args, deadline=seconds, served=served, **ended)


def _seed(url: str) -> dict[str, Any]:
    space = {"stage": "RUNNING", "sdk": "gradio", "hardware": "t4-small", "sleep_time": 3600, "host": url}
    return {
        "accounts": {
            "alice": {"orgs": {"acme": "admin"}},
            "acme": {"type": "org", "plan": "team", "can_pay": True},
        },
        "tokens": {TOKEN: {"account": "alice", "role": "write"}},
        "spaces": {"acme/a": {**space, "variables": {"MODEL": "large"}}, "acme/t": space},
        "hub": {"time_scale": 600},
    }


def _ended(args: list[str], seconds: float, url: str, folder: Path) -> dict[str, Any]:
    env = {
        **{
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("HF", "GITHUB", "PYTHON"))
        },
        **{"HF_ENDPOINT": url, "HF_TOKEN": TOKEN, "CANARY": SECRET, "HF_HOME": str(folder / "hf")},
        **{"HFSPACE_POLL_SECONDS": "0.1", "HFSPACE_SETTLE_SECONDS": "0.3"},
    }
    started = time.monotonic()
    with open(folder / "said", "w+b") as said:
        child = subprocess.Popen(
            [sys.executable, "-I", "-c", START, *args],
            env=env, cwd=folder, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True,
        )  # fmt: skip
        code, peak, delayed = _wait(child, started + seconds)
        took = time.monotonic() - started
        said.seek(0)
        text = said.read(10 << 20).decode("utf-8", "replace")
    own = took - delayed
    return {"code": code, "seconds": took, "own_seconds": own, "peak_mib": peak / 1024, "text": text}


def _wait(child: subprocess.Popen[bytes], until: float) -> tuple[int, int, float]:
    """The exit code; the KiB of the largest of the child and its children at their largest; the seconds for
    which they waited for a processor. Killed at `until`. What wait4 tells is no less than what this process
    itself has, and it holds the bombs."""
    peak = 0
    delays: dict[int, float] = {}
    while child.poll() is None:
        for pid in (child.pid, *_children(child.pid)):
            peak = max(peak, _high_water(pid))
            delays[pid] = max(delays.get(pid, 0.0), _delayed(pid))
        if time.monotonic() >= until:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        time.sleep(0.02)
    return child.returncode, peak, sum(delays.values())


def _delayed(pid: int) -> float:
    """Seconds for which a process was ready to run, and did not: its main thread, and the one of the others
    that waited longest, on which the main thread waits."""
    delays = {}
    for task in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        with suppress(OSError, IndexError):
            delays[task.parent.name] = int(task.read_text().split()[1]) / 1e9
    main = delays.pop(str(pid), 0.0)
    return main + max(delays.values(), default=0.0)


def _high_water(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")), 0)


def _children(pid: int) -> list[int]:
    try:
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def patience(folder: Path) -> float:
    """Measured now: a machine that others use as well is slower than it seems."""
    started = time.monotonic()
    subprocess.run(
        [sys.executable, "-I", "-m", "hfspace", "validate"], cwd=folder, capture_output=True, check=False
    )
    return max(1.0, 2 * (time.monotonic() - started))
