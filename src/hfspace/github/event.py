"""What a GitHub Actions runner says about the job: the GITHUB_* variables and the event's payload."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hfspace.errors import UsageError

_REPOSITORY = re.compile(r"[A-Za-z0-9._-]+/[A-Za-z0-9._-]+")
_SHA = re.compile(r"[0-9a-f]{40,64}")
_OWN_EVENTS = frozenset(
    {"push", "schedule", "workflow_dispatch", "repository_dispatch", "release", "merge_group"}
)
"""Events about code that is in the repository already; action.yml has the same list."""
_LARGEST_PAYLOAD = 25 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """A pull request. `head_repository` is "" when the fork was deleted."""

    number: int
    head_sha: str
    head_repository: str
    base_sha: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowRun:
    """The run that a `workflow_run` event is about."""

    id: int
    head_sha: str
    head_repository: str
    head_branch: str
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowEvent:
    """The job's surroundings. `sha` is the commit that is spoken of: of a pull request its head, not the
    merge that was checked out."""

    name: str
    repository: str
    api_url: str
    server_url: str
    run_id: str
    sha: str
    pull: Pull | None = None
    run: WorkflowRun | None = None
    workspace: str = ""

    @property
    def from_fork(self) -> bool:
        """Whether the code may come from another repository: then no secret is in reach. An event that does
        not say where its code comes from may be about anybody's."""
        if self.pull is not None:
            return self.pull.head_repository != self.repository
        if self.run is not None:
            return self.run.head_repository != self.repository
        return self.name not in _OWN_EVENTS

    @property
    def run_url(self) -> str:
        """The page of this run, where its artifacts are; of the run before, for a `workflow_run`."""
        run = str(self.run.id) if self.run else self.run_id
        return f"{self.server_url}/{self.repository}/actions/runs/{run}" if run else ""


def read_event(env: Mapping[str, str]) -> WorkflowEvent:
    """The event as the runner describes it. Raises UsageError outside of GitHub Actions."""
    repository = env.get("GITHUB_REPOSITORY", "")
    if not _REPOSITORY.fullmatch(repository):
        raise UsageError(
            "GITHUB_REPOSITORY names no repository.", hint="This command is for GitHub Actions jobs."
        )
    payload = _payload(env.get("GITHUB_EVENT_PATH", ""))
    pull = _pull(payload.get("pull_request"))
    run = _run(payload.get("workflow_run"))
    sha = pull.head_sha if pull else run.head_sha if run else env.get("GITHUB_SHA", "")
    return WorkflowEvent(
        name=env.get("GITHUB_EVENT_NAME", ""),
        repository=repository,
        api_url=env.get("GITHUB_API_URL", "https://api.github.com").rstrip("/"),
        server_url=env.get("GITHUB_SERVER_URL", "https://github.com").rstrip("/"),
        run_id=env.get("GITHUB_RUN_ID", "") if env.get("GITHUB_RUN_ID", "").isdigit() else "",
        sha=sha,
        pull=pull,
        run=run,
        workspace=env.get("GITHUB_WORKSPACE", ""),
    )


def _payload(path: str) -> dict[str, Any]:
    if not path:
        return {}
    try:
        file = Path(path)
        if file.stat().st_size > _LARGEST_PAYLOAD:
            raise UsageError(f"The event's payload {path} is too large.")
        payload = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        raise UsageError(f"The event's payload {path} can't be read.") from None
    return payload if isinstance(payload, dict) else {}


def _pull(raw: Any) -> Pull | None:
    if not isinstance(raw, dict):
        return None
    try:
        return Pull(
            number=int(raw["number"]),
            head_sha=_sha(raw["head"]["sha"]),
            head_repository=_name(raw["head"].get("repo")),
            base_sha=_sha(raw.get("base", {}).get("sha", "")),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise UsageError("The event's payload describes no usable pull request.") from None


def _run(raw: Any) -> WorkflowRun | None:
    if not isinstance(raw, dict):
        return None
    try:
        return WorkflowRun(
            id=int(raw["id"]),
            head_sha=_sha(raw["head_sha"]),
            head_repository=_name(raw.get("head_repository")),
            head_branch=str(raw.get("head_branch") or ""),
        )
    except (KeyError, TypeError, ValueError):
        raise UsageError("The event's payload describes no usable workflow run.") from None


def _sha(text: object) -> str:
    return text if isinstance(text, str) and _SHA.fullmatch(text) else ""


def _name(raw: Any) -> str:
    return str(raw.get("full_name") or "") if isinstance(raw, dict) else ""
