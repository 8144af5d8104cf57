"""Whether a Space that came to rest is what was asked for: held, up, and serving what is declared."""

from __future__ import annotations

from hfspace.applier import waiting
from hfspace.applier.progress import Progress
from hfspace.applier.run import Run
from hfspace.errors import HfspaceError
from hfspace.facets import Desired, Need, needs, of
from hfspace.live.stages import LOG_COMMANDS
from hfspace.model import FAILED, Check, SpaceState
from hfspace.text import sentence

_LOOKS = 5


def verdict(progress: Progress) -> tuple[HfspaceError | None, tuple[str, ...]]:
    """What is wrong with the Space as it is now, and the end of the log that explains it."""
    run, space, final = progress.run, progress.space, progress.state
    if problems := run.problems(space, final):
        # The plan had none, or the Space would not have been touched: this came up meanwhile.
        return HfspaceError(f"{space}: {problems[0].message}", hint=problems[0].hint), ()
    if final is None or not progress.ledger.waited:
        return None, ()
    if final.stage in FAILED and final.stage != "NO_APP_FILE":
        said = f": {final.error_message}" if final.error_message else ""
        log = LOG_COMMANDS.get(final.stage or "", "")
        error = HfspaceError(
            sentence(f"{space} is {final.stage} after the change{said}"),
            hint=f"See `hfspace logs {space}{log}`.",
        )
        return error, waiting.log_tail(run, final)
    return _unverified(run, space, final), ()


def _unverified(run: Run, space: str, final: SpaceState) -> HfspaceError | None:
    """What a Space that runs as declared shows to be wrong. An app that has just started is asked again."""
    desired = run.desired(space)
    if final.stage != "RUNNING":
        return None
    asked = run.options.verify and run.look.apps is not None and Need.APP in needs(desired.spec, final)
    state: SpaceState | None = final
    check: Check | None = None
    for look in range(_LOOKS if asked else 1):
        if look:
            run.pace.sleep(run.options.poll_seconds, f"verifying {space}")
        state = run.read(space, endpoints=True) if asked else final
        check = _first(desired, state) if state else None
        if check is None:
            return None
    assert check is not None
    return HfspaceError(f"{space} runs, but its {check.facet}: {check.message}", hint=check.hint)


def _first(desired: Desired, state: SpaceState) -> Check | None:
    facets = [facet for facet in of(desired.spec) if facet.name not in desired.spec.ignore]
    return next((check for facet in facets if (check := facet.verify(desired, state))), None)
