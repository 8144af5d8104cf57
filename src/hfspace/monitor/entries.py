"""What was logged as records of a spool, with one complaint for each name whose value can't be one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from hfspace.errors import HfspaceError
from hfspace.live.trackio.artifacts import artifact_name, below
from hfspace.model import Json
from hfspace.monitor.filestore import FileStore
from hfspace.monitor.media import as_value
from hfspace.monitor.messages import Complaints
from hfspace.monitor.records import Record, RecordKind
from hfspace.monitor.values import clean_metrics, clean_parameters, clean_step


def record(kind: RecordKind, body: Json, step: int | None = None) -> Record:
    """A record of now, without a number yet."""
    now = time.time()
    when = f"{_second(int(now))}.{int(now % 1 * 1000):03}+00:00"
    return Record(n=0, kind=kind, body=body, step=step, time=when)


def metrics_body(
    metrics: Mapping[str, Any], complaints: Complaints, files: Callable[[], FileStore]
) -> dict[str, Json]:
    """The metrics as JSON; the content of pictures goes to `files`, which is asked for when there is one."""
    body, others = clean_metrics(metrics)
    for name, item in others.items():
        try:
            if (value := as_value(item)) is not None:
                body[name] = clean_parameters(value.document(files()))
                continue
            why = "had a value that is no number, text, Histogram, Table or Image"
        except Exception as error:  # noqa: BLE001 - a foreign object may raise anything
            why = f"can't be recorded ({error_words(error)})"
        complaints.once(f"value {name}", f"Metric '{name}' {why}; such values are left out.")
    return body


def step_of(step: Any, complaints: Complaints) -> int | None:
    number = clean_step(step)
    if number is None and step is not None:
        complaints.once("step", "A step that is no whole number was left out.")
    return number


def artifact_body(
    path: Path, files: FileStore, *, name: str | None, type: str, aliases: Iterable[str]
) -> dict[str, Json]:
    """A copy of a file, or of what is below a folder. Raises OSError."""
    copies = [(inside, files.keep_copy(file)) for inside, file in zip(*below(path), strict=True)]
    if not copies:
        raise FileNotFoundError(f"{path} holds no file")
    return {
        "name": artifact_name(Path(name) if name else path),
        "type": str(type) or "file",
        "aliases": [str(alias) for alias in aliases],
        "files": [{"path": inside, "size": file.size, "sha256": file.sha256} for inside, file in copies],
    }


def error_words(error: Exception) -> str:
    """Only our own errors and those of the disk are fit for a log; a foreign text may hold anything."""
    if isinstance(error, HfspaceError):
        return error.message.rstrip(".")
    return getattr(error, "strerror", None) or type(error).__name__


@lru_cache(maxsize=2)
def _second(seconds: int) -> str:
    """The beginning of a time in ISO 8601: many steps are of one second."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
