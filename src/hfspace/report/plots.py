"""Series as a picture: what is to be drawn, and its SVG. No script, nothing loaded from elsewhere."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from hfspace.live.trackio.port import Series
from hfspace.report.cells import cut, html
from hfspace.text import plain

# Okabe and Ito's colours, which people with any kind of colour vision can tell apart (black left out).
COLORS = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#8a7a00", "#7f7f7f")
_WIDTH, _HEIGHT = 860, 480
_LEFT, _RIGHT, _TOP, _BOTTOM = 76, 24, 44, 52
_MOST_POINTS = 1500
_MOST_LEGEND = 24
_LONGEST_LABEL = 80
LARGEST, _SMALLEST = 1e300, 1e-300
_NOT_XML = re.compile("[\ufffe\uffff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One series as it is drawn: finite points in logged order, and its name for a reader, unescaped."""

    label: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What all forms draw. `by_step` is False where the app keeps no steps, and entries are counted."""

    title: str
    lines: tuple[Line, ...]
    by_step: bool
    log_y: bool
    x: tuple[float, float]
    y: tuple[float, float]

    @property
    def empty(self) -> bool:
        return not any(line.points for line in self.lines)


def picture(series: Sequence[Series], title: str = "", *, log_y: bool = False) -> Picture:
    """Decide what is drawn. With `log_y` values that are not above zero are left out."""
    by_step = all(point.step is not None for item in series for point in item.points)
    metrics = {item.metric for item in series}
    lines = tuple(
        Line(label=_label(item, series, metrics), points=_points(item, by_step, log_y)) for item in series
    )
    xs = [x for line in lines for x, _ in line.points] or [0.0, 1.0]
    ys = [y for line in lines for _, y in line.points] or [1.0, 10.0]
    return Picture(
        title=title or ", ".join(sorted(metrics)),
        lines=lines,
        by_step=by_step,
        log_y=log_y,
        x=_span(min(xs), max(xs)),
        y=(min(ys), max(ys)) if log_y and min(ys) < max(ys) else _span(min(ys), max(ys)),
    )


def svg(picture: Picture) -> str:
    """An SVG document: axes, grid, lines and a legend."""
    rows = min(len(picture.lines), _MOST_LEGEND + 1)
    height = _HEIGHT + 20 * rows
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" '
        f'height="{height}" role="img" font-family="system-ui, sans-serif" font-size="12">',
        f"<title>{_text(picture.title)}</title>",
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="{_WIDTH / 2}" y="24" font-size="15" text-anchor="middle">{_text(picture.title)}</text>',
        *_axes(picture),
    ]
    for index, line in enumerate(picture.lines):
        parts += _drawn(picture, line, COLORS[index % len(COLORS)], index // len(COLORS))
    return "\n".join([*parts, *_legend(picture), "</svg>"]) + "\n"


def place(value: float, span: tuple[float, float], *, log: bool = False) -> float:
    """Where in the span: 0 at its start, 1 at its end."""
    low, high = span
    if log:
        value, low, high = math.log10(value), math.log10(low), math.log10(high)
    return (value - low) / (high - low) if high > low else 0.5


def ticks(span: tuple[float, float], most: int = 6, *, log: bool = False) -> list[float]:
    """Round values within the span, at most about `most`."""
    low, high = span
    if log:
        powers = range(math.floor(math.log10(low)), math.floor(math.log10(high)) + 1)
        factors = (1, 2, 5) if len(powers) <= 3 else (1,)
        marks = [float(f"{factor}e{power}") for power in powers for factor in factors]
        within = [mark for mark in marks if low <= mark <= high]
        if len(within) >= 2:
            return within[:: -(-len(within) // (most + 1))]
    step = _round_step((high - low) / most)
    first = math.ceil(low / step)
    count = math.floor(high / step + 1e-9) - first + 1
    return [(first + at) * step for at in range(max(0, min(count, 3 * most)))]


def number(value: float) -> str:
    """A value with the digits that matter."""
    return f"{value:.0f}" if value == int(value) and abs(value) < 1e6 else f"{value:.5g}"


def thinned(points: Sequence[tuple[float, float]], most: int = _MOST_POINTS) -> list[tuple[float, float]]:
    """Few enough points to draw: of each stretch the first, lowest, highest and last: no peak is lost."""
    if len(points) <= most:
        return list(points)
    size = -(-len(points) * 4 // most)
    kept: list[tuple[float, float]] = []
    for start in range(0, len(points), size):
        part = range(start, min(start + size, len(points)))
        low = min(part, key=lambda at: points[at][1])
        high = max(part, key=lambda at: points[at][1])
        kept += [points[at] for at in sorted({part[0], low, high, part[-1]})]
    return kept


def _label(item: Series, series: Sequence[Series], metrics: set[str]) -> str:
    experiments = {other.experiment for other in series}
    if len(metrics) == 1:
        return item.experiment
    return item.metric if len(experiments) == 1 else f"{item.experiment}: {item.metric}"


def _points(item: Series, by_step: bool, log_y: bool) -> tuple[tuple[float, float], ...]:
    pairs = (
        (point.step if by_step and point.step is not None else at, point.value)
        for at, point in enumerate(item.points)
    )
    # Compared before float(): an app may answer with a whole number that no float can hold. NaN fails both.
    return tuple(
        (float(x), float(y))
        for x, y in pairs
        if abs(x) < LARGEST and abs(y) < LARGEST and (y > _SMALLEST or not log_y)
    )


def _span(low: float, high: float) -> tuple[float, float]:
    """Never empty: a single value gets room on both sides."""
    if high - low > _SMALLEST:
        return low, high
    room = abs(low) * 0.1 if abs(low) > _SMALLEST else 1.0
    return low - room, high + room


def _round_step(rough: float) -> float:
    power = math.floor(math.log10(rough))
    steps = [float(f"{factor}e{power}") for factor in (1, 2, 2.5, 5, 10)]
    return next((step for step in steps if step >= rough * 0.999999), steps[-1])


def _at(picture: Picture, x: float, y: float) -> tuple[float, float]:
    across = _LEFT + place(x, picture.x) * (_WIDTH - _LEFT - _RIGHT)
    up = place(y, picture.y, log=picture.log_y and picture.y[0] > 0) * (_HEIGHT - _TOP - _BOTTOM)
    return round(across, 2), round(_HEIGHT - _BOTTOM - up, 2)


def _axes(picture: Picture) -> list[str]:
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    parts = []
    for tick in ticks(picture.y, log=picture.log_y and picture.y[0] > 0):
        _, y = _at(picture, picture.x[0], tick)
        parts.append(f'<path d="M{_LEFT} {y}H{right}" stroke="#e3e3e3"/>')
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 4}" text-anchor="end">{number(tick)}</text>')
    for tick in ticks(picture.x, 8):
        x, _ = _at(picture, tick, picture.y[0])
        parts.append(f'<path d="M{x} {bottom}v5" stroke="#555555"/>')
        parts.append(f'<text x="{x}" y="{bottom + 20}" text-anchor="middle">{number(tick)}</text>')
    name = "step" if picture.by_step else "entry"
    parts.append(f'<path d="M{_LEFT} {_TOP}V{bottom}H{right}" fill="none" stroke="#555555"/>')
    parts.append(f'<text x="{(_LEFT + right) / 2}" y="{bottom + 40}" text-anchor="middle">{name}</text>')
    if picture.empty:
        parts.append(f'<text x="{_WIDTH / 2}" y="{_HEIGHT / 2}" text-anchor="middle">no values</text>')
    return parts


def _drawn(picture: Picture, line: Line, color: str, again: int) -> list[str]:
    """A polyline; a dot where there is one point. `again` counts how often the colours have been used up."""
    places = [_at(picture, x, y) for x, y in thinned(line.points)]
    if len(places) == 1:
        return [f'<circle cx="{places[0][0]}" cy="{places[0][1]}" r="3.5" fill="{color}"/>']
    if not places:
        return []
    path = " ".join(f"{x},{y}" for x, y in places)
    dash = f' stroke-dasharray="{2 + 4 * again} 4"' if again else ""
    return [
        f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="1.8" '
        f'stroke-linejoin="round"{dash}><title>{_text(line.label)}</title></polyline>'
    ]


def _legend(picture: Picture) -> list[str]:
    parts = []
    for row, line in enumerate(picture.lines[:_MOST_LEGEND]):
        y, color = _HEIGHT + 20 * row, COLORS[row % len(COLORS)]
        parts.append(f'<path d="M{_LEFT} {y}h22" stroke="{color}" stroke-width="3"/>')
        last = f": {number(line.points[-1][1])}" if line.points else ": no values"
        parts.append(f'<text x="{_LEFT + 30}" y="{y + 4}">{_text(line.label)}{last}</text>')
    if len(picture.lines) > _MOST_LEGEND:
        y = _HEIGHT + 20 * _MOST_LEGEND + 4
        parts.append(f'<text x="{_LEFT}" y="{y}">and {len(picture.lines) - _MOST_LEGEND} more</text>')
    return parts


def _text(text: str) -> str:
    """For an SVG element: escaped, cut, and without what XML can't hold."""
    return html(_NOT_XML.sub("?", cut(plain(text), _LONGEST_LABEL)))
