"""Live views, in a terminal only: a bar for the whole, and a line per Space."""

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

from hfspace.cli.door import screen
from hfspace.report.cells import duration
from hfspace.report.status import SpaceStatus, text_lines
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
    """What is at work, on stderr. Safe to use from several threads; text from elsewhere is escaped here."""

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
        yield _bar(done, self.total, f"{done}/{self.total}")


def _bar(done: int, total: int, text: str) -> Table:
    bar = Table.grid(padding=(0, 1))
    bar.add_row(ProgressBar(total=max(total, 1), completed=done, width=_BAR), text)
    return bar


@contextmanager
def live_view(total: int, *, color: bool) -> Iterator[View]:
    """The view of `total` Spaces while the block runs; it is gone afterwards, lines `above` it stay."""
    console = Console(file=screen(sys.stderr), no_color=not color, highlight=False, soft_wrap=True)
    view = View(total, above=lambda text: console.print(Text(plain(text))))
    with Live(view, console=console, refresh_per_second=_REFRESH_PER_SECOND, transient=True):
        yield view


@dataclass(slots=True)
class StatusView:
    """The newest status, on stdout, with the time that each Space was seen in its stage."""

    now: Callable[[], float] = time.monotonic
    _status: SpaceStatus | None = None
    _problem: str = ""
    _read_at: float = 0.0
    _since: dict[str, tuple[str | None, float]] = field(default_factory=dict)

    def show(self, status: SpaceStatus, problem: str = "") -> None:
        """Take `status` over; `problem` says why it is not newer."""
        now, before = self.now(), self._since
        stages = {state.id: state.stage for state in status.states}
        kept = {
            space: before[space] for space, stage in stages.items() if before.get(space, ("",))[0] == stage
        }
        self._since = {space: (stage, now) for space, stage in stages.items()} | kept
        if not problem:
            self._read_at = now
        self._status, self._problem = status, problem

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        status, since, now = self._status, self._since, self.now()
        if status is None:
            return
        seconds = {state.id: now - since[state.id][1] for state in status.states}
        for line in text_lines(status, columns=options.max_width, seconds=seconds):
            yield Text(line, no_wrap=True, overflow="ellipsis")
        total = len(status.states)
        age = duration(now - self._read_at)
        yield _bar(status.at_rest, total, f"{status.at_rest}/{total} at rest, read {age} ago")
        if self._problem:
            yield Text(f"! {plain(self._problem)}", style="red")


@contextmanager
def status_view(*, color: bool) -> Iterator[StatusView]:
    """The view, redrawn every second while the block runs; its last state stays."""
    view = StatusView()
    console = Console(file=screen(sys.stdout), no_color=not color, highlight=False)
    with Live(view, console=console, refresh_per_second=1):
        yield view
