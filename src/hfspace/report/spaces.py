"""Live Spaces as tables, CSV and JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from hfspace.manifest.values import format_duration
from hfspace.model import BILLED, HELD, NEVER, Flavor, SpaceState
from hfspace.report.cells import counted, duration, money
from hfspace.report.tables import csv_lines, lines
from hfspace.text import plain

_NOTHING = Decimal(0)
LIST_HEAD = ("SPACE", "STAGE", "HARDWARE", "SLEEP", "$/H", "AWAKE", "LIKES", "MODIFIED", "SDK")
_CSV_HEAD = (
    "space",
    "stage",
    "sdk",
    "sdk_version",
    "visibility",
    "hardware",
    "sleep_time",
    "usd_per_hour",
    "usd_per_hour_awake",
    "likes",
    "modified",
    "tags",
)


def usd_now(state: SpaceState, flavors: Mapping[str, Flavor]) -> Decimal:
    """What the Space bills per hour in its stage."""
    return usd_awake(state, flavors) if state.stage in BILLED else _NOTHING


def usd_awake(state: SpaceState, flavors: Mapping[str, Flavor]) -> Decimal:
    """What the Space bills per hour when it runs."""
    flavor = flavors.get(state.hardware_current or state.hardware or "")
    return flavor.usd_per_hour * max(state.replicas or 1, 1) if flavor else _NOTHING


def status_lines(
    states: Sequence[SpaceState],
    flavors: Mapping[str, Flavor],
    drift: Mapping[str, str],
    *,
    columns: int | None = None,
    seconds: Mapping[str, float] | None = None,
) -> Iterator[str]:
    """One line per Space, with what differs from its declaration; then what they cost. `seconds`, where
    given, are those that each was seen in its stage."""
    head: tuple[str, ...] = ("SPACE", "STAGE", "HARDWARE", "SLEEP", "$/H", "AWAKE", "DRIFT")
    rows: Iterable[tuple[str, ...]] = (
        (*_settings(state, flavors), drift.get(state.id, "")) for state in states
    )
    if seconds is not None:
        head = (*head[:2], "FOR", *head[2:])
        times = (duration(seconds[state.id]) for state in states)
        rows = ((*row[:2], time, *row[2:]) for row, time in zip(rows, times, strict=True))
    yield from lines(head, rows, columns=columns, flexible=(0, len(head) - 1))
    yield totals(states, flavors)


def list_lines(
    states: Iterable[SpaceState], flavors: Mapping[str, Flavor], *, columns: int | None = None
) -> Iterator[str]:
    """One line per Space as it comes, with its likes, date and SDK; then what they cost."""
    seen: list[SpaceState] = []

    def rows() -> Iterator[tuple[str, ...]]:
        for state in states:
            seen.append(state)
            yield (*_settings(state, flavors), *_details(state))

    yield from lines(LIST_HEAD, rows(), columns=columns)
    yield totals(seen, flavors)


def list_csv(states: Iterable[SpaceState], flavors: Mapping[str, Flavor]) -> Iterator[str]:
    """A line of CSV per Space as it comes. Unknown cells are empty, tags are separated by spaces."""
    return csv_lines(_CSV_HEAD, (_record(state, flavors) for state in states))


def totals(states: Sequence[SpaceState], flavors: Mapping[str, Flavor]) -> str:
    """What these Spaces bill now, what the sleeping ones would add, and what paid hardware never sleeps."""
    now = sum((usd_now(state, flavors) for state in states), _NOTHING)
    asleep = [usd_awake(state, flavors) for state in states if state.stage == "SLEEPING"]
    never = [
        usd for state in states if state.sleep_time == NEVER and (usd := usd_now(state, flavors)) > _NOTHING
    ]
    parts = [f"{counted(len(states), 'Space')}, {money(now)} per hour now"]
    if any(asleep):
        parts.append(f"{money(sum(asleep, _NOTHING))} more if those that sleep wake up")
    if never:
        parts.append(
            f"{counted(len(never), 'runs', 'run')} on paid hardware and never sleep"
            f"{'s' if len(never) == 1 else ''}: {money(sum(never, _NOTHING))} per hour"
        )
    return "; ".join(parts) + "."


def detail(state: SpaceState, flavors: Mapping[str, Flavor]) -> str:
    """Everything that is known of one Space; unknown is said, not left out."""
    now, awake = usd_now(state, flavors), usd_awake(state, flavors)
    about = state.details
    facts: list[tuple[str, object]] = [
        ("space", state.id),
        ("title", about and about.title),
        ("stage", state.stage or "unknown"),
        ("error", state.error_message),
        ("sdk", " ".join(part for part in (state.sdk, about and about.sdk_version) if part) or "unknown"),
        ("visibility", state.visibility),
        ("hardware", hardware(state)),
        ("price now", f"{money(now)} per hour" + (f"; {money(awake)} when it runs" if awake > now else "")),
        ("sleep time", "none (static)" if state.is_static else format_duration(state.sleep_time)),
        ("dev mode", {True: "on", False: "off", None: None}[state.dev_mode]),
        ("likes", about and about.likes),
        ("created", about and about.created),
        ("modified", about and about.modified),
        ("tags", about and ", ".join(about.tags)),
        ("host", state.host),
        ("commit", state.sha),
        ("runs commit", state.runtime_sha if state.runtime_sha != state.sha else None),
        ("variables", _keys(state.variables)),
        ("secrets", _keys(state.secrets)),
        (
            "volumes",
            ", ".join(f"{item.source or '(hidden)'} at {item.mount_path}" for item in state.volumes or ()),
        ),
    ]
    known = [(name, value) for name, value in facts if value not in (None, "")]
    return "\n".join(f"{name:<13}{plain(value)}" for name, value in known)


def to_json(state: SpaceState, flavors: Mapping[str, Flavor]) -> dict[str, Any]:
    """Plain JSON values; money as decimal strings. Of secrets only names and descriptions."""
    return {
        **asdict(state),
        "secrets": None
        if state.secrets is None
        else {key: {"description": secret.description} for key, secret in sorted(state.secrets.items())},
        "usd_per_hour": str(usd_now(state, flavors)),
        "usd_per_hour_awake": str(usd_awake(state, flavors)),
    }


def _settings(state: SpaceState, flavors: Mapping[str, Flavor]) -> tuple[str, ...]:
    now, awake = usd_now(state, flavors), usd_awake(state, flavors)
    sleep = "-" if state.is_static else format_duration(state.sleep_time)
    idle = awake and not now and state.stage not in HELD
    return (
        state.id,
        state.stage or "unknown",
        hardware(state),
        sleep,
        f"{now:.2f}" if now else "-",
        f"{awake:.2f}" if idle else "",
    )


def _details(state: SpaceState) -> tuple[str, str, str]:
    about = state.details
    likes = "" if about is None or about.likes is None else str(about.likes)
    modified = (about.modified or "")[:10] if about else ""
    version = about.sdk_version if about else None
    return likes, modified, " ".join(part for part in (state.sdk, version) if part)


def _record(state: SpaceState, flavors: Mapping[str, Flavor]) -> tuple[str, ...]:
    about = state.details
    cells = (
        state.id,
        state.stage,
        state.sdk,
        about and about.sdk_version,
        state.visibility,
        state.hardware,
        "" if state.is_static or state.sleep_time is None else format_duration(state.sleep_time),
        str(usd_now(state, flavors)),
        str(usd_awake(state, flavors)),
        about and about.likes,
        about and about.modified,
        " ".join(about.tags) if about else None,
    )
    return tuple("" if cell is None else str(cell) for cell in cells)


def hardware(state: SpaceState) -> str:
    """`current → requested` while it moves, else the one flavor."""
    requested, current = state.hardware or "-", state.hardware_current
    return f"{current} → {requested}" if current and current != requested else requested


def _keys(values: Mapping[str, object] | None) -> str:
    return "unknown (not readable with this token)" if values is None else ", ".join(sorted(values)) or "none"
