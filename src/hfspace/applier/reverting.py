"""What brings back the files that ran before, when new ones did not come up (`on_failure: revert`). Once: the
commit says which files failed, and a plan for the same files is refused."""

from __future__ import annotations

from hfspace.applier import waiting
from hfspace.applier.progress import Progress
from hfspace.errors import HfspaceError
from hfspace.facets import of
from hfspace.model import FAILED, HELD, IDLE, SpaceState


def revert(progress: Progress, error: HfspaceError) -> HfspaceError:
    """`error`, of a Space that failed after a commit of this run, with what became of bringing back the files
    of before: where that is declared, and where something ran before."""
    known, final, failed = progress.known, progress.state, progress.ledger.commit
    if failed is None or known is None or final is None or final.stage not in FAILED:
        return error
    ran = _last_that_ran(known)
    desired, space = progress.desired, progress.space
    try:
        commits = [facet.undo(desired, progress.run.ports, failed, ran) for facet in of(desired.spec)]
        commit = next((one for one in commits if one is not None), None)
        if commit is None or ran is None:
            return error
        progress.begin_movement(final)
        progress.ledger.commit = commit
        waiting.settle(progress)
    except HfspaceError as second:
        text = f"{error.message} The files of before could not be brought back: {second.message}"
        return HfspaceError(text, hint=error.hint)
    now = "run" if progress.stage == "RUNNING" else f"{space} is {progress.stage}"
    back = f"The files of commit {ran[:7]} are back, and {now}."
    return HfspaceError(f"{error.message} {back}", hint="Correct the new files; the next plan refuses these.")


def _last_that_ran(before: SpaceState) -> str | None:
    """The commit that ran before this run; None where that is not known, as of a Space that had failed or was
    paused. What sleeps tells no commit, and has gone to sleep with its newest."""
    if before.stage in IDLE:
        return before.sha
    return None if before.stage in FAILED | HELD else before.runtime_sha
