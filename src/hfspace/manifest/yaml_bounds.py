"""Whether a YAML text may be composed at all: the composer recurses in C, where too much nesting ends the
interpreter without a word. So depth and size are counted on the stream of events, which does not recurse."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import yaml

MOST_NODES = 200_000
DEEPEST = 50
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NOT_YAML = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_BRACKET = re.compile(
    r"""(?<![^\s\[\]{},:])(?:'(?:[^']|'')*'|"(?:[^"\\]|\\.)*")|(?:^|(?<=\s))\#[^\n]*|(?P<bracket>[][{}])""",
    re.MULTILINE | re.DOTALL,
)
_LINE_END = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Mark:
    """A place as yaml counts it: line and column from 0."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundExceeded:
    """Why a text is not composed, where that shows first, and what to do."""

    message: str
    hint: str
    mark: Any


def refusal(text: str) -> BoundExceeded | None:
    """The first thing that makes `text` unfit to be composed. Raises yaml.YAMLError for broken syntax."""
    return _character(text) or _deep_brackets(text) or _bounds(text)


def mark_at(text: str, offset: int) -> Mark:
    """The place of a character."""
    line, start = 0, 0
    for end in _LINE_END.finditer(text, 0, offset):
        line, start = line + 1, end.end()
    return Mark(line, offset - start)


def _character(text: str) -> BoundExceeded | None:
    """What no YAML text may hold, not even in a comment."""
    match = _NOT_YAML.search(text)
    if not match:
        return None
    code = ord(match[0])
    mark = mark_at(text, match.start())
    if code == 0:
        hint = "Name the manifest, or save it as UTF-8."
        return BoundExceeded(message="holds a zero byte: this is binary data or UTF-16", hint=hint, mark=mark)
    name = "a byte order mark in the middle" if code == 0xFEFF else f"the control character U+{code:04X}"
    return BoundExceeded(message=f"holds {name}", hint="Remove it.", mark=mark)


def _deep_brackets(text: str) -> BoundExceeded | None:
    """Too many brackets, found in the part of `text` that no parser gives up on by a limit of its own.

    A parser reads ahead, and may refuse deep brackets in its own words before it tells of the first. In
    what goes before twice our depth (brackets in plain text counted too) it can't be at its limit.
    """
    depth = 0
    for match in _BRACKET.finditer(text):
        if not match["bracket"]:
            continue
        depth = max(0, depth + (1 if match["bracket"] in "[{" else -1))
        if depth > 2 * DEEPEST:
            try:
                return _bounds(text[: match.end()])
            except yaml.YAMLError:
                return None  # they were text, or something else is wrong before them: the whole will tell
    return None


def _bounds(text: str) -> BoundExceeded | None:
    depth = count = 0
    for event in yaml.parse(text, Loader=LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
            continue
        count += isinstance(event, yaml.NodeEvent)
        if depth > DEEPEST:
            return BoundExceeded(
                message=f"is nested more than {DEEPEST} deep",
                hint="No manifest needs more than 10: look for a bracket that nobody closed.",
                mark=event.start_mark,
            )
        if count > MOST_NODES:
            return BoundExceeded(
                message=f"holds more than {MOST_NODES:,} values",
                hint="Split it into several files.",
                mark=event.start_mark,
            )
    return None
