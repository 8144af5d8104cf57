"""What a facet is: one thing that can be declared. It says what must be read and what differs, and writes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import ClassVar

from hfspace.facets.desired import Desired
from hfspace.live.ports import HubReader, Ports
from hfspace.manifest.models import SpaceSpec
from hfspace.model import UNKNOWN, Change, Check, Json, SpaceState
from hfspace.text import as_text


class Need(StrEnum):
    """What can be read of a Space beyond a listing, in the order in which it is read."""

    RUNTIME = "runtime"
    DETAILS = "details"
    CARD = "card"
    TREE = "tree"
    VARIABLES = "variables"
    SECRETS = "secrets"
    MARKS = "marks"
    EXPERIMENTS = "experiments"
    APP = "app"


NOTHING: frozenset[Need] = frozenset()


class Facet:
    """One declarable thing. Everything is pure but `read` and `apply`; nothing raises for an odd input. A
    facet holds no state; one that is only compared leaves `apply` as it is. One of another package says the
    `type` of its key too, as pydantic takes it.

    `restarts`: a write may start or restart the Space, if only some reads later. `carries`: facets whose
    changes travel in this one's request, and must not be applied again. `sensitive`: no value is shown.
    `priced`: where several settings are shown at once, the price stands beside this one. `relative`: what a
    change makes of a value says all of it, without what was there.
    """

    name: ClassVar[str]
    restarts: ClassVar[bool] = False
    carries: ClassVar[frozenset[str]] = frozenset()
    sensitive: ClassVar[bool] = False
    priced: ClassVar[bool] = False
    relative: ClassVar[bool] = False

    def needs(self, spec: SpaceSpec, state: SpaceState) -> frozenset[Need]:
        """What must be read before a comparison. Asked again after each read, since one may call for more."""
        return NOTHING

    def read(self, spec: SpaceSpec, state: SpaceState, hub: HubReader) -> object:
        """What no SpaceState has a field for, of a facet of another package; `value` then tells it."""
        return UNKNOWN

    def compare(self, desired: Desired, state: SpaceState) -> list[Change | Check]:
        """What differs between what is declared and a Space that exists."""
        raise NotImplementedError

    def compare_missing(self, desired: Desired) -> list[Change | Check]:
        """The same for a Space that is not there: what comes after its creation, or stands in the way."""
        return []

    def value(self, state: SpaceState, key: str | None) -> object:
        """What `state` tells of this: None for nothing, UNKNOWN where it does not tell."""
        if self.name in state.extensions:
            return state.extensions[self.name]
        return known(getattr(state, self.name, None))

    def show(self, value: Json) -> str:
        """A value of a change for a person, in one line."""
        return "none" if value is None or value == [] else as_text(value)

    def lines(self, change: Change) -> Sequence[str]:
        """What `show` only counts, a line each, for who wants to see all of it."""
        return ()

    def is_stored(self, change: Change, state: SpaceState) -> bool:
        """Whether a value that reads otherwise is what `change` wrote all the same, in another spelling."""
        now, wrote = self.value(state, change.key), change.after
        if not (isinstance(wrote, str) and isinstance(now, str)):
            return False
        return wrote.split() == now.split() and wrote != now

    def undeclared(self, spec: SpaceSpec, state: SpaceState) -> Collection[str]:
        """The keys that the Space has and nobody declared."""
        return ()

    def held(self, spec: SpaceSpec, state: SpaceState) -> frozenset[str] | None:
        """The declared keys that the running app holds, of a facet whose changes are in the app; None where
        it does not tell."""
        return None

    def is_silent(self, state: SpaceState) -> bool:
        """Whether the app was asked and did not answer, as one does that is about to come up."""
        return False

    def verify(self, desired: Desired, state: SpaceState) -> Check | None:
        """What is wrong with a Space that runs as declared: told after an apply, mended by none."""
        return None

    def undo(self, desired: Desired, ports: Ports, failed: str, ran: str | None) -> str | None:
        """Bring back what ran as the commit `ran`, after the commit `failed` did not come up; the commit that
        does so, None where nobody declared that. Raises HfspaceError, also where nothing is known to have
        run (`ran` is None)."""
        return None

    def apply(self, change: Change, desired: Desired, ports: Ports) -> str | None:
        """Close one difference. Safe to repeat. The commit that it made, if it made one. Raises
        HfspaceError."""
        raise NotImplementedError


def known(value: object) -> object:
    """A field of a SpaceState, whose None is unknown, as a facet's value."""
    return UNKNOWN if value is None else value
