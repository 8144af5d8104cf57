"""What the reports of a whole fleet are made from, read through a session."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from hfspace.model.billing import Billed, month
from hfspace.planner.savings import savings
from hfspace.planner.use import DAY, Evidence, uses
from hfspace.report.fleet import Fleet
from hfspace.report.savings import SavingsReport
from hfspace.session import Session

_SAVINGS_DAYS = 30


def read_savings(
    session: Session, *, visits: Mapping[str, tuple[float, ...]] | None = None, days: int = _SAVINGS_DAYS
) -> SavingsReport:
    """What could be saved, by the use of the last `days`. `visits` are times by Space in lower case, seconds
    since the epoch. Raises HubError; usage that can't be read is unknown, and why."""
    now = session.clock()
    snapshot = session.snapshot
    billed = session.billed(now - days * DAY, now)
    spaces = [*snapshot.spaces, *(state.id for state in snapshot.unmanaged)]
    evidence = Evidence(uses=uses(billed, spaces, now), visits=visits or {})
    return SavingsReport(
        savings=savings(session.manifest, snapshot, evidence, datetime.fromtimestamp(now, UTC)),
        days=days,
        unknown=billed.unknown,
        unreadable=snapshot.unreadable,
        prices_of=snapshot.prices_of,
    )


def read_fleet(session: Session) -> Fleet:
    """Plan, usage of this month, and savings, read now. Raises HubError."""
    session.costs = True
    plan = session.plan()
    now = session.clock()
    start, _ = month(now)
    snapshot = session.snapshot
    billed = snapshot.billed or Billed()
    spaces = [*snapshot.spaces, *(state.id for state in snapshot.unmanaged)]
    return Fleet(
        plan=plan,
        manifest=session.manifest,
        snapshot=snapshot,
        billed=billed,
        uses=uses(billed, spaces, now),
        savings=read_savings(session),
        start=start,
        now=now,
    )
