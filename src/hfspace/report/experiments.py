"""Experiments as tables, in full, and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from hfspace.live.trackio.port import Experiment, Series
from hfspace.report.cells import counted, cut, value
from hfspace.text import pad, plain, width

LONGEST_NAME = 48
_MOST_LATEST = 3


def table(experiments: Sequence[Experiment]) -> str:
    """One line per experiment; columns that nothing fills are left out."""
    rows = [_row(item) for item in experiments]
    return "\n".join([*grid(rows), f"{counted(len(rows), 'experiment')}."])


def detail(experiment: Experiment) -> str:
    """Everything that can be read of one experiment."""
    facts: list[tuple[str, object]] = [
        ("name", experiment.name),
        ("id", experiment.id),
        ("project", experiment.project),
        ("status", experiment.status),
        ("description", experiment.description),
        ("created", experiment.created),
        ("entries", f"{experiment.metrics:,}"),
    ]
    lines = [f"{name:<13}{plain(item)}" for name, item in facts if item not in (None, "")]
    step = "" if experiment.latest_step is None else f" (step {experiment.latest_step})"
    lines += _section(f"latest metrics{step}", experiment.latest)
    lines += _section("parameters", experiment.parameters)
    return "\n".join(lines)


def one_line(experiment: Experiment) -> str:
    """'name' (id), and the project where there are projects."""
    project = f" in project {experiment.project}" if experiment.project else ""
    return plain(f"'{cut(experiment.name, LONGEST_NAME)}' ({experiment.id}){project}")


def to_json(experiment: Experiment) -> dict[str, Any]:
    """Plain JSON values; null where this kind of app holds no such thing."""
    return asdict(experiment)


def series_to_json(series: Series) -> dict[str, Any]:
    return asdict(series)


def grid(rows: Sequence[Mapping[str, str]]) -> list[str]:
    """Lines of a table; cells must be escaped already. Columns that are empty throughout are left out."""
    if not rows:
        return []
    names = [name for name in rows[0] if any(row[name] for row in rows)]
    lines = [{name: name for name in names}, *rows]
    widths = {name: max(width(line[name]) for line in lines) for name in names}
    return ["  ".join(pad(line[name], widths[name]) for name in names).rstrip() for line in lines]


def _row(item: Experiment) -> dict[str, str]:
    step = "" if item.latest_step is None else f"step {item.latest_step}: "
    newest = list(item.latest.items())[:_MOST_LATEST]
    latest = ", ".join(f"{cut(plain(name), 24)} {value(_short(held), 24)}" for name, held in newest)
    return {
        "NAME": cut(plain(item.name), LONGEST_NAME),
        "ID": cut(plain(item.id), LONGEST_NAME),
        "PROJECT": plain(item.project or ""),
        "STATUS": plain(item.status or ""),
        "ENTRIES": f"{item.metrics:,}",
        "PARAMETERS": f"{len(item.parameters):,}",
        "LATEST": f"{step}{latest}" if latest else "",
        "CREATED": plain((item.created or "")[:19]),
    }


def _section(title: str, items: Mapping[str, object]) -> list[str]:
    if not items:
        return []
    return ["", f"{title}:", *(f"  {plain(name)} = {value(_short(held))}" for name, held in items.items())]


def _short(held: object) -> object:
    """Metrics with the digits that a reader can use."""
    return float(f"{held:.6g}") if isinstance(held, float) else held
