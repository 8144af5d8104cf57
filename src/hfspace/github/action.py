"""What action.yml runs: its inputs from the environment, hfspace as a child process, and what is reported.

The child's output goes to the log between `::stop-commands::`, so that no text of a Space can be taken for a
workflow command.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hfspace.errors import HfspaceError, Problem, UsageError
from hfspace.github import annotate, comment, drift_issue, outputs, result, summary
from hfspace.github.client import GitHub
from hfspace.github.event import WorkflowEvent, read_event
from hfspace.manifest.environment import NAMES_VARIABLE
from hfspace.model import Check, Plan
from hfspace.planner.saved import load
from hfspace.redaction import TOKENS
from hfspace.text import plain

COMMANDS = ("validate", "plan", "apply", "drift")
FAIL_ON = ("changes", "checks", "policy", "unknown", "never")
_PREFIX = "HFSPACE_INPUT_"
_RUNNERS = {
    "GITHUB_TOKEN",
    "GITHUB_OUTPUT",
    "GITHUB_ENV",
    "GITHUB_PATH",
    "GITHUB_STATE",
    "GITHUB_STEP_SUMMARY",
}
_SHARD = re.compile(r"[0-9]{1,6}/[0-9]{1,6}")

Echo = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """The action's inputs. `options` are the manifest options that every command takes."""

    command: str
    options: tuple[str, ...]
    selection: tuple[str, ...]
    name: str
    author: str
    comment: bool
    fail_on: frozenset[str]
    base_path: str
    allow_delete: bool
    env_names: str


def read_inputs(env: Mapping[str, str]) -> Inputs:
    """The inputs as action.yml passes them. Raises UsageError naming the one that makes no sense."""
    given = {key.removeprefix(_PREFIX).lower(): item for key, item in env.items() if key.startswith(_PREFIX)}
    command = given.get("command", "").strip() or "plan"
    if command not in COMMANDS:
        raise UsageError(f"Input command is '{command}'.", hint=f"Write one of {', '.join(COMMANDS)}.")
    fail_on = frozenset(part.strip() for part in given.get("fail_on", "").split(",") if part.strip())
    if unknown := fail_on - set(FAIL_ON):
        raise UsageError(f"Input fail-on is '{min(unknown)}'.", hint=f"Write one of {', '.join(FAIL_ON)}.")
    shard = given.get("shard", "").strip()
    if shard and not _SHARD.fullmatch(shard):
        raise UsageError(f"Input shard is '{shard}'.", hint="Write 2/8 for the second of eight.")
    files, overlays = _lines(given.get("files", "")), _lines(given.get("overlay", ""))
    overlays += _lines(given.get("policy", ""))
    targets = _lines(given.get("target", ""))
    return Inputs(
        command=command,
        options=(*(f"--file={one}" for one in files), *(f"--overlay={one}" for one in overlays)),
        selection=(*(f"--target={one}" for one in targets), *([f"--shard={shard}"] if shard else [])),
        name=given.get("name", "").strip() or _name(files or ["spaces.yaml"], overlays, shard),
        author=given.get("author", "").strip() or comment.AUTHOR,
        comment=_flag("comment", given.get("comment", "")),
        fail_on=fail_on or frozenset({"checks"}),
        base_path=given.get("base_path", "").strip(),
        allow_delete=_flag("allow-delete", given.get("allow_delete", "")),
        env_names=",".join(given.get("env", "").replace(",", " ").split()),
    )


def run(env: Mapping[str, str], echo: Echo, direct: Echo) -> int:
    """The whole action; its exit code. `echo` prints text, `direct` a workflow command.

    Raises HfspaceError for what is wrong with the job itself.
    """
    job = Job(read_inputs(env), read_event(env), env, echo, direct)
    if job.event.from_fork:
        if job.inputs.command not in {"validate", "plan"}:
            raise UsageError(
                f"An event that may be about a fork's code may not run '{job.inputs.command}'.",
                hint="Run it on the default branch, after the merge.",
            )
        echo("This run may be about a fork's code: its plan is made without any token.")
    if not job.validate():
        return 1
    if job.inputs.command == "validate":
        return 0
    plan = job.plan()
    if plan is None:
        return 1
    code = job.report(plan)
    if job.inputs.command == "apply":
        return 1 if plan.breaches else code if plan.is_empty else job.apply(plan)
    return code


class Job:
    """One run of the action."""

    def __init__(
        self, inputs: Inputs, event: WorkflowEvent, env: Mapping[str, str], echo: Echo, direct: Echo
    ) -> None:
        self.inputs, self.event = inputs, event
        self._env, self._echo, self._direct = env, echo, direct
        self._temp = Path(env.get("RUNNER_TEMP") or ".").resolve()
        self.plan_path = self._temp / "hfspace-plan.json"

    def validate(self) -> bool:
        """True when the manifest can be used; its problems become annotations and, on a pull request, the
        comment. On its own it judges by the target branch's policy, as a plan does."""
        alone = self.inputs.command == "validate"
        judged_by = self._judged_by() if alone else []
        done = self._child(["validate", *self.inputs.options, *judged_by, "--format=json"], capture=True)
        try:
            document = json.loads(done.stdout)
            problems, readable, warnings = (
                document["problems"],
                document["readable"],
                document.get("warnings", []),
            )
        except (ValueError, KeyError, TypeError):
            raise HfspaceError("The manifest could not be checked.", hint="The log above says why.") from None
        self._annotate(annotate.problem_annotations(warnings, level="warning"))
        if readable and (not problems or not alone):
            # A policy that the declarations breach is a check of the plan too, with its price.
            self._echo("The manifest is valid." if not problems else "The manifest breaches its policy.")
            return not (warnings and "policy" in self.inputs.fail_on)
        self._annotate(annotate.problem_annotations(problems))
        text = comment.problems_body(tuple(_problem(item) for item in problems), self._said(""))
        if self.inputs.command == "plan":
            self._comment(lambda previous: text)
        return False

    def plan(self) -> Plan | None:
        """The plan, saved for the steps that follow; None when none could be made. People who review it get
        the text of the files that change."""
        diff = ["--diff"] if self.inputs.command == "plan" else []
        return self._planned(self.plan_path, None, [*diff, *self._judged_by()])

    def _judged_by(self) -> list[str]:
        return [f"--base={self.inputs.base_path}"] if self._has_base() else []

    def base_plan(self) -> Plan | None:
        """The plan of the target branch's manifest, if a checkout of it was given."""
        if not self._has_base():
            return None
        return self._planned(self._temp / "hfspace-base.json", self.inputs.base_path, shown=False)

    def _has_base(self) -> bool:
        return bool(self.inputs.base_path) and self.event.pull is not None

    def report(self, plan: Plan) -> int:
        """Outputs, annotations, summary, comment or issue; the exit code that fail-on asks for."""
        values = outputs.plan_outputs(plan) | {"plan-path": str(self.plan_path), "comment-url": ""}
        self._annotate(annotate.plan_annotations(plan))
        self._summarise(summary.summary(plan, title=f"hfspace {self.inputs.command}"))
        try:
            if self.inputs.command == "plan":
                base = self.base_plan() if self._may_comment() else None
                url = self._comment(lambda previous: comment.body(plan, self._said(previous), base))
                values["comment-url"] = url
            elif self.inputs.command == "drift":
                values["comment-url"] = self._issue(plan)
        finally:
            if path := self._env.get("GITHUB_OUTPUT"):
                outputs.write_outputs(path, values)
        return exit_code(plan, self.inputs.fail_on)

    def apply(self, plan: Plan) -> int:
        """Carry out the plan that was reported, and say how it went."""
        audit = self._temp / "hfspace-audit.ndjson"
        delete = ["--allow-delete"] if self.inputs.allow_delete else []
        unknown = [] if "unknown" in self.inputs.fail_on else ["--allow-unknown"]
        wanted = ["--yes", "--quiet", "--format=json", f"--audit-log={audit}", *delete, *unknown]
        done = self._child(["apply", *self.inputs.options, *wanted, str(self.plan_path)], capture=True)
        document = result.read(done.stdout)
        if document is not None:
            self._echo(result.log(document))
            self._annotate(result.failures(document))
            self._summarise(result.summary(document))
        return done.returncode

    def _summarise(self, text: str) -> None:
        if path := self._env.get("GITHUB_STEP_SUMMARY"):
            summary.write_summary(path, text)

    def _planned(
        self, path: Path, cwd: str | None, extra: Sequence[str] = (), *, shown: bool = True
    ) -> Plan | None:
        path.unlink(missing_ok=True)
        arguments = ["plan", *self.inputs.options, *self.inputs.selection, *extra, f"--out={path}"]
        self._child(arguments, cwd=cwd, capture=not shown)
        return load(path) if path.exists() else None

    def _may_comment(self) -> bool:
        return self.inputs.comment and self.event.pull is not None and not self.event.from_fork

    def _comment(self, text: Callable[[str], str | None]) -> str:
        """Write the comment. That it can't be written is a warning: the plan was made all the same."""
        pull = self.event.pull
        if pull is None or not self._may_comment():
            return ""
        try:
            with self._github() as github:
                if not comment.is_current(github, self.event, pull.number, pull.head_sha):
                    self._echo("The pull request has moved on: its newer run writes the comment.")
                    return ""
                return comment.publish(
                    github, self.event, pull.number, text, self.inputs.name, author=self.inputs.author
                )
        except HfspaceError as error:
            why = f"There is no comment: {error}"
            self._annotate([annotate.Annotation(level="warning", title="hfspace", message=why)])
            return ""

    def _issue(self, plan: Plan) -> str:
        with self._github() as github:
            return drift_issue.publish(
                github,
                self.event,
                plan,
                name=self.inputs.name,
                run_url=self.event.run_url,
                author=self.inputs.author,
            )

    def _said(self, previous: str) -> comment.Said:
        return comment.Said(
            name=self.inputs.name,
            sha=self.event.sha,
            artifact_url=self.event.run_url,
            previous=previous,
        )

    def _github(self) -> GitHub:
        return GitHub(self.event.api_url, self._env.get("GITHUB_TOKEN", ""))

    def _annotate(self, annotations: Sequence[annotate.Annotation]) -> None:
        if text := annotate.render(annotations, workspace=self.event.workspace):
            self._direct(text)

    def _child(
        self, arguments: Sequence[str], *, cwd: str | None = None, capture: bool = False
    ) -> subprocess.CompletedProcess[str]:
        """Run hfspace; neither the inputs nor the GitHub token are in its environment."""
        env = child_env(self._env, from_fork=self.event.from_fork)
        env[NAMES_VARIABLE] = "" if self.event.from_fork else self.inputs.env_names
        token = secrets.token_hex(16)
        self._direct(f"::stop-commands::{token}")
        try:
            return _run([sys.executable, "-I", "-m", "hfspace", *arguments], env, cwd, capture=capture)
        except OSError as error:
            raise UsageError(f"hfspace can't run in '{cwd}': {error.strerror}.") from None
        finally:
            self._direct(f"::{token}::")


def _run(
    command: list[str], env: Mapping[str, str], cwd: str | None, *, capture: bool
) -> subprocess.CompletedProcess[str]:
    """Run a child to its end. When the job is cancelled the child is asked to stop and waited for: an apply
    ends the requests in flight, and says what was done."""
    pipe = subprocess.PIPE if capture else None
    with subprocess.Popen(command, env=env, cwd=cwd, text=True, stdout=pipe) as child:  # noqa: S603 - our own
        try:
            said, _ = child.communicate()
        except KeyboardInterrupt:
            child.send_signal(signal.SIGTERM)
            said, _ = child.communicate()
    return subprocess.CompletedProcess(command, child.returncode, said or "")


def child_env(env: Mapping[str, str], *, from_fork: bool) -> dict[str, str]:
    """The environment of hfspace as a child. A fork's pull request gets no token, even where the repository's
    settings would hand it one, or a login lies on the runner's disk."""
    hidden = _RUNNERS | TOKENS | {"ACTIONS_ID_TOKEN_REQUEST_URL"} if from_fork else _RUNNERS
    kept = {
        key: item
        for key, item in env.items()
        if key not in hidden and not key.startswith(_PREFIX) and (key != "HF_TOKEN" or item)
    }
    return kept | {"HF_TOKEN_PATH": os.devnull} if from_fork else kept


def exit_code(plan: Plan, fail_on: frozenset[str]) -> int:
    """1 when something that `fail_on` names is there."""
    outputs = {
        "changes": bool(plan.changes),
        "checks": bool(plan.errors),
        "policy": any(_is_policy(check) for check in plan.checks),
        "unknown": bool(plan.unknowns),
    }
    return int(any(outputs.get(name, False) for name in fail_on))


def _is_policy(check: Check) -> bool:
    """Whether a policy is broken or changed; one that refuses a single Space too."""
    return check.scope == "policy" or (check.of_policy and check.severity == "error")


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _name(files: list[str], overlays: list[str], shard: str) -> str:
    parts = [", ".join(files), *overlays, *([f"shard {shard}"] if shard else [])]
    return plain(" + ".join(parts))[:200]


def _flag(name: str, text: str) -> bool:
    known = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False, "": False}
    if text.strip().lower() not in known:
        raise UsageError(f"Input {name} is '{text}'.", hint="Write true or false.")
    return known[text.strip().lower()]


def _problem(item: Mapping[str, object]) -> Problem:
    return Problem(
        file=str(item.get("file", "")),
        line=int(str(item.get("line") or 0)),
        column=int(str(item.get("column") or 0)),
        message=str(item.get("message", "")),
        hint=str(item.get("hint", "")),
    )
