"""The canonical layout of a manifest: keys in the order of the documentation, every comment kept.

Whole lines are moved and trimmed, nothing is rewritten; the result is compared with what was there before,
and given up when it does not read the same.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from hfspace.manifest.models import Policy, SpaceSpec
from hfspace.manifest.shape import TOP
from hfspace.manifest.yaml_bounds import LOADER, refusal

_SPACE = tuple(SpaceSpec.model_fields)
_POLICY = tuple(Policy.model_fields)


@dataclass(frozen=True, slots=True)
class _Move:
    """Lines [start, end) of a map, and the parts of it in their new order, as ranges of lines."""

    start: int
    end: int
    parts: tuple[tuple[int, int], ...]


def formatted(text: str) -> str:
    """`text` in the canonical layout, with the line ends that it has. Raises ValueError with the reason when
    it can't be laid out safely."""
    if not text.strip():
        return text
    line_end = "\r\n" if "\r\n" in text else "\n"
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    before = _read(text)
    try:
        for level in (0, 1, 2):
            # From the outside in: a move changes the lines of what is inside, so each level is read again.
            text = _ordered(text, level)
        text = _trimmed(text)
        same = _read(text) == before
    except (yaml.YAMLError, ValueError):
        same = False  # an alias that came to stand above its anchor, for one
    if not same:
        raise ValueError("its layout can't be changed without changing what it says")
    return text.replace("\n", line_end)


def _ordered(text: str, level: int) -> str:
    lines = text.split("\n")
    for move in sorted(_moves(yaml.compose(text, Loader=LOADER), level, lines), key=lambda move: -move.start):
        lines[move.start : move.end] = [line for start, end in move.parts for line in lines[start:end]]
    return "\n".join(lines)


def _read(text: str) -> str:
    """What the text says, without places and order, as a digest. Raises ValueError."""
    try:
        if refusal(text):
            raise ValueError("it is too deep or too large")
        return _digest(yaml.compose(text, Loader=LOADER), {})
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError("it is not valid YAML; see `hfspace validate`") from error


def _digest(node: Any, done: dict[int, str]) -> str:
    """One digest for each node: a node that many aliases name is read once."""
    if id(node) not in done:
        if isinstance(node, yaml.MappingNode):
            pairs = sorted(f"{_digest(key, done)}:{_digest(value, done)}" for key, value in node.value)
            described = f"map {pairs}"
        elif isinstance(node, yaml.SequenceNode):
            described = f"list {[_digest(one, done) for one in node.value]}"
        else:
            described = f"{node.tag} {node.value!r}" if node is not None else "nothing"
        done[id(node)] = hashlib.sha256(described.encode("utf-8", "surrogatepass")).hexdigest()
    return done[id(node)]


def _moves(root: Any, level: int, lines: Sequence[str]) -> list[_Move]:
    """The maps of one level whose keys are out of order: the file, its sections, its Spaces."""
    if not isinstance(root, yaml.MappingNode):
        return []
    sections = {key.value: value for key, value in root.value if isinstance(key, yaml.ScalarNode)}
    pairs: list[tuple[Any, Sequence[str]]] = []
    if level == 0:
        pairs.append((root, TOP))
    elif level == 1:
        pairs += [(sections.get("policy"), _POLICY), (sections.get("defaults"), _SPACE)]
    elif isinstance(sections.get("spaces"), yaml.MappingNode):
        pairs += [(value, _SPACE) for _, value in sections["spaces"].value]
    moves = [_move(node, order, lines) for node, order in pairs]
    return [move for move in moves if move is not None]


def _move(node: Any, order: Sequence[str], lines: Sequence[str]) -> _Move | None:
    """How to sort a block map; None where it is sorted, or is in braces, or shares a line with its parent."""
    if not isinstance(node, yaml.MappingNode) or node.flow_style or len(node.value) < 2:
        return None
    keys = [str(key.value) for key, _ in node.value]
    ranks = [order.index(key) if key in order else len(order) for key in keys]
    marks = [key.start_mark for key, _ in node.value]
    alone = all(not lines[mark.line][: mark.column].strip() for mark in marks)
    if ranks == sorted(ranks) or not alone or _anchored(node):
        return None
    starts = [_with_comments(lines, mark.line, mark.column) for mark in marks]
    first = marks[0].line
    if marks[0].column == 0:
        starts[0] = first  # what stands at the top of a file is about the file
    end = _end(node, lines)
    parts = list(zip(starts, [*starts[1:], end], strict=True))
    ordered = sorted(range(len(parts)), key=lambda at: (ranks[at], at))
    return _Move(starts[0], end, tuple(parts[at] for at in ordered))


def _anchored(node: Any) -> bool:
    """Merges and aliases depend on what stands above them: such a map stays as it is."""
    return any(key.tag.endswith(":merge") for key, _ in node.value)


def _with_comments(lines: Sequence[str], line: int, column: int) -> int:
    """The first line of a key: comments right above it, as deep as it is, belong to it."""
    while line > 0 and re.match(rf" {{{column}}}#", lines[line - 1]):
        line -= 1
    return line


def _end(node: Any, lines: Sequence[str]) -> int:
    """The line after a block map; blank lines and comments that follow it belong to what comes next."""
    line: int = min(node.end_mark.line, len(lines))
    while line > 0 and (not lines[line - 1].strip() or lines[line - 1].lstrip().startswith("#")):
        line -= 1
    return line


def _trimmed(text: str) -> str:
    """No blanks at the end of lines, one blank line at most, one newline at the end; texts are left alone."""
    kept = _texts(text)
    lines: list[str] = []
    for number, line in enumerate(text.split("\n")):
        stripped = line if number in kept else line.rstrip()
        if stripped or number in kept or (lines and lines[-1]):
            lines.append(stripped)
    return "\n".join(lines).rstrip("\n") + "\n"


def _texts(text: str) -> set[int]:
    """Lines inside a scalar of several lines, where blanks may mean something."""
    inside: set[int] = set()
    for event in yaml.parse(text, Loader=LOADER):
        start: Any = event.start_mark
        end: Any = event.end_mark
        if isinstance(event, yaml.ScalarEvent):
            inside.update(range(start.line, end.line))
    return inside
