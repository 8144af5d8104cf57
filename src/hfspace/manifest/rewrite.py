"""Edits of a manifest's files: read as they are, changed in memory, written all or none."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from hfspace.errors import UsageError
from hfspace.files import write_atomically
from hfspace.manifest.edit import is_reference, set_value
from hfspace.manifest.models import Manifest
from hfspace.manifest.values import normalise_id
from hfspace.model import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One file before and after."""

    file: Path
    before: str
    after: str

    @property
    def diff(self) -> str:
        """The edit as a unified diff, without a trailing newline."""
        lines = difflib.unified_diff(
            self.before.splitlines(keepends=True), self.after.splitlines(keepends=True),
            fromfile=str(self.file), tofile=str(self.file), n=1,
        )  # fmt: skip
        return "".join(line if line.endswith("\n") else line + "\n" for line in lines).rstrip("\n")


def edits_of(manifest: Manifest, settings: Iterable[tuple[str, str, Json]]) -> tuple[Edit, ...]:
    """The files with these (Space, key, value) under the Spaces themselves, every other byte as it was.

    Raises UsageError when one of them can't be made: a value from the environment, an anchor, another file.
    """
    texts: dict[Path, tuple[str, str]] = {}
    for space, key, value in settings:
        source = manifest.positions.get(("spaces", space))
        if source is None:
            raise UsageError(f"{space} is not written in a file that can be edited.")
        own = manifest.positions.get(("spaces", space, key))
        listed = [Path(one.file) for one in (own, source) if one]
        for file in listed:
            before, after = texts.setdefault(file, (text := read_text(file), text))
            name = written_key(after, space)
            if name is not None:
                break
        else:
            raise UsageError(f"{space} is not written in a file that can be edited.")
        path = ("spaces", name, key)
        if is_reference(after, path):
            raise UsageError(
                f"{space}.{key} at {own} comes from the environment; change the variable instead."
            )
        texts[file] = (before, set_value(after, path, value))
    return tuple(Edit(file=file, before=old, after=new) for file, (old, new) in texts.items() if old != new)


def write(edits: Sequence[Edit]) -> None:
    """Replace the files, unless one of them changed since it was read. Raises UsageError."""
    for edit in edits:
        if read_text(edit.file) != edit.before:
            raise UsageError(f"{edit.file} changed meanwhile; nothing was written.", hint="Run again.")
    for edit in edits:
        try:
            write_atomically(edit.file, edit.after)
        except OSError as error:
            raise UsageError(f"{edit.file} could not be written: {error.strerror}.") from None


def written_key(text: str, space: str) -> str | None:
    """How the manifest spells the Space: its id, a URL or a host."""
    try:
        document = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return None
    for key, value in _pairs(document):
        if key == "spaces":
            for name, _ in _pairs(value):
                if name == space or is_same_space(name, space):
                    return name
    return None


def _pairs(node: object) -> list[tuple[str, object]]:
    if not isinstance(node, yaml.MappingNode):
        return []
    return [(str(key.value), value) for key, value in node.value]


def is_same_space(name: str, space: str) -> bool:
    """Whether a key of a manifest is this Space: its id, a URL or a host."""
    try:
        return normalise_id(name).lower() == space.lower()
    except ValueError:
        return False


def read_text(file: Path) -> str:
    """The text with its line ends as they are. Raises UsageError."""
    try:
        with file.open(encoding="utf-8", newline="") as handle:
            return handle.read()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} can't be read to be edited ({type(error).__name__}).") from None
