"""Values that travel to and from a Trackio app: what JSON can hold, when two are equal, who a run is."""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from hfspace.errors import TrackioRejected
from hfspace.live.trackio.port import STATUSES, LogEntry
from hfspace.manifest.experiments import canonical_project, has_breaks
from hfspace.model import Json
from hfspace.text import one_line as text_from_elsewhere

_RUNS = uuid.UUID("7c0f3b56-2f0c-5a53-9f0e-6c8a3a0b7f11")
_LONGEST_SAID = 300
_SHORTEST_SECRET = 6


def run_id(project: str, name: str) -> str:
    """The id of the run that hfspace declares: the same for the same project and name, so that declaring it
    twice is declaring it once."""
    return str(uuid.uuid5(_RUNS, f"{canonical_project(project)}\n{name}"))


def plain_json(value: Any) -> Json:
    """`value` as it comes back from JSON (tuples as lists, keys as text). Raises TrackioRejected for what
    JSON has no word for, non-finite numbers among it."""
    try:
        return json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        why = "a number is not finite" if "Out of range" in str(error) else str(error)
        raise TrackioRejected(
            f"The parameters are no JSON: {one_line(why)}.", hint="Use text, finite numbers, true or false."
        ) from None


def parameters_of(value: Any) -> dict[str, Json]:
    """Parameters as a JSON object. Raises TrackioRejected for anything else."""
    if not isinstance(value, Mapping):
        raise TrackioRejected(f"Parameters are a JSON object, not {type(value).__name__}.")
    return dict(plain_json({str(key): item for key, item in value.items()}))


def metrics_of(entry: LogEntry) -> dict[str, Json]:
    """The metrics of an entry as a JSON object; NaN and infinities stay, since training can produce them.

    Raises TrackioRejected for anything but a map: the Gradio app takes a list, and can't plot ever after.
    """
    if not isinstance(entry.metrics, Mapping):
        raise TrackioRejected(f"Metrics are a JSON object, not {type(entry.metrics).__name__}.")
    if entry.step is not None and (isinstance(entry.step, bool) or not isinstance(entry.step, int)):
        raise TrackioRejected(f"A step is a whole number, not {entry.step!r}.")
    try:
        return dict(json.loads(json.dumps({str(key): item for key, item in entry.metrics.items()})))
    except (TypeError, ValueError, RecursionError) as error:
        raise TrackioRejected(f"The metrics are no JSON: {one_line(str(error))}.") from None


def checked_name(name: str) -> str:
    """`name`, when it can be one. Raises TrackioRejected."""
    if not isinstance(name, str) or not name.strip() or has_breaks(name):
        raise TrackioRejected(
            f"{one_line(repr(name))} can't be the name of an experiment.",
            hint="Use one line of visible text.",
        )
    return name


def checked_status(status: str) -> str:
    """`status`, when it is one. Raises TrackioRejected."""
    if status not in STATUSES:
        raise TrackioRejected(
            f"'{one_line(str(status))}' is no status.", hint=f"It is one of {', '.join(STATUSES)}."
        )
    return status


def same(left: Json, right: Json) -> bool:
    """Equal as JSON: true is not 1, 1 is 1.0, and NaN (which an app may hold) equals nothing declared."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, Sequence) and isinstance(right, Sequence) and not isinstance(left, str):
        if isinstance(right, str) or len(left) != len(right):
            return False
        return all(same(a, b) for a, b in zip(left, right, strict=True))
    return bool(left == right)


def differing(target: Mapping[str, Json], live: Mapping[str, Json]) -> dict[str, Json]:
    """The keys of `target` that are missing or other in `live`."""
    return {key: value for key, value in target.items() if key not in live or not same(value, live[key])}


def number(value: Json) -> float | None:
    """A number that can be drawn; None for all else: NaN, infinities, whole numbers that no float holds."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def without(text: str, *secrets: str | None) -> str:
    """`text` without the tokens that were sent: an app may repeat them, in an error or as data."""
    for secret in secrets:
        if secret and len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, "…")
    return text


def one_line(text: object) -> str:
    """What an app said, fit for a message: printable, one line, not too long."""
    return text_from_elsewhere(text, _LONGEST_SAID)
