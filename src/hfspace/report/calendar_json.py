"""A calendar as JSON. Times in the manifest's zone with their offset, money as decimal strings."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from hfspace.model import Json
from hfspace.planner.calendar import Calendar, SpaceCalendar
from hfspace.text import json_text


def to_json(calendar: Calendar) -> str:
    """One document; null is unknown."""
    start, *_, end = calendar.midnights
    usd, always, unknown = calendar.total
    return json_text(
        {
            "format_version": 1,
            "timezone": calendar.timezone,
            "start": _time(calendar, start),
            "end": _time(calendar, end),
            "usd_per_week": _money(usd),
            "usd_per_week_always_on": _money(always),
            "prices_unknown": unknown,
            "prices_of": calendar.prices_of,
            "spaces": {one.space: _space(calendar, one) for one in calendar.spaces},
        }
    )


def _space(calendar: Calendar, one: SpaceCalendar) -> Json:
    return {
        "hours_per_week": str(one.hours.quantize(Decimal("0.01"))),
        "usd_per_week": _money(one.usd),
        "usd_per_week_always_on": _money(one.always),
        "held_until": one.held,
        "restarts": [_time(calendar, tick) for tick in one.restarts],
        "spans": [
            {
                "start": _time(calendar, span.start),
                "end": _time(calendar, span.end),
                "state": span.state,
                "up": span.is_up,
                "hardware": span.hardware,
                "reason": span.reason,
                "usd_per_hour": None if span.usd_per_hour is None else str(span.usd_per_hour),
            }
            for span in one.spans
        ],
    }


def _money(usd: Decimal | None) -> str | None:
    return None if usd is None else str(usd.quantize(Decimal("0.0001")))


def _time(calendar: Calendar, time: datetime | None) -> str | None:
    return None if time is None else calendar.local(time).isoformat(timespec="seconds")
