"""The one issue about drift: opened when the Hub differs, kept up to date, closed when it does not."""

from __future__ import annotations

import hashlib
from typing import Any

from hfspace.github.client import GitHub, GitHubError
from hfspace.github.comment import AUTHOR, LONGEST
from hfspace.github.event import WorkflowEvent
from hfspace.model import Plan
from hfspace.report.cells import counted
from hfspace.report.plan_markdown import code, render
from hfspace.text import plain

LABEL = "hfspace-drift"


def marker(name: str) -> str:
    digest = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:16]
    return f"<!-- hfspace:drift:{digest} -->"


def body(plan: Plan, *, name: str, run_url: str = "") -> str | None:
    """The issue's text, or None when the Hub is as declared. Pure."""
    if plan.is_empty and not plan.checks:
        return None
    opening = [
        marker(name),
        f"The Hub is not what {code(name)} says. To put it right, run the apply workflow; to keep what is "
        "there, change the manifest. This issue is updated by every check and closed when nothing differs.",
        "",
    ]
    closing = f"\n<sub>[last check]({run_url})</sub>\n" if run_url else ""
    room = LONGEST - len(closing) - sum(len(line) + 1 for line in opening)
    return "\n".join([*opening, render(plan, limit=room)]) + closing


def title(plan: Plan, name: str) -> str:
    spaces = {change.space for change in plan.changes} | {check.space for check in plan.checks if check.space}
    return f"Drift: {counted(len(spaces), 'Space')} of {plain(name)} not as declared"[:250]


def publish(
    github: GitHub, event: WorkflowEvent, plan: Plan, *, name: str, run_url: str = "", author: str = AUTHOR
) -> str:
    """Open, update or close the issue of `name`; its URL, or "" when there is and was none."""
    issues = f"/repos/{event.repository}/issues"
    text = body(plan, name=name, run_url=run_url)
    mine = _open(github, issues, name, author)
    if text is None:
        for issue in mine:
            note = "Nothing differs any more: the Hub is as declared."
            github.post(f"{issues}/{issue['number']}/comments", {"body": note})
            github.patch(f"{issues}/{issue['number']}", {"state": "closed", "state_reason": "completed"})
        return str(mine[0].get("html_url", "")) if mine else ""
    content: dict[str, Any] = {"title": title(plan, name), "body": text}
    if not mine:
        made = _opened(github, issues, name, author, {**content, "labels": [LABEL]})
        return str(made.get("html_url", ""))
    github.patch(f"{issues}/{mine[0]['number']}", content)
    for extra in mine[1:]:  # two runs raced: the oldest stays
        github.patch(f"{issues}/{extra['number']}", {"state": "closed", "state_reason": "not_planned"})
    return str(mine[0].get("html_url", ""))


def _opened(github: GitHub, issues: str, name: str, author: str, content: dict[str, Any]) -> dict[str, Any]:
    try:
        return github.post(issues, content)
    except GitHubError as error:
        if not error.unknown:
            raise
        # The answer was lost: the issue may be there all the same.
        again = _open(github, issues, name, author)
        return again[0] if again else github.post(issues, content)


def _open(github: GitHub, issues: str, name: str, author: str) -> list[dict[str, Any]]:
    """Open issues of ours about `name`, the oldest first; by somebody else the marker means nothing."""
    params = {"state": "open", "labels": LABEL, "sort": "created", "direction": "asc"}
    return [
        issue
        for issue in github.pages(issues, params)
        if "pull_request" not in issue
        and str(issue.get("body") or "").startswith(marker(name))
        and str((issue.get("user") or {}).get("login", "")) == author
    ]
