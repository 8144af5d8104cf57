"""A live view on stderr, in a terminal only: a bar for the whole, and a line per Space that is at work."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from hfspace.cli.door import behind
from hfspace.text import plain

_REFRESH_PER_SECOND = 4
_BAR = 30
_ROOM_FOR_THE_REST = 4  # lines of the terminal that are not Spaces: the bar, what is left out, the prompt


@dataclass(slots=True)
class _Row:
    text: str
    began: float


@dataclass(slots=True)
class View:
    """What is at work. Safe to use from several threads; text from elsewhere is escaped here."""

    total: int
    above: Callable[[str], None]
    now: Callable[[], float] = time.monotonic
    _rows: dict[str, _Row] = field(default_factory=dict)
    _done: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, space: str) -> None:
        with self._lock:
            self._rows[space] = _Row("reading", self.now())

    def tell(self, space: str, text: str) -> None:
        """Show `text`, a stage or what was last done, beside the Space."""
        with self._lock:
            self._rows.setdefault(space, _Row("", self.now())).text = text

    def end(self, space: str) -> None:
        with self._lock:
            self._rows.pop(space, None)
            self._done += 1

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        with self._lock:
            rows = [(space, row.text, self.now() - row.began) for space, row in sorted(self._rows.items())]
            done = self._done
        most = max(1, (options.height or console.height) - _ROOM_FOR_THE_REST)
        table = Table.grid(padding=(0, 2))
        table.add_column(no_wrap=True, overflow="ellipsis", ratio=3)
        table.add_column(no_wrap=True, overflow="ellipsis", ratio=3)
        table.add_column(no_wrap=True, justify="right")
        for space, text, seconds in rows[:most]:
            table.add_row(Text(f"  {plain(space)}"), Text(plain(text)), Text(f"{seconds:.0f} s"))
        yield table
        if len(rows) > most:
            yield Text(f"  … and {len(rows) - most} more")
        bar = Table.grid(padding=(0, 1))
        bar.add_row(ProgressBar(total=max(self.total, 1), completed=done, width=_BAR), f"{done}/{self.total}")
        yield bar


@contextmanager
def live_view(total: int, *, color: bool) -> Iterator[View]:
    """The view of `total` Spaces while the block runs; it is gone afterwards, lines `above` it stay."""
    console = Console(file=behind(sys.stderr), no_color=not color, highlight=False, soft_wrap=True)
    view = View(total, above=lambda text: console.print(Text(plain(text))))
    with Live(view, console=console, refresh_per_second=_REFRESH_PER_SECOND, transient=True):
        yield view
