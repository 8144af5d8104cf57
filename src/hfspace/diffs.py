"""The text of the files that a plan changes, before and after: read only where somebody asks to see it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from hfspace.errors import HubError
from hfspace.files import read_limited
from hfspace.live.ports import HubReader
from hfspace.model import Change, FileDiff, LocalInputs, Plan

MOST_FILES = 200
"""Files of one plan whose text is read; of the others only their sizes are told."""
LARGEST = 256 * 1024
_MOST_LINES = 5_000
_THREADS = 8
_TOO_MANY = "not shown: too many files"


@dataclass(frozen=True, slots=True)
class _File:
    """One file of a change: its path, and whether it is on the Hub and here."""

    change: Change
    path: str
    there: bool
    here: bool


def with_diffs(plan: Plan, inputs: LocalInputs, hub: HubReader) -> Plan:
    """`plan` with a FileDiff for each file that a commit of it changes, and the lines counted. Files that
    can't be read, are no text or are too large are told by their sizes. Never raises."""
    before = hub.requests
    changes = [one for one in plan.changes if one.commits and isinstance(one.after, dict)]
    files = [file for change in changes for file in _files(change)]
    with ThreadPoolExecutor(max_workers=_THREADS) as pool:
        futures = [
            pool.submit(copy_context().run, _diff, file, inputs, hub, read=index < MOST_FILES)
            for index, file in enumerate(files)
        ]
        diffs = tuple(future.result() for future in futures)
    counted = {change.address: _counted(change, diffs) for change in changes}
    return replace(
        plan,
        changes=tuple(counted.get(one.address, one) for one in plan.changes),
        diffs=diffs,
        requests=plan.requests + hub.requests - before,
    )


def _counted(change: Change, diffs: Sequence[FileDiff]) -> Change:
    own = [diff for diff in diffs if diff.space == change.space]
    lines = {
        "lines_added": sum(diff.added for diff in own),
        "lines_removed": sum(diff.removed for diff in own),
    }
    return replace(change, after={**change.after, **lines})


def _files(change: Change) -> Iterator[_File]:
    kinds = {"changed": (True, True), "new": (False, True), "deleted": (True, False)}
    listed = [(path, *kinds[kind]) for kind in kinds for path in change.after.get(kind, ())]
    yield from (_File(change, path, there, here) for path, there, here in sorted(listed))


def _diff(file: _File, inputs: LocalInputs, hub: HubReader, *, read: bool) -> FileDiff:
    space, commit = file.change.space, str((file.change.before or {}).get("commit"))
    folder = inputs.trees.get(space)
    here = folder.files.get(file.path) if folder and file.here else None
    there = hub.repository(space).tree(commit).files.get(file.path) if file.there else None
    known = FileDiff(
        space=space,
        path=file.path,
        before_size=there.size if there else None,
        after_size=here.size if here else None,
    )
    if not read:
        return replace(known, why=_TOO_MANY)
    if max(known.before_size or 0, known.after_size or 0) > LARGEST:
        return replace(known, why="too large to show")
    try:
        before = hub.repository(space).content(file.path, commit) if there else b""
        after = b""
        if here and folder:
            after = here.content or read_limited(f"{folder.folder}/{file.path}", LARGEST)
        return _compared(known, before.decode(), after.decode())
    except UnicodeDecodeError:
        return replace(known, why="binary")
    except HubError as error:
        return replace(known, why=f"not read: {error.message}")
    except OSError as error:
        return replace(known, why=f"not read: {error.strerror}")


def _compared(known: FileDiff, before: str, after: str) -> FileDiff:
    if "\0" in before or "\0" in after:
        return replace(known, why="binary")
    old, new = before.splitlines(), after.splitlines()
    if max(len(old), len(new)) > _MOST_LINES:
        return replace(known, why="too many lines to show")
    codes = [code for code in SequenceMatcher(None, old, new).get_opcodes() if code[0] != "equal"]
    return replace(
        known,
        before=before if known.before_size is not None else None,
        after=after if known.after_size is not None else None,
        added=sum(code[4] - code[3] for code in codes),
        removed=sum(code[2] - code[1] for code in codes),
    )
