"""The one comment on a pull request: what it says, and how it is found again, updated and removed."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hfspace.errors import Problem
from hfspace.github.client import GitHub, GitHubError
from hfspace.github.event import WorkflowEvent
from hfspace.github.split import Split, split
from hfspace.model import Plan
from hfspace.planner import guardrails
from hfspace.report.cells import counted, html
from hfspace.report.plan_markdown import (
    changes_table,
    checks_table,
    code,
    cost_table,
    exemptions,
    folded,
    footer,
    headline,
    names,
)
from hfspace.report.plan_view import result_of
from hfspace.report.timing import timing

LONGEST = 65_000
"""Characters of a comment; GitHub takes 65,536."""

AUTHOR = "github-actions[bot]"
_STATE = re.compile(r"<!-- hfspace:state (\{[^<>]{0,30000}\}) -->")
_MOST_STATES = 400
_HALF = 6
_MOST_GUARDRAILS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a comment is about, beside the plan. `artifact_url` is where all of it can be read."""

    name: str
    sha: str
    artifact_url: str = ""
    from_fork: bool = False
    previous: str = ""


def body(plan: Plan, said: Said, base: Plan | None = None) -> str | None:
    """The comment, or None when there is nothing to say. Pure."""
    if plan.is_empty and not plan.checks:
        return None
    parted = split(plan, base)
    opening = [
        marker(said.name),
        _state(plan),
        *_guardrails(plan),
        f"### {code(said.name)}: {headline(plan)}",
        "",
        *_notes(plan, parted, said),
    ]
    cost = [folded("Cost", cost_table(plan)), *exemptions(plan)]
    closing = [*cost, *map(html, timing(plan)), footer(plan), _closing(said)]
    left = LONGEST - sum(len(line) + 1 for line in (*opening, *closing)) - 1_000
    return "\n".join([*opening, *_sections(parted, left, compared=base is not None), *closing])


def problems_body(problems: tuple[Problem, ...], said: Said) -> str:
    """The comment about a manifest that can't be used."""
    rows, left = [], LONGEST - 3_000
    for problem in problems:
        hint = f" {code(problem.hint)}" if problem.hint else ""
        row = f"- {code(problem.place)}: {code(problem.message)}{hint}"
        left -= len(row) + 1
        if left < 0:
            break
        rows.append(row)
    rest = len(problems) - len(rows)
    more = [f"\n**{counted(rest, 'more problem')} not shown here.**"] if rest else []
    title = (
        f"### {code(said.name)}: {counted(len(problems), 'problem')} in the manifest, no plan could be made"
    )
    return "\n".join([marker(said.name), title, "", *rows, *more, "", _closing(said)])


def marker(name: str) -> str:
    """Hidden in the comment; the manifest's name keeps several in one repository apart."""
    digest = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:16]
    return f"<!-- hfspace:comment:{digest} -->"


def publish(
    github: GitHub,
    event: WorkflowEvent,
    number: int,
    write: Callable[[str], str | None],
    name: str,
    *,
    author: str = AUTHOR,
) -> str:
    """Create, update or delete the comment of `name`; its URL, or "" when there is none.

    `write` makes its text, None for no comment, of what it says now ("" where there is none yet). Only a
    comment by `author` counts: anybody can write the marker into a comment of their own.
    """
    place = f"/repos/{event.repository}/issues"
    mine = found(github, event, number, name, author=author)
    text = write(str(mine[0].get("body") or "") if mine else "")
    for extra in mine[1:]:  # two runs raced: the oldest stays
        github.delete(f"{place}/comments/{extra['id']}")
    if text is None:
        if mine:
            github.delete(f"{place}/comments/{mine[0]['id']}")
        return ""
    if mine:
        if mine[0].get("body") != text:
            github.patch(f"{place}/comments/{mine[0]['id']}", {"body": text})
        return str(mine[0].get("html_url", ""))
    try:
        comment = github.post(f"{place}/{number}/comments", {"body": text})
    except GitHubError as error:
        if not error.unknown:
            raise
        # The answer was lost: the comment may be there all the same.
        again = found(github, event, number, name, author=author)
        comment = again[0] if again else github.post(f"{place}/{number}/comments", {"body": text})
    return str(comment.get("html_url", ""))


def found(
    github: GitHub, event: WorkflowEvent, number: int, name: str, *, author: str = AUTHOR
) -> list[dict[str, Any]]:
    """Comments of ours about `name`, the oldest first."""
    return [
        comment
        for comment in github.pages(f"/repos/{event.repository}/issues/{number}/comments")
        if str(comment.get("body") or "").startswith(marker(name))
        and str((comment.get("user") or {}).get("login", "")) == author
    ]


def is_current(github: GitHub, event: WorkflowEvent, number: int, sha: str) -> bool:
    """False when the pull request has moved on: a slow run must not overwrite a newer one's comment."""
    pull = github.get(f"/repos/{event.repository}/pulls/{number}")
    head = pull.get("head") or {}
    return not sha or head.get("sha") == sha


def _sections(parted: Split, left: int, *, compared: bool) -> list[str]:
    lines: list[str] = []
    after = " by this pull request" if compared else ""
    for title, checks, shown in (
        (after, parted.checks_mine, True),
        (" before this pull request", parted.checks_before, False),
    ):
        if checks:
            table = checks_table(checks, left // 3)
            lines.append(folded(f"{result_of(checks)}{title}", table, shown=shown))
            left -= len(lines[-1]) + 1
    share = left if not parted.before else left * 3 // 4 if parted.mine else 0
    if parted.mine:
        count = _count(parted.mine)
        title = f"This pull request changes: {count}" if compared else f"Changes: {count}"
        lines.append(folded(title, changes_table(parted.mine, share), shown=len(parted.mine) <= 20))
        left -= len(lines[-1]) + 1
    if parted.before:
        title = f"Differed before this pull request: {_count(parted.before)}"
        lines.append(folded(title, changes_table(parted.before, left)))
    return lines


def _notes(plan: Plan, parted: Split, said: Said) -> list[str]:
    notes = []
    if said.from_fork:
        notes.append(
            "This plan comes from a fork: it was made without any token by code of the pull request, "
            "so it is a preview and not a proof."
        )
    if moved := _moved(plan, said.previous):
        notes.append(f"The Hub moved since the last plan of this pull request: {names(moved)}.")
    if parted.settled:
        spaces = names(change.space for change in parted.settled)
        notes.append(f"This pull request takes back {_count(parted.settled)} pending without it: {spaces}.")
    return [line for note in notes for line in (f"> {note}", "")]


def _guardrails(plan: Plan) -> list[str]:
    """What everybody is to see first: that the pull request changes what it is judged by."""
    messages = [code(check.message) for check in plan.checks if check.address == guardrails.ADDRESS]
    if not messages:
        return []
    rest = len(messages) - _MOST_GUARDRAILS
    more = [f"and {rest} more"] if rest > 0 else []
    return [f"> ⚠️ **Guardrails:** {'; '.join([*messages[:_MOST_GUARDRAILS], *more])}", ""]


def _count(changes: tuple[Any, ...]) -> str:
    spaces = len({change.space for change in changes})
    return f"{counted(len(changes), 'change')} in {counted(spaces, 'Space')}"


def _closing(said: Said) -> str:
    commit = f"Commit {code(said.sha[:10])}" if said.sha else "No commit"
    full = f" · [full plan]({_url(said.artifact_url)})" if said.artifact_url else ""
    return f"<sub>{commit}{full}</sub>\n"


def _url(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9:/._~%?=&+-]", "", text)


def _state(plan: Plan) -> str:
    """Hashes of the Spaces' states, to say at the next push what moved on the Hub meanwhile."""
    states = {_short(space): _halves(state) for space, state in sorted(plan.snapshot.items())}
    if len(states) > _MOST_STATES:
        states = {}
    kept = json.dumps({"manifest": _short(plan.manifest.sha256), "spaces": states}, separators=(",", ":"))
    return f"<!-- hfspace:state {kept} -->"


def _moved(plan: Plan, previous: str) -> list[str]:
    """Spaces that differ from what `previous` saw. Another manifest has other things read: then only what
    every look shows is compared."""
    match = _STATE.search(previous)
    try:
        before = json.loads(match[1]) if match else None
        spaces = before["spaces"] if isinstance(before, dict) else None
    except (KeyError, ValueError, RecursionError):
        return []
    if not isinstance(before, dict) or not isinstance(spaces, dict):
        return []
    same = before.get("manifest") == _short(plan.manifest.sha256)
    end = None if same else _HALF
    return [
        space
        for space, state in plan.snapshot.items()
        if str(spaces.get(_short(space), _halves(state)))[:end] != _halves(state)[:end]
    ]


def _halves(state: str) -> str:
    """The two halves of a Space's fingerprint, shortened."""
    return state[:_HALF] + state[16 : 16 + _HALF]


def _short(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:8]
