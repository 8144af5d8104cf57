"""The result of an apply: what was done, what failed, what was not tried, and what to do next."""

from __future__ import annotations

from typing import Any

from hfspace.model import ApplyResult, Outcome, Status
from hfspace.report.cells import counted
from hfspace.text import opening, plain


def render(result: ApplyResult, *, color: bool = False) -> str:
    """A summary; failures in full, with the end of the log where there is one."""
    lines: list[str] = []
    for outcome in result.outcomes:
        if outcome.status is not Status.DONE:
            lines += _failure(outcome)
    done = [outcome for outcome in result.outcomes if outcome.status is Status.DONE]
    failed = [outcome for outcome in result.outcomes if outcome.status is Status.FAILED]
    untried = [outcome for outcome in result.outcomes if outcome.status is Status.NOT_TRIED]
    changes = sum(len(outcome.applied) for outcome in result.outcomes)
    head = (
        "Interrupted" if result.interrupted else "Failed" if failed else "Not finished" if untried else "Done"
    )
    counts = [f"{counted(len(done), 'Space')} done"]
    counts += [
        f"{len(items)} {word}" for items, word in ((failed, "failed"), (untried, "not tried")) if items
    ]
    lines.append(f"{head}: {counted(changes, 'change')} made; {', '.join(counts)}.")
    if not result.interrupted and (failed or untried) and all(item.final for item in (*failed, *untried)):
        lines.append("The same run again ends the same way: first mend what is said above.")
    elif result.failed or result.interrupted:
        lines.append("Run the same command again to do the rest; what is done is not done twice.")
    return "\n".join(lines)


def to_json(result: ApplyResult) -> dict[str, Any]:
    """Plain JSON values."""
    return {
        "format_version": 1,
        "exit_code": result.exit_code,
        "interrupted": result.interrupted,
        "outcomes": [
            {
                "space": outcome.space,
                "status": str(outcome.status),
                "stage": outcome.stage,
                "seconds": round(outcome.seconds, 1),
                "applied": [change.address for change in outcome.applied],
                "pending": [change.address for change in outcome.pending],
                "error": outcome.error,
                "final": outcome.final,
                "hint": outcome.hint,
                "log_tail": list(outcome.log_tail),
            }
            for outcome in result.outcomes
        ],
    }


def _failure(outcome: Outcome) -> list[str]:
    word = "failed" if outcome.status is Status.FAILED else "not tried"
    lines = [f"{opening(outcome.space)} {word}: {plain(outcome.error)}"]
    if outcome.hint:
        lines.append(f"    {opening(outcome.hint)}")
    lines += [f"    | {plain(line)}" for line in outcome.log_tail]
    if outcome.pending and outcome.status is Status.FAILED:
        lines.append(f"    left: {plain(', '.join(change.address for change in outcome.pending))}")
    return lines
