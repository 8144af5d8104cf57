"""What a YAML parser complains about, in the words of somebody who writes manifests."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from hfspace.manifest.yaml_bounds import Mark

_CONFLICT = re.compile(r"<<<<<<< |>>>>>>> |=======$")
_BACKSLASH = "Use single quotes, or write \\\\ for a backslash."
_LIST = "Put '- ' on a line of its own, or write [a, b]."
_BY_WORDS = (
    ("tab character", "a tab stands where spaces belong", "YAML is indented with spaces, never with tabs."),
    ("escape character", "a double-quoted text holds an unknown escape", _BACKSLASH),
    ("hexdec", "a double-quoted text holds a broken \\x or \\u", _BACKSLASH),
    ("block scalar", "after | or > the line must end", "Put the text into the lines below, indented."),
    ("sequence entries are not allowed", "a list can't begin here", _LIST),
    ("'-' indicator", "a key stands where the next '- ' was expected", "Indent it, or begin it with '- '."),
    ("directive", "a line that begins with % is a YAML directive", "Remove it, or quote the value."),
    ("incompatible YAML", "this is another version of YAML", "Remove the line %YAML."),
    ("tag", "a value can't begin with '!'", "Quote it."),
    ("anchor", "an anchor (&) needs a name", "Quote the value, if it is to begin with &."),
    ("alias", "an alias (*) needs a name", "Quote the value, if it is to begin with *."),
    ("<document start>", "something follows the end of the document", "Remove the line '...'."),
    ("node content", "a value is missing here", "Check the brackets and commas."),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One sentence, the next step, and the place (a yaml mark: from 0)."""

    message: str
    hint: str
    mark: Any


def mistake(error: yaml.MarkedYAMLError, lines: Sequence[str]) -> Mistake:
    """What to say about a syntax error, at the place where a person would look for it."""
    mark = error.problem_mark or error.context_mark or Mark(0, 0)
    line = lines[mark.line] if mark.line < len(lines) else ""
    found = (
        _whole(lines)
        or _ended(mark, error, lines)
        or _reference(mark, line)
        or _unclosed(error, len(lines))
        or _by_character(mark, error, line)
        or _by_line(mark, error, line)
        or _worded(error, mark)
    )
    return Mistake(message=f"not valid YAML: {found.message}", hint=found.hint, mark=found.mark)


def _whole(lines: Sequence[str]) -> Mistake | None:
    """What the file as a whole is, rather than YAML with a mistake in it."""
    conflict = next((number for number, line in enumerate(lines) if _CONFLICT.match(line)), None)
    if conflict is not None:
        message = "the file holds the marks of a merge conflict"
        return _of(message, "Resolve it, and remove them.", Mark(conflict, 0))
    first = next((number for number, line in enumerate(lines) if line.strip()), None)
    if first is not None and lines[first].lstrip().startswith("<"):
        hint = "Name the manifest; an error page may have been saved in its place."
        return _of("this is HTML or XML", hint, Mark(first, 0))
    return None


def _ended(mark: Any, error: yaml.MarkedYAMLError, lines: Sequence[str]) -> Mistake | None:
    if not lines or mark.line < len(lines) or "node content" not in (error.problem or ""):
        return None
    last = Mark(len(lines) - 1, len(lines[-1]))
    return _of("the file ends in the middle of a value", "Close the brackets that are open.", last)


def _reference(mark: Any, line: str) -> Mistake | None:
    if mark.column == 0 or line[mark.column - 1 : mark.column + 1] != "${":
        return None
    name = line[mark.column - 1 :].partition("}")[0][:40]
    return _of("a reference inside [ ] or { } needs quotes", f'Write "{name}}}".', mark)


def _unclosed(error: yaml.MarkedYAMLError, count: int) -> Mistake | None:
    """What was opened and never closed shows far below; the place where it opens is the one to look at."""
    context, problem = error.context or "", error.problem or ""
    start = error.context_mark
    if start is None:
        return None
    if "quoted scalar" in context and "end of stream" in problem:
        return _of("the quote that opens here is never closed", "Close it.", start)
    for name, opens, closes in (("sequence", "[", "]"), ("mapping", "{", "}")):
        if f"flow {name}" in context and f"'{closes}'" in problem:
            below = error.problem_mark.line + 1 if error.problem_mark else count + 1
            hint = f"Close it, or put the missing ',' before line {below}." if below <= count else "Close it."
            return _of(f"the '{opens}' that opens here has no '{closes}'", hint, start)
    return None


def _by_character(mark: Any, error: yaml.MarkedYAMLError, line: str) -> Mistake | None:
    """What the character at the place explains."""
    problem = error.problem or ""
    at = line[mark.column : mark.column + 1]
    match = re.match(r"[*&]?[\w.-]*", line[mark.column :])
    word = match[0][:40] if match else ""
    if at == "\t" or line[: mark.column].strip(" ").startswith("\t"):
        return _of("a tab stands where spaces belong", "YAML is indented with spaces, never with tabs.", mark)
    if "cannot start any token" in problem:
        return _of(f"a value can't begin with '{at}'", "Quote it.", mark)
    if "undefined alias" in problem:
        hint = f"Write &{word[1:]} before the value that is meant."
        return _of(f"{word} names no anchor above it", hint, mark)
    if "second occurrence" in problem:
        return _of(f"the anchor {word} is defined twice", "Give one of them another name.", mark)
    if at and at in "]}" and ("expected key" in problem or "node content" in problem):
        return _of(f"this '{at}' closes nothing", "Remove it.", mark)
    return None


def _by_line(mark: Any, error: yaml.MarkedYAMLError, line: str) -> Mistake | None:
    """What the line around the place explains."""
    problem, before = error.problem or "", line[: mark.column]
    start = Mark(mark.line, len(line) - len(line.lstrip()))
    if "mapping values are not allowed" in problem:
        if re.search(r":\s", before):
            return _of("a value holds ': '", "Quote it.", mark)
        if len(before.strip()) > 1000:
            return _of("a key is longer than 1,000 characters", "Choose a shorter one.", start)
        message = "this key is indented too far, or the line above has no ':'"
        return _of(message, "Align it with its neighbours.", start)
    if "expected ':'" in problem:
        message = "this line is neither 'key: value' nor part of the line above"
        return _of(message, "Add the ':'.", error.context_mark or mark)
    if "expected key" not in problem:
        return None
    if line.lstrip().startswith(":"):
        return _of("a key is missing before the ':'", "Write it.", mark)
    if before.strip():
        hint = "Quote the whole value, doubling quotes inside."
        return _of("text follows a value that has ended", hint, mark)
    return _of("this line does not fit the indentation above it", "Align it with its neighbours.", mark)


def _worded(error: yaml.MarkedYAMLError, mark: Any) -> Mistake:
    what = " ".join(str(part) for part in (error.context, error.problem) if part)
    for words, message, hint in _BY_WORDS:
        if words in what:
            return _of(message, hint, mark)
    return _of("it can't be read from here on", "Check it with any YAML tool.", mark)


def _of(message: str, hint: str, mark: Any) -> Mistake:
    return Mistake(message=message, hint=hint, mark=mark)
