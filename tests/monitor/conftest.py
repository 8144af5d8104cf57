"""The command line and the monitor, ready for a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hfspace import ExperimentMonitor
from hfspace.live.trackio.port import LogEntry
from tests.monitor.command_line import Cli
from tests.monitor.fake import FakeTracker


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Cli]:
    monkeypatch.chdir(tmp_path)
    for name in ("HF_TOKEN", "HUGGINGFACE_TOKEN", "HFSPACE_FILE", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("TRACKIO_SPACE_ID", "acme/track")
    monkeypatch.setenv("HFSPACE_SPOOL_DIR", str(tmp_path / "spools"))
    return Cli(capsys, monkeypatch)


@pytest.fixture
def filled(cli: Cli) -> Cli:
    """Two experiments with a loss of ten steps each."""
    for name in ("run-a", "run-b"):
        cli.tracker.create(name, description="about it", parameters={"lr": 0.1})
        entries = [LogEntry(metrics={"loss": 1 / (1 + step)}, step=10 * step, time="t") for step in range(10)]
        cli.tracker.log_metrics(name, entries)
    return cli


@pytest.fixture
def monitor(tmp_path: Path) -> Callable[..., ExperimentMonitor]:
    def make(tracker: FakeTracker | None, name: str = "run", **options: Any) -> ExperimentMonitor:
        defaults: dict[str, Any] = {
            "flush_every": 0.02,
            "retry_pauses": (0.01, 0.05),
            "spool_dir": tmp_path,
            "env": {},
        }
        return ExperimentMonitor(name, tracker=tracker, **{**defaults, **options})

    return make
