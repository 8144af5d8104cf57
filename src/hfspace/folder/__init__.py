"""Folders that are to be the files of Spaces: what is in them, their hashes, and what must not be sent."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hfspace.manifest.models import Manifest
from hfspace.model import LocalTree


def read_trees(
    manifest: Manifest, cwd: Path, environment: Mapping[str, str], *, cached: bool
) -> dict[str, LocalTree]:
    """The folders of all Spaces that declare their files, by Space. `cached`: hashes may be those of an
    earlier run. Never raises: what can't be read is a problem of its tree."""
    declared = {s: spec for s, spec in manifest.spaces.items() if spec.files and spec.state != "absent"}
    if not declared:
        return {}
    from hfspace.folder.tree import Folders  # pathspec and YAML: where a folder is declared

    folders = Folders(environment if cached else None)
    return {space: folders.tree(_base(manifest, space, cwd), spec) for space, spec in declared.items()}


def folder_of(manifest: Manifest, space: str, cwd: Path) -> Path | None:
    """The folder that a Space's files come from; None where the manifest names none. Asks no file."""
    spec = manifest.spaces.get(space)
    return _base(manifest, space, cwd) / spec.files.folder if spec and spec.files else None


def _base(manifest: Manifest, space: str, cwd: Path) -> Path:
    """The folder of the file that declares the Space's files."""
    source = manifest.source("spaces", space, "files")
    return cwd if source is None or source.file == "-" else (cwd / source.file).parent
