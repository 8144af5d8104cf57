"""Live Spaces as tables and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from hfspace.manifest.values import format_duration
from hfspace.model import BILLED, Flavor, SpaceState
from hfspace.report.cells import counted, money, plain


def usd_now(state: SpaceState, flavors: Mapping[str, Flavor]) -> Decimal:
    """What the Space bills per hour in its stage."""
    flavor = flavors.get(state.hardware_current or state.hardware or "")
    return (
        flavor.usd_per_hour * max(state.replicas or 1, 1) if flavor and state.stage in BILLED else Decimal(0)
    )


def table(
    states: Sequence[SpaceState], flavors: Mapping[str, Flavor], drift: Mapping[str, str] | None = None
) -> str:
    """One line per Space; `drift` says for a declared one what differs."""
    head = ("SPACE", "STAGE", "HARDWARE", "SLEEP", "$/H", *(("DRIFT",) if drift is not None else ()))
    rows = [head, *(_row(state, flavors, drift) for state in states)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    total = sum((usd_now(state, flavors) for state in states), Decimal(0))
    return "\n".join([*lines, f"{counted(len(states), 'Space')}, {money(total)} per hour now."])


def detail(state: SpaceState, flavors: Mapping[str, Flavor]) -> str:
    """Everything that is known of one Space; unknown is said, not left out."""
    facts: list[tuple[str, object]] = [
        ("space", state.id),
        ("stage", state.stage),
        ("error", state.error_message),
        ("sdk", state.sdk),
        ("visibility", state.visibility),
        ("hardware", _hardware(state)),
        ("price now", f"{money(usd_now(state, flavors))} per hour"),
        ("sleep time", "none (static)" if state.is_static else format_duration(state.sleep_time)),
        ("dev mode", {True: "on", False: "off", None: None}[state.dev_mode]),
        ("host", state.host),
        ("commit", state.sha),
        ("variables", _keys(state.variables)),
        ("secrets", _keys(state.secrets)),
        (
            "volumes",
            ", ".join(f"{item.source or '(hidden)'} at {item.mount_path}" for item in state.volumes or ()),
        ),
    ]
    shown = [(name, value) for name, value in facts if value not in (None, "")]
    return "\n".join(f"{name:<12}{plain(value)}" for name, value in shown)


def to_json(states: Sequence[SpaceState], flavors: Mapping[str, Flavor]) -> list[dict[str, Any]]:
    """Plain JSON values; money as a decimal string."""
    return [{**asdict(state), "usd_per_hour": str(usd_now(state, flavors))} for state in states]


def _row(
    state: SpaceState, flavors: Mapping[str, Flavor], drift: Mapping[str, str] | None
) -> tuple[str, ...]:
    usd = usd_now(state, flavors)
    sleep = "-" if state.is_static else format_duration(state.sleep_time)
    cells = [state.id, state.stage or "unknown", _hardware(state), sleep, f"{usd:.2f}" if usd else "-"]
    if drift is not None:
        cells.append(drift.get(state.id, ""))
    return tuple(plain(cell) for cell in cells)


def _hardware(state: SpaceState) -> str:
    asked, current = state.hardware or "-", state.hardware_current
    return f"{current} → {asked}" if current and current != asked else asked


def _keys(values: Mapping[str, object] | None) -> str:
    return "unknown (not readable with this token)" if values is None else ", ".join(sorted(values)) or "none"
