"""A picture as a self-contained HTML page, as a drawing in the terminal, and as PNG."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from hfspace.errors import UsageError
from hfspace.report.cells import POLICY, cut, html
from hfspace.report.plots import COLORS, Line, Picture, number, place, svg, thinned, ticks
from hfspace.text import pad, plain

_BLOCKS = " ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█"
"""Quarters of a cell, by a sum of 1 (upper left), 2 (upper right), 4 (lower left), 8 (lower right)."""
_ANSI = (36, 33, 32, 31, 35, 34, 93, 90)
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:900px;padding:0 1rem;color:#222}"
    "svg{max-width:100%;height:auto}table{border-collapse:collapse;width:100%}"
    "th,td{text-align:right;padding:.25rem .6rem;border-bottom:1px solid #ddd;overflow-wrap:anywhere}"
    "th:first-child,td:first-child{text-align:left}"
)


def page(picture: Picture) -> str:
    """One HTML file: the SVG, and a table of what it shows. It loads nothing and runs nothing."""
    title = html(cut(plain(picture.title), 120))
    names = ("series", "values", "last x", "last", "lowest", "highest")
    head = "".join(f"<th>{name}</th>" for name in names)
    rows = "\n".join(f"<tr>{_cells(line)}</tr>" for line in picture.lines)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style></head>\n<body>\n{svg(picture)}"
        f"<table><thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody></table>\n</body></html>\n"
    )


def terminal(picture: Picture, *, width: int = 80, height: int = 18, color: bool = False) -> str:
    """A drawing of at most `width` columns. Several series are told apart by colour, else by letter."""
    marks = [number(tick) for tick in ticks(picture.y, 4, log=_is_log(picture))]
    margin = max([len(mark) for mark in marks] or [1]) + 1
    columns = max(10, width - margin - 1)
    cells = _Cells(columns, height)
    for index, line in enumerate(picture.lines):
        cells.draw(picture, line, index)
    labels = {
        round((1 - place(tick, picture.y, log=_is_log(picture))) * (height - 1)): number(tick)
        for tick in ticks(picture.y, 4, log=_is_log(picture))
    }
    plainly = not color and len(picture.lines) > 1
    body = [
        f"{labels.get(row, '').rjust(margin)}┤{cells.row(row, color=color, letters=plainly)}".rstrip()
        for row in range(height)
    ]
    axis = f"{' ' * margin}└{'─' * columns}"
    ends = number(picture.x[0]), number(picture.x[1])
    name = "step" if picture.by_step else "entry"
    middle = name.center(columns - len(ends[0]) - len(ends[1]))
    below = f"{' ' * (margin + 1)}{ends[0]}{middle}{ends[1]}"
    title = cut(plain(picture.title), width)
    return "\n".join([title, *body, axis, below, *_key(picture, color=color, letters=plainly)])


def png(picture: Picture) -> bytes:
    """A PNG, drawn by matplotlib. Raises UsageError when that is not installed."""
    new_figure, new_canvas = load_matplotlib()
    figure = new_figure(figsize=(8.6, 4.8), dpi=120, layout="constrained")
    canvas = new_canvas(figure)
    axes = figure.add_subplot()
    handles = []
    for index, line in enumerate(picture.lines):
        xs, ys = [x for x, _ in line.points], [y for _, y in line.points]
        marker = "o" if len(xs) == 1 else None
        handles += axes.plot(xs, ys, color=COLORS[index % len(COLORS)], marker=marker)
    # parse_math=False: a name with $ in it is a name, not a formula.
    axes.set_title(cut(plain(picture.title), 80), parse_math=False)
    axes.set_xlabel("step" if picture.by_step else "entry")
    axes.grid(visible=True, color="#e3e3e3")
    if _is_log(picture):
        axes.set_yscale("log")
    legend = axes.legend(handles, [" " for _ in handles], fontsize=8)
    for text, line in zip(legend.get_texts(), picture.lines, strict=True):
        text.set_parse_math(False)
        text.set_text(cut(plain(line.label), 60))
    out = io.BytesIO()
    canvas.print_png(out)
    return out.getvalue()


def load_matplotlib() -> tuple[Any, Any]:
    """matplotlib's Figure and a canvas that needs no display. Raises UsageError when it is not installed."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise UsageError(
            "PNG needs matplotlib.", hint="pip install 'hfspace[plot]', or write .svg or .html."
        ) from None
    return Figure, FigureCanvasAgg


class _Cells:
    """A grid of characters, each of two by two points; a cell shows the series drawn last in it."""

    def __init__(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self._masks: dict[tuple[int, int], int] = {}
        self._series: dict[tuple[int, int], int] = {}

    def draw(self, picture: Picture, line: Line, index: int) -> None:
        points = [self._point(picture, x, y) for x, y in thinned(line.points)]
        for start, end in zip(points[:1] + points, points, strict=False):
            for x, y in _steps(start, end):
                cell = (x // 2, y // 2)
                bit = 1 << (x % 2 + 2 * (y % 2))
                self._masks[cell] = (self._masks.get(cell, 0) if self._series.get(cell) == index else 0) | bit
                self._series[cell] = index

    def row(self, row: int, *, color: bool, letters: bool) -> str:
        return "".join(self._cell((column, row), color, letters) for column in range(self.columns))

    def _cell(self, cell: tuple[int, int], color: bool, letters: bool) -> str:
        mask, index = self._masks.get(cell, 0), self._series.get(cell, 0)
        if not mask:
            return " "
        if letters:
            return _LETTERS[index % len(_LETTERS)]
        return _colored(_BLOCKS[mask], index) if color else _BLOCKS[mask]

    def _point(self, picture: Picture, x: float, y: float) -> tuple[int, int]:
        across = round(place(x, picture.x) * (2 * self.columns - 1))
        down = round((1 - place(y, picture.y, log=_is_log(picture))) * (2 * self.rows - 1))
        return across, down


def _steps(start: tuple[int, int], end: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """The points of a straight line."""
    (x0, y0), (x1, y1) = start, end
    count = max(abs(x1 - x0), abs(y1 - y0))
    if count == 0:
        yield end
    for at in range(count + 1 if count else 0):
        yield round(x0 + (x1 - x0) * at / count), round(y0 + (y1 - y0) * at / count)


def _key(picture: Picture, *, color: bool, letters: bool) -> list[str]:
    lines = []
    for index, line in enumerate(picture.lines):
        mark = _LETTERS[index % len(_LETTERS)] if letters else "█"
        mark = _colored(mark, index) if color else mark
        last = number(line.points[-1][1]) if line.points else "no values"
        lines.append(f"  {mark} {pad(cut(plain(line.label), 60), 0)}: {last}")
    return lines


def _colored(text: str, index: int) -> str:
    return f"\x1b[{_ANSI[index % len(_ANSI)]}m{text}\x1b[0m"


def _is_log(picture: Picture) -> bool:
    return picture.log_y and picture.y[0] > 0


def _cells(line: Line) -> str:
    values = [y for _, y in line.points]
    texts = [html(cut(plain(line.label), 120)), str(len(values))]
    if values:
        figures = (line.points[-1][0], values[-1], min(values), max(values))
        texts += [number(item) for item in figures]
    else:
        texts += ["", "", "", ""]
    return "".join(f"<td>{text}</td>" for text in texts)
