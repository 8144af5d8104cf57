"""What the history of a Space's files says beside a difference: who changed them on the Hub, and whether the
files here have failed before."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from hfspace.facets.commit import told
from hfspace.facets.desired import Desired
from hfspace.model import Check, FileStat, HubHistory, LocalTree
from hfspace.model.files import REVERT_TRAILER
from hfspace.text import plain

_MOST_FILES = 3


def explained(
    desired: Desired, folder: LocalTree, history: HubHistory, paths: Collection[str]
) -> Iterator[Check]:
    """Checks about a difference in `paths`."""
    if history.newer:
        newest, count = history.newer[0], len(history.newer)
        more = f" and {count - 1} more" if count > 1 else ""
        what = _what(history.changed)
        back = " This plan takes it back." if not what or _touches(history.changed, paths) else ""
        yield desired.check(
            "files",
            "warning",
            f"{told(newest)}{more} came on the Hub{f': {what}' if what else ''}.{back}",
            hint=f"To keep it: hfspace pull {desired.id}",
            blocks=False,
        )
    ours = history.ours
    reverts = desired.spec.files is not None and desired.spec.files.on_failure == "revert"
    failed = ours.trailers.get(REVERT_TRAILER) if ours is not None and not history.newer else None
    if reverts and ours is not None and failed == folder.digest:
        yield desired.check(
            "files",
            "error",
            f"these files did not come up, and those of before were brought back ({plain(ours.id[:7])}).",
            hint="Correct them; or write on_failure: report, to commit them as they are.",
        )


def _what(changed: Collection[FileStat]) -> str:
    """app.py +3 −1, and 2 more files"""
    listed = [f"{plain(one.path)} +{one.added} −{one.removed}" for one in list(changed)[:_MOST_FILES]]
    more = len(changed) - len(listed)
    return ", ".join([*listed, *([f"{more} more"] if more else [])])


def _touches(changed: Collection[FileStat], paths: Collection[str]) -> bool:
    return any(one.path in paths for one in changed)
