"""A real transformers.Trainer with the monitor's callback: however its process ends, no step is lost."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.endpoints.real_apps import python_of
from tests.monitor.ending import ENTRIES
from tests.monitor.fake import FakeTracker
from tests.monitor.test_ending import environment, unsent

pytestmark = [pytest.mark.apps, pytest.mark.slow]

HERE = Path(__file__).parent
STEPS = list(range(1, ENTRIES + 1))
STATUS = {
    "normal": "completed",
    "exception": "failed",
    "exit_0": "paused",
    "exit_1": "failed",
    "fork": "completed",
}


def train(way: str, folder: Path, launcher: list[str]) -> dict[str, str]:
    """Run it with this project's Python and the packages of the Trainer's; the environment."""
    python = python_of("5.23.0", "transformers")
    (packages,) = python.parents[1].glob("lib/python3*/site-packages")
    env = environment(folder, PYTHONPATH=str(packages), FAKE_STORE=str(folder / "store.json"), FAKE_KEYED="0")
    command = [sys.executable, *launcher, str(HERE / "trainer.py"), way, str(folder / "out")]
    subprocess.run(command, env=env, check=False, timeout=170)
    return env


def losses(folder: Path) -> list[int]:
    tracker = FakeTracker(store=folder / "store.json")
    logged = tracker.logged("run") if tracker.experiments else []
    return sorted(step for step, metrics in logged if "loss" in metrics and step is not None)


@pytest.mark.parametrize("way", [*STATUS, "term", "kill", "os_exit"])
def test_a_trainer_loses_no_step(way: str, tmp_path: Path) -> None:
    env = train(way, tmp_path, [])
    tracker = FakeTracker(store=tmp_path / "store.json")
    if way in STATUS:
        assert losses(tmp_path) == STEPS
        assert tracker.named("run").status == STATUS[way]
        assert tracker.named("run").parameters["max_steps"] == ENTRIES
    spooled = unsent(tmp_path / "spool")
    assert sorted(losses(tmp_path) + [step for step in spooled if step <= ENTRIES]) == STEPS
    assert spooled == ([50] if way == "fork" else spooled)
    command = [sys.executable, str(HERE / "run_cli.py"), "cli", "experiments", "sync"]
    subprocess.run(command, env=env, check=True)
    assert losses(tmp_path) == STEPS + ([50] if way == "fork" else [])
    if way == "normal":
        logged = FakeTracker(store=tmp_path / "store.json").logged("run")
        assert any("eval_loss" in metrics for _, metrics in logged)


def test_of_several_processes_only_the_first_records(tmp_path: Path) -> None:
    train("normal", tmp_path, ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"])
    assert losses(tmp_path) == STEPS
    assert len(FakeTracker(store=tmp_path / "store.json").experiments) == 1
    assert list((tmp_path / "spool").iterdir()) == []
