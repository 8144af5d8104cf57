"""A runner of GitHub Actions, as much as action.yml needs: inputs, expressions, the GITHUB_* files, and the
`hfspace` step's own shell line. Everything else of the action is read from action.yml, not repeated here."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.github.fake import TOKEN, FakeGitHub

ROOT = Path(__file__).parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
SHA = {name: name * 40 for name in "abcdef0123456789"}


@dataclass(frozen=True)
class Ran:
    code: int
    log: str
    outputs: dict[str, str]
    summary: str
    env: dict[str, str]
    temp: Path

    def annotations(self, level: str) -> list[str]:
        return [line for line in self.log.splitlines() if line.startswith(f"::{level} ")]


@dataclass
class Runner:
    """One repository on one runner. `env` is added to every job."""

    github: FakeGitHub
    workspace: Path
    env: dict[str, str] = field(default_factory=dict)
    runs: int = 0

    def pull_request(self, number: int, sha: str, *, fork: str | None = None) -> dict[str, Any]:
        """The payload of a push to a pull request, which the fake GitHub then knows too."""
        self.github.open_pull(number, sha, head=fork)
        pull = {
            "number": number,
            "head": {"sha": sha, "ref": "change", "repo": {"full_name": fork or self.github.repository}},
            "base": {"sha": SHA["b"]},
        }
        return {"action": "synchronize", "number": number, "pull_request": pull}

    def job(
        self,
        event: str,
        payload: dict[str, Any],
        inputs: dict[str, str],
        during: Callable[[subprocess.Popen[str]], None] = lambda process: None,
        **env: str,
    ) -> Ran:
        """Run the action's `hfspace` step with these inputs. `during` may meddle with the running step."""
        self.runs += 1
        temp = self.workspace.parent / f"temp-{self.runs}"
        (temp / "hfspace-venv" / "bin").mkdir(parents=True)
        program = temp / "hfspace-venv" / "bin" / "python"
        program.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        program.chmod(0o755)
        files = {name: temp / name.lower() for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_ENV")}
        for path in files.values():
            path.touch()
        (temp / "event.json").write_text(json.dumps(payload))
        step = next(step for step in ACTION["runs"]["steps"] if step.get("id") == "run")
        surroundings = {
            **{name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}},
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": self.github.api_url,
            "GITHUB_SERVER_URL": self.github.root,
            "GITHUB_REPOSITORY": self.github.repository,
            "GITHUB_EVENT_NAME": event,
            "GITHUB_EVENT_PATH": str(temp / "event.json"),
            "GITHUB_SHA": SHA["f"],
            "GITHUB_RUN_ID": str(1000 + self.runs),
            "GITHUB_WORKSPACE": str(self.workspace),
            "RUNNER_TEMP": str(temp),
            "HF_HOME": str(temp / "hf"),
            **{name: str(path) for name, path in files.items()},
            **self.env,
            **env,
            **step_env(step, inputs, own_code=_own_code(event, payload, self.github.repository)),
        }
        with subprocess.Popen(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=self.workspace,
            env=surroundings,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            during(process)
            log, _ = process.communicate(timeout=90)
        return Ran(
            code=process.returncode,
            log=log,
            outputs=_outputs(files["GITHUB_OUTPUT"].read_text()),
            summary=files["GITHUB_STEP_SUMMARY"].read_text(),
            env=surroundings,
            temp=temp,
        )


_OWN_CODE = next(
    str(step["env"]["HFSPACE_OWN_CODE"]) for step in ACTION["runs"]["steps"] if step.get("id") == "run"
)


def _own_code(event: str, payload: dict[str, Any], repository: str) -> str:
    """What GitHub makes of _OWN_CODE: a property that is missing anywhere is null."""

    def names_us(*path: str) -> bool:
        value: Any = payload
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        return f"github.event.{'.'.join(path)} == github.repository" in _OWN_CODE and value == repository

    own = re.search(r"contains\(fromJSON\('(.*?)'\), github.event_name\)", _OWN_CODE)
    assert own, "the condition has another form"
    of_pull = names_us("pull_request", "head", "repo", "full_name")
    return str(
        event in json.loads(own[1]) or of_pull or names_us("workflow_run", "head_repository", "full_name")
    ).lower()


def step_env(step: dict[str, Any], inputs: dict[str, str], *, own_code: str = "true") -> dict[str, str]:
    """The step's env with its expressions filled in: only inputs, the job's token and one condition are
    known."""
    given = {name: str(item.get("default", "")) for name, item in ACTION["inputs"].items()}
    assert set(inputs) <= set(given), "no such input"
    given |= inputs

    def value(match: re.Match[str]) -> str:
        name = match[1].removeprefix("inputs.")
        return given[name] if name in given else TOKEN if match[1] == "github.token" else f"?{match[1]}?"

    def filled(text: str) -> str:
        return re.sub(r"\$\{\{ *([\w.-]+) *\}\}", value, text.replace(_OWN_CODE, own_code))

    return {name: filled(filled(str(text))) for name, text in step["env"].items()}


def _outputs(text: str) -> dict[str, str]:
    """The file of GITHUB_OUTPUT, read as the runner reads it."""
    found, lines = {}, iter(text.split("\n"))
    for line in lines:
        name, heredoc, delimiter = line.partition("<<")
        if heredoc:
            found[name] = "\n".join(iter(lambda end=delimiter: next(lines), delimiter))  # type: ignore[misc]
    return found
