"""The front matter of a README: read within bounds, and edited so that every byte that is not ours stays.

The Hub reads YAML 1.2 and most Python tools read 1.1; where the two differ (yes, 010, 1:30) `read` answers as
the Hub does, and `edit` leaves a value alone only when both read the wanted one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from hfspace.errors import HfspaceError
from hfspace.manifest.edit import as_yaml
from hfspace.manifest.yaml_bounds import refusal
from hfspace.model import Json
from hfspace.text import plain

LARGEST = 1 << 18
"""Bytes of front matter that are read; what the Hub's own form writes has a few hundred."""
_MOST_VALUES = 10_000
_DEEPEST = 50
_BOM = "\ufeff"
_LINE_END = re.compile(r"\r\n|\n|\r")
_OPENING = re.compile(rf"{_BOM}?\s*(?P<dashes>---)(?P<blanks>[ \t]*)({_LINE_END.pattern})")
_CLOSING = re.compile(rf"(?<![^\r\n])---({_LINE_END.pattern}|\Z)")
_TAG = "tag:yaml.org,2002:"
_KINDS = frozenset(f"{_TAG}{kind}" for kind in ("map", "seq", "str", "int", "float", "bool", "null", "merge"))
_NO_VALUE = object()


class FrontMatterError(HfspaceError):
    """A front matter can't be read or edited as one. `line` counts from 1 in the README; 0 is the whole."""

    def __init__(self, message: str, *, line: int = 0, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.line = line


class _Core(yaml.SafeLoader):
    """Scalars as YAML 1.2 reads them: no yes and no, no octal, no sexagesimal, no dates."""


_Core.yaml_implicit_resolvers = {}
for _kind, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?(0|[1-9][0-9]*)", "-+0123456789"),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*)([eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+",
        "-+.0123456789",
    ),
    ("merge", r"<<", "<"),
):
    _Core.add_implicit_resolver(f"{_TAG}{_kind}", re.compile(f"^(?:{_pattern})$"), list(_first))


class _Legacy(yaml.SafeLoader):
    """Scalars as YAML 1.1 reads them, but for dates."""


_Legacy.yaml_implicit_resolvers = {
    first: [pair for pair in pairs if pair[0] != f"{_TAG}timestamp"]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read(readme: bytes) -> dict[str, Json]:
    """What the front matter says; nothing where there is none. Raises FrontMatterError."""
    text = _decoded(readme)
    span = _span(text)
    return {} if span is None else _values(text[slice(*span)], _line_of(text, span[0]))


def edit(readme: bytes, owned: Mapping[str, Json]) -> bytes:
    """`readme` with the keys of `owned` set, and everything else as it was: comments, order, quotes, line
    ends, the text below. A missing front matter is added. Raises FrontMatterError."""
    if not owned:
        return readme
    text = _decoded(readme)
    span = _span(text)
    if span is None:
        return _added(text, owned).encode()
    start, end = span
    before = text[start:end]
    first_line = _line_of(text, start)
    values = _values(before, first_line)
    different = {key: value for key, value in owned.items() if not _says(before, key, value)}
    if not different:
        return readme
    after = _edited(before, different, _line_end(text))
    _check(after, {**values, **owned}, owned, first_line)
    return f"{text[:start]}{after}{text[end:]}".encode()


# ------------------------------------------------------------ where it stands


def _decoded(readme: bytes) -> str:
    try:
        return readme.decode()
    except UnicodeDecodeError as error:
        line = readme.count(b"\n", 0, error.start) + 1
        raise FrontMatterError("README.md is not UTF-8.", line=line, hint="Save it as UTF-8.") from None


def _span(text: str) -> tuple[int, int] | None:
    """Where the YAML between the two lines of dashes begins and ends; None where the first line is none."""
    opening = _OPENING.match(text)
    if opening is None:
        return None
    line = _line_of(text, opening.start("dashes"))
    if opening["blanks"]:
        raise FrontMatterError("The line --- has blanks behind it.", line=line, hint="Remove them.")
    closing = _CLOSING.search(text, opening.end())
    if closing is None:
        raise FrontMatterError("The front matter has no line --- that ends it.", line=line, hint="Add one.")
    if closing.start() - opening.end() > LARGEST:
        raise FrontMatterError(f"The front matter is larger than {LARGEST // 1024} KiB.", line=line)
    return opening.end(), closing.start()


def _line_of(text: str, index: int) -> int:
    return len(_LINE_END.findall(text, 0, index)) + 1


def _line_end(text: str) -> str:
    match = _LINE_END.search(text)
    return match[0] if match else "\n"


# ------------------------------------------------------------ what it says


def _values(text: str, first_line: int) -> dict[str, Json]:
    """The front matter as the Hub reads it. `first_line` is the line of README.md that `text` begins in."""
    try:
        return _loaded(text, _Core)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = first_line + mark.line if mark else first_line
        raise FrontMatterError(f"The front matter is not YAML: {plain(error.problem)}.", line=line) from None
    except _Unreadable as error:
        raise FrontMatterError(f"The front matter {error}.", line=first_line + error.line) from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise FrontMatterError("The front matter is not YAML.", line=first_line) from None


def _loaded(text: str, kind: type[yaml.SafeLoader]) -> dict[str, Json]:
    """Raises yaml.YAMLError, ValueError and _Unreadable."""
    refused = refusal(text)
    if refused:
        raise _Unreadable(refused.message, refused.mark)
    loader = kind(text)
    try:
        node: Any = loader.get_single_node()
        if node is None:
            return {}
        if not isinstance(node, yaml.MappingNode):
            raise _Unreadable("is not a map of keys and values", node.start_mark)
        _Walk().visit(node, 0)
        values = loader.construct_document(node)
    finally:
        loader.dispose()
    return {_key(key): value for key, value in values.items()}


class _Unreadable(Exception):
    def __init__(self, message: str, mark: Any) -> None:
        super().__init__(message)
        self.line: int = mark.line


class _Walk:
    """Refuses what no front matter needs: other tags, keys written twice, and values without an end."""

    def __init__(self) -> None:
        self.count = 0

    def visit(self, node: Any, depth: int) -> None:
        self.count += 1
        if self.count > _MOST_VALUES or depth > _DEEPEST:
            raise _Unreadable("holds too many values, or too deep ones", node.start_mark)
        if node.tag not in _KINDS:
            raise _Unreadable(f"has a tag that is not allowed: {plain(node.tag, 60)}", node.start_mark)
        if isinstance(node, yaml.SequenceNode):
            for item in node.value:
                self.visit(item, depth + 1)
        elif isinstance(node, yaml.MappingNode):
            self._visit_map(node, depth)

    def _visit_map(self, node: Any, depth: int) -> None:
        seen = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _Unreadable("has a key that is no text", key.start_mark)
            if key.value in seen:
                raise _Unreadable(f"has {plain(key.value, 60)} twice", key.start_mark)
            seen.add(key.value)
            self.visit(key, depth + 1)
            self.visit(value, depth + 1)


def _key(key: object) -> str:
    return key if isinstance(key, str) else json.dumps(key)


def _says(text: str, key: str, value: Json) -> bool:
    """Whether both readings of YAML have just this value at `key`."""
    for kind in (_Core, _Legacy):
        try:
            given = _loaded(text, kind).get(key, _NO_VALUE)
        except (yaml.YAMLError, ValueError, _Unreadable):
            return False
        if given is _NO_VALUE or not _same(given, value):
            return False
    return True


def _same(one: Json, other: Json) -> bool:
    """Equal as JSON: True is not 1, and 1.0 is not 1."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _check(text: str, wanted: Mapping[str, Json], owned: Mapping[str, Json], first_line: int) -> None:
    """The edited text must read as wanted: an anchor or an unusual layout could change more."""
    try:
        right = _same(_loaded(text, _Core), wanted)
    except (yaml.YAMLError, ValueError, _Unreadable):
        right = False
    if not right or not all(_says(text, key, value) for key, value in owned.items()):
        names = ", ".join(plain(key, 60) for key in owned)
        raise FrontMatterError(
            f"{names} can't be set in the front matter without changing more.",
            line=first_line,
            hint="Edit it by hand.",
        )


# ------------------------------------------------------------ how it is edited


def _added(text: str, owned: Mapping[str, Json]) -> str:
    mark = _BOM if text.startswith(_BOM) else ""
    body, end = text.removeprefix(mark), _line_end(text)
    lines = ["---", *(f"{as_yaml(key)}: {as_yaml(value)}" for key, value in owned.items()), "---", ""]
    matter = end.join(lines)
    _check(end.join(lines[1:-2]), owned, owned, 1)
    return f"{mark}{matter}{end if body else ''}{body}"


def _edited(text: str, owned: Mapping[str, Json], end: str) -> str:
    """`text` with values replaced where their keys are, and new keys behind the last."""
    root: Any = yaml.compose(text, Loader=_Core)
    pairs = {} if root is None else {key.value: (key, value) for key, value in root.value}
    changes = [_replaced(text, *pairs[key], value, end) for key, value in owned.items() if key in pairs]
    missing = [f"{as_yaml(key)}: {as_yaml(value)}" for key, value in owned.items() if key not in pairs]
    if missing and root is not None and root.flow_style:
        at = root.end_mark.index - 1
        comma = "" if text[:at].rstrip().endswith((",", "{")) else ", "
        changes.append((at, at, comma + ", ".join(missing)))
    elif missing:
        indent = " " * (root.value[0][0].start_mark.column if root is not None else 0)
        changes.append((len(text), len(text), "".join(f"{indent}{line}{end}" for line in missing)))
    for start, stop, new in sorted(changes, reverse=True):
        text = text[:start] + new + text[stop:]
    return text


def _replaced(text: str, key: Any, node: Any, value: Json, end: str) -> tuple[int, int, str]:
    """(start, stop, new text) of one value. A list or map in block style stays one where it can."""
    start, stop = node.start_mark.index, _end(node)
    stop = start + len(text[start:stop].rstrip())
    if isinstance(node, yaml.CollectionNode) and not node.flow_style:
        lines = _block(node, value)
        if lines:
            return start, stop, f"{end}{' ' * node.start_mark.column}".join(lines)
        # Up into the line of its key; a comment that stands between the two keeps its place.
        between = text[key.end_mark.index : start]
        colon, _, rest = between.partition(":")
        return key.end_mark.index, stop, f"{colon}: {as_yaml(value)}{rest.rstrip()}"
    blank = "" if text[start - 1 : start] in {" ", "\t"} else " "
    return start, stop, blank + as_yaml(value)


def _block(node: Any, value: Json) -> list[str]:
    """`value` as the lines of a block like `node`; none where it is something else, or empty."""
    if isinstance(node, yaml.SequenceNode) and isinstance(value, Sequence) and not isinstance(value, str):
        return [f"- {as_yaml(item)}" for item in value]
    if isinstance(node, yaml.MappingNode) and isinstance(value, Mapping):
        return [f"{as_yaml(name)}: {as_yaml(item)}" for name, item in value.items()]
    return []


def _end(node: Any) -> int:
    """Where a node's text ends. A block's own mark lies behind the comments that follow it."""
    while isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    end: int = node.end_mark.index
    return end
