"""Progress on stderr while an apply works: one line per event, plain enough for a CI log."""

from __future__ import annotations

from hfspace.applier.events import Event, Kind
from hfspace.cli.context import Context
from hfspace.model import Change, Status

_EVERY_SECONDS = 15.0


class Progress:
    """A listener that writes lines. Waiting is told when the stage changes, and every 15 s."""

    def __init__(self, context: Context, spaces: int) -> None:
        self._context = context
        self._spaces = spaces
        self._finished = 0
        self._told: dict[str, tuple[str | None, float]] = {}

    def __call__(self, event: Event) -> None:
        text = self._line(event)
        if text:
            self._context.note(text)

    def _line(self, event: Event) -> str:
        from hfspace.report.cells import plain

        match event.kind:
            case Kind.APPLIED | Kind.RESOLVED if event.change is not None:
                how = (
                    " (its answer was lost; reading shows that it was made)"
                    if event.kind is Kind.RESOLVED
                    else ""
                )
                return f"  {plain(describe(event.change))}{how}"
            case Kind.FAILED:
                return ""
            case Kind.WAITING:
                return self._waiting(event)
            case Kind.REPLANNED:
                return f"  {plain(event.space)}: it moved since the plan; planned again, {plain(event.text)}"
            case Kind.FINISHED if event.outcome is not None:
                self._finished += 1
                stage = f" {event.outcome.stage}" if event.outcome.stage else ""
                word = (
                    f"done,{stage}"
                    if event.outcome.status is Status.DONE
                    else f"failed: {event.outcome.error}"
                )
                count = f"[{self._finished}/{self._spaces}]"
                return (
                    f"{count} {plain(event.space)}: {plain(word.rstrip(','))} ({event.outcome.seconds:.0f} s)"
                )
            case _:
                return ""

    def _waiting(self, event: Event) -> str:
        from hfspace.report.cells import plain

        stage, told = self._told.get(event.space, (None, -_EVERY_SECONDS))
        if stage == event.stage and event.seconds - told < _EVERY_SECONDS:
            return ""
        self._told[event.space] = (event.stage, event.seconds)
        where = f"{plain(event.space)}: {plain(event.stage or 'unknown stage')}"
        return f"  {where}, waiting ({event.seconds:.0f} s)"


def describe(change: Change) -> str:
    """One change as a short line: its address and what became of it."""
    if change.facet == "existence":
        return f"{change.space}: {change.action}d"
    if change.sensitive or change.action == "delete":
        return f"{change.address}: {change.action}d"
    if change.facet == "state":
        return f"{change.space}: {'paused' if change.action == 'pause' else 'restarted'}"
    after = change.after if not isinstance(change.after, (dict, list)) else "set"
    return f"{change.address}: {after}"
