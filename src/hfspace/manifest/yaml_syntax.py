"""What a YAML parser complains about, in the words of somebody who writes manifests."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml

_CONFLICT = re.compile(r"<<<<<<< |>>>>>>> |=======$")
_BACKSLASH = "Use single quotes, or write \\\\ for a backslash."
_BY_WORDS = (
    ("tab character", "a tab stands where spaces belong", "YAML is indented with spaces, never with tabs."),
    ("escape character", "a double-quoted text holds an unknown escape", _BACKSLASH),
    ("hexdec", "a double-quoted text holds a broken \\x or \\u", _BACKSLASH),
    ("block scalar", "after | or > the line must end", "Put the text into the lines below, indented."),
    (
        "sequence entries are not allowed",
        "a list can't begin here",
        "Put '- ' on a line of its own, or write [a, b].",
    ),
    (
        "'-' indicator",
        "a key stands where the next '- ' of a list was expected",
        "Indent it, or begin it with '- '.",
    ),
    ("directive", "a line that begins with % is a YAML directive", "Remove it, or quote the value."),
    ("incompatible YAML", "this is another version of YAML", "Remove the line %YAML."),
    ("tag", "a value can't begin with '!'", "Quote it."),
    ("anchor", "an anchor (&) needs a name", "Quote the value, if it is to begin with &."),
    ("alias", "an alias (*) needs a name", "Quote the value, if it is to begin with *."),
    ("<document start>", "something follows the end of the document", "Remove the line '...'."),
    (
        "node content",
        "a value is missing here, or a bracket is out of place",
        "Check the brackets and commas.",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One sentence, the next step, and the place (a yaml mark: from 0)."""

    message: str
    hint: str
    mark: Any


def mistake(error: yaml.MarkedYAMLError, lines: Sequence[str]) -> Mistake:
    """What to say about a syntax error, at the place where a person would look for it."""
    mark = error.problem_mark or error.context_mark
    found = (
        _conflict(lines)
        or _reference(mark, lines)
        or _unclosed(error)
        or _at(mark, error, lines)
        or _worded(error, mark)
    )
    return Mistake(message=f"not valid YAML: {found.message}", hint=found.hint, mark=found.mark)


def _conflict(lines: Sequence[str]) -> Mistake | None:
    from hfspace.manifest.yaml_bounds import Mark

    at = next((number for number, line in enumerate(lines) if _CONFLICT.match(line)), None)
    if at is None:
        return None
    return Mistake(
        message="the file holds the marks of a merge conflict",
        hint="Resolve it, and remove them.",
        mark=Mark(at, 0),
    )


def _reference(mark: Any, lines: Sequence[str]) -> Mistake | None:
    line = lines[mark.line] if mark is not None and mark.line < len(lines) else ""
    if mark is None or mark.column == 0 or line[mark.column - 1 : mark.column + 1] != "${":
        return None
    name = line[mark.column - 1 :].partition("}")[0][:40]
    return _of("a reference inside [ ] or { } needs quotes", f'Write "{name}}}".', mark)


def _unclosed(error: yaml.MarkedYAMLError) -> Mistake | None:
    """What was opened and never closed shows far below; the place where it opens is the one to look at."""
    context, problem = error.context or "", error.problem or ""
    start = error.context_mark
    if start is None:
        return None
    if "quoted scalar" in context and "end of stream" in problem:
        return Mistake(message="the quote that opens here is never closed", hint="Close it.", mark=start)
    for name, opens, closes in (("sequence", "[", "]"), ("mapping", "{", "}")):
        if f"flow {name}" in context and f"'{closes}'" in problem:
            hint = f"Close it, or put the missing ',' before line {_line(error.problem_mark)}."
            return Mistake(message=f"the '{opens}' that opens here has no '{closes}'", hint=hint, mark=start)
    return None


def _at(mark: Any, error: yaml.MarkedYAMLError, lines: Sequence[str]) -> Mistake | None:
    """What the character at the place explains."""
    problem = error.problem or ""
    line = lines[mark.line] if mark is not None and mark.line < len(lines) else ""
    at = line[mark.column : mark.column + 1] if mark is not None else ""
    word = re.match(r"[*&]?[\w.-]*", line[mark.column :])[0] if mark is not None else ""  # type: ignore[index]
    if at == "\t" or line[: mark.column if mark else 0].strip(" ").startswith("\t"):
        return _of("a tab stands where spaces belong", "YAML is indented with spaces, never with tabs.", mark)
    if "cannot start any token" in problem:
        return _of(f"a value can't begin with '{at}'", "Quote it.", mark)
    if "undefined alias" in problem:
        return _of(
            f"{word[:40]} names no anchor above it",
            f"Write &{word[1:40]} before the value that is meant.",
            mark,
        )
    if "second occurrence" in problem:
        return _of(f"the anchor {word[:40]} is defined twice", "Give one of them another name.", mark)
    if "mapping values are not allowed" in problem:
        if re.search(r":\s", line[: mark.column]):
            return _of("a value holds ': '", "Quote it.", mark)
        return _of(
            "this key is indented too far, or the line above has no ':'",
            "Align it with its neighbours.",
            mark,
        )
    if "expected ':'" in problem:
        start = error.context_mark or mark
        return _of("this line is neither 'key: value' nor part of the line above", "Add the ':'.", start)
    if "expected key" in problem:
        if line[: mark.column].strip():
            return _of(
                "text follows a value that has ended", "Quote the whole value, doubling quotes inside.", mark
            )
        return _of("this line does not fit the indentation above it", "Align it with its neighbours.", mark)
    return None


def _worded(error: yaml.MarkedYAMLError, mark: Any) -> Mistake:
    what = " ".join(str(part) for part in (error.context, error.problem) if part)
    for words, message, hint in _BY_WORDS:
        if words in what:
            return _of(message, hint, mark)
    return _of(what, "Check it with any YAML tool.", mark)


def _of(message: str, hint: str, mark: Any) -> Mistake:
    return Mistake(message=message, hint=hint, mark=mark)


def _line(mark: Any) -> int:
    return mark.line + 1 if mark is not None else 0
