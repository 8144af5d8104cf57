"""Everything that a Trackio app lets one read, as JSON, JSONL, CSV or Parquet, and what it does not."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from hfspace.errors import NotSupported, TrackioRejected, UsageError
from hfspace.live.trackio.port import Experiment, Series, Tracker
from hfspace.text import plain

Table = Literal["metrics", "experiments"]
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
"""What begins a formula in a spreadsheet, the wide forms in a Japanese one."""
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_METRIC_COLUMNS = ("experiment", "name", "project", "metric", "step", "value", "time")
_EXPERIMENT_COLUMNS = (
    "id", "name", "project", "status", "description", "created", "metrics", "latest_step", "parameters",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What was read. `missing` says in sentences what could not be."""

    experiments: tuple[Experiment, ...]
    series: tuple[tuple[Experiment, Series], ...]
    missing: tuple[str, ...]


def read(
    tracker: Tracker,
    refs: Sequence[str] = (),
    *,
    project: str | None = None,
    metrics: Sequence[str] = (),
    notify: Callable[[str], None] = lambda text: None,
) -> Exported:
    """Read experiments (all, unless `refs` names some) and the series of their metrics.

    `metrics` asks for metrics whose names the app does not tell by itself. Raises TrackioError when the app
    can't be read: an export is whole, or says in `missing` what it lacks.
    """
    experiments = tuple(tracker.show(ref, project) for ref in refs) if refs else tracker.list(project)
    series: list[tuple[Experiment, Series]] = []
    missing: list[str] = []
    for at, item in enumerate(experiments, start=1):
        notify(f"Reading {at} of {len(experiments)}: '{item.name}'")
        known = tracker.metric_names(item.id, item.project) if item.metrics else ()
        for metric in dict.fromkeys([*known, *metrics]):
            one = _series(tracker, item, metric, missing)
            if one is not None:
                series.append((item, one))
        missing += _short_of(item, [one for owner, one in series if owner is item])
    if tracker.kind == "interface" and any(item.metrics for item in experiments):
        missing.append(
            "The Gradio app names only the metrics of an experiment's last entry; ask for others with "
            "--metric. Its artifacts can't be read."
        )
    return Exported(experiments=experiments, series=tuple(series), missing=tuple(missing))


def as_text(exported: Exported, form: str, table: Table = "metrics") -> str:
    """The export as jsonl, json, csv or excel: a CSV whose first bytes tell Excel that it is UTF-8, with the
    line ends of Windows."""
    match form:
        case "json":
            return as_json(exported)
        case "csv":
            return as_csv(exported, table)
        case "excel":
            return "\ufeff" + as_csv(exported, table).replace("\n", "\r\n")
        case _:
            return "\n".join(as_jsonl(exported)) + "\n"


def as_json(exported: Exported) -> str:
    """One document: the experiments, each with its series."""
    series: dict[str, list[dict[str, Any]]] = {}
    for owner, one in exported.series:
        points = [asdict(point) for point in one.points]
        series.setdefault(owner.id, []).append({"metric": one.metric, "points": points})
    document = {
        "format_version": 1,
        "missing": list(exported.missing),
        "experiments": [{**asdict(one), "series": series.get(one.id, [])} for one in exported.experiments],
    }
    return _ascii(document, indent=2) + "\n"


def as_jsonl(exported: Exported) -> Iterator[str]:
    """A header, then a line per experiment and a line per value, in pure ASCII."""
    yield _ascii({"hfspace_export": 1, "missing": list(exported.missing)})
    for item in exported.experiments:
        yield _ascii({"type": "experiment", **asdict(item)})
    for row in _metric_rows(exported):
        yield _ascii({"type": "metric", **row})


def as_csv(exported: Exported, table: Table = "metrics") -> str:
    """One table with a header line. Control characters are spelled out, and text that a spreadsheet would
    run as a formula starts with an apostrophe; a number never does."""
    out = io.StringIO()
    columns, rows = _table(exported, table)
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(row[column]) for column in columns] for row in rows)
    return out.getvalue()


def write_parquet(exported: Exported, path: Path, table: Table = "metrics") -> None:
    """One table, zstd-compressed. Raises UsageError when pyarrow is not installed, OSError."""
    pyarrow, parquet = load_pyarrow()
    columns, rows = _table(exported, table)
    types = {
        "step": pyarrow.int64(), "value": pyarrow.float64(),
        "metrics": pyarrow.int64(), "latest_step": pyarrow.int64(),
    }  # fmt: skip
    schema = pyarrow.schema([(column, types.get(column, pyarrow.string())) for column in columns])
    whole = [{name: _whole(item) for name, item in row.items()} for row in rows]
    parquet.write_table(pyarrow.Table.from_pylist(whole, schema=schema), path, compression="zstd")


def load_pyarrow() -> tuple[Any, Any]:
    """pyarrow and its parquet module. Raises UsageError when it is not installed."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise UsageError(
            "Parquet needs pyarrow.", hint="pip install 'hfspace[parquet]', or write .jsonl or .csv."
        ) from None
    return pyarrow, parquet


def _series(tracker: Tracker, item: Experiment, metric: str, missing: list[str]) -> Series | None:
    if isinstance(item.latest.get(metric), str | list | dict):
        missing.append(f"'{item.name}': metric '{metric}' is no number; only its last value is known.")
        return None
    try:
        return tracker.plot(item.id, metric, item.project)
    except (NotSupported, TrackioRejected) as error:
        missing.append(f"'{item.name}': metric '{metric}' can't be read. {error.message}")
        return None


def _short_of(item: Experiment, series: Sequence[Series]) -> list[str]:
    if not item.metrics:
        return []
    if not series:
        return [f"'{item.name}' has {item.metrics} entries, and no value of them could be read."]
    most = max(len(one.points) for one in series)
    if most < item.metrics:
        return [f"'{item.name}' has {item.metrics} entries; at most {most} values of a metric were read."]
    return []


def _table(exported: Exported, table: Table) -> tuple[Sequence[str], Iterator[dict[str, Any]]]:
    if table == "metrics":
        return _METRIC_COLUMNS, _metric_rows(exported)
    return _EXPERIMENT_COLUMNS, _experiment_rows(exported)


def _metric_rows(exported: Exported) -> Iterator[dict[str, Any]]:
    for item, series in exported.series:
        for point in series.points:
            yield {
                "experiment": item.id,
                "name": item.name,
                "project": item.project,
                "metric": series.metric,
                "step": point.step,
                "value": point.value,
                "time": point.time,
            }


def _experiment_rows(exported: Exported) -> Iterator[dict[str, Any]]:
    for item in exported.experiments:
        row = {column: getattr(item, column) for column in _EXPERIMENT_COLUMNS}
        yield {**row, "parameters": json.dumps(dict(item.parameters), ensure_ascii=False)}


def _whole(value: Any) -> Any:
    """Half of a surrogate pair is no text that Parquet can hold."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _cell(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    text = plain(value)
    return f"'{text}" if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text) else text


def _ascii(document: dict[str, Any], indent: int | None = None) -> str:
    # NaN is no JSON; a value that is none is written as null.
    text = json.dumps(document, ensure_ascii=True, indent=indent)
    if "NaN" in text or "Infinity" in text:
        whole = json.loads(text, parse_constant=lambda name: None)
        text = json.dumps(whole, ensure_ascii=True, indent=indent)
    return text
