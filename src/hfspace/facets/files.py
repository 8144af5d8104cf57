"""The files of a Space: those of a folder here. Compared by their hashes; nothing is downloaded for a
plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from hfspace.facets.base import NOTHING, Facet, Need
from hfspace.facets.commit import commit_files, rebuilds
from hfspace.facets.desired import Desired
from hfspace.live.ports import Ports
from hfspace.manifest.models import SpaceSpec
from hfspace.model import UNKNOWN, Action, Change, Check, HubTree, Json, LocalTree, SpaceState
from hfspace.model.files import KEPT
from hfspace.text import plain

_KINDS = ("changed", "new", "deleted")
_SIGNS = {"changed": "~", "new": "+", "deleted": "-"}


class Files(Facet):
    name = "files"
    restarts = True
    relative = True
    carries = frozenset({"files", "card"})

    def needs(self, spec: SpaceSpec, state: SpaceState) -> frozenset[Need]:
        return NOTHING if spec.files is None else frozenset({Need.TREE})

    def compare(self, desired: Desired, state: SpaceState) -> list[Change | Check]:
        folder = desired.inputs.trees.get(desired.id)
        if desired.spec.files is None or folder is None:
            return []
        if folder.problems:
            return list(_problems(desired, folder))
        if state.tree is None:
            unread = "the files on the Hub can't be read with this token."
            return [desired.check(self.name, "unknown", unread, hint="Use one that may read them.")]
        after = difference(folder, state.tree, prune=desired.spec.files.prune)
        if not after:
            return []
        return [
            desired.change(
                self.name,
                Action.UPDATE,
                before={"commit": state.tree.commit},
                after=after,
                note=_left_out(folder),
                **rebuilds(desired, state),
            )
        ]

    def compare_missing(self, desired: Desired) -> list[Change | Check]:
        folder = desired.inputs.trees.get(desired.id)
        if folder is None or not desired.is_created:
            return []
        if folder.problems:
            return list(_problems(desired, folder))
        after, note = {"new": sorted(folder.files)}, _left_out(folder)
        return [desired.change(self.name, Action.CREATE, after=after, note=note, commits=True)]

    def value(self, state: SpaceState, key: str | None) -> object:
        return UNKNOWN if state.tree is None else state.tree.commit

    def show(self, value: Json) -> str:
        """3 changed, 1 new, 1 deleted (+42 −7)"""
        if not isinstance(value, dict):
            return super().show(value)
        counts = [f"{len(value[kind]):,} {kind}" for kind in _KINDS if value.get(kind)]
        added, removed = value.get("lines_added"), value.get("lines_removed")
        lines = f" (+{added:,} −{removed:,})" if added is not None and removed is not None else ""
        return ", ".join(counts) + lines

    def lines(self, change: Change) -> Sequence[str]:
        paths = change.after if isinstance(change.after, dict) else {}
        pairs = [(path, _SIGNS[kind]) for kind in _KINDS for path in paths.get(kind, ())]
        return [f"{sign} {plain(path)}" for path, sign in sorted(pairs)]

    def apply(self, change: Change, desired: Desired, ports: Ports) -> str | None:
        return commit_files(change, desired, ports)


def _left_out(folder: LocalTree) -> str:
    return f"{folder.left_out:,} left out by .gitignore and exclude" if folder.left_out else ""


def difference(folder: LocalTree, tree: HubTree, *, prune: bool) -> Mapping[str, Json]:
    """The paths that a commit would change, add and delete; empty where there are none."""
    here, there = folder.files, tree.files
    changed = [path for path, file in here.items() if path in there and not there[path].is_same(file)]
    new = [path for path in here if path not in there]
    deleted = set(there) - set(here) - KEPT if prune else set(_in_the_way(new, there))
    paths = {"changed": sorted(changed), "new": sorted(new), "deleted": sorted(deleted)}
    return {kind: listed for kind, listed in paths.items() if listed}


def _in_the_way(new: Sequence[str], there: Mapping[str, object]) -> Iterator[str]:
    """Files on the Hub where a folder is to be, and in a folder where a file is to be: one name is one
    thing."""
    if not new:
        return
    folders = {str(parent) for path in new for parent in PurePosixPath(path).parents}
    names = set(new)
    for path in there:
        inside = any(str(parent) in names for parent in PurePosixPath(path).parents)
        if path in folders or inside:
            yield path


def _problems(desired: Desired, folder: LocalTree) -> Iterator[Check]:
    for problem in folder.problems:
        yield desired.check("files", "error", f"{plain(problem)}.", hint=problem.hint)
