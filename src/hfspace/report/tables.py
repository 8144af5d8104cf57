"""Tables for a terminal, and the same rows as CSV. Cells are untrusted text: they are escaped here."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

from hfspace.text import clip, pad, plain, width

_SAMPLE = 1000  # rows that decide how wide the columns are; what comes later is streamed
_GAP = "  "
_NARROWEST = 12
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def lines(
    head: Sequence[str], rows: Iterable[Sequence[str]], *, columns: int | None, flexible: Sequence[int] = (0,)
) -> Iterator[str]:
    """A line per row below a line of names. `columns` is the width of the terminal: the `flexible` columns
    are cut to fit it, the widest first; None cuts nothing."""
    cells = ([plain(cell) for cell in row] for row in rows)
    sample = list(islice(cells, _SAMPLE))
    widths = [max(map(width, column)) for column in zip(head, *sample, strict=True)]
    if columns is not None:
        _shrink(widths, columns - len(_GAP) * (len(widths) - 1), flexible)
    for row in chain([head], sample, cells):
        fitted = (
            pad(clip(cell, room) if columns is not None else cell, room)
            for cell, room in zip(row, widths, strict=True)
        )
        yield _GAP.join(fitted).rstrip()


def csv_lines(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Lines of CSV without their ends. A cell that a spreadsheet takes for a formula begins with a quote."""
    for row in chain([head], rows):
        buffer = io.StringIO()
        csv.writer(buffer, lineterminator="").writerow([_inert(plain(cell)) for cell in row])
        yield buffer.getvalue()


def _shrink(widths: list[int], room: int, flexible: Sequence[int]) -> None:
    while sum(widths) > room:
        widest = max(flexible, key=lambda column: widths[column])
        if widths[widest] <= _NARROWEST:
            return
        widths[widest] = max(_NARROWEST, widths[widest] - (sum(widths) - room), _second(widths, flexible))


def _second(widths: Sequence[int], flexible: Sequence[int]) -> int:
    """How far the widest flexible column may go at once: to one less than the next, so that they share."""
    ordered = sorted((widths[column] for column in flexible), reverse=True)
    return ordered[1] - 1 if len(ordered) > 1 else 0


def _inert(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) and cell != "-" else cell
