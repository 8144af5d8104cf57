"""The files of a Space: those of a folder here. Compared by their hashes; nothing is downloaded for a
plan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hfspace.errors import HfspaceError
from hfspace.facets.base import NOTHING, Facet, Need
from hfspace.facets.commit import commit_files, rebuilds, revert_files
from hfspace.facets.desired import Desired
from hfspace.facets.drift import explained
from hfspace.folder.difference import difference
from hfspace.live.ports import Ports
from hfspace.manifest.models import SpaceSpec
from hfspace.model import UNKNOWN, Action, Change, Check, HubHistory, Json, LocalTree, SpaceState
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
        change = desired.change(
            self.name,
            Action.UPDATE,
            before={"commit": state.tree.commit},
            after=after,
            note=_left_out(folder),
            **rebuilds(desired, state),
        )
        paths = {path for kind in _KINDS for path in after.get(kind, ())}
        return [change, *explained(desired, folder, state.history or HubHistory(), paths)]

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
        if "commit" in value:
            return f"commit {value['commit'][:7]}"
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

    def undo(self, desired: Desired, ports: Ports, failed: str, ran: str | None) -> str | None:
        if desired.spec.files is None or desired.spec.files.on_failure != "revert":
            return None
        if ran is None:
            raise HfspaceError("no earlier commit is known to have run.")
        return revert_files(desired, ports, failed, ran)


def _left_out(folder: LocalTree) -> str:
    return f"{folder.left_out:,} left out" if folder.left_out else ""


def _problems(desired: Desired, folder: LocalTree) -> Iterator[Check]:
    for problem in folder.problems:
        yield desired.check("files", "error", f"{plain(problem)}.", hint=problem.hint)
