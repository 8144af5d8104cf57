"""Files of the checkout are data: a module in it is never imported, neither with a token nor without one."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hfspace.localhub import LocalHub
from tests.github.runner import ACTION, ROOT, SHA, Runner

MODULES = (
    "yaml", "venv", "pip", "click", "json", "hfspace", "huggingface_hub", "sitecustomize", "usercustomize",
    "encodings", "ensurepip", "pydantic", "subprocess", "hatchling",
)  # fmt: skip
CANARY = "hf_canary0checkout0token0of0the0job"
SPY = """
import os, pathlib
pathlib.Path({out!r}).open("a").write(__name__ + " " + repr(dict(os.environ)) + "\\n")
"""


@pytest.fixture
def hub() -> Iterator[LocalHub]:
    seed = {
        "accounts": {"alice": {"orgs": {"acme": "admin"}}, "acme": {"type": "org", "plan": "team"}},
        "tokens": {CANARY: {"account": "alice", "role": "write"}},
        "spaces": {"acme/x": {"stage": "RUNNING"}},
    }
    with LocalHub(seed=seed) as hub:
        yield hub


@pytest.fixture
def loot(runner: Runner, tmp_path: Path) -> Path:
    """Where modules of the checkout would write, if anything ran them."""
    out = tmp_path / "loot"
    for name in MODULES:
        (runner.workspace / f"{name}.py").write_text(SPY.format(out=str(out)))
    (runner.workspace / "spaces.yaml").write_text("version: 1\nspaces: {acme/x: {variables: {A: b}}}\n")
    return out


@pytest.mark.parametrize("fork", [None, "mallory/fleet"])
@pytest.mark.parametrize("command", ["plan", "validate"])
def test_no_module_of_the_checkout_runs(runner: Runner, loot: Path, fork: str | None, command: str) -> None:
    payload = runner.pull_request(7, SHA["a"], fork=fork)
    ran = runner.job("pull_request", payload, {"command": command, "token": CANARY})
    assert ran.code == 0, ran.log
    assert not loot.exists(), loot.read_text()
    assert CANARY not in ran.log + ran.summary


def test_an_apply_runs_no_module_of_the_checkout(runner: Runner, loot: Path, hub: LocalHub) -> None:
    ran = runner.job("push", {"ref": "refs/heads/main"}, {"command": "apply", "token": CANARY})
    assert ran.code == 0, ran.log
    assert hub.writes()
    assert not loot.exists(), loot.read_text()


@pytest.mark.parametrize("fork", ["mallory/fleet", "", None])
def test_in_a_forks_run_no_process_ever_has_the_token(
    runner: Runner, loot: Path, monkeypatch: pytest.MonkeyPatch, fork: str | None
) -> None:
    """What Python starts with is what /proc shows to whatever else runs there."""
    payload = runner.pull_request(7, SHA["a"], fork="mallory/fleet")
    payload["pull_request"]["head"]["repo"] = None if fork is None else {"full_name": fork}
    environs: list[bytes] = []

    def watch(process: subprocess.Popen[str]) -> None:
        path = Path(f"/proc/{process.pid}/environ")
        while process.poll() is None:
            try:
                name = os.readlink(f"/proc/{process.pid}/exe")
                environs.append(path.read_bytes() if "python" in name else b"")
            except OSError:
                break

    job = {"command": "plan", "token": CANARY}
    ran = runner.job("pull_request", payload, job, during=watch, ACTIONS_ID_TOKEN_REQUEST_TOKEN=CANARY)
    assert any(environs)
    assert not any(CANARY.encode() in environ for environ in environs)
    assert not loot.exists()
    assert CANARY not in ran.log


def test_the_installation_imports_nothing_from_the_checkout(tmp_path: Path) -> None:
    """Every Python of the install step is isolated, and none stands in the checkout."""
    temp, checkout, calls = tmp_path / "temp", tmp_path / "checkout", tmp_path / "calls"
    temp.mkdir(), checkout.mkdir()
    shim = tmp_path / "python"
    shim.write_text(
        f'#!/bin/sh\necho "$PWD $PYTHONSAFEPATH $*" >> {calls}\n'
        f'case "$*" in *venv*) mkdir -p {temp}/hfspace-venv/bin; '
        f'cp "$0" {temp}/hfspace-venv/bin/python;; esac\n'
    )
    shim.chmod(0o755)
    step = next(step for step in ACTION["runs"]["steps"] if step.get("id") == "install")
    env = {
        "PATH": os.environ["PATH"],
        "PYTHON": str(shim),
        "VERSION": "",
        "ACTION_PATH": str(ROOT),
        "RUNNER_TEMP": str(temp),
        "PYTHONSAFEPATH": step["env"]["PYTHONSAFEPATH"],
    }
    subprocess.run(["bash", "-eo", "pipefail", "-c", step["run"]], cwd=checkout, env=env, check=True)
    lines = calls.read_text().splitlines()
    assert len(lines) == 3
    assert all(line.startswith(f"{temp} 1 -I -m ") for line in lines)
    assert f"--require-hashes --requirement {ROOT}/requirements/run.txt" in lines[1]
    assert "--no-deps --no-build-isolation" in lines[2]


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        ("pull_request", {}),
        ("pull_request", {"pull_request": None}),
        ("pull_request", {"pull_request": []}),
        ("issue_comment", {"issue": {"number": 7, "pull_request": {}}}),
        ("workflow_run", {}),
        (
            "workflow_run",
            {"workflow_run": {"id": 1, "head_sha": "a", "head_repository": {"full_name": "m/f"}}},
        ),
        ("fork", {"push": True}),
        ("", {}),
    ],
)
def test_an_event_that_does_not_say_whose_code_it_is_about_counts_as_a_forks(
    runner: Runner, hub: LocalHub, event: str, payload: dict[str, object]
) -> None:
    (runner.workspace / "spaces.yaml").write_text("version: 1\nspaces: {acme/x: {hardware: cpu-basic}}\n")
    ran = runner.job(event, payload, {"command": "apply", "token": CANARY})
    assert ran.code == 1
    assert "may not run 'apply'" in ran.log
    assert hub.requests() == []


def test_the_events_of_our_own_code_are_the_same_in_the_shell_and_in_python() -> None:
    from hfspace.github.event import _OWN_EVENTS

    step = next(step for step in ACTION["runs"]["steps"] if step.get("id") == "run")
    listed = re.search(r"fromJSON\('(.*?)'\)", step["env"]["HFSPACE_OWN_CODE"])
    assert listed is not None
    assert set(json.loads(listed[1])) == _OWN_EVENTS


def test_python_m_hfspace_imports_nothing_from_the_working_directory(loot: Path, runner: Runner) -> None:
    for name in ("hfspace", "encodings", "sitecustomize", "usercustomize"):  # these are Python's own doing
        (runner.workspace / f"{name}.py").unlink()
    done = subprocess.run(
        [sys.executable, "-m", "hfspace", "validate"], cwd=runner.workspace, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert not loot.exists(), loot.read_text()


def test_every_python_that_we_start_is_isolated() -> None:
    """`multiprocessing` starts children that look into the working directory first."""
    for path in (ROOT / "src").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\bmultiprocessing\b|ProcessPoolExecutor", text), path
        for match in re.finditer(r"sys\.executable", text):
            assert re.match(r'sys\.executable,\s*"-[IP]"', text[match.start() :]), path
