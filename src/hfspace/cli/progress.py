"""Progress on stderr while something takes long: a live view in a terminal, else a line per event."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from hfspace.applier.events import Event, Kind, Listener
from hfspace.cli.context import Context
from hfspace.model import Action, Change, Status, Subject
from hfspace.report.cells import size
from hfspace.report.settings import setting
from hfspace.text import plain

if TYPE_CHECKING:
    from hfspace.cli.live import View

_EVERY_SECONDS = 15.0


class Board(Protocol):
    """Where Spaces at work are shown, each with what it is doing. Safe to use from several threads."""

    def begin(self, space: str) -> None: ...

    def tell(self, space: str, text: str) -> None: ...

    def end(self, space: str) -> None: ...


@contextmanager
def progress(context: Context, spaces: int) -> Iterator[Listener]:
    """The listener that fits where stderr goes. `spaces` is how many will be reported as finished."""
    if not _is_live(context):
        yield Lines(context, spaces)
        return
    from hfspace.cli.live import live_view  # a log needs no rich

    with live_view(spaces, color=context.color) as view:
        yield LiveLines(context, spaces, view)


@contextmanager
def board(context: Context, spaces: int) -> Iterator[Board]:
    """The board that fits where stderr goes. `spaces` is how many will be ended."""
    if not _is_live(context):
        yield Notes(context)
        return
    from hfspace.cli.live import live_view  # a log needs no rich

    with live_view(spaces, color=context.color) as view:
        yield view


def _is_live(context: Context) -> bool:
    """Whether stderr is a terminal that can move its cursor, and shows text for a person."""
    is_plain = context.quiet or context.log_format != "text" or context.env.get("TERM") == "dumb"
    return not is_plain and sys.stderr.isatty()


class Notes:
    """A board that writes a line when a Space does something else than before."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._texts: dict[str, str] = {}

    def begin(self, space: str) -> None:
        self._texts[space] = ""

    def tell(self, space: str, text: str) -> None:
        if self._texts[space] != text:
            self._texts[space] = text
            self._context.note(f"{plain(space)}: {plain(text)}")

    def end(self, space: str) -> None:
        del self._texts[space]


class Lines:
    """A listener that writes lines. Waiting is told when the stage changes, and every 15 s."""

    def __init__(self, context: Context, spaces: int) -> None:
        self._context = context
        self._spaces = spaces
        self._finished = 0
        self._waits: dict[str, tuple[str | None, float]] = {}
        self._sent: dict[str, float] = {}

    def __call__(self, event: Event) -> None:
        match event.kind:
            case Kind.WAITING:
                text = self.waiting(event)
            case Kind.SENDING:
                text = self.sending(event)
            case _:
                text = self.line(event)
        if text:
            self._context.note(text)

    def line(self, event: Event) -> str:
        """What an event is worth in a log; "" for nothing."""
        match event.kind:
            case Kind.APPLIED if event.change is not None:
                return f"  {plain(describe(event.change))}"
            case Kind.RESOLVED if event.change is not None:
                return (
                    f"  {plain(describe(event.change))} (its answer was lost; reading shows that it was made)"
                )
            case Kind.REPLANNED:
                return f"  {plain(event.space)}: it moved since the plan; planned again, {plain(event.text)}"
            case Kind.FINISHED if event.outcome is not None:
                return self._finish(event)
            case _:
                return ""

    def _finish(self, event: Event) -> str:
        self._finished += 1
        outcome = event.outcome
        if outcome is None:
            return ""
        word = f"failed: {outcome.error}"
        if outcome.status is Status.DONE:
            word = f"done, {outcome.stage}" if outcome.stage else "done"
        count = f"[{self._finished}/{self._spaces}]"
        return f"{count} {plain(event.space)}: {plain(word)} ({outcome.seconds:.0f} s)"

    def waiting(self, event: Event) -> str:
        stage, seconds = self._waits.get(event.space, (None, -_EVERY_SECONDS))
        if stage == event.stage and event.seconds - seconds < _EVERY_SECONDS:
            return ""
        self._waits[event.space] = (event.stage, event.seconds)
        where = f"{plain(event.space)}: {plain(event.stage or 'unknown stage')}"
        return f"  {where}, waiting ({event.seconds:.0f} s)"

    def sending(self, event: Event) -> str:
        """Of large files on their way, a line every 15 s."""
        now = time.monotonic()
        if now - self._sent.get(event.space, now - _EVERY_SECONDS) < _EVERY_SECONDS:
            return ""
        self._sent[event.space] = now
        return f"  {plain(event.space)}: {_sent(event)}"


def _sent(event: Event) -> str:
    return f"sending {size(event.done)} of {size(event.size)}"


class LiveLines(Lines):
    """The same lines above a live view, which shows the Spaces at work instead of lines about waiting."""

    def __init__(self, context: Context, spaces: int, view: View) -> None:
        super().__init__(context, spaces)
        self._view = view

    def __call__(self, event: Event) -> None:
        match event.kind:
            case Kind.STARTED:
                self._view.begin(event.space)
            case Kind.WAITING:
                self._view.tell(event.space, event.stage or "unknown stage")
            case Kind.SENDING:
                self._view.tell(event.space, _sent(event))
            case Kind.APPLIED | Kind.RESOLVED if event.change is not None:
                self._view.tell(event.space, describe(event.change).removeprefix(event.space).lstrip(".: "))
            case Kind.FINISHED:
                self._view.end(event.space)
        if text := self.line(event):
            self._view.above(text)


def describe(change: Change) -> str:
    """One change as a short line: its address and what became of it."""
    if change.subject is Subject.SPACE:
        return f"{change.space}: {change.action}d"
    if change.sensitive or change.action is Action.DELETE:
        return f"{change.address}: {change.action}d"
    if change.pauses:
        return f"{change.space}: paused"
    if "wakes" in change.effects and change.action is Action.RESTART:
        return f"{change.space}: started"
    if change.subject is Subject.STAGE:
        return f"{change.space}: restarted"
    return f"{change.address}: {setting(change.facet, change.after)}"
