"""Whether somebody else changed what this run has written: a second runner, or a person in the browser.

The Hub has no compare-and-swap. What can be done is to read after every write, to say so when something
else is there, and not to fight: a setting that the Hub has acknowledged is never written twice in one run.
"""

from __future__ import annotations

import json

from hfspace.errors import ChangedMeanwhile, HfspaceError, HubFault
from hfspace.model import RESTART_VARIABLE, Action, Change, SpaceState, Subject

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
    if change.subject is Subject.STAGE:
        return ChangedMeanwhile(
            f"{change.space} was {'stopped' if change.before == 'STOPPED' else 'paused'} by somebody else "
            "meanwhile: this run had started it.",
            hint=HINT,
        )
    if _is_ours(change, now):
        return ChangedMeanwhile(
            f"{change.address} reads otherwise than this run wrote it: the Hub does not store "
            f"{'it' if change.sensitive else _shown(change.after)} as it is.",
            hint="Write it in the manifest as the Hub shows it; see `hfspace plan`.",
        )
    live = "" if change.sensitive else f", and now it is {_shown(change.before)}"
    if _value(change, before) != _value(change, now):
        return ChangedMeanwhile(
            f"{change.address} was changed by somebody else meanwhile: this run had set it"
            f"{'' if change.sensitive else ' to ' + _shown(change.after)}{live}.",
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


def _value(change: Change, state: SpaceState | None) -> object:
    """What `change` is about, as `state` has it, without what a write may add by itself."""
    if state is None:
        return None
    if change.facet == "variables":
        variable = (state.variables or {}).get(str(change.key))
        return variable.value if variable else None
    if change.facet == "restart":
        marker = (state.variables or {}).get(RESTART_VARIABLE)
        return marker.value if marker else None
    if change.facet == "secrets":
        secret = (state.secrets or {}).get(str(change.key))
        return (secret.fingerprint,) if secret else None
    return getattr(state, change.facet, None)


def _shown(value: object) -> str:
    if isinstance(value, dict):
        value = value.get("value")
    return "not there" if value is None else json.dumps(value, ensure_ascii=False)


def _is_ours(change: Change, state: SpaceState | None) -> bool:
    """Whether what reads otherwise came from our own write all the same: the mark of a secret fits its value,
    or a text differs in white space only."""
    if state is None:
        return False
    secret = (state.secrets or {}).get(str(change.key)) if change.sensitive else None
    if secret is not None:
        return bool(secret.matches)
    wrote = change.after.get("value") if isinstance(change.after, dict) else change.after
    now = _value(change, state)
    return isinstance(wrote, str) and isinstance(now, str) and wrote.split() == now.split() and wrote != now
