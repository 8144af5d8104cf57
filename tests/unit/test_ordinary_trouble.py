"""What happens to every command one day is no bug of hfspace: it is said, and nothing is lost."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hfspace.localhub import LocalHub

MANIFEST = "version: 1\nspaces:\n  acme/x: {variables: {GREETING: 'grüße 模型'}}\n"


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[tuple[Path, dict[str, str]]]:
    seed = {
        "accounts": {"acme": {}},
        "tokens": {"hf_local_write": {"account": "acme", "role": "write"}},
        "spaces": {"acme/x": {}},
        "hub": {"time_scale": 300},
    }
    (tmp_path / "spaces.yaml").write_text(MANIFEST, encoding="utf-8")
    with LocalHub(seed=seed) as hub:
        yield (
            tmp_path,
            {
                **os.environ,
                "HF_ENDPOINT": hub.url,
                "HF_TOKEN": "hf_local_write",
                "HFSPACE_POLL_SECONDS": "0.2",
                "HFSPACE_SETTLE_SECONDS": "0.5",
            },
        )


def sh(shell: tuple[Path, dict[str, str]], line: str, **env: str) -> subprocess.CompletedProcess[str]:
    folder, surroundings = shell
    command = f'hfspace() {{ {sys.executable} -m hfspace "$@"; }}; {line}'
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, env={**surroundings, **env}, capture_output=True, timeout=90
    )
    text = done.stderr.decode(errors="replace")
    assert "this is a bug" not in text, text
    assert "Traceback" not in text, text
    return subprocess.CompletedProcess(line, done.returncode, done.stdout.decode(errors="replace"), text)


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("hfspace plan > /dev/full", 1, "No space left"),
        ("hfspace plan >&-", 0, ""),
        ("hfspace plan <&-", 0, ""),
        ("hfspace apply <&-", 1, "confirmation"),
        ("hfspace plan --target \"$(printf '[%.0s' {1..20000})\"", 1, "matches nothing"),
        ("hfspace demo --keep nowhere/hub.db", 1, "The database nowhere/hub.db can't be used"),
        ("hfspace demo --keep spaces.yaml", 1, "Name another file with --keep"),
        ("HF_ENDPOINT=http://127.0.0.1:99999 hfspace plan", 1, "not a URL"),
        ("HFSPACE_POLL_SECONDS=abc hfspace apply --yes", 1, "HFSPACE_POLL_SECONDS"),
        ("HFSPACE_SETTLE_SECONDS=nan hfspace wait acme/x", 1, "HFSPACE_SETTLE_SECONDS"),
    ],
)
def test_trouble_is_said_in_a_sentence(
    shell: tuple[Path, dict[str, str]], line: str, code: int, words: str
) -> None:
    done = sh(shell, line)
    assert done.returncode == code, done.stderr
    assert words in done.stderr


def test_a_terminal_without_the_characters_gets_others(shell: tuple[Path, dict[str, str]]) -> None:
    done = sh(shell, "hfspace plan", PYTHONIOENCODING="latin-1", PYTHONUTF8="0")
    assert done.returncode == 0
    assert "\\u6a21" in done.stdout


def test_an_audit_log_is_its_owners_only(shell: tuple[Path, dict[str, str]]) -> None:
    assert sh(shell, "umask 022; hfspace apply --yes --audit-log log.ndjson").returncode == 0
    assert stat.S_IMODE((shell[0] / "log.ndjson").stat().st_mode) == 0o600
