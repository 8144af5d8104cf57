"""The text of changed files as people read it: one below the other, or side by side."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher, unified_diff

from hfspace.model import FileDiff
from hfspace.report.cells import size
from hfspace.text import plain

_LONGEST_LINE = 400
_CONTEXT = 3


@dataclass(frozen=True, slots=True)
class Pair:
    """A line before and after, each with its number; None where one side has none. `kind` is same, changed,
    or gap for lines that are left out."""

    kind: str
    left: str | None = None
    right: str | None = None
    left_number: int | None = None
    right_number: int | None = None


def title(diff: FileDiff) -> str:
    """app.py  +3 −1; or its sizes, where the text is not shown."""
    path = plain(diff.path)
    word = "new, " if diff.before_size is None else "deleted, " if diff.after_size is None else ""
    if diff.why:
        sizes = [size(one) for one in (diff.before_size, diff.after_size) if one is not None]
        return f"{path}  {word}{' → '.join(sizes)} ({plain(diff.why)})"
    return f"{path}  {word}+{diff.added} −{diff.removed}"


def unified(diff: FileDiff) -> list[str]:
    """The lines that differ with some around them, each with +, - or a blank before it; none where the text
    is not known."""
    if diff.why:
        return []
    lines = unified_diff(_lines(diff.before), _lines(diff.after), n=_CONTEXT, lineterm="")
    return [line for number, line in enumerate(lines) if number > 1]  # without the two names


def side_by_side(diff: FileDiff) -> list[Pair]:
    """The same in two columns."""
    if diff.why:
        return []
    old, new = _lines(diff.before), _lines(diff.after)
    pairs: list[Pair] = []
    for number, group in enumerate(SequenceMatcher(None, old, new).get_grouped_opcodes(_CONTEXT)):
        pairs += [Pair("gap")] if number or group[0][1] > 0 or group[0][3] > 0 else []
        pairs += [pair for code in group for pair in _pairs(old, new, *code)]
    return pairs


def _pairs(old: list[str], new: list[str], kind: str, a: int, b: int, c: int, d: int) -> Iterator[Pair]:
    for index in range(max(b - a, d - c)):
        left, right = a + index, c + index
        yield Pair(
            "same" if kind == "equal" else "changed",
            old[left] if left < b else None,
            new[right] if right < d else None,
            left + 1 if left < b else None,
            right + 1 if right < d else None,
        )


def _lines(text: str | None) -> list[str]:
    return [plain(line.expandtabs(4), _LONGEST_LINE) for line in (text or "").splitlines()]
