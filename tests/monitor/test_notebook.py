"""A notebook whose kernel is restarted in the middle of a run: a real kernel."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.endpoints.real_apps import python_of
from tests.monitor.fake import FakeTracker
from tests.monitor.test_ending import environment, unsent

pytestmark = [pytest.mark.apps, pytest.mark.slow]

HERE = Path(__file__).parent
BEGIN = f"""
import sys
sys.path.insert(0, {str(HERE.parents[1])!r})
from tests.monitor.run_cli import install
install()
from hfspace import ExperimentMonitor
monitor = ExperimentMonitor(
    "run", space="acme/track", flush_every=0.1, retry_pauses=(0.1, 0.2), flush_timeout=2, config={{"lr": 0.1}}
)
"""
LOG = "for step in range(5): monitor.log({'loss': 1.0}, step=step)"


def restart(how: str, folder: Path, after: list[str], **env: str) -> list[str]:
    """What each cell wrote to stderr; the kernel is restarted before the cells of `after`."""
    python = python_of("7.4.0", "ipykernel")
    (packages,) = python.parents[1].glob("lib/python3*/site-packages")
    done = subprocess.run(
        [str(python), str(HERE / "notebook.py"), sys.executable, how],
        input=json.dumps([[BEGIN, LOG, "1/0"], after]),
        env=environment(folder, PYTHONPATH=str(packages), FAKE_STORE=str(folder / "store.json"), **env),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=300,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_kernel_that_is_restarted_ends_its_run_as_paused(tmp_path: Path) -> None:
    """It is not failed: the exception was of another cell. Nor is it known to be done."""
    said = restart("ask", tmp_path, ["1 + 1"])
    assert said == ["", "", "ZeroDivisionError", ""]
    tracker = FakeTracker(store=tmp_path / "store.json")
    assert [step for step, _ in tracker.logged("run")] == [0, 1, 2, 3, 4]
    assert tracker.named("run").status == "paused"
    assert tracker.named("run").parameters == {"lr": 0.1}
    assert unsent(tmp_path / "spool") == []


def test_a_kernel_that_was_killed_keeps_every_entry_and_the_next_start_says_so(tmp_path: Path) -> None:
    down = tmp_path / "down"
    down.touch()
    said = restart("kill", tmp_path, [BEGIN, LOG.replace("range(5)", "range(5, 9)")], FAKE_DOWN=str(down))
    assert unsent(tmp_path / "spool") == list(range(9))
    assert "1 earlier run has not been sent in full ('run')" in said[-1]
    assert f"hfspace experiments sync {tmp_path / 'spool'}" in said[-1]
    down.unlink()
    env = {**os.environ, **environment(tmp_path, FAKE_STORE=str(tmp_path / "store.json"))}
    subprocess.run(
        [sys.executable, str(HERE / "run_cli.py"), "cli", "experiments", "sync"], env=env, check=True
    )
    tracker = FakeTracker(store=tmp_path / "store.json")
    assert [step for step, _ in tracker.logged("run")] == list(range(9))
