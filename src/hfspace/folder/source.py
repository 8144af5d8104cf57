"""Where the files of a folder come from: the repository and commit that they were checked out of."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

_SECONDS = 5
_COMMIT = re.compile(r"[0-9a-f]{40,64}")
_REMOTE = re.compile(r"(?:https?://|ssh://)?(?:[^@/\s]*@)?([\w.-]+)(?::\d+)?[:/]([\w./-]+?)(?:\.git)?/?")


def source_of(folder: Path, environment: Mapping[str, str]) -> str:
    """repository@commit, as GitHub's runner or git tells it; "" where neither does. Nothing of the repository
    is run, and no user or password of its remote is in the answer."""
    repository, commit = environment.get("GITHUB_REPOSITORY", ""), environment.get("GITHUB_SHA", "")
    if repository and _COMMIT.fullmatch(commit):
        return f"{repository}@{commit}"
    commit = _git(folder, "rev-parse", "HEAD")
    if not _COMMIT.fullmatch(commit):
        return ""
    remote = _REMOTE.fullmatch(_git(folder, "config", "--get", "remote.origin.url"))
    name = f"{remote[1]}/{remote[2]}" if remote else folder.resolve().name
    return f"{name}@{commit}"


def _git(folder: Path, *command: str) -> str:
    """What git says; "" where it says nothing, or is not there."""
    try:
        done = subprocess.run(  # noqa: S603 - of our own words
            ["git", "-C", str(folder), *command],  # noqa: S607 - the user's own git
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode(errors="replace").strip() if done.returncode == 0 else ""
