"""The `hf` command, unmodified, against the local Hub: the table of docs/local-hub.md, row by row."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hfspace.localhub import LocalHub

SEED = {
    "accounts": {
        "acme": {"type": "org", "plan": "team"},
        "alice": {"type": "user", "orgs": {"acme": "admin"}},
    },
    "spaces": {
        "acme/whisper": {
            "hardware": "t4-small",
            "sleep_time": 3600,
            "variables": {"MODEL_ID": "openai/whisper-small"},
            "secrets": {"TOKEN": "x"},
            "logs": {"run": ["started", "ready"]},
        },
        "acme/page": {"sdk": "static"},
        "acme/bad": {"stage": "BUILD_ERROR", "error": "no such package: torhc"},
    },
    "hub": {"time_scale": 30},
}  # fmt: skip

# In this order; (command, exit code, what it says)
ROWS = [
    ("spaces ls --author acme --format json", 0, '"id": "acme/whisper"'),
    ("spaces info acme/whisper", 0, '"stage": "RUNNING"'),
    ("spaces hardware", 0, "$0.40"),
    ("spaces settings acme/whisper --hardware t4-medium --sleep-time 300", 0, "t4-medium"),
    ("spaces wait acme/whisper", 0, "RUNNING"),
    ("spaces pause acme/whisper", 0, "PAUSED"),
    ("spaces restart acme/whisper --factory-reboot", 0, "BUILDING"),
    ("spaces wait acme/whisper", 0, "RUNNING"),
    ("spaces logs acme/whisper", 0, "ready"),
    ("spaces logs acme/bad --build", 0, "no such package: torhc"),
    ("spaces secrets ls acme/whisper", 0, "TOKEN"),
    ("spaces secrets add acme/whisper -s KEY=value", 0, "KEY"),
    ("spaces secrets delete acme/whisper TOKEN --yes", 0, "Secret deleted"),
    ("spaces variables ls acme/whisper", 0, "openai/whisper-small"),
    ("spaces variables add acme/whisper -e A=1", 0, "Variables added"),
    ("spaces variables delete acme/whisper A --yes", 0, "Variable deleted"),
    ("spaces volumes set acme/whisper -v hf://buckets/acme/audio:/data", 0, "Volumes set"),
    ("spaces volumes ls acme/whisper", 0, "acme/audio"),
    ("spaces volumes delete acme/whisper --yes", 0, "Volumes deleted"),
    ("spaces dev-mode acme/whisper", 0, "dev environment"),
    ("spaces templates", 0, "SpacesExamples/jupyterlab"),
    ("spaces search whisper", 0, "acme/whisper"),
    ("spaces card acme/whisper", 0, "sdk: gradio"),
    ("spaces ls acme/whisper", 0, "app.py"),
    ("spaces zero-gpu quota", 0, "1500"),
    ("spaces pause acme/page", 1, "Static Spaces can't be paused"),
    ("spaces pause acme/none", 1, "not found"),
    ("repos create acme/new --repo-type space --space-sdk gradio", 0, "acme/new"),
    ("upload acme/new app.py app.py --repo-type space", 0, "/commit/"),
    ("spaces wait acme/new", 0, "RUNNING"),
    ("download acme/new app.py --repo-type space --local-dir down", 0, "app.py"),
    ("repos duplicate acme/page acme/copy --repo-type space", 0, "acme/copy"),
    ("repos move acme/copy acme/moved --repo-type space", 0, "acme/moved"),
    ("repos delete acme/new --repo-type space --yes", 0, "Repo deleted"),
    ("auth whoami", 0, "alice"),
]
QUICK = {"spaces ls --author acme --format json", "spaces pause acme/whisper", "spaces pause acme/page"}


@pytest.fixture
def hub() -> Iterator[LocalHub]:
    with LocalHub(seed=SEED) as hub:
        yield hub


def check(hub: LocalHub, folder: Path, rows: list[tuple[str, int, str]]) -> None:
    (folder / "app.py").write_text("print(1)\n")
    env = {
        "PATH": os.environ["PATH"], "HOME": str(folder), "HF_ENDPOINT": hub.url, "HF_TOKEN": hub.token,
        "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_HUB_DISABLE_XET": "1",
        "NO_COLOR": "1", "COLUMNS": "200",
    }  # fmt: skip
    for command, code, says in rows:
        done = subprocess.run(
            [Path(sys.executable).parent / "hf", *command.split()],
            cwd=folder, env=env, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        said = done.stdout + done.stderr
        assert (done.returncode, says in said) == (code, True), f"hf {command}\n{said}"


def test_a_few_commands(hub: LocalHub, tmp_path: Path) -> None:
    check(hub, tmp_path, [row for row in ROWS if row[0] in QUICK])
    assert hub.space("acme/whisper")["stage"] == "PAUSED"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_command_of_the_table(hub: LocalHub, tmp_path: Path) -> None:
    check(hub, tmp_path, ROWS)
    whisper = hub.space("acme/whisper")
    assert (whisper["requested"], whisper["sleep_time"], set(whisper["secrets"])) == (
        "t4-medium",
        300,
        {"KEY"},
    )
    assert "acme/moved" in hub.spaces()


def test_the_table_of_the_docs_is_what_is_tested() -> None:
    page = (Path(__file__).parents[2] / "docs/local-hub.md").read_text()
    told = re.findall(r"^\| `hf ([^`]+)` \| (\d) \|", page, re.MULTILINE)
    assert told == [(command, str(code)) for command, code, _ in ROWS]
