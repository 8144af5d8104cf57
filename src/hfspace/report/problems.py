"""Problems of a manifest, as a compiler shows them: the place, the line, a caret, and what to do."""

from __future__ import annotations

from collections.abc import Sequence

from hfspace.errors import Problem
from hfspace.report.cells import counted, plain

_WIDEST = 160


def render_problems(problems: Sequence[Problem]) -> str:
    """All problems, then how many there were."""
    blocks = [render_problem(problem) for problem in problems]
    return "\n".join([*blocks, f"{counted(len(problems), 'problem')}; nothing was read from the Hub."])


def render_problem(problem: Problem) -> str:
    lines = [f"{plain(problem.place)}: {plain(problem.message)}"]
    if problem.source_line and problem.column and len(problem.source_line) <= _WIDEST:
        shown = plain(problem.source_line.replace("\t", " "))
        lines += [f"    {shown}", f"    {' ' * (problem.column - 1)}^"]
    if problem.hint:
        lines.append(f"    {plain(problem.hint)}")
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
