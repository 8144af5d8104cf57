"""A Space's files, from the Hub to a folder here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hfspace.errors import UsageError
from hfspace.folder.listing import listing
from hfspace.folder.writing import Sink, Writing, Written, compare
from hfspace.live.hub import HubClient
from hfspace.live.repository import Repository
from hfspace.model import HubFile, SpaceState


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """What is to be written, before anything is. `commit` is what it was read at."""

    space: str
    commit: str
    writing: Writing
    repository: Repository

    @property
    def folder(self) -> Path:
        return self.writing.folder

    def write(self, on_file: Callable[[str], None] = lambda path: None) -> Written:
        """Write all of it; see `Writing.write`. Raises HubError, UsageError."""

        def fetch(path: str, file: HubFile, sink: Sink) -> None:
            on_file(path)
            self.repository.save(path, self.commit, file.size, sink)

        return self.writing.write(fetch)


def prepare(hub: HubClient, state: SpaceState, folder: Path, *, force: bool) -> Pull:
    """Compare a Space's files with a folder; one request for each 1,000 files. Without `force`, files here
    that differ are refused. Raises UsageError, HubError."""
    if state.sha is None:
        raise UsageError(f"The Hub does not say which commit {state.id} is at.", hint="Run again.")
    repository = hub.repository(state.id)
    writing = compare(folder, repository.tree(state.sha).files)
    if not force:
        writing.refuse_changed()
    return Pull(space=state.id, commit=state.sha, writing=writing, repository=repository)


def only_here(pull: Pull, exclude: tuple[str, ...] = ()) -> int:
    """How many files the folder has that the Hub has not, as a plan would count them."""
    try:
        here = {entry.path for entry in listing(pull.folder, exclude).entries}
    except (OSError, ValueError):
        return 0
    return len(here - pull.writing.names)
