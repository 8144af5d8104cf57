"""The environment of a command in which every secret is a canary."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def plant(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """Writes a manifest into the working directory and sets variables, in place of those of the machine."""

    def plant(manifest: str, **env: str) -> None:
        for name in list(os.environ):
            if name.startswith(("HF", "HUGGING", "GITHUB")):
                monkeypatch.delenv(name)
        env |= {
            "HF_HOME": str(tmp_path / "hf"),
            "HFSPACE_POLL_SECONDS": "0.05",
            "HFSPACE_SETTLE_SECONDS": "0.1",
        }
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        (tmp_path / "spaces.yaml").write_text(manifest)
        monkeypatch.chdir(tmp_path)

    return plant


@pytest.fixture
def everything(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Callable[[], str]:
    """All that was printed since the last call, and all that is in files that a command wrote."""

    def everything() -> str:
        out, err = capfd.readouterr()
        given = {"secret.pem", "spaces.yaml"}
        files = [path for path in tmp_path.rglob("*") if path.is_file() and path.name not in given]
        return out + err + "".join(path.read_text(errors="replace") for path in files)

    return everything
