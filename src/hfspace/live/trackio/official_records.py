"""Runs of official trackio between its JSON and our values."""

from __future__ import annotations

import math
from collections.abc import Mapping

from hfspace.errors import TrackioUnavailable
from hfspace.live.trackio.port import Experiment, Point
from hfspace.live.trackio.values import number
from hfspace.model import Json

_WORDS = {float("inf"): "Infinity", float("-inf"): "-Infinity"}


def experiment_of(project: str, record: Json, configs: Mapping[str, Json]) -> Experiment:
    if not isinstance(record, Mapping) or not record.get("name"):
        raise odd("list of runs")
    name = str(record["name"])
    ref = str(record.get("id") or name)
    config = configs.get(ref)
    return Experiment(
        id=ref,
        name=name,
        project=project,
        created=str(record["created_at"]) if record.get("created_at") else None,
        parameters=dict(config) if isinstance(config, Mapping) else {},
    )


def owner_of(run: Experiment) -> dict[str, Json]:
    return {"project": run.project, "run": run.name, "run_id": run.id}


def mark_of(run: Experiment) -> str:
    return f"hfspace:{run.id}"


def sendable(metrics: Mapping[str, Json]) -> dict[str, Json]:
    """Non-finite numbers as the words that trackio keeps them as (trackio 0.43, utils.serialize_values)."""
    return {key: _word(value) for key, value in metrics.items()}


def _word(value: Json) -> Json:
    if isinstance(value, Mapping):
        return {key: _word(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_word(item) for item in value]
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    return _WORDS.get(value, value) if isinstance(value, float) else value


def point_of(row: Json) -> Point | None:
    """One value; None for what can't be drawn."""
    if not isinstance(row, Mapping):
        return None
    value, step = number(row.get("value")), number(row.get("step"))
    if value is None:
        return None
    stamp = row.get("timestamp")
    return Point(step=None if step is None else int(step), value=value, time=str(stamp) if stamp else None)


def latest_of(entries: Json) -> dict[str, Json]:
    """The values of a snapshot: a map from metric to its rows at that step."""
    if not isinstance(entries, Mapping):
        return {}
    return {
        str(key): rows[-1].get("value")
        for key, rows in entries.items()
        if isinstance(rows, list) and rows and isinstance(rows[-1], Mapping)
    }


def odd(what: str) -> TrackioUnavailable:
    return TrackioUnavailable(
        f"Trackio's {what} is not what it documents.", hint="Look for a newer hfspace; nothing was concluded."
    )
