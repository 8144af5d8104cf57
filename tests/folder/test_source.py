"""Where files come from, for the commit's message."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from hfspace.folder.source import source_of

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def test_a_runner_of_github_says_it(tmp_path: Path) -> None:
    env = {"GITHUB_REPOSITORY": "acme/apps", "GITHUB_SHA": COMMIT}
    assert source_of(tmp_path, env) == f"acme/apps@{COMMIT}"


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
@pytest.mark.parametrize(
    ("remote", "name"),
    [
        ("https://user:secret@github.com/acme/apps.git", "github.com/acme/apps"),
        ("git@github.com:acme/apps.git", "github.com/acme/apps"),
        ("", "here"),
    ],
)
def test_git_says_it_without_a_password(tmp_path: Path, remote: str, name: str) -> None:
    here = tmp_path / "here"
    here.mkdir()

    def git(*words: str) -> str:
        who = ["-c", "user.name=a", "-c", "user.email=a@b"]
        done = subprocess.run(["git", "-C", str(here), *who, *words], capture_output=True, check=True)
        return done.stdout.decode().strip()

    git("init", "-q")
    assert source_of(here, {}) == ""
    git("commit", "-q", "--allow-empty", "-m", "x")
    if remote:
        git("remote", "add", "origin", remote)
    assert source_of(here, {}) == f"{name}@{git('rev-parse', 'HEAD')}"


def test_nowhere_is_nothing(tmp_path: Path) -> None:
    assert source_of(tmp_path / "none", {}) == ""
