"""Metrics that are neither number nor text, in the form in which official trackio keeps them: JSON with a
`_type`, and for a picture the path of a file that was sent before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from hfspace.errors import NotSupported
from hfspace.live.trackio.official_api import OfficialApi
from hfspace.live.trackio.port import Experiment, LogEntry
from hfspace.live.trackio.uploads import as_uploaded
from hfspace.live.trackio.values import one_line
from hfspace.model import Json

TYPE = "_type"
IMAGE = "trackio.image"
_PREFIX = "trackio."


def kind_of(value: Json) -> str | None:
    """The word for what is neither number nor text: image, table, histogram, …; None for all else."""
    kind = value.get(TYPE) if isinstance(value, Mapping) else None
    return kind.removeprefix(_PREFIX) if isinstance(kind, str) and kind.startswith(_PREFIX) else None


def refuse(entries: Iterable[LogEntry]) -> None:
    """Raises NotSupported when one of them has a metric that the Gradio app does not hold."""
    for entry in entries:
        for name, value in entry.metrics.items() if isinstance(entry.metrics, Mapping) else ():
            if kind := kind_of(value):
                raise NotSupported(
                    f"The Gradio Trackio app holds numbers and text, and '{one_line(name)}' is of the kind "
                    f"{kind}.",
                    hint="Official trackio holds it.",
                )


def upload(api: OfficialApi, run: Experiment, path: Path, step: int | None) -> str:
    """Send a picture of a run's step, under its own name; the `file_path` of a metric that shows it. Sending
    it again changes nothing. Raises TrackioError, OSError."""
    staged = api.stage(path, lambda sent: None)
    item = {
        "project": run.project,
        "run": run.name,
        "step": step,
        "relative_path": None,
        "uploaded_file": as_uploaded(staged, path.name),
    }
    api.write("bulk_upload_media", uploads=[item], hf_token=None)
    return "/".join(str(part) for part in (run.project, run.name, step, path.name) if part is not None)
