"""How far one Space is in one apply: what was read of it last, what is left to do, what was done."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hfspace.applier.events import Kind
from hfspace.applier.ledger import Ledger
from hfspace.applier.run import Run
from hfspace.errors import HfspaceError
from hfspace.facets import Desired
from hfspace.model import Change, SpaceState


@dataclass(slots=True)
class Progress:
    """`state` and `todo` are as of the last read; None is a Space that is not there. `known` is what was read
    before the first write: a paused Space tells less. `rest`: what its runtime has just told."""

    run: Run
    space: str
    planned: tuple[Change, ...]
    ledger: Ledger = field(default_factory=Ledger)
    state: SpaceState | None = None
    known: SpaceState | None = None
    todo: list[Change] = field(default_factory=list)
    rest: SpaceState | None = None

    @property
    def stage(self) -> str | None:
        return self.state.stage if self.state else None

    @property
    def stays_paused(self) -> bool:
        """Whether the Space is to be paused: then it may not be left running, --no-wait or not."""
        return self.run.manifest.spaces[self.space].stays_paused

    @property
    def desired(self) -> Desired:
        """The Space as it is declared, and as it was before the writes that may hide some of it."""
        live = self.state.with_earlier(self.known) if self.state and self.known else self.state
        return replace(self.run.desired(self.space), live=live)

    def read(self) -> None:
        rest, self.rest = self.rest, None
        self.state = self.run.read(self.space, rest=rest)
        self.compare()

    def compare(self) -> None:
        self.todo = self.run.todo(self.space, self.state)

    def read_again(self) -> None:
        """A read that may lag behind the writes is followed by another."""
        self.pause_reading()
        self.read()

    def pause_reading(self) -> None:
        self.run.pace.sleep(
            min(self.run.options.poll_seconds, 1.0), f"confirming the changes of {self.space}"
        )

    def keep_paused(self) -> None:
        """From now on the Space is paused whenever it runs, whatever the targets are."""
        spec = self.run.manifest.spaces[self.space].paused()
        manifest = replace(self.run.manifest, spaces={**self.run.manifest.spaces, self.space: spec})
        self.run = replace(self.run, manifest=manifest, keeps_paused=True)
        self.compare()

    def begin_movement(self, before: SpaceState) -> None:
        """Something that may restart the Space is about to be written. What starts anew is not old, whatever
        its commit says."""
        self.ledger.begin_movement(before, self.run.pace.now())
        self.run = replace(self.run, inputs=replace(self.run.inputs, now=None))

    def take(self, change: Change) -> None:
        """The Hub took `change`."""
        self.ledger.take(change, self.state)
        self.tell(Kind.APPLIED, change=change)

    def fail(self, change: Change, error: HfspaceError) -> None:
        self.tell(Kind.FAILED, change=change, text=error.message)

    def tell(self, kind: Kind, **values: object) -> None:
        self.run.tell(kind, self.space, **values)
