"""The texts of the Gradio Trackio app, read strictly: names and descriptions stand in them unescaped, and
anybody may have written those. What is not understood is an error, never 'no experiments'."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from hfspace.errors import ExperimentNotFound, TrackioRejected, TrackioUnavailable
from hfspace.live.trackio.port import Experiment
from hfspace.live.trackio.values import one_line
from hfspace.model import Json

EMPTY = "📭 No experiments found. Create one first!"
_HEADER = re.compile(r"📋 EXPERIMENTS OVERVIEW\n=+\nTotal Experiments: (\d+)\nCurrent Experiment: [^\n]*\n\n")
_BLOCK = re.compile(
    r"^\S+ (?P<id>[^\n]+)\n   Name: (?P<name>.*?)\n   Status: [^\n]*\n   Created: [^\n]*\n"
    r"   Metrics: \d+ entries\n   Parameters: \d+ entries\n   Artifacts: \d+ entries$",
    re.DOTALL | re.MULTILINE,
)
# From the tail: a description may hold anything, a fake tail too, but JSON has no raw line ends in its texts,
# so that what follows the last of these headings is the app's own.
_DETAILS = re.compile(
    r"\n?📊 EXPERIMENT DETAILS\n=+\nID: (?P<id>[^\n]*)\nName: (?P<names>.*)\nStatus: (?P<status>[^\n]*)\n"
    r"Created: (?P<created>[^\n]*)\n+📈 METRICS COUNT: (?P<metrics>\d+)\n+"
    r"📋 PARAMETERS COUNT: (?P<count>\d+)\n+📦 ARTIFACTS COUNT: \d+\n+"
    r"🔧 PARAMETERS:\n(?P<parameters>.*?)\n+📊 LATEST METRICS:\n(?P<latest>.*)",
    re.DOTALL,
)
_LATEST = re.compile(
    r"Step: (?P<step>[^\n]*)\nTimestamp: (?P<time>[^\n]*)\nMetrics: (?P<metrics>.*)", re.DOTALL
)
_NO_METRICS = "No metrics logged yet."
_DESCRIPTION = "\nDescription: "
_NEW_ID = re.compile(r"^ID: (\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The ids that a listing names, each with the names it stands under; `total` is what the app counts.

    More ids than `total` means that some name forges lines: only the details tell which ids are real.
    """

    total: int
    names: Mapping[str, tuple[str, ...]]

    @property
    def agrees(self) -> bool:
        return len(self.names) == self.total


def read_listing(text: str) -> Listing:
    """The answer of /list_experiments_interface. Raises TrackioUnavailable when its layout is not known."""
    if text == EMPTY:
        return Listing(total=0, names={})
    header = _HEADER.match(text)
    if header is None:
        raise not_understood("list of experiments", text)
    names: dict[str, list[str]] = {}
    for block in _BLOCK.finditer(text, header.end()):
        names.setdefault(block["id"], []).append(block["name"])
    return Listing(total=int(header[1]), names={key: tuple(listed) for key, listed in names.items()})


def is_missing(text: str, ref: str) -> bool:
    """Whether the details say that there is no such experiment."""
    return text == f"❌ Experiment {ref} not found"


def read_details(text: str, ref: str, names: tuple[str, ...] = ()) -> Experiment:
    """The answer of /get_experiment_details for the id `ref`. `names` are those the listing gives it: they
    tell where a name ends that itself holds 'Description:'.

    Raises ExperimentNotFound, and TrackioUnavailable when the layout is not known.
    """
    if is_missing(text, ref):
        raise ExperimentNotFound(f"There is no experiment with the id {one_line(ref)}.")
    found = _DETAILS.fullmatch(text)
    if found is None or found["id"] != ref:
        raise not_understood(f"details of {one_line(ref)}", text)
    parameters = _object(found["parameters"], text, ref)
    if len(parameters) != int(found["count"]):
        raise not_understood(f"details of {one_line(ref)}", text)
    name, description = _split(found["names"], names, text, ref)
    latest, step = _latest(found["latest"], text, ref)
    return Experiment(
        id=ref,
        name=name,
        description=description,
        status=found["status"],
        created=found["created"],
        parameters=parameters,
        metrics=int(found["metrics"]),
        latest=latest,
        latest_step=step,
    )


def accepted(text: str) -> str:
    """`text`, when it says that a write was done. Raises ExperimentNotFound or TrackioRejected: an error of
    the app is an ordinary string."""
    if text.startswith("✅"):
        return text
    said = one_line(text.lstrip("❌ "))
    if re.search(r"Experiment \S.* not found$", said):
        raise ExperimentNotFound(f"The app says: {said}.")
    raise TrackioRejected(f"The app refuses: {said or 'it gives no reason'}.")


def new_id(text: str) -> str:
    """The id in the answer of a create; the first one, since the name follows it."""
    found = _NEW_ID.search(accepted(text))
    if found is None:
        raise not_understood("answer to a create", text)
    return found[1]


def not_understood(what: str, text: str) -> TrackioUnavailable:
    return TrackioUnavailable(
        f"The app's {what} is not laid out as known: {one_line(text[:120])!r}.",
        hint="Its code may have changed; nothing was concluded from it.",
    )


def _split(names: str, listed: tuple[str, ...], text: str, ref: str) -> tuple[str, str]:
    """Name and description. A name with line ends is ambiguous; the listing's, where it fits, decides."""
    for name in sorted(listed, key=len, reverse=True):
        if names.startswith(name + _DESCRIPTION):
            return name, names[len(name) + len(_DESCRIPTION) :]
    name, separator, description = names.partition(_DESCRIPTION)
    if not separator:
        raise not_understood(f"details of {one_line(ref)}", text)
    return name, description


def _object(written: str, text: str, ref: str) -> dict[str, Json]:
    try:
        value = json.loads(written)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise not_understood(f"details of {one_line(ref)}", text)
    return value


def _latest(written: str, text: str, ref: str) -> tuple[dict[str, Json], int | None]:
    if written == _NO_METRICS:
        return {}, None
    found = _LATEST.fullmatch(written)
    if found is None:
        raise not_understood(f"details of {one_line(ref)}", text)
    step = found["step"]
    try:
        metrics = json.loads(found["metrics"])
    except (ValueError, RecursionError):
        raise not_understood(f"details of {one_line(ref)}", text) from None
    # Somebody may have logged a list: the app takes it, and it is no set of metrics.
    return metrics if isinstance(metrics, dict) else {}, int(step) if re.fullmatch(r"-?\d+", step) else None
