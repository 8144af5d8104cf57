"""The points of a Plotly figure that the Gradio Trackio app draws: its only way to tell older metrics."""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Mapping

from hfspace.errors import TrackioRejected, TrackioUnavailable
from hfspace.live.trackio.app_http import MOST_PARTS, parsed
from hfspace.live.trackio.port import Point
from hfspace.live.trackio.values import number, one_line
from hfspace.model import Json

_FORMATS = {"f8": "d", "f4": "f", "i1": "b", "i2": "h", "i4": "i", "u1": "B", "u2": "H", "u4": "I", "i8": "q"}
_NOTHING = "No metrics data available"
_OTHERS = "Available metrics: "


def read_figure(answer: Json, metric: str) -> tuple[Point, ...]:
    """The points of the first trace, in its order; values that are no finite number are left out.

    Raises TrackioRejected when the figure says that the metric is not there, TrackioUnavailable when it is
    no figure.
    """
    figure = _figure(answer)
    data = figure.get("data")
    if not isinstance(data, list):
        raise _no_figure()
    if not data:
        _explain(figure, metric)
        return ()
    trace = data[0] if isinstance(data[0], Mapping) else {}
    steps, values = _array(trace.get("x")), _array(trace.get("y"))
    points = []
    for step, value in zip(steps, values, strict=False):
        drawn, at = number(value), number(step)
        if drawn is not None:
            points.append(Point(step=None if at is None else int(at), value=drawn))
    return tuple(points)


def _figure(answer: Json) -> Mapping[str, Json]:
    plot = answer.get("plot") if isinstance(answer, Mapping) else None
    figure = parsed(plot) if isinstance(plot, str) else plot
    if not isinstance(figure, Mapping):
        raise _no_figure()
    return figure


def _explain(figure: Mapping[str, Json], metric: str) -> None:
    """An empty figure carries its reason as an annotation."""
    layout = figure.get("layout")
    notes = layout.get("annotations") if isinstance(layout, Mapping) else None
    reason = " ".join(str(note.get("text", "")) for note in notes or () if isinstance(note, Mapping))
    if not reason or _NOTHING in reason:
        return
    if reason.startswith(_OTHERS):
        known = one_line(reason.removeprefix(_OTHERS))
        raise TrackioRejected(f"The experiment has no metric '{one_line(metric)}'.", hint=f"It has: {known}.")
    raise TrackioRejected(f"The app says: {one_line(reason)}.")


def _array(value: Json) -> list[Json]:
    """A list as it is, or the packed form that Plotly 6 writes for numpy arrays."""
    if isinstance(value, list):
        return value
    if not isinstance(value, Mapping):
        return []
    code = _FORMATS.get(str(value.get("dtype")))
    try:
        raw = base64.b64decode(str(value.get("bdata", "")), validate=True)
        size = struct.calcsize(f"<{code}") if code is not None else 1
        if code is None or len(raw) % size or len(raw) // size > MOST_PARTS:
            raise ValueError
        return [item for (item,) in struct.iter_unpack(f"<{code}", raw)]
    except (ValueError, binascii.Error):
        raise _no_figure() from None


def _no_figure() -> TrackioUnavailable:
    return TrackioUnavailable("The app's plot is not laid out as known.", hint="Its code may have changed.")
