"""The lines of a spool file, version 1: a header, records numbered from 1, and marks of what was sent."""

from __future__ import annotations

import json
import math
import re
import shlex
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from hfspace.errors import HfspaceError
from hfspace.model import Json

VERSION = 1
RecordKind = Literal["metrics", "parameters", "status", "artifact"]
_SHA256 = re.compile(r"[0-9a-f]{64}")
_encode = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode
_KINDS: tuple[RecordKind, ...] = ("metrics", "parameters", "status", "artifact")


class SpoolError(HfspaceError):
    """A spool file can't be used: unreadable, not a spool, or from a newer hfspace."""


class SpoolBusy(SpoolError):
    """Somebody else is writing to the spool or sending it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """Whose records these are, and where they go. `id` pins an experiment among several of one name."""

    spool: str
    name: str
    created: str
    space: str | None = None
    url: str | None = None
    project: str | None = None
    backend: str = "auto"
    description: str = ""
    id: str | None = None
    artifacts: str | None = None
    endpoints: Mapping[Any, str] | None = None


class Record(NamedTuple):
    """One thing to send. `end` is the byte after it in the file.

    A tuple, since one is made at each step of a training and a frozen dataclass takes three times as long."""

    n: int
    kind: RecordKind
    body: Json
    step: int | None = None
    time: str | None = None
    end: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """Metrics from record `first` to `last` were about to be sent when the experiment had `base` entries."""

    first: int
    last: int
    base: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What the sender has done. `not_held` names something that the app does not hold, and did not get."""

    sent: int | None = None
    not_held: str | None = None
    pending: Pending | None = None
    experiment: str | None = None
    base: int = 0


def new_spool_id() -> str:
    return uuid.uuid4().hex


def header_line(header: Header, path: Path) -> bytes:
    """The first line. It tells whoever finds the file how to send it."""
    return _line({"hfspace_spool": VERSION, "send_with": send_command(path), **asdict(header)})


def send_command(path: Path) -> str:
    """What a person types to send a spool, or the spools of a folder."""
    return f"hfspace experiments sync {shlex.quote(str(path))}"


def record_line(record: Record, n: int) -> bytes:
    """The line of a record, with this number. Cheap: this runs in the training thread."""
    document: dict[str, Json] = {"n": n, record.kind: record.body}
    if record.step is not None:
        document["step"] = record.step
    if record.time is not None:
        document["time"] = record.time
    try:
        return _line(document)
    except ValueError:
        return _line(_without_odd(document))


def mark_line(mark: Mark) -> bytes:
    if mark.experiment is not None:
        return _line({"experiment": mark.experiment, "base": mark.base, "sent": mark.sent})
    if mark.not_held is not None:
        return _line({"not_held": mark.not_held})
    if mark.pending is not None:
        return _line({"sending": asdict(mark.pending)})
    return _line({"sent": mark.sent})


def read_header(line: bytes, place: str) -> Header:
    """Raises SpoolError when this is no spool, or one that this version does not know."""
    document = _parsed(line)
    version = document.get("hfspace_spool") if document else None
    if document is None or not isinstance(version, int):
        raise SpoolError(f"{place} is not a spool file of hfspace.")
    if version > VERSION:
        raise SpoolError(
            f"{place} was written by a newer hfspace (spool version {version}).", hint="Update hfspace."
        )
    try:
        names = Header.__dataclass_fields__
        header = Header(**{name: document[name] for name in names if name in document})
    except TypeError:
        raise SpoolError(f"{place} has a damaged first line.") from None
    texts = (header.spool, header.name, header.created, header.backend, header.description)
    options = (header.space, header.url, header.project, header.id, header.artifacts)
    if not all(isinstance(text, str) for text in texts) or not all(
        isinstance(text, str | None) for text in options
    ):
        raise SpoolError(f"{place} has a damaged first line.")
    endpoints = {} if header.endpoints is None else header.endpoints
    if not isinstance(endpoints, dict) or not all(isinstance(name, str) for name in endpoints.values()):
        raise SpoolError(f"{place} has a damaged first line.")
    return header


def read_line(line: bytes, end: int) -> Record | Mark | None:
    """A line after the header; None when it is damaged (a crash in the middle of a write)."""
    document = _parsed(line)
    if document is None:
        return None
    try:
        return _record(document, end) if "n" in document else _mark(document)
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def _record(document: Mapping[str, Json], end: int) -> Record | None:
    n, kind = document["n"], next((kind for kind in _KINDS if kind in document), None)
    if kind is None or not isinstance(n, int):
        return None
    body, step, time = document[kind], document.get("step"), document.get("time")
    if not isinstance(body, str if kind == "status" else dict) or not isinstance(step, int | None):
        return None
    if kind == "artifact" and not (isinstance(body, dict) and _is_artifact(body)):
        return None
    if isinstance(body, dict) and "not_finite" in document:
        body = body | {name: float(text) for name, text in document["not_finite"].items()}
    return Record(n=n, kind=kind, body=body, step=step, time=time, end=end)


def _is_artifact(body: Mapping[str, Json]) -> bool:
    """True for what `log_artifact` writes: texts, and files that are named by their hash."""
    texts = [body["name"], body["type"], *list(body["aliases"])]
    return all(isinstance(text, str) for text in texts) and all(
        isinstance(file["path"], str) and isinstance(file["size"], int) and _SHA256.fullmatch(file["sha256"])
        for file in body["files"]
    )


def _without_odd(document: Mapping[str, Json]) -> dict[str, Json]:
    """The document with NaN and infinity, which JSON has no word for, in a place of their own."""
    metrics = document["metrics"]
    odd = {name: str(value) for name, value in metrics.items() if _is_odd(value)}
    finite = {name: value for name, value in metrics.items() if name not in odd}
    return {**document, "metrics": finite, "not_finite": odd}


def _is_odd(value: Json) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def _mark(document: Mapping[str, Json]) -> Mark | None:
    if "experiment" in document:
        return Mark(
            experiment=str(document["experiment"]), base=int(document["base"]), sent=int(document["sent"])
        )
    if "not_held" in document:
        return Mark(not_held=str(document["not_held"]))
    if "sending" in document:
        raw = document["sending"]
        return Mark(pending=Pending(first=int(raw["first"]), last=int(raw["last"]), base=int(raw["base"])))
    return Mark(sent=int(document["sent"]))


def _line(document: Mapping[str, Json]) -> bytes:
    return _encode(document).encode() + b"\n"


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None
