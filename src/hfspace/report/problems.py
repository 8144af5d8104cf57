"""Problems of a manifest, as a compiler shows them: the place, the line, a caret, and what to do."""

from __future__ import annotations

from collections.abc import Sequence

from hfspace.errors import Problem
from hfspace.report.cells import counted
from hfspace.text import opening, plain, width

_MOST = 100
_LONGEST = 400
_WIDEST = 110
_BEFORE = 60


def render_problems(problems: Sequence[Problem]) -> str:
    """The first hundred problems, then how many there were."""
    blocks = [render_problem(problem) for problem in problems[:_MOST]]
    if len(problems) > _MOST:
        blocks.append(f"… and {len(problems) - _MOST:,} more")
    return "\n".join([*blocks, f"{counted(len(problems), 'problem')}; nothing was read from the Hub."])


def render_problem(problem: Problem) -> str:
    lines = [f"{_cut(opening(problem.place))}: {_cut(plain(problem.message))}"]
    if problem.source_line.strip() and problem.column:
        lines += _pointed(problem.source_line.replace("\t", " "), problem.column - 1)
    if problem.hint:
        lines.append(f"    {_cut(opening(problem.hint))}")
    return "\n".join(lines)


def to_json(problems: Sequence[Problem]) -> list[dict[str, object]]:
    return [
        {
            "file": problem.file,
            "line": problem.line,
            "column": problem.column,
            "message": problem.message,
            "hint": problem.hint,
        }
        for problem in problems
    ]


def _pointed(line: str, at: int) -> list[str]:
    """The line, or as much of it as fits around the place, with a caret below the place."""
    start = max(0, at - _BEFORE) if len(line) > _WIDEST else 0
    part = line[start : start + _WIDEST]
    before = "…" if start else ""
    after = "…" if start + _WIDEST < len(line) else ""
    head = opening(f"{before}{part}")
    caret = width(before + plain(line[start:at])) + width(head) - width(plain(f"{before}{part}"))
    return [f"    {head}{after}".rstrip(), f"    {' ' * caret}^"]


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
