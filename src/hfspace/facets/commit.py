"""The one commit that brings a Space's files and card in line, on top of what the plan was made for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from threading import Lock
from typing import Any

from hfspace.errors import ChangedMeanwhile, HubError, NotVisible, Outdated
from hfspace.facets.desired import Desired, restarts_now
from hfspace.files import read_limited
from hfspace.live.ports import Ports
from hfspace.model import Change, HubCommit, LocalTree, SpaceState
from hfspace.model.files import MANIFEST_TRAILER, README, REVERT_TRAILER, SOURCE_TRAILER, FileWrite
from hfspace.text import one_line, plain

_WHOLE_UP_TO = 4 << 20
"""Bytes of a file that is read into memory, so that what is sent is what was hashed."""


def rebuilds(desired: Desired, state: SpaceState) -> dict[str, Any]:
    """What a commit does beside changing files: the fields of its Change."""
    if state.stage == "SLEEPING" and not desired.spec.stays_paused:
        return {"effects": ("wakes",), "commits": True}
    return {"effects": restarts_now(state), "commits": True}


def commit_files(change: Change, desired: Desired, ports: Ports) -> str | None:
    """Write what differs in the folder, and the card with it. The commit. Raises HfspaceError."""
    folder = desired.inputs.trees[desired.id]
    paths = change.after if isinstance(change.after, dict) else {}
    # Deletes first: where a folder takes a file's place, huggingface_hub warns of the other order.
    writes = [FileWrite(path=path) for path in paths.get("deleted", ())]
    writes += [_write(folder, path) for kind in ("changed", "new") for path in paths.get(kind, ())]
    if README not in folder.files:
        writes += _readme(desired, ports)
    counts = ", ".join(
        f"{len(paths[kind])} {kind}" for kind in ("changed", "new", "deleted") if paths.get(kind)
    )
    return _commit(desired, ports, writes, f"Files from hfspace: {counts}")


def commit_card(desired: Desired, ports: Ports) -> str | None:
    """Write the declared keys of the card into the README on the Hub. The commit. Raises HfspaceError."""
    writes = list(_readme(desired, ports))
    if not writes:
        return None
    names = ", ".join(desired.spec.card.owned) if desired.spec.card else ""
    return _commit(desired, ports, writes, f"Card from hfspace: {names}"[:120])


def revert_files(desired: Desired, ports: Ports, failed: str, ran: str) -> str:
    """The files of the commit `ran` on top of `failed`, in a commit that says which files these were."""
    repository = ports.hub.repository(desired.id)
    before, now = repository.tree(ran).files, repository.tree(failed).files
    writes = [FileWrite(path=path) for path in now if path not in before]
    writes += [FileWrite(path=path, commit=ran) for path, file in before.items() if now.get(path) != file]
    folder = desired.inputs.trees.get(desired.id)
    trailers = {
        REVERT_TRAILER: folder.digest if folder else "",
        MANIFEST_TRAILER: desired.manifest.ref.sha256,
    }
    title = f"Back to {ran[:7]}: {failed[:7]} did not come up"
    return repository.commit(writes, title=title, description=_lines(trailers), parent=failed)


def _lines(trailers: dict[str, str]) -> str:
    return "\n".join(f"{name}: {value}" for name, value in trailers.items() if value)


def _commit(desired: Desired, ports: Ports, writes: list[FileWrite], title: str) -> str:
    trailers = {SOURCE_TRAILER: ports.source, MANIFEST_TRAILER: desired.manifest.ref.sha256}
    repository = ports.hub.repository(desired.id)
    parent = _parent(desired)
    try:
        return repository.commit(
            writes,
            title=title,
            description=_lines(trailers),
            parent=parent,
            sent=_Sent(desired, ports, writes),
        )
    except Outdated as error:
        raise _overtaken(desired, ports, parent, error) from None


class _Sent:
    """Tells how much of the large files of one commit was sent. Called from several threads."""

    def __init__(self, desired: Desired, ports: Ports, writes: Sequence[FileWrite]) -> None:
        folder, self._lock, self._done = desired.inputs.trees.get(desired.id), Lock(), 0
        large = [one.path for one in writes if one.place is not None]
        self._size = sum(folder.files[path].size for path in large) if folder else 0
        self._space, self._ports = desired.id, ports

    def __call__(self, size: int) -> None:
        with self._lock:
            self._done += size
            self._ports.sending(self._space, min(self._done, self._size), self._size)


def _parent(desired: Desired) -> str | None:
    """The commit that the plan was made for: what came since is not written over."""
    planned = desired.planned or desired.live
    return planned.sha if planned else None


def _overtaken(desired: Desired, ports: Ports, parent: str | None, error: Outdated) -> ChangedMeanwhile:
    """Names the commits that came since the plan."""
    try:
        commits = ports.hub.repository(desired.id).commits()
    except HubError:
        commits = []
    newer: list[HubCommit] = []
    for commit in commits:
        if commit.id == parent:
            break
        newer.append(commit)
    if not newer:
        return ChangedMeanwhile(error.message, hint="Nothing was written over it. Run again.")
    return ChangedMeanwhile(
        f"{desired.id}: {told(newer[0])} came since the plan was made"
        f"{f', and {len(newer) - 1} more' if len(newer) > 1 else ''}; nothing was written over it.",
        hint=f"See `hfspace plan`; `hfspace pull {desired.id}` brings it here.",
    )


def told(commit: HubCommit) -> str:
    """A commit in a sentence: its id, author and title."""
    who = f" of {one_line(commit.author, 60)}" if commit.author else ""
    return f'commit {plain(commit.id[:7])}{who} ("{one_line(commit.title, 80)}")'


def _write(folder: LocalTree, path: str) -> FileWrite:
    """One file as it was hashed. Raises ChangedMeanwhile."""
    file = folder.files[path]
    place = f"{folder.folder}/{path}"
    if file.content is not None:
        return FileWrite(path=path, content=file.content)
    if file.size > _WHOLE_UP_TO:
        return FileWrite(path=path, place=place, sha256=file.sha256)
    from hfspace.folder.hashing import git_oid  # pathspec with it: 60 ms, and only a write needs it

    try:
        content = read_limited(place, _WHOLE_UP_TO)
    except OSError as error:
        raise ChangedMeanwhile(f"{plain(path)} can't be read any more: {error.strerror}.") from None
    if git_oid(content) != file.oid:
        raise ChangedMeanwhile(f"{plain(path)} changed here since the plan was made.", hint="Run again.")
    return FileWrite(path=path, content=content)


def _readme(desired: Desired, ports: Ports) -> Iterator[FileWrite]:
    """The README on the Hub with the declared card, where that changes it. Raises HfspaceError."""
    live: SpaceState | None = desired.live
    if desired.spec.card is None or live is None or live.sha is None:
        return
    from hfspace.folder.tree import with_card  # pathspec with it: 60 ms, and only a write needs it

    try:
        readme = ports.hub.repository(desired.id).content(README, live.sha)
    except NotVisible:
        readme = b""
    edited = with_card(readme, desired.spec)
    if edited != readme:
        yield FileWrite(path=README, content=edited)
