"""Writes a finding into the manifest: a minimal edit of the lines concerned, shown before it is made."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hfspace.diagnosis.verdicts import Diagnosis
from hfspace.errors import UsageError
from hfspace.files import write_atomically
from hfspace.live.gradio.findings import Fix, listed
from hfspace.manifest.models import Manifest
from hfspace.manifest.values import normalise_id


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


def edits(found: Diagnosis, manifest: Manifest) -> tuple[tuple[Edit, ...], tuple[str, ...]]:
    """The edits that mend what was found, one per file, and why some of it can't be edited.

    Touches endpoint.api_name, path, payload and example, and the key of the Space; nothing else, and never a
    value that comes from the environment. Raises UsageError when the manifest does not declare the Space.
    """
    space = _declared_id(found, manifest)
    texts: dict[Path, tuple[str, str]] = {}
    refused: list[str] = []
    for fix in _fixes(found, manifest, space):
        path = ("spaces", space, "endpoint", fix.key)
        source = (
            manifest.positions.get(path)
            or manifest.positions.get(path[:-1])
            or manifest.positions.get(path[:2])
        )
        if source is None:
            refused.append(f"endpoint.{fix.key} is not written in a file that can be edited.")
            continue
        file = Path(source.file)
        before, after = texts.get(file) or (_read(file),) * 2
        why = _untouchable(before, source.line, path in manifest.positions)
        if why:
            refused.append(f"endpoint.{fix.key} at {source} {why}.")
            continue
        texts[file] = (before, _applied(after, space, fix))
    if space in manifest.spaces:
        _normalise_key(texts, manifest, space, found.space)
    done = tuple(Edit(file=file, before=old, after=new) for file, (old, new) in texts.items() if old != new)
    return done, tuple(refused)


def write(edit: Edit) -> None:
    """Replace the file, unless it changed since it was read. Raises UsageError."""
    if _read(edit.file) != edit.before:
        raise UsageError(f"{edit.file} changed meanwhile; nothing was written.", hint="Run again.")
    try:
        write_atomically(edit.file, edit.after)
    except OSError as error:
        raise UsageError(f"{edit.file} could not be written: {error.strerror}.") from None


# ------------------------------------------------------------------ parts


def _fixes(found: Diagnosis, manifest: Manifest, space: str) -> Sequence[Fix]:
    fixes = [item.fix for item in found.findings if item.fix is not None]
    spec = manifest.spaces[space]
    if spec.endpoint is None and found.app is not None and not found.app.problem:
        names = listed(found.app)
        key = "api_name" if found.app.kind == "gradio" else "path"
        # Nothing is declared yet: only an app with one endpoint leaves no choice.
        return [Fix(key="", value={key: names[0]})] if len(names) == 1 else []
    # A value first, then the name of its key: a renamed key is no longer where its value was.
    return sorted(fixes, key=lambda fix: fix.rename is not None)


def _applied(text: str, written_space: str, fix: Fix) -> str:
    from hfspace.manifest.edit import rename_key, set_value

    space = _written_key(text, written_space) or written_space
    base: tuple[str, ...] = ("spaces", space, "endpoint")
    if not fix.key:
        return set_value(text, base, fix.value)
    text = set_value(text, (*base, fix.key), fix.value)
    return rename_key(text, (*base, fix.key), fix.rename) if fix.rename else text


def _normalise_key(
    texts: dict[Path, tuple[str, str]], manifest: Manifest, space: str, real: str | None
) -> None:
    """A Space written as a URL or host becomes owner/name, with the Hub's own upper and lower case."""
    from hfspace.manifest.edit import rename_key

    source = manifest.positions.get(("spaces", space))
    if source is None:
        return
    file = Path(source.file)
    before, after = texts.get(file) or (_read(file),) * 2
    written = _written_key(after, space)
    wanted = real or space
    if written and written != wanted and not wanted.endswith(".hf.space"):
        texts[file] = (before, rename_key(after, ("spaces", written), wanted))


def _written_key(text: str, space: str) -> str | None:
    """How the manifest spells the Space: its id, a URL or a host."""
    import yaml

    try:
        document = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return None
    for key, value in _pairs(document):
        if key == "spaces":
            for name, _ in _pairs(value):
                if name == space or _same(name, space):
                    return name
    return None


def _pairs(node: object) -> list[tuple[str, object]]:
    import yaml

    if not isinstance(node, yaml.MappingNode):
        return []
    return [(str(key.value), value) for key, value in node.value]


def _same(name: str, space: str) -> bool:
    try:
        return normalise_id(name).lower() == space.lower()
    except ValueError:
        return False


def _untouchable(text: str, line: int, exact: bool) -> str:
    lines = text.splitlines()
    shown = lines[line - 1] if 0 < line <= len(lines) else ""
    if exact and "${" in shown:
        return "comes from the environment; change the variable instead"
    return ""


def _declared_id(found: Diagnosis, manifest: Manifest) -> str:
    wanted = {name.lower() for name in (found.space, found.target) if name}
    for name in manifest.spaces:
        if name.lower() in wanted or any(_same(item, name) for item in wanted):
            return name
    raise UsageError(
        f"The manifest does not declare {found.space or found.target}: there is nothing to fix.",
        hint="Add it, or name the manifest with -f.",
    )


def _read(file: Path) -> str:
    try:
        with file.open(encoding="utf-8", newline="") as handle:
            return handle.read()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} can't be read to be edited ({type(error).__name__}).") from None


def sources_of(manifest: Manifest, space: str) -> Mapping[str, object]:
    """Where the manifest writes each key of the Space's endpoint."""
    keys = ("api_name", "path", "payload", "example", "expect")
    found = {key: manifest.source("spaces", space, "endpoint", key) for key in keys}
    return {key: source for key, source in found.items() if source is not None}
