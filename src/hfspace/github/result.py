"""What an apply did, for the job: a summary in Markdown, annotations for what failed, lines for the log."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hfspace.github.annotate import Annotation
from hfspace.report.cells import counted
from hfspace.report.plan_markdown import code, folded
from hfspace.text import opening, plain

_MARKS = {"done": "✅", "failed": "❌", "not tried": "⏭️"}
_MOST = 200
_LOG_LINES = 20


def read(text: str) -> dict[str, Any] | None:
    """The document of `hfspace apply --format json`, None when it ended without one."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) and isinstance(document.get("outcomes"), list) else None


def headline(result: Mapping[str, Any]) -> str:
    """How it went, in one line."""
    outcomes = result["outcomes"]
    changes = sum(len(outcome["applied"]) for outcome in outcomes)
    left = [outcome for outcome in outcomes if outcome["status"] != "done"]
    word = "Interrupted" if result.get("interrupted") else "Failed" if left else "Done"
    text = f"{word}: {counted(changes, 'change')} made in {counted(len(outcomes) - len(left), 'Space')}"
    return f"{text}; {counted(len(left), 'Space')} failed or not tried." if left else f"{text}."


def summary(result: Mapping[str, Any]) -> str:
    """A table, what failed first, with the end of the log of what failed."""
    outcomes = sorted(result["outcomes"], key=lambda one: (one["status"] == "done", one["space"]))
    lines = ["## hfspace apply: result", "", f"**{headline(result)}**", ""]
    if not outcomes:
        return "\n".join(lines)
    lines += ["|  | Space | Changes | |", "| --- | --- | ---: | --- |"]
    for one in outcomes[:_MOST]:
        total = len(one["applied"]) + len(one["pending"])
        why = " ".join(code(one[name]) for name in ("error", "hint") if one.get(name))
        done = f"{len(one['applied'])} of {total}"
        lines.append(f"| {_MARKS.get(one['status'], '')} | {code(one['space'], 120)} | {done} | {why} |")
    if len(outcomes) > _MOST:
        lines.append(f"\n**{counted(len(outcomes) - _MOST, 'more Space')} not shown here.**")
    lines.append("")
    for one in outcomes[:_LOG_LINES]:
        if one.get("log_tail"):
            log = "<br>".join(code(line) for line in one["log_tail"][-_LOG_LINES:])
            lines.append(folded(f"Log of {code(one['space'], 120)}", log))
    return "\n".join(lines)


def failures(result: Mapping[str, Any]) -> list[Annotation]:
    """An error for each Space that failed, a warning for each that was not tried."""
    return [
        Annotation(
            level="error" if one["status"] == "failed" else "warning",
            title=one["space"],
            message=f"{one['error']} {one['hint']}".strip(),
        )
        for one in result["outcomes"]
        if one["status"] != "done"
    ]


def log(result: Mapping[str, Any]) -> str:
    """The same for the job's log."""
    lines = []
    for one in result["outcomes"]:
        if one["status"] != "done":
            lines.append(opening(f"{one['space']} {one['status']}: {one['error']}"))
            lines += [f"    {opening(one['hint'])}"] if one.get("hint") else []
            lines += [f"    | {plain(line)}" for line in one.get("log_tail") or ()]
    return "\n".join([*lines, plain(headline(result))])
