"""What `status` shows: the Spaces as they are, and how far each is from its declaration. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hfspace.model import MOVING, Flavor, SpaceState
from hfspace.report import spaces
from hfspace.report.cells import shipped_prices_note
from hfspace.text import json_text, plain


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceStatus:
    """Spaces in the order in which they are shown. `absent` says of those that have no state what they are
    instead; `undeclared` are addresses that nobody declared; `exit_code` is that of `--exit-code`;
    `prices_of` as in Snapshot."""

    states: tuple[SpaceState, ...]
    flavors: Mapping[str, Flavor]
    drift: Mapping[str, str]
    absent: Mapping[str, str]
    undeclared: tuple[str, ...]
    exit_code: int
    prices_of: str = ""

    @property
    def at_rest(self) -> int:
        """How many Spaces are not on their way anywhere."""
        return sum(state.stage not in MOVING for state in self.states)


def text_lines(
    status: SpaceStatus, *, columns: int | None = None, seconds: Mapping[str, float] | None = None
) -> Iterator[str]:
    """The table, then what has no line in it; see `spaces.status_lines`."""
    yield from spaces.status_lines(
        status.states, status.flavors, status.drift, columns=columns, seconds=seconds
    )
    for space, what in sorted(status.absent.items()):
        yield f"{plain(space)}: {plain(what)}"
    for address in status.undeclared:
        yield f"{plain(address)}: declared by nobody"
    if status.prices_of:
        yield shipped_prices_note(status.prices_of)


def to_json(status: SpaceStatus) -> str:
    """One document. A Space that has no state is not in it."""
    items = [
        {**spaces.to_json(state, status.flavors), "drift": status.drift.get(state.id, "")}
        for state in status.states
    ]
    return json_text({"format_version": 1, "prices_of": status.prices_of or None, "spaces": items})
