"""What a folder holds, without what its .gitignore and the manifest leave out. Nothing is opened here but
.gitignore."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pathspec import GitIgnoreSpec

from hfspace.files import read_limited
from hfspace.model.files import FileProblem

MOST_FILES = 100_000
"""The Hub asks for fewer in one repository (docs/hub-api.md section 2)."""
NEVER = (".git", ".cache/huggingface/", "__pycache__/", ".DS_Store")
"""Left out unless `exclude` says otherwise, except for .git, which no repository can hold."""
_IGNORE = ".gitignore"
_LARGEST_IGNORE = 1 << 20


@dataclass(frozen=True, slots=True)
class Entry:
    """One file: its path in the repository, where it is, and what the file system says of it."""

    path: str
    place: str
    status: os.stat_result


@dataclass(slots=True)
class Listing:
    """The files by path, sorted; `left_out` counts files and folders, a folder as one."""

    entries: list[Entry] = field(default_factory=list)
    left_out: int = 0
    problems: list[FileProblem] = field(default_factory=list)


def listing(folder: Path, exclude: Sequence[str]) -> Listing:
    """What `folder` holds. Raises OSError when the folder itself can't be read."""
    result = Listing()
    walk = _Walk(root=folder.resolve(), exclude=GitIgnoreSpec.from_lines(exclude), result=result)
    walk.visit(str(walk.root), "", ((0, GitIgnoreSpec.from_lines(NEVER)),))
    result.entries.sort(key=lambda entry: entry.path)
    if len(result.entries) > MOST_FILES:
        result.entries.clear()
        more = f"holds more than {MOST_FILES:,} files"
        result.problems = [FileProblem(path="", message=more, hint="Leave some out with `exclude`.")]
    return result


Specs = tuple[tuple[int, GitIgnoreSpec], ...]
"""The .gitignore files that hold in a folder, each with the length of the path above it."""


@dataclass(frozen=True, slots=True)
class _Walk:
    root: Path
    exclude: GitIgnoreSpec
    result: Listing

    def visit(self, place: str, above: str, specs: Specs) -> None:
        """Add what the folder at `place` holds; `above` is its path in the repository with a slash."""
        with os.scandir(place) as found:
            items = sorted(found, key=lambda item: item.name)
        if any(item.name == _IGNORE for item in items):
            specs = (*specs, (len(above), self._ignored(place, above)))
        for item in items:
            if len(self.result.entries) > MOST_FILES:
                return
            path = f"{above}{item.name}"
            try:
                self._add(item, path, specs)
            except OSError as error:
                self._complain(path, f"can't be read: {error.strerror}", "Check who may read it.")

    def _add(self, item: os.DirEntry[str], path: str, specs: Specs) -> None:
        folder = item.is_dir(follow_symlinks=False)
        if item.name == ".git" or self._is_left_out(f"{path}/" if folder else path, specs):
            self.result.left_out += 1
        elif folder:
            self.visit(item.path, f"{path}/", specs)
        elif item.is_symlink() and not self._stays(item.path):
            self._complain(path, "is a link out of the folder", "Put the file itself there.")
        else:
            self._add_file(item, path)

    def _add_file(self, item: os.DirEntry[str], path: str) -> None:
        try:
            status = item.stat()
        except FileNotFoundError:
            self._complain(path, "is a link to nothing", "Remove it, or put the file itself there.")
            return
        if stat.S_ISREG(status.st_mode):
            self.result.entries.append(Entry(path, item.path, status))
        elif stat.S_ISDIR(status.st_mode):
            self._complain(path, "is a link to a folder", "Put the folder itself there, or exclude the link.")
        else:
            self._complain(path, "is no regular file", "Remove it, or exclude it.")

    def _is_left_out(self, path: str, specs: Specs) -> bool:
        for start, spec in ((0, self.exclude), *reversed(specs)):
            decision = spec.check_file(path[start:]).include
            if decision is not None:
                return decision
        return False

    def _stays(self, place: str) -> bool:
        return Path(place).resolve().is_relative_to(self.root)

    def _ignored(self, place: str, above: str) -> GitIgnoreSpec:
        try:
            text = read_limited(f"{place}/{_IGNORE}", _LARGEST_IGNORE).decode(errors="replace")
            return GitIgnoreSpec.from_lines(text.splitlines())
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            self._complain(f"{above}{_IGNORE}", f"can't be used: {why}", "Correct it.")
            return GitIgnoreSpec.from_lines(())

    def _complain(self, path: str, message: str, hint: str) -> None:
        self.result.problems.append(FileProblem(path=path, message=message, hint=hint))


def too_alike(paths: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Pairs of paths that differ in case alone: many a file system can't hold both."""
    known: dict[str, str] = {}
    for path in paths:
        other = known.setdefault(path.casefold(), path)
        if other != path:
            yield other, path
