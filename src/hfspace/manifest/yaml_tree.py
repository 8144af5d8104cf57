"""Strict YAML: values with the place of each, and every problem instead of the first one.

Safe YAML only. What YAML 1.1 would silently turn into something else (on, 010, 1:30, an unquoted date) is a
problem that says what was read and how to write it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from hfspace.errors import Problem

MOST_NODES = 200_000
LONGEST_INT = 18
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?[0-9]+\.[0-9]*([eE][-+][0-9]+)?|[-+]?\.[0-9]+([eE][-+][0-9]+)?")
_REFERENCE = re.compile(r"\$(?:(\$)|\{([A-Za-z_][A-Za-z0-9_]*)(:-([^}]*))?\}|\{([^}]*)(\}?))")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_TAG = "tag:yaml.org,2002:"

Path = tuple[str, ...]


@dataclass(slots=True)
class Tree:
    """One file as values, with the place (line and column from 1) of each key path, and its problems.

    `texts` keeps how a scalar was written, for values whose text matters (a variable 1.10 is not 1.1).
    """

    file: str
    value: Any = None
    places: dict[Path, tuple[int, int]] = field(default_factory=dict)
    texts: dict[Path, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def parse(name: str, text: str, env: Mapping[str, str]) -> Tree:
    """Read one file. Problems are collected, never raised."""
    reader = _Reader(name, text, env)
    try:
        nodes = list(yaml.compose_all(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = " ".join(str(part) for part in (error.context, error.problem) if part)
        reader.complain(f"not valid YAML: {what}", mark, _yaml_hint(what))
        return reader.tree
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        what = str(error).splitlines()[0] if str(error) else type(error).__name__
        reader.complain(f"not valid YAML: {what}", None)
        return reader.tree
    if len(nodes) > 1:
        reader.complain("holds several YAML documents", nodes[1].start_mark, "Use one file for each.")
    if nodes and nodes[0] is not None:
        try:
            reader.tree.value = reader.read(nodes[0], ())
        except (_TooManyNodes, RecursionError):
            limit = f"{MOST_NODES:,} values"
            reader.complain(
                f"is too large or refers to itself: more than {limit} once aliases are followed", None
            )
            reader.tree.value = None
    return reader.tree


class _TooManyNodes(Exception):
    pass


@dataclass(slots=True)
class _Reader:
    name: str
    text: str
    env: Mapping[str, str]
    tree: Tree = field(init=False)
    count: int = 0

    def __post_init__(self) -> None:
        self.tree = Tree(file=self.name)

    def read(self, node: Any, path: Path) -> Any:
        self.count += 1
        if self.count > MOST_NODES or len(path) > 50:
            raise _TooManyNodes
        self.tree.places.setdefault(path, (node.start_mark.line + 1, node.start_mark.column + 1))
        if not isinstance(node, yaml.ScalarNode) and node.tag not in {f"{_TAG}map", f"{_TAG}seq"}:
            self.complain(f"the tag {node.tag} is not allowed", node.start_mark, "Remove it.")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.read(child, (*path, str(index))) for index, child in enumerate(node.value)]
        return self._scalar(node, path)

    def _mapping(self, node: Any, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        first: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag == f"{_TAG}merge":
                merged.update(self._merge(value_node, path))
                continue
            key = self._key(key_node)
            if key is None:
                continue
            if key in first:
                line = first[key].line + 1
                self.complain(
                    f"'{key}' is written twice (first in line {line})", key_node.start_mark, "Keep one."
                )
                continue
            first[key] = key_node.start_mark
            self.tree.places[(*path, key)] = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            found[key] = self.read(value_node, (*path, key))
        return {**merged, **found}

    def _merge(self, node: Any, path: Path) -> dict[str, Any]:
        sources = node.value if isinstance(node, yaml.SequenceNode) else [node]
        found: dict[str, Any] = {}
        for source in reversed(sources):
            if isinstance(source, yaml.MappingNode):
                found.update(self._mapping(source, path))
            else:
                self.complain("'<<' merges maps only", source.start_mark)
        return found

    def _key(self, node: Any) -> str | None:
        if not isinstance(node, yaml.ScalarNode):
            self.complain("a key must be text", node.start_mark)
            return None
        key = str(node.value)
        if _UNPRINTABLE.search(key) or "\n" in key:
            self.complain(f"the key {visible(key)} has control characters", node.start_mark, "Remove them.")
            return None
        if "${" in key:
            self.complain("a key can't hold ${…}", node.start_mark, "References are for values only.")
            return None
        if node.tag != f"{_TAG}str" and node.style is None and not _INT.fullmatch(key):
            read = node.tag.rpartition(":")[2]
            self.complain(f"the key {key} is read as {read} by YAML 1.1", node.start_mark, f'Write "{key}".')
        return key

    def _scalar(self, node: Any, path: Path) -> Any:
        text, plain = str(node.value), node.style is None
        if not node.tag.startswith(_TAG):
            self.complain(f"the tag {node.tag} is not allowed", node.start_mark, "Remove it.")
            return None
        if _UNPRINTABLE.search(text):
            self.complain(f"the text {visible(text)} has control characters", node.start_mark, "Remove them.")
            return None
        if "$" in text:
            text = self._expand(text, node.start_mark)
            resolver: Any = yaml.SafeLoader("")
            tag = resolver.resolve(yaml.ScalarNode, text, (plain, not plain))
        else:
            tag = node.tag
        self.tree.texts[path] = text
        return self._typed(tag.rpartition(":")[2], text, node)

    def _typed(self, kind: str, text: str, node: Any) -> Any:
        """The value of a scalar, or a complaint about what YAML 1.1 makes of it."""
        wrong: Callable[[str, str], None] = lambda what, hint: self.complain(what, node.start_mark, hint)  # noqa: E731
        quoted = f'Write "{text}" if you mean the text.'
        if kind == "null":
            return None
        if kind == "bool":
            if text.lower() not in {"true", "false"}:
                wrong(
                    f"{text} is read as {_yes(text)} by YAML 1.1",
                    f'Write {_yes(text)}, or "{text}" for the text.',
                )
            return _yes(text) == "true"
        if kind == "int":
            if not _INT.fullmatch(text):
                wrong(f"{text} is read as the number {_as_int(text)} by YAML 1.1", quoted)
                return None
            if len(text) > LONGEST_INT:
                wrong(f"the number {text[:20]}… is too large", quoted)
                return None
            return int(text)
        if kind == "float":
            if _FLOAT.fullmatch(text):
                return float(text)
            if text.lower().strip("+-") in {".inf", ".nan"}:
                return float(text.lower().replace(".", ""))
            wrong(f"{text} is read as a number by YAML 1.1", quoted)
            return None
        if kind == "timestamp":
            wrong(f"{text} is read as a date by YAML 1.1", f'Write "{text}".')
            return text
        return text

    def _expand(self, text: str, mark: Any) -> str:
        def replaced(match: re.Match[str]) -> str:
            dollar, name, has_default, default, odd, _ = match.groups()
            if dollar:
                return "$"
            if name is None:
                self.complain(
                    f"'${{{odd or ''}' is not a reference", mark, "Write ${NAME} or ${NAME:-default}."
                )
                return ""
            value = self.env.get(name)
            if value is None or (has_default and value == ""):
                if has_default:
                    return default or ""
                self.complain(
                    f"${{{name}}} is not set in the environment", mark, "Set it, or write ${NAME:-default}."
                )
                return ""
            if _UNPRINTABLE.search(value):
                self.complain(f"the value of ${{{name}}} has control characters", mark, "Remove them.")
                return ""
            return value

        return _REFERENCE.sub(replaced, text)

    def complain(self, message: str, mark: Any, hint: str = "") -> None:
        line = mark.line + 1 if mark is not None else 0
        lines = self.text.splitlines()
        self.tree.problems.append(
            Problem(
                file=self.name,
                line=line,
                column=mark.column + 1 if mark is not None else 0,
                message=message,
                hint=hint,
                source_line=lines[line - 1] if 0 < line <= len(lines) else "",
            )
        )


def visible(text: str) -> str:
    """`text` with its control characters spelled out, and cut to a line."""
    shown = _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text).replace("\n", "\\n")
    return repr(shown if len(shown) <= 60 else shown[:59] + "…").replace("\\\\", "\\")


def _yes(text: str) -> str:
    return "true" if text.lower() in {"yes", "on", "true", "y"} else "false"


def _as_int(text: str) -> str:
    try:
        return str(yaml.safe_load(text))
    except (yaml.YAMLError, ValueError):
        return "something else"


def _yaml_hint(what: str) -> str:
    if "\\t" in what or "tab" in what:
        return "YAML is indented with spaces, never with tabs."
    if "mapping values are not allowed" in what:
        return "Quote a value that holds ': '."
    return ""
