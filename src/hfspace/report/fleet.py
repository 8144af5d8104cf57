"""The fleet on one page: what each Space is and costs, what differs, what could be saved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from hfspace.manifest.models import Manifest
from hfspace.manifest.values import format_duration
from hfspace.model import HOURS_PER_MONTH, Plan, Snapshot, SpaceState
from hfspace.model.billing import SPACES, Billed, Charge, total
from hfspace.planner.bill import ended, labels_of, lines
from hfspace.planner.labels import names
from hfspace.planner.use import DAY, Use
from hfspace.report.cells import counted, money
from hfspace.report.pages import page
from hfspace.report.plan_html import changes
from hfspace.report.savings import SavingsReport, amount, closing
from hfspace.report.spaces import hardware, usd_now

_NOTHING = Decimal(0)
_MOST_BARS = 25
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """All that the page is made from. Times are seconds since the epoch: `start` is that of the month, `now`
    when the Hub was read. `uses` are those of the month."""

    plan: Plan
    manifest: Manifest
    snapshot: Snapshot
    billed: Billed
    uses: Mapping[str, Use]
    savings: SavingsReport
    start: float
    now: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A Space in the table. `sync` is what differs, `mark` its kind; amounts are text, or unknown."""

    space: str
    stage: str
    tone: str
    sync: str
    mark: str
    hardware: str
    sleep: str
    hours: str
    usd: str
    usd_per_hour: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A part of the bill; `share` is its length in per mille of the longest."""

    name: str
    usd: str
    share: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """An amount with what it means and where it comes from."""

    name: str
    source: str
    now: str
    after: str = ""
    limit: str = ""


def render(fleet: Fleet) -> str:
    """The page. Every text of it is escaped."""
    charges = ended((one for one in fleet.billed.charges if one.kind == SPACES), fleet.now)
    month = f"{_time(fleet.start):%B %Y}"
    rows = _rows(fleet)
    undated = total(one for one in charges if one.started is None)
    days = _days(charges, fleet.start, fleet.now)
    return page(
        "fleet.html",
        plan=fleet.plan,
        title=_title(rows),
        read_at=f"{_time(fleet.now):%Y-%m-%d %H:%M} UTC",
        month=month,
        stages=_stages(fleet.snapshot),
        rows=rows,
        figures=_figures(fleet, month),
        unknown=sorted(fleet.billed.unknown.items()),
        prices_of=fleet.snapshot.prices_of,
        parts=[
            ("owner", _bars(charges, "owner", fleet.manifest)),
            *(
                (f"label {name}", _bars(charges, "label", fleet.manifest, name))
                for name in names(fleet.manifest)
            ),
            ("hardware", _bars(charges, "hardware", fleet.manifest)),
        ],
        is_billed=bool(total(charges)),
        days=_lengths(days),
        dearest=_usd(max((usd for _, usd in days), default=_NOTHING)),
        undated=_usd(undated) if undated else "",
        heading="h3",
        **changes(fleet.plan),
        savings=[(one, amount(one)) for one in fleet.savings.savings.items],
        savings_closing=list(closing(fleet.savings)),
    )


def _title(rows: Sequence[Row]) -> str:
    marks = Counter(row.mark for row in rows)
    parts = [f"{marks[mark]} {words}" for mark, words in _MARKS.items() if marks[mark]]
    spaces = counted(len(rows), "Space")
    return f"{spaces}: {', '.join(parts)}" if parts else spaces


_MARKS = {
    "ok": "in line",
    "change": "to change",
    "check": "with failed checks",
    "unknown": "unknown",
    "ignored": "not declared",
}
_TONES = {
    "RUNNING": "create",
    "RUNNING_BUILDING": "create",
    "RUNNING_APP_STARTING": "create",
    "PAUSED": "ignored",
    "SLEEPING": "ignored",
    "STOPPED": "ignored",
}


def _stages(snapshot: Snapshot) -> list[tuple[str, int]]:
    states = [*snapshot.spaces.values(), *snapshot.unmanaged]
    return Counter(state.stage or UNKNOWN for state in states).most_common()


def _rows(fleet: Fleet) -> list[Row]:
    """All Spaces, the dearest of the month first."""
    kinds = _sync(fleet.plan)
    states = {**fleet.snapshot.spaces, **{state.id: state for state in fleet.snapshot.unmanaged}}
    spaces = sorted({*kinds, *states}, key=lambda space: (-_weight(fleet, space, states), space))
    none = ("not declared", "ignored")
    return [_row(fleet, space, states.get(space), *kinds.get(space, none)) for space in spaces]


def _weight(fleet: Fleet, space: str, states: Mapping[str, SpaceState]) -> Decimal:
    use, state = fleet.uses.get(space.lower()), states.get(space)
    if use is not None:
        return use.usd
    return usd_now(state, fleet.snapshot.flavors) * HOURS_PER_MONTH if state else _NOTHING


def _row(fleet: Fleet, space: str, state: SpaceState | None, sync: str, mark: str) -> Row:
    use, flavors = fleet.uses.get(space.lower()), fleet.snapshot.flavors
    flavor = (state.hardware_current or state.hardware or "") if state else ""
    granted = space in fleet.manifest.spaces and fleet.manifest.spaces[space].free_hardware
    priced = state is not None and (state.is_static or flavor in flavors)
    return Row(
        space=space,
        stage=(state.stage or UNKNOWN) if state else _missing(fleet, space),
        tone=_TONES.get((state.stage if state else None) or "", "check" if state else "unknown"),
        sync=sync,
        mark=mark,
        hardware="-" if state is None or state.is_static else hardware(state),
        sleep="-" if state is None or state.is_static else format_duration(state.sleep_time),
        hours=UNKNOWN if use is None else f"{use.hours:,.1f}" if use.awake else "-",
        usd=UNKNOWN if use is None else _usd(use.usd) if use.usd else "-",
        usd_per_hour=money(_NOTHING if granted else usd_now(state, flavors)) if state and priced else UNKNOWN,
    )


def _missing(fleet: Fleet, space: str) -> str:
    return "not read" if space in fleet.snapshot.unreadable else "missing"


def _sync(plan: Plan) -> dict[str, tuple[str, str]]:
    """How far each declared Space is from its declaration, in words, and the kind of that."""
    changed = Counter(change.space for change in plan.changes)
    unknown = Counter(check.space for check in plan.unknowns)
    failed = Counter(check.space for check in plan.checks if check.severity != "unknown")
    kinds = {}
    for space in plan.declared:
        parts = [f"{changed[space]} to change"] if changed[space] else []
        parts += [f"{counted(failed[space], 'check')} failed"] if failed[space] else []
        parts += [f"{unknown[space]} unknown"] if unknown[space] else []
        mark = "check" if failed[space] else UNKNOWN if unknown[space] else "change" if parts else "ok"
        kinds[space] = (", ".join(parts) or "in line", mark)
    return kinds


def _figures(fleet: Fleet, month: str) -> list[Figure]:
    """The three figures, each by its name; what they come to, and what bills by the hour."""
    cost = fleet.plan.cost
    usage, hours, prices = "the Hub's usage", "the manifest's hours, sleep not counted", "hardware and prices"
    known = (
        (f"billed in {month} so far", fleet.billed.usd_of(fleet.plan.declared)),
        ("billed for what nobody declares", fleet.billed.usd_of(one.id for one in fleet.snapshot.unmanaged)),
    )
    rows = (
        ("scheduled until its end", hours, None, cost.scheduled_rest_usd, None),
        ("on course for", "billed and scheduled", None, cost.course_usd, cost.spent_limit_usd),
        ("scheduled, average month", hours, None, cost.scheduled_usd_per_month, cost.scheduled_limit_usd),
        ("per hour", prices, cost.before_usd_per_hour, cost.after_usd_per_hour, cost.hourly_limit_usd),
        ("ceiling per month, always on", prices, cost.before_usd_per_month, cost.after_usd_per_month,
         cost.limit_usd_per_month),
    )  # fmt: skip
    return [
        *(Figure(name=name, source=usage, now=UNKNOWN if usd is None else _usd(usd)) for name, usd in known),
        *(
            Figure(name=name, source=source, now=_usd(now), after=_usd(after), limit=_usd(limit))
            for name, source, now, after, limit in rows
        ),
    ]


def _bars(charges: Iterable[Charge], by: str, manifest: Manifest, label: str = "") -> list[Bar]:
    """The parts of a bill, the largest first; past the first ones the rest is one."""
    parts = [(one.name, one.usd) for one in lines(charges, by, labels_of(manifest.spaces), label) if one.usd]
    rest = sum((usd for _, usd in parts[_MOST_BARS:]), _NOTHING)
    more = [(f"{len(parts) - _MOST_BARS:,} more", rest)] if len(parts) > _MOST_BARS else []
    return _lengths([*parts[:_MOST_BARS], *more])


def _days(charges: Iterable[Charge], start: float, now: float) -> list[tuple[str, Decimal]]:
    """Every day of the month so far, also those on which nothing was billed."""
    usd = {line.name: line.usd for line in lines(charges, "day", {})}
    names = [f"{_time(start + DAY * count):%Y-%m-%d}" for count in range(int((now - start) // DAY) + 1)]
    return [(name, usd.get(name, _NOTHING)) for name in names]


def _lengths(parts: Sequence[tuple[str, Decimal]]) -> list[Bar]:
    longest = max((usd for _, usd in parts), default=_NOTHING) or Decimal(1)
    return [Bar(name=name, usd=_usd(usd), share=round(1000 * usd / longest)) for name, usd in parts]


def _usd(amount: Decimal | None) -> str:
    return "" if amount is None else f"${amount:,.2f}"


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
