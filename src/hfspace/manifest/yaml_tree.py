"""Strict YAML: values with the place of each, and every problem instead of the first one.

Safe YAML only. What YAML 1.1 would silently turn into something else (on, 010, 1:30, an unquoted date) is a
problem that says what was read and how to write it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args, get_origin

import yaml

from hfspace.errors import Problem
from hfspace.manifest.environment import Environment
from hfspace.manifest.models import SpaceSpec
from hfspace.manifest.references import UNPRINTABLE, expand, unprintable
from hfspace.manifest.yaml_bounds import DEEPEST, LOADER, MOST_NODES, refusal
from hfspace.manifest.yaml_syntax import mistake
from hfspace.text import plain

LONGEST_INT = 18
_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?[0-9]+\.[0-9]*([eE][-+][0-9]+)?|[-+]?\.[0-9]+([eE][-+][0-9]+)?")
_EXPONENT = re.compile(r"([-+]?[0-9]*)(?:\.([0-9]*))?[eE]([-+]?)([0-9]+)")
_TAG = "tag:yaml.org,2002:"
_SECRETS_KEY = re.compile(r"""\s*(?:- +)?["']?secrets["']?\s*:""")

Path = tuple[str, ...]


@dataclass(slots=True)
class Tree:
    """One file as values, with the place (line and column from 1) of each key path, and its problems.

    `texts` keeps how a scalar was written, for values whose text matters (a variable 1.10 is not 1.1);
    `references` what was written where a ${NAME} decided the value. `literals` are secrets that
    somebody wrote into the file: no message may show them.
    """

    file: str
    value: Any = None
    places: dict[Path, tuple[int, int]] = field(default_factory=dict)
    texts: dict[Path, str] = field(default_factory=dict)
    references: dict[Path, str] = field(default_factory=dict)
    literals: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def parse(name: str, text: str, env: Environment) -> Tree:
    """Read one file. Problems are collected, never raised."""
    reader = _Reader(name, text.splitlines(), env)
    try:
        refused = refusal(text)
        if refused:
            reader.complain(refused.message, refused.mark, refused.hint)
            return reader.tree
        nodes = list(yaml.compose_all(text, Loader=LOADER))
    except yaml.MarkedYAMLError as error:
        problem = mistake(error, reader.lines)
        reader.complain(problem.message, problem.mark, problem.hint)
        return reader.tree
    except (yaml.YAMLError, ValueError, RecursionError):
        reader.complain("not valid YAML: it can't be read", None, "Check it with any YAML tool.")
        return reader.tree
    if len(nodes) > 1:
        reader.complain("holds several YAML documents", nodes[1].start_mark, "Use one file for each.")
    if nodes and nodes[0] is not None:
        try:
            reader.tree.value = reader.read(nodes[0], ())
        except _TooMuch as stop:
            reader.complain(stop.message, stop.mark, "Write out what the aliases (*name) repeat.")
            reader.tree.value = None
    return reader.tree


class _TooMuch(Exception):
    def __init__(self, message: str, mark: Any) -> None:
        super().__init__(message)
        self.message, self.mark = message, mark


@dataclass(slots=True)
class _Reader:
    name: str
    lines: Sequence[str]
    env: Environment
    tree: Tree = field(init=False)
    count: int = 0
    merges: int = 0  # how many '<<' lead here

    def __post_init__(self) -> None:
        self.tree = Tree(file=self.name)

    def read(self, node: Any, path: Path) -> Any:
        self._counted(node, path)
        self.tree.places.setdefault(path, _place(node.start_mark))
        if not isinstance(node, yaml.ScalarNode) and node.tag not in {f"{_TAG}map", f"{_TAG}seq"}:
            self._tag(node)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.read(child, (*path, str(index))) for index, child in enumerate(node.value)]
        return self._scalar(node, path)

    def _counted(self, node: Any, path: Path) -> None:
        """An alias is written once and read as often as it is named, so reading has limits of its own."""
        self.count += 1
        if self.count > MOST_NODES:
            raise _TooMuch(
                f"stands for more than {MOST_NODES:,} values once aliases are followed", node.start_mark
            )
        if len(path) + self.merges > DEEPEST:
            raise _TooMuch(f"is nested more than {DEEPEST} deep once aliases are followed", node.start_mark)

    def _mapping(self, node: Any, path: Path) -> dict[str, Any]:
        entries: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        first: dict[str, Any] = {}
        # Merged keys first, so that the places of a map's own keys win.
        for _, value_node in self._merge_keys(node):
            merged.update(self._merge(value_node, path))
        for key_node, value_node in node.value:
            if key_node.tag == f"{_TAG}merge":
                continue
            key = self._key(key_node, path)
            if key is None:
                continue
            if key in first:
                line = first[key].line + 1
                self.complain(
                    f"'{short(key)}' is written twice (first in line {line})",
                    key_node.start_mark,
                    "Keep one.",
                )
                continue
            first[key] = key_node.start_mark
            self.tree.places[(*path, key)] = _place(key_node.start_mark)
            entries[key] = self.read(value_node, (*path, key))
        return {**merged, **entries}

    def _merge_keys(self, node: Any) -> list[Any]:
        merges = [pair for pair in node.value if pair[0].tag == f"{_TAG}merge"]
        for pair in merges[1:]:
            self.complain("'<<' is written twice", pair[0].start_mark, "Write <<: [*a, *b].")
        return merges

    def _merge(self, node: Any, path: Path) -> dict[str, Any]:
        sources = node.value if isinstance(node, yaml.SequenceNode) else [node]
        entries: dict[str, Any] = {}
        self.merges += 1
        for source in reversed(sources):
            self._counted(source, path)
            if isinstance(source, yaml.MappingNode):
                entries.update(self._mapping(source, path))
            else:
                self.complain("'<<' merges maps only", source.start_mark, "Name a map: <<: *name.")
        self.merges -= 1
        return entries

    def _key(self, node: Any, path: Path) -> str | None:
        if not isinstance(node, yaml.ScalarNode):
            self.complain("a key must be text", node.start_mark, "Quote it, if it begins with [ or {.")
            return None
        key = str(node.value)
        if UNPRINTABLE.search(key) or "\n" in key:
            what = unprintable(key) or "control characters"
            self.complain(f"the key {visible(key)} has {what}", node.start_mark, "Remove them.")
            return None
        if "${" in key:
            self.complain("a key can't hold ${…}", node.start_mark, "References are for values only.")
            return None
        if not key:
            self.complain("a key is empty", node.start_mark, "Write one before the ':'.")
            return None
        ours = key == "on" and path[-1:] == ("restart",)
        if node.tag != f"{_TAG}str" and not node.style and not _INT.fullmatch(key) and not ours:
            read = {"bool": _yes(key), "timestamp": "a date", "float": "a number", "int": "a number"}
            what = read.get(node.tag.rpartition(":")[2], "nothing")
            self.complain(
                f"the key {short(key)} is read as {what} by YAML 1.1",
                node.start_mark,
                f'Write "{short(key)}".',
            )
        return key

    def _scalar(self, node: Any, path: Path) -> Any:
        text, plain = str(node.value), not node.style
        if len(path) == 4 and path[0] == "spaces" and path[2] == "secrets" and node.tag != f"{_TAG}null":
            self.tree.literals.append(text)
            return text
        expected = _RESOLVER.resolve(yaml.ScalarNode, text, (plain, not plain))
        if node.tag not in {expected, f"{_TAG}str"}:
            self._tag(node)
            return None
        if what := unprintable(text):
            self.complain(f"the text {visible(text)} has {what}", node.start_mark, "Remove them.")
            return None
        if "$" in text:
            value = expand(text, self.env, lambda what, hint: self.complain(what, node.start_mark, hint))
            self.tree.texts[path] = value
            if value != text:
                self.tree.references[path] = text
            return _clear(value) if plain and value != text else value
        self.tree.texts[path] = text
        if plain and _is_exponent(text) and "variables" not in path:
            self._exponent(text, node)
        return self._typed(node.tag.rpartition(":")[2], text, node, path)

    def _exponent(self, text: str, node: Any) -> None:
        whole, part, sign, power = _EXPONENT.fullmatch(text).groups()  # type: ignore[union-attr]
        number = f"{whole}{'' if whole[-1:].isdigit() else '0'}.{part or '0'}e{sign or '+'}{power}"
        self.complain(
            f"{short(text)} is read as text by YAML 1.1",
            node.start_mark,
            f'Write {short(number)} for the number, "{short(text)}" for the text.',
        )

    def _tag(self, node: Any) -> None:
        tag = str(node.tag).replace(_TAG, "!!")
        self.complain(f"the tag {visible(tag)} is not allowed", node.start_mark, "Remove it.")

    def _typed(self, kind: str, text: str, node: Any, path: Path) -> Any:
        """The value of a scalar, or a complaint about what YAML 1.1 makes of it."""
        wrong: Callable[[str, str], None] = lambda what, hint: self.complain(what, node.start_mark, hint)  # noqa: E731
        excerpt = short(text)
        quoted = f'Write "{excerpt}" if you mean the text.'
        if kind == "null":
            return None
        if kind == "bool":
            if text.lower() not in {"true", "false"}:
                words = _words(path)
                hint = f'Write {_yes(text)}, or "{text}" for the text.'
                if words:
                    hint = f"It is one of: {', '.join(words)}."
                wrong(f"{text} is read as {_yes(text)} by YAML 1.1", hint)
            return _yes(text) == "true"
        if kind == "int":
            if not _INT.fullmatch(text):
                number = short(_as_int(text))
                hint = f'Write {number} for the number, "{excerpt}" for the text.'
                wrong(f"{excerpt} is read as the number {number} by YAML 1.1", hint)
                return None
            if len(text) > LONGEST_INT:
                wrong(f"the number {text[:20]}… is too large ({len(text):,} digits)", quoted)
                return None
            return int(text)
        if kind == "float":
            if _FLOAT.fullmatch(text):
                return float(text)
            if text.lower().strip("+-") in {".inf", ".nan"}:
                wrong(f"{excerpt} is no number that can be kept", quoted)
                return None
            wrong(f"{excerpt} is read as a number by YAML 1.1", quoted)
            return None
        if kind == "timestamp" and not ("when" in path and path[-1] in {"from", "until"}):
            wrong(f"{excerpt} is read as a date by YAML 1.1", f'Write "{excerpt}".')
        return text

    def complain(self, message: str, mark: Any, hint: str) -> None:
        line = mark.line + 1 if mark is not None else 0
        source = self.lines[line - 1] if 0 < line <= len(self.lines) else ""
        self.tree.problems.append(
            Problem(
                file=self.name,
                line=line,
                column=mark.column + 1 if mark is not None else 0,
                message=message,
                hint=hint,
                source_line="" if _under_secrets(self.lines, line) else source,
            )
        )


_RESOLVER: Any = yaml.SafeLoader("")


def _words(path: Path) -> tuple[str, ...]:
    """The words that a key of a Space takes, where it takes only these."""
    name = path[-1] if len(path) == {"spaces": 3, "defaults": 2}.get(path[0] if path else "") else ""
    kind = SpaceSpec.model_fields[name].annotation if name in SpaceSpec.model_fields else None
    return next((get_args(part) for part in (kind, *get_args(kind)) if get_origin(part) is Literal), ())


def visible(text: str) -> str:
    """`text` with its control characters spelled out, and cut to a line."""
    return repr(short(plain(text))).replace("\\\\", "\\")


def _is_exponent(text: str) -> bool:
    """A number to everybody but YAML 1.1, which wants a point and a signed exponent."""
    match = _EXPONENT.fullmatch(text)
    return bool(match and (match[1][-1:].isdigit() or match[2]) and not _FLOAT.fullmatch(text))


def short(text: str) -> str:
    """`text` as far as it fits into a message."""
    return text if len(text) <= 60 else text[:59] + "…"


def _place(mark: Any) -> tuple[int, int]:
    return mark.line + 1, mark.column + 1


def _clear(text: str) -> Any:
    """What an unquoted ${NAME} became: only what is plainly true, false or a number is more than text.

    The traps of YAML 1.1 are for what people write; a commit id such as 0012345 must stay text.
    """
    if text in {"true", "false"}:
        return text == "true"
    if _INT.fullmatch(text) and len(text) <= LONGEST_INT:
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def _under_secrets(lines: Sequence[str], line: int) -> bool:
    """Whether a line may hold a secret that somebody wrote into the file: it stands below a key `secrets`."""
    if not 0 < line <= len(lines):
        return False
    if re.search(r"""\bsecrets["']?\s*:""", lines[line - 1]):
        return True
    depth = len(lines[line - 1]) - len(lines[line - 1].lstrip())
    for above in reversed(lines[max(0, line - 200) : line - 1]):
        indent = len(above) - len(above.lstrip())
        if above.strip() and indent < depth:
            if _SECRETS_KEY.match(above):
                return True
            depth = indent
    return False


def _yes(text: str) -> str:
    return "true" if text.lower() in {"yes", "on", "true", "y"} else "false"


def _as_int(text: str) -> str:
    try:
        return str(yaml.safe_load(text))
    except (yaml.YAMLError, ValueError):
        return "something else"
