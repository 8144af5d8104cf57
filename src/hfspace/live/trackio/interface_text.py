"""The texts of the Gradio Trackio app, read strictly: names and descriptions stand in them unescaped, and
anybody may have written those. What is not understood is an error, never 'no experiments'."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hfspace.errors import ExperimentNotFound, TrackioRejected, TrackioUnavailable
from hfspace.live.trackio.app_http import parsed
from hfspace.live.trackio.port import Experiment
from hfspace.live.trackio.values import one_line
from hfspace.model import Json

EMPTY = "📭 No experiments found. Create one first!"
_HEADER = re.compile(
    r"📋 EXPERIMENTS OVERVIEW\n=+\nTotal Experiments: (\d{1,9})\nCurrent Experiment: [^\n]*\n\n"
)
_NAME = "   Name: "
_AFTER_NAME = tuple(
    re.compile(line)
    for line in (
        r"   Status: .*", r"   Created: .*", r"   Metrics: \d+ entries", r"   Parameters: \d+ entries",
        r"   Artifacts: \d+ entries",
    )
)  # fmt: skip
_DETAILS = re.compile(r"\n?📊 EXPERIMENT DETAILS\n=+\nID: ([^\n]*)\nName: ")
_PARAMETERS = "\n🔧 PARAMETERS:\n"
_LATEST_METRICS = "\n📊 LATEST METRICS:\n"
# From the last to the first: the lines in front of the parameters.
_HEADINGS = ("📦 ARTIFACTS COUNT: ", "📋 PARAMETERS COUNT: ", "📈 METRICS COUNT: ", "Created: ", "Status: ")
_LATEST = re.compile(
    r"Step: (?P<step>[^\n]*)\nTimestamp: (?P<time>[^\n]*)\nMetrics: (?P<metrics>.*)", re.DOTALL
)
_NO_METRICS = "No metrics logged yet."
_DESCRIPTION = "\nDescription: "
_NEW_ID = re.compile(r"^ID: (\S+)$", re.MULTILINE)
_COUNT = re.compile(r"\d{1,9}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The ids that a listing names, each with the names it stands under; `total` is what the app counts.

    More ids than `total` means that some name forges lines: only the details tell which ids are real.
    """

    total: int
    names: Mapping[str, tuple[str, ...]]


def read_listing(text: str) -> Listing:
    """The answer of /list_experiments_interface. Raises TrackioUnavailable when its layout is not known."""
    if text == EMPTY:
        return Listing(total=0, names={})
    header = _HEADER.match(text)
    if header is None:
        raise not_understood("list of experiments", text)
    names: dict[str, list[str]] = {}
    for ref, name in _blocks(text[header.end() :].split("\n")):
        names.setdefault(ref, []).append(name)
    return Listing(total=int(header[1]), names={key: tuple(listed) for key, listed in names.items()})


def _blocks(lines: list[str]) -> Iterator[tuple[str, str]]:
    """Id and name of each block. A name may have line ends: it goes on until all lines after it are there."""
    at = 0
    while at + 1 < len(lines):
        sign, _, ref = lines[at].partition(" ")
        if not (sign and ref and lines[at + 1].startswith(_NAME)):
            at += 1
            continue
        end = at + 2
        while end + len(_AFTER_NAME) <= len(lines) and not _ends_name(lines, end):
            end += 1
        if end + len(_AFTER_NAME) > len(lines):
            return
        yield ref, "\n".join(lines[at + 1 : end])[len(_NAME) :]
        at = end + len(_AFTER_NAME)


def _ends_name(lines: list[str], at: int) -> bool:
    return all(
        pattern.fullmatch(line)
        for pattern, line in zip(_AFTER_NAME, lines[at : at + len(_AFTER_NAME)], strict=True)
    )


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
    opening = _DETAILS.match(text)
    # From the tail: a description may hold anything, a fake tail too, but JSON has no raw line ends in its
    # texts, so that what follows the last of this heading is the app's own.
    head, heading, tail = text.rpartition(_PARAMETERS)
    raw_parameters, latest_heading, raw_latest = tail.partition(_LATEST_METRICS)
    if opening is None or opening[1] != ref or not heading or not latest_heading:
        raise not_understood(f"details of {one_line(ref)}", text)
    head, lines = _headings(head, text, ref)
    counts = [lines[name] for name in _HEADINGS[1:3]]
    parameters = _object(raw_parameters, text, ref)
    if not all(map(_COUNT.fullmatch, counts)) or len(parameters) != int(counts[0]):
        raise not_understood(f"details of {one_line(ref)}", text)
    name, description = _split(head[opening.end() :], names, text, ref)
    latest, step = _latest(raw_latest, text, ref)
    return Experiment(
        id=ref,
        name=name,
        description=description,
        status=lines["Status: "],
        created=lines["Created: "],
        parameters=parameters,
        metrics=int(counts[1]),
        latest=latest,
        latest_step=step,
    )


def _headings(head: str, text: str, ref: str) -> tuple[str, dict[str, str]]:
    """What is before these lines, and the lines by their heading."""
    lines: dict[str, str] = {}
    for heading in _HEADINGS:
        head, _, line = head.rstrip("\n").rpartition("\n")
        if not line.startswith(heading):
            raise not_understood(f"details of {one_line(ref)}", text)
        lines[heading] = line.removeprefix(heading)
    return head, lines


def accepted(text: str) -> str:
    """`text`, when it says that a write was done. Raises ExperimentNotFound or TrackioRejected: an error of
    the app is an ordinary string."""
    if text.startswith("✅"):
        return text
    reason = one_line(text.lstrip("❌ "))
    if re.search(r"Experiment \S.* not found$", reason):
        raise ExperimentNotFound(f"The app says: {reason}.")
    raise TrackioRejected(f"The app refuses: {reason or 'it gives no reason'}.")


def new_id(text: str) -> str:
    """The id in the answer of a create; the first one, since the name follows it."""
    match = _NEW_ID.search(accepted(text))
    if match is None:
        raise not_understood("answer to a create", text)
    return match[1]


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


def _object(raw: str, text: str, ref: str) -> dict[str, Json]:
    value = parsed(raw)
    if not isinstance(value, dict):
        raise not_understood(f"details of {one_line(ref)}", text)
    return value


def _latest(raw: str, text: str, ref: str) -> tuple[dict[str, Json], int | None]:
    if raw == _NO_METRICS:
        return {}, None
    match = _LATEST.fullmatch(raw)
    if match is None:
        raise not_understood(f"details of {one_line(ref)}", text)
    step = match["step"]
    metrics = parsed(match["metrics"])
    if metrics is None:
        raise not_understood(f"details of {one_line(ref)}", text)
    # Somebody may have logged a list: the app takes it, and it is no set of metrics.
    return metrics if isinstance(metrics, dict) else {}, int(step) if re.fullmatch(
        r"-?\d{1,18}", step
    ) else None
