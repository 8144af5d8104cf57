"""The declared keys of the README's front matter. Read with the listing; the rest of the README is not
ours."""

from __future__ import annotations

from hfspace.facets.base import NOTHING, Facet, Need
from hfspace.facets.commit import commit_card, rebuilds
from hfspace.facets.desired import Desired
from hfspace.live.ports import Ports
from hfspace.manifest.models import SpaceSpec
from hfspace.model import UNKNOWN, Action, Change, Check, Json, SpaceState


class Card(Facet):
    name = "card"
    restarts = True
    carries = frozenset({"card"})

    def needs(self, spec: SpaceSpec, state: SpaceState) -> frozenset[Need]:
        return NOTHING if spec.card is None else frozenset({Need.CARD})

    def compare(self, desired: Desired, state: SpaceState) -> list[Change | Check]:
        if desired.spec.card is None:
            return []
        if state.card is None:
            return [desired.check(self.name, "unknown", "the Hub does not tell the card.", hint="Run again.")]
        return [
            desired.change(
                self.name,
                Action.UPDATE,
                key=key,
                before=state.card.get(key),
                after=wanted,
                **rebuilds(desired, state),
            )
            for key, wanted in desired.spec.card.owned.items()
            if not is_same(state.card.get(key), wanted)
        ]

    def compare_missing(self, desired: Desired) -> list[Change | Check]:
        if desired.spec.card is None or not desired.is_created:
            return []
        return [
            desired.change(self.name, Action.CREATE, key=key, after=wanted, commits=True)
            for key, wanted in desired.spec.card.owned.items()
        ]

    def value(self, state: SpaceState, key: str | None) -> object:
        return UNKNOWN if state.card is None else state.card.get(str(key))

    def apply(self, change: Change, desired: Desired, ports: Ports) -> str | None:
        return commit_card(desired, ports)


def is_same(live: Json, wanted: Json) -> bool:
    """Whether the front matter says what is wanted. One that writes 3.12 without quotes says a number."""
    if isinstance(wanted, str) and isinstance(live, int | float) and not isinstance(live, bool):
        return str(live) == wanted
    return type(live) is type(wanted) and bool(live == wanted)
