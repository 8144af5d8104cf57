"""What the Hub says was used, and what it costs: never an estimate. Money is Decimal, times are seconds since
the epoch in UTC."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

SPACES = "Spaces"
"""The kind of charge that Spaces are, as the Hub calls it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """One item of usage, as the Hub has it.

    `kind` is the Hub's name of the list that it stands in (Spaces, Endpoints, …), `product` the product's,
    known here or not. `space` is the id of the Space that it belongs to, None where the item tells none.
    `stopped` is None while it goes on; both times are None where the item has none.
    """

    owner: str
    kind: str
    product: str
    usd: Decimal
    quantity: Decimal | None = None
    unit: str = ""
    unit_usd: Decimal | None = None
    entity: str = ""
    label: str = ""
    space: str | None = None
    started: float | None = None
    stopped: float | None = None
    grant: bool = False
    active: bool = False

    @property
    def flavor(self) -> str | None:
        """The hardware of a product such as spaces/t4-small/minutes."""
        parts = self.product.split("/")
        return parts[1] if len(parts) == 3 and parts[0] == "spaces" else None

    @property
    def minutes(self) -> Decimal | None:
        """Minutes of hardware, those of every replica counted."""
        return self.quantity if self.product.endswith("/minutes") else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What one account used from `start` to `end`. `source` is the endpoint that told it."""

    owner: str
    start: float
    end: float
    source: str
    charges: tuple[Charge, ...] = ()

    @property
    def usd(self) -> Decimal:
        return total(self.charges)


@dataclass(frozen=True, slots=True, kw_only=True)
class Billed:
    """The usage of several accounts; `unknown` says of the others why it could not be read."""

    usages: tuple[Usage, ...] = ()
    unknown: Mapping[str, str] = field(default_factory=dict)

    @property
    def charges(self) -> tuple[Charge, ...]:
        return tuple(charge for usage in self.usages for charge in usage.charges)

    @property
    def usd(self) -> Decimal | None:
        """Of everything; None where some account is unknown."""
        return None if self.unknown or not self.usages else total(self.charges)

    def usd_of(self, spaces: Iterable[str]) -> Decimal | None:
        """Of these Spaces; None where the usage of one of their owners is unknown."""
        ids = {space.lower() for space in spaces}
        known = {usage.owner.lower() for usage in self.usages}
        if any(space.split("/")[0] not in known for space in ids):
            return None
        return total(one for one in self.charges if one.space and one.space.lower() in ids)

    def unnamed_usd(self, owners: Iterable[str]) -> Decimal:
        """What these accounts are billed for Spaces that the Hub does not name."""
        known = {owner.lower() for owner in owners}
        its = (one for one in self.charges if one.kind == SPACES and one.owner.lower() in known)
        return total(one for one in its if one.space is None)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveGroup:
    """A resource group: its Spaces, its limits in dollars a month by product (total, spaces, …), and what its
    Spaces spent this month, None where that is unknown."""

    owner: str
    id: str
    name: str
    limits: Mapping[str, Decimal] = field(default_factory=dict)
    spaces: tuple[str, ...] = ()
    spent: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupUsage:
    """What the Spaces of one resource group used; `name` is None for those in none."""

    owner: str
    name: str | None
    usd: Decimal
    seconds: Decimal


def total(charges: Iterable[Charge]) -> Decimal:
    return sum((charge.usd for charge in charges), Decimal(0))


def awake(charges: Iterable[Charge], until: float) -> dict[str, tuple[tuple[float, float], ...]]:
    """The intervals in which each Space was billed, joined where they touch; what goes on ends at `until`."""
    by_space: dict[str, list[tuple[float, float]]] = {}
    for charge in charges:
        if charge.space and charge.started is not None:
            stop = until if charge.stopped is None else charge.stopped
            by_space.setdefault(charge.space, []).append((charge.started, stop))
    return {space: tuple(_joined(sorted(pairs))) for space, pairs in by_space.items()}


def _joined(pairs: Iterable[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    current: tuple[float, float] | None = None
    for start, stop in pairs:
        if current is None or start > current[1]:
            if current is not None:
                yield current
            current = (start, stop)
        else:
            current = (current[0], max(current[1], stop))
    if current is not None:
        yield current


def month(moment: float) -> tuple[float, float]:
    """The calendar month around `moment`, in UTC: first and last end."""
    first = datetime.fromtimestamp(moment, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    following = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
    return first.timestamp(), following.timestamp()
