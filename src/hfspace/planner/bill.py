"""What was billed, summed by Space, owner, hardware, label or day. The Hub's amounts, to the last digit: only
by day is one of them shared out, by the time of each day."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal

from hfspace.manifest.models import SpaceSpec
from hfspace.model import Cost
from hfspace.model.billing import SPACES, Billed, Charge

WAYS = ("space", "owner", "hardware", "label", "day")
_DAY = 86400.0
_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One sum. `minutes` of hardware, those of every replica counted; None where the Hub tells none."""

    name: str
    usd: Decimal
    minutes: Decimal | None = None

    @property
    def hours(self) -> Decimal | None:
        return None if self.minutes is None else self.minutes / 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """A time, from `start` to `end`, and what the Hub billed in it, with the sums of one way to look at it.

    `cost` holds the other two figures where there is a manifest, `labels` those of its Spaces; `groups` are
    dollars by resource group, where an organisation's plan has them; `prices_of` as in Snapshot.
    """

    start: float
    end: float
    by: str
    billed: Billed
    lines: tuple[Line, ...]
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    groups: tuple[Line, ...] = ()
    cost: Cost | None = None
    requests: int = 0
    prices_of: str = ""

    @property
    def usd(self) -> Decimal:
        """The sum of what could be read."""
        return sum((line.usd for line in self.lines), _NOTHING)


def lines(
    charges: Iterable[Charge], by: str, labels: Mapping[str, Mapping[str, str]], label: str = ""
) -> list[Line]:
    """The sums, the largest first; days in their order. `label` is the name of the label to look at."""
    name = _names(labels, label)[by]
    parts = (part for charge in charges for part in (by_day(charge) if by == "day" else (charge,)))
    usd: dict[str, Decimal] = {}
    minutes: dict[str, Decimal] = {}
    for part in parts:
        key = name(part)
        usd[key] = usd.get(key, _NOTHING) + part.usd
        if part.minutes is not None:
            minutes[key] = minutes.get(key, _NOTHING) + part.minutes
    listed = [Line(name=key, usd=one, minutes=minutes.get(key)) for key, one in usd.items()]
    return sorted(listed, key=lambda line: (0 if by == "day" else -line.usd, line.name))


def by_day(charge: Charge) -> Iterator[Charge]:
    """The parts of a charge in each day (UTC) that it touches; together they are the charge, exactly."""
    start, stop = charge.started, charge.stopped
    if start is None or stop is None or stop <= start or start // _DAY == (stop - 0.001) // _DAY:
        yield charge
        return
    left, minutes_left, begins = charge.usd, charge.quantity, start
    while begins < stop:
        ends = min((begins // _DAY + 1) * _DAY, stop)
        share = Decimal(ends - begins) / Decimal(stop - start)
        last = ends >= stop
        usd = left if last else charge.usd * share
        quantity = None
        if minutes_left is not None and charge.quantity is not None:
            quantity = minutes_left if last else charge.quantity * share
            minutes_left -= quantity
        left -= usd
        yield replace(charge, usd=usd, quantity=quantity, started=begins, stopped=ends)
        begins = ends


def ended(charges: Iterable[Charge], now: float) -> list[Charge]:
    """`charges` with those that go on as if they ended `now`: so it is known which days they are of."""
    return [
        replace(one, stopped=now)
        if one.started is not None and one.stopped is None and one.started < now
        else one
        for one in charges
    ]


def labels_of(spaces: Mapping[str, SpaceSpec]) -> dict[str, dict[str, str]]:
    """The labels of each Space that has some, by its id in lower case."""
    return {space.lower(): dict(spec.labels) for space, spec in spaces.items() if spec.labels}


def _names(labels: Mapping[str, Mapping[str, str]], label: str) -> dict[str, Callable[[Charge], str]]:
    def space(charge: Charge) -> str:
        if charge.space:
            return charge.space
        return f"{charge.owner}: Spaces without a name" if charge.kind == SPACES else charge.kind

    def labelled(charge: Charge) -> str:
        value = labels.get((charge.space or "").lower(), {}).get(label)
        return f"{label}={value}" if value is not None else f"no {label}" if label else "no label"

    return {
        "space": space,
        "owner": lambda charge: charge.owner,
        "hardware": lambda charge: charge.flavor or charge.product,
        "label": labelled,
        "day": lambda charge: _day(charge.started),
    }


def _day(moment: float | None) -> str:
    return "no day" if moment is None else f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d}"
