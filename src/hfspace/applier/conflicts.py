"""Whether somebody else changed what this run has written: a second runner, or a person in the browser.

The Hub has no compare-and-swap. What can be done is to read after every write, to say so when something
else is there, and not to fight: a setting that the Hub has acknowledged is never written twice in one run.
"""

from __future__ import annotations

from hfspace import facets
from hfspace.errors import ChangedMeanwhile, HfspaceError, HubFault
from hfspace.model import IDLE, Action, Change, SpaceState, Subject

HINT = "Is a second run or a person at work on it? See `hfspace plan`; run again if this manifest should win."


def concurrent_change(change: Change, before: SpaceState | None, now: SpaceState | None) -> ChangedMeanwhile:
    """`change` was made, and reads otherwise. `before` is the Space as read before it was made."""
    if change.subject is Subject.SPACE:
        what = "is gone again" if change.action is Action.CREATE else "is there again"
        return ChangedMeanwhile(f"{change.space} {what}: somebody else changed it meanwhile.", hint=HINT)
    if change.pauses:
        return ChangedMeanwhile(
            f"{change.space} was started by somebody else meanwhile: this run had paused it.", hint=HINT
        )
    if change.subject is Subject.STAGE and change.before in IDLE and now and now.stage == change.before:
        return ChangedMeanwhile(
            f"{change.space} is still {now.stage}: the visit did not wake it.",
            hint=f"Open it in a browser, or see `hfspace logs {change.space}`.",
        )
    if change.subject is Subject.STAGE:
        return ChangedMeanwhile(
            f"{change.space} was {'stopped' if change.before == 'STOPPED' else 'paused'} by somebody else "
            "meanwhile: this run had started it.",
            hint=HINT,
        )
    facet = facets.by(change)
    if now is not None and facet.is_stored(change, now):
        return ChangedMeanwhile(
            f"{change.address} reads otherwise than this run wrote it: the Hub does not store "
            f"{'it' if change.sensitive else _shown(change, change.after)} as it is.",
            hint="Write it in the manifest as the Hub shows it; see `hfspace plan`.",
        )
    live = "" if change.sensitive else f", and now it is {_shown(change, change.before)}"
    values = [state and facet.value(state, change.key) for state in (before, now)]
    if values[0] != values[1]:
        return ChangedMeanwhile(
            f"{change.address} was changed by somebody else meanwhile: this run had set it"
            f"{'' if change.sensitive else ' to ' + _shown(change, change.after)}{live}.",
            hint=HINT,
        )
    return ChangedMeanwhile(
        f"{change.address} reads as before, although the Hub took the change: somebody else changed it back, "
        "or the Hub does not hold it.",
        hint=HINT,
    )


def vanished(space: str) -> ChangedMeanwhile:
    """A Space that was there when the plan was made, and that this run did not delete."""
    return ChangedMeanwhile(
        f"{space} is gone since the plan was made, or this token can't see it any more.", hint=HINT
    )


def fails_again(change: Change, times: int, came_up: bool, stage: str | None) -> HfspaceError:
    """The limit of on_error: what was restarted so often in one run is not restarted once more."""
    often = f"restarted {times} time{'s' if times != 1 else ''} in this run"
    flips = (
        f"{change.space} flips between RUNNING and {stage}: it was {often}, came up, and failed again."
        if came_up
        else f"{change.space} was {often} and is {stage} again: no more of that."
    )
    build = " --build" if stage == "BUILD_ERROR" else ""
    return HubFault(flips, hint=f"See `hfspace logs {change.space}{build}`.")


def _shown(change: Change, value: object) -> str:
    return "not there" if value is None else facets.by(change).show(value)
