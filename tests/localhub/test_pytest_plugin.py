"""The fixtures that users of hfspace import, in a test suite of theirs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

THEIRS = """
import subprocess
import sys

import pytest

SEED = {"spaces": {"acme/x": {"hardware": "t4-small"}}}


@pytest.mark.local_hub(seed=SEED)
def test_the_manifest_pauses_it_and_nothing_else(local_hub, tmp_path):
    manifest = tmp_path / "spaces.yaml"
    manifest.write_text("version: 1\\nspaces:\\n  acme/x: {state: paused}\\n")
    command = [sys.executable, "-m", "hfspace", "apply", "-f", str(manifest), "--yes"]
    subprocess.run(command, check=True)
    assert local_hub.space("acme/x")["stage"] == "PAUSED"
    assert [entry.path for entry in local_hub.writes()] == ["/api/spaces/acme/x/pause"]


def test_an_empty_one(local_hub):
    assert local_hub.spaces() == []


def test_several(local_hub_factory):
    first, second = local_hub_factory(seed=SEED), local_hub_factory()
    assert (first.spaces(), second.spaces()) == (["acme/x"], [])
"""


def run(folder: Path) -> str:
    """What pytest says of the tests in `folder`, with `hfspace` on the PATH as after an installation."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--strict-markers",
        str(folder),
    ]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    env = {**os.environ, "PATH": path, "HF_HUB_DISABLE_TELEMETRY": "1"}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=120)
    return done.stdout + done.stderr


def test_a_suite_of_somebody_else(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["hfspace.localhub.pytest_plugin"]\n')
    (tmp_path / "test_theirs.py").write_text(THEIRS)
    assert "3 passed" in run(tmp_path)


def test_the_files_of_the_page_are_a_suite_that_passes(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "local-hub.md").read_text()
    files = re.findall(r"```\w+\n# (\S+\.\w+)\n(.*?)```", page.partition("## In your tests")[2], re.DOTALL)
    assert [name for name, _ in files] == ["conftest.py", "spaces.yaml", "test_manifest.py"]
    for name, text in files:
        (tmp_path / name).write_text(text)
    assert "1 passed" in run(tmp_path)
