"""Whether a Space that came to rest is what was asked for: held, up, and serving what is declared."""

from __future__ import annotations

from hfspace.applier import app_content, waiting
from hfspace.applier.run import Run
from hfspace.errors import HfspaceError
from hfspace.facets import BY_NAME
from hfspace.model import FAILED, Change, Check, SpaceState

_LOOKS = 5


def verdict(
    run: Run, space: str, final: SpaceState | None, *, waited: bool
) -> tuple[HfspaceError | None, tuple[str, ...]]:
    """What is wrong with the Space as it is now, and the end of the log that explains it."""
    if problems := run.problems(space, final):
        # The plan had none, or the Space would not have been touched: this came up meanwhile.
        return HfspaceError(f"{space}: {problems[0].message}", hint=problems[0].hint), ()
    if final is None or not waited:
        return None, ()
    if final.stage in FAILED and final.stage != "NO_APP_FILE":
        said = f": {final.error_message}" if final.error_message else ""
        log = waiting.LOG_COMMANDS.get(final.stage or "", "")
        error = HfspaceError(
            f"{space} is {final.stage} after the change{said}", hint=f"See `hfspace logs {space}{log}`."
        )
        return error, waiting.log_tail(run, final)
    return _unserved(run, space, final) or app_content.experiment_error(run, space, final), ()


def _unserved(run: Run, space: str, final: SpaceState) -> HfspaceError | None:
    spec = run.manifest.spaces[space]
    if not run.options.verify or spec.endpoint is None or final.stage != "RUNNING" or run.look.apps is None:
        return None
    checks: list[Change | Check] = []
    for attempt in range(_LOOKS):
        state = run.read(space, endpoints=True)
        checks = BY_NAME["endpoint"].compare(run.desired(space), state) if state else []
        if not checks:
            return None
        if attempt + 1 < _LOOKS:
            run.pace.sleep(run.options.poll_seconds, f"verifying the endpoint of {space}")
    first = next(item for item in checks if isinstance(item, Check))
    return HfspaceError(f"{space} runs, but its endpoint: {first.message}", hint=first.hint)
