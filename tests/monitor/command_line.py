"""The command line in this process, with a Trackio in memory."""

from __future__ import annotations

import csv
import json
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from hfspace.cli.main import run
from tests.monitor.fake import FakeTracker

HOSTILE = "run\x1b[2J\x1b]0;owned\x07<script>alert(1)</script>&\"'\n🟢 ghost\u202eevil"


class Cli:
    """Runs the command line in this process, with `tracker` for every Space."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.tracker = FakeTracker()
        self.asked: list[tuple[str | None, dict[str, Any]]] = []
        self._capsys = capsys
        module: Any = types.ModuleType("hfspace.live.experiments.client")
        module.TrackioClient = self._client
        monkeypatch.setitem(sys.modules, "hfspace.live.experiments.client", module)

    def _client(self, space: str | None = None, **options: Any) -> FakeTracker:
        self.asked.append((space, options))
        return self.tracker

    def __call__(self, *args: str) -> tuple[int, str, str]:
        code = run(["experiments", *args])
        out, err = self._capsys.readouterr()
        return code, out, err

    def json(self, *args: str) -> Any:
        code, out, err = self(*args, "--format", "json")
        assert code == 0, err
        document = json.loads(out)
        assert document["format_version"] == 1
        return document


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))
