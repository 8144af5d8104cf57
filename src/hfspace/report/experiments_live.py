"""The live view of experiments: in a terminal, as a page that refreshes itself, and as JSON. All pure."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from hfspace.live.trackio.overview import AppView, Curves
from hfspace.live.trackio.port import Experiment, Series
from hfspace.report.cells import POLICY, counted, html
from hfspace.report.plots import LARGEST, number, place, thinned
from hfspace.text import plain

_KINDS = {"interface": "Gradio app", "trackio": "official trackio"}
_STYLES = {"running": "green", "completed": "cyan", "failed": "red", "paused": "yellow"}
_BARS = "▁▂▃▄▅▆▇█"
_SHORTEST, _LONGEST = 8, 32
"""Columns of a sparkline."""
_LONGEST_NAME, _LONGEST_METRIC = 48, 24
_WIDTH, _HEIGHT = 240, 36
_MOST_POINTS = 480


def sparkline(values: Sequence[float], columns: int) -> str:
    """One bar per column, each the mean of its stretch."""
    count = min(columns, len(values))
    if count < 1:
        return ""
    edges = [len(values) * at // count for at in range(count + 1)]
    # Divided before they are added: a sum of large floats is infinite.
    means = [
        math.fsum(value / (end - start) for value in values[start:end]) for start, end in pairwise(edges)
    ]
    span = min(means), max(means)
    return "".join(_BARS[min(int(place(mean, span) * len(_BARS)), len(_BARS) - 1)] for mean in means)


def screen(views: Sequence[AppView], now: datetime) -> Group:
    """All apps under each other, for a rich Console of any width."""
    parts: list[RenderableType] = []
    for view in views:
        parts += [_heading(view, now), *_troubles(view)]
        if view.experiments:
            parts.append(_table(view.experiments))
        if view.hidden:
            parts.append(Text(f"  … and {counted(view.hidden, 'more experiment')}", style="dim"))
        parts.append(Text(""))
    return Group(*parts[:-1])


def page(views: Sequence[AppView], now: datetime, *, seconds: float | None) -> str:
    """One HTML document without a script, that loads nothing, and itself anew every `seconds` unless None."""
    again = "" if seconds is None else f'<meta http-equiv="refresh" content="{max(1, round(seconds))}">\n'
    every = "" if seconds is None else f", again every {seconds:g} s"
    failing = sum(1 for view in views if view.problem)
    title = f"Experiments ({failing} of {len(views)} not read)" if failing else "Experiments"
    sections = "\n".join(_section(view, now) for view in views)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n{again}'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{title}</title>\n<style>{_CSS}</style></head>\n<body>\n"
        f"<h1>{title}</h1>\n<p>{now:%Y-%m-%d %H:%M:%S} UTC{every}</p>\n{sections}\n</body></html>\n"
    )


def to_json(views: Sequence[AppView], now: datetime) -> str:
    """One line: the whole view as a JSON document in pure ASCII. What is no number in JSON is null."""
    document = {
        "format_version": 1,
        "time": now.isoformat(timespec="seconds"),
        "apps": [_app_to_json(view) for view in views],
    }
    return json.dumps(document, ensure_ascii=True, allow_nan=False)


_CSS = (
    ":root{color-scheme:light dark}"
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:1000px;padding:0 1rem}"
    "h1{font-size:1.3rem;margin:0}h2{font-size:1.05rem;margin:1.6rem 0 .2rem}p{margin:.2rem 0;opacity:.75}"
    "p.problem{color:#c0341d;opacity:1;font-weight:600}.old{opacity:.55}"
    "table{border-collapse:collapse;width:100%}td,th{padding:.25rem .7rem .25rem 0;text-align:left;"
    "border-bottom:1px solid #8884;overflow-wrap:anywhere}td.n,th.n{text-align:right;white-space:nowrap}"
    "svg{display:block;color:#2f7fc1}td.running{color:#1a8a4a}td.failed{color:#c0341d}"
)


# ------------------------------------------------------------------ what both forms say


@dataclass(frozen=True, slots=True)
class _Row:
    """One line: an experiment and one of its series, or none. Texts are escaped for a terminal; `values` are
    those that can be drawn."""

    name: str
    status: str
    step: str
    metric: str
    last: str
    values: tuple[float, ...]


def _rows(experiments: Sequence[Curves]) -> Iterator[_Row]:
    """The experiment stands in the first of its lines only."""
    for curves in experiments:
        one = curves.experiment
        names = (plain(one.name, _LONGEST_NAME), plain(one.status or "", 16), _step(one, curves.series))
        for series in curves.series or (None,):
            metric = plain(series.metric, _LONGEST_METRIC) if series else ""
            values = [point.value for point in series.points] if series else []
            drawable = tuple(float(value) for value in values if abs(value) < LARGEST)
            yield _Row(*names, metric=metric, last=_last(values), values=drawable)
            names = ("", "", "")


def _last(values: Sequence[float]) -> str:
    """A loss that became NaN says so."""
    if not values:
        return "no values"
    return number(values[-1]) if abs(values[-1]) < LARGEST else plain(values[-1], 12)


def _step(one: Experiment, series: Sequence[Series]) -> str:
    steps = [point.step for item in series for point in item.points[-1:] if point.step is not None]
    step = max(steps) if steps else one.latest_step
    return "" if step is None else f"{step:,}"


def _facts(view: AppView, now: datetime) -> str:
    if view.read_at is None:
        return "" if view.problem else "reading…"
    count = counted(len(view.experiments) + view.hidden, "experiment")
    kind = _KINDS.get(view.kind or "", plain(view.kind or ""))
    return f"{kind}, {count}, as of {_time(view.read_at, now)}"


def _time(moment: datetime, now: datetime) -> str:
    return f"{moment:%H:%M:%S}" if moment.date() == now.date() else f"{moment:%Y-%m-%d %H:%M:%S}"


# ------------------------------------------------------------------ in a terminal


class _Sparkline:
    """As wide as the table leaves room for."""

    def __init__(self, values: Sequence[float]) -> None:
        self._values = values

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(_SHORTEST, _LONGEST)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text(sparkline(self._values, min(options.max_width, _LONGEST)), style="blue", no_wrap=True)


def _heading(view: AppView, now: datetime) -> Text:
    line = Text(plain(view.place), style="bold", no_wrap=True, overflow="ellipsis")
    facts = _facts(view, now)
    return line.append(f"  {facts}", style="not bold dim") if facts else line


def _troubles(view: AppView) -> list[RenderableType]:
    if not view.problem:
        return []
    lines = [Text(f"  ! {plain(view.problem)}", style="red")]
    return [*lines, Text(f"    {plain(view.hint)}")] if view.hint else list(lines)


def _table(experiments: Sequence[Curves]) -> Table:
    """Where the width does not do, names and curves give way: the columns that may wrap, with texts that
    do not."""
    rows = list(_rows(experiments))
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("  EXPERIMENT")
    if any(row.status for row in rows):
        table.add_column("STATUS", no_wrap=True)
    table.add_column("STEP", justify="right", no_wrap=True)
    table.add_column("METRIC", no_wrap=True)
    table.add_column("LAST", justify="right", no_wrap=True)
    table.add_column("")
    for row in rows:
        status = [Text(row.status, style=_STYLES.get(row.status, ""))] if len(table.columns) > 5 else []
        table.add_row(
            Text(f"  {row.name}", no_wrap=True, overflow="ellipsis"),
            *status,
            Text(row.step),
            Text(row.metric),
            Text(row.last),
            _Sparkline(row.values),
        )
    return table


# ------------------------------------------------------------------ as a page


def _section(view: AppView, now: datetime) -> str:
    parts = [f"<h2>{html(view.place)}</h2>", f"<p>{html(_facts(view, now))}</p>"]
    if view.problem:
        parts.append(f'<p class="problem">{html(view.problem)} {html(view.hint)}</p>')
    if view.experiments:
        head = '<tr><th>experiment<th>status<th class="n">step<th>metric<th class="n">last<th></tr>'
        body = "\n".join(_html_row(row) for row in _rows(view.experiments))
        old = ' class="old"' if view.problem else ""
        parts.append(f"<table{old}><thead>{head}</thead>\n<tbody>\n{body}\n</tbody></table>")
    if view.hidden:
        parts.append(f"<p>and {counted(view.hidden, 'more experiment')}</p>")
    return "<section>\n" + "\n".join(parts) + "\n</section>"


def _html_row(row: _Row) -> str:
    status = f' class="{row.status}"' if row.status in _STYLES else ""
    return (
        f'<tr><td>{html(row.name)}<td{status}>{html(row.status)}<td class="n">{html(row.step)}'
        f'<td>{html(row.metric)}<td class="n">{html(row.last)}<td>{_curve(row.values)}</tr>'
    )


def _curve(values: Sequence[float]) -> str:
    """An SVG of the values over their number, lowest at the bottom."""
    if not values:
        return ""
    wide, high = (0.0, len(values) - 1.0), (min(values), max(values))
    points = [
        (2 + place(x, wide) * (_WIDTH - 4), _HEIGHT - 3 - place(y, high) * (_HEIGHT - 6))
        for x, y in thinned([(float(at), value) for at, value in enumerate(values)], _MOST_POINTS)
    ]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    shape = f'<polyline points="{path}" fill="none" stroke="currentColor" stroke-width="1.5"/>'
    if len(points) == 1:
        shape = f'<circle cx="{points[0][0]:.1f}" cy="{points[0][1]:.1f}" r="2.5" fill="currentColor"/>'
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}">{shape}</svg>'


# ------------------------------------------------------------------ as JSON


def _app_to_json(view: AppView) -> dict[str, Any]:
    return {
        "place": view.place,
        "kind": view.kind,
        "read_at": view.read_at.isoformat(timespec="seconds") if view.read_at else None,
        "problem": view.problem or None,
        "hidden": view.hidden,
        "experiments": [_finite(asdict(curves)) for curves in view.experiments],
    }


def _finite(item: Any) -> Any:
    if isinstance(item, dict):
        return {str(key): _finite(value) for key, value in item.items()}
    if isinstance(item, list | tuple):
        return [_finite(value) for value in item]
    return None if isinstance(item, float) and not math.isfinite(item) else item
