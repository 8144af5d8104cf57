"""Runs a script or the command line with the fake Trackio (state in the file FAKE_STORE) in a process of
its own. Usage: python run_cli.py cli ARGS… | python run_cli.py train STEPS PAUSE"""

from __future__ import annotations

import os
import signal
import sys
import time
import types
from pathlib import Path
from typing import Any

from hfspace.errors import TrackioUnavailable

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.monitor.fake import FakeTracker

STORE = Path(os.environ["FAKE_STORE"])


def fault(call: str) -> Any:
    """FAKE_DOWN names a file: while it exists, the app is unreachable. FAKE_SLOW: seconds for each call."""
    time.sleep(float(os.environ.get("FAKE_SLOW", "0")))
    return "before" if Path(os.environ.get("FAKE_DOWN", "/nonexistent")).exists() else None


class Mortal(FakeTracker):
    """Kills its process at a moment that FAKE_DIES names: 'call 3' before the third call has an effect,
    'save 2' after the second call had one."""

    seen = 0

    def _fault(self, call: str) -> Any:
        self._count("call")
        return super()._fault(call)

    def _save(self) -> None:
        super()._save()
        self._count("save")

    def _count(self, what: str) -> None:
        kind, _, moment = os.environ.get("FAKE_DIES", "").partition(" ")
        if kind == what:
            Mortal.seen += 1
            if Mortal.seen == int(moment):
                os.kill(os.getpid(), signal.SIGKILL)


def client(space: str | None = None, **options: Any) -> FakeTracker:
    if space is None and options.get("url") is None:
        raise TrackioUnavailable("No Space is named.")
    faults = {"acme/dead": lambda call: "before", "acme/hangs": lambda call: time.sleep(600)}
    made = Mortal(keyed=os.environ.get("FAKE_KEYED") == "1", fault=faults.get(str(space), fault), store=STORE)
    made.space = space  # type: ignore[attr-defined]
    return made


def install() -> None:
    module: Any = types.ModuleType("hfspace.live.experiments.client")
    module.TrackioClient = client
    sys.modules["hfspace.live.experiments.client"] = module


def train(steps: int, pause: float) -> None:
    from hfspace import ExperimentMonitor

    with ExperimentMonitor("run", space="acme/track", flush_every=0.05, retry_pauses=(0.05, 0.1)) as run:
        print(run.spool, flush=True)
        for step in range(steps):
            run.log({"loss": 1 / (step + 1)}, step=step)
            print(step, flush=True)
            time.sleep(pause)


def forget_to_finish(how: str) -> None:
    from hfspace import ExperimentMonitor

    run = ExperimentMonitor("run", space="acme/track").start()
    run.log({"loss": 1.0}, step=1)
    if how == "raise":
        raise ValueError("the training failed")


if __name__ == "__main__":
    install()
    if sys.argv[1] == "forget":
        forget_to_finish(sys.argv[2])
    elif sys.argv[1] == "train":
        train(int(sys.argv[2]), float(sys.argv[3]))
    else:
        from hfspace.cli.main import run as run_cli

        sys.exit(run_cli(sys.argv[2:]))
