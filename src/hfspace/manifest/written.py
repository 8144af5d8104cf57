"""Values of a manifest with where and how each of them is written, merged from one or more files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hfspace.errors import Problem
from hfspace.manifest.yaml_tree import Tree
from hfspace.model import Source

Place = tuple[str, ...]


@dataclass(slots=True)
class Written:
    """Values merged from one or more files, and where and how each of them is written."""

    values: dict[str, Any] = field(default_factory=dict)
    places: dict[Place, Source] = field(default_factory=dict)
    texts: dict[Place, str] = field(default_factory=dict)
    references: dict[Place, str] = field(default_factory=dict)

    def merge(self, tree: Tree, at: Place, values: Mapping[str, Any]) -> None:
        """Put `values`, which `tree` holds below the path `at`, over what is here; paths begin below `at`."""
        self.values = deep(self.values, dict(values))
        for key, (line, column) in _below(tree.places, at):
            self.places[key] = Source(file=tree.file, line=line, column=column)
            # What is replaced loses how it was written, too.
            self.texts.pop(key, None)
            self.references.pop(key, None)
        self.texts.update(_below(tree.texts, at))
        self.references.update(_below(tree.references, at))


def problem(
    source: Source | None, message: str, hint: str, lines: Mapping[str, Sequence[str]] | None = None
) -> Problem:
    """A problem at its place, with its line where `lines` hold it."""
    if source is None:
        return Problem(file="manifest", message=message, hint=hint)
    text = (lines or {}).get(source.file, ())
    line = text[source.line - 1] if 0 < source.line <= len(text) else ""
    return Problem(
        file=source.file,
        line=source.line,
        column=source.column,
        message=message,
        hint=hint,
        source_line=line,
    )


def deep(below: Any, over: Any) -> Any:
    """`over` merged into `below`: maps key by key, everything else replaced."""
    if isinstance(below, dict) and isinstance(over, dict):
        return {**below, **{key: deep(below.get(key), value) for key, value in over.items()}}
    return over


def _below(paths: Mapping[Place, Any], at: Place) -> list[tuple[Place, Any]]:
    depth = len(at)
    return [(key[depth:], item) for key, item in paths.items() if key[:depth] == at]
