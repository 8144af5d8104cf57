"""Fleets of any size for the tests of their page: known hours, drift, failures, something of everything."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hfspace.live.prices import shipped_prices
from hfspace.manifest.models import Manifest, Policy, SpaceSpec
from hfspace.model import Account, LocalInputs, ManifestRef, Snapshot, SpaceState
from hfspace.model.billing import SPACES, Billed, Charge, Usage, month
from hfspace.planner.plan import plan
from hfspace.planner.savings import savings
from hfspace.planner.use import DAY, HOUR, Evidence, uses
from hfspace.report.fleet import Fleet
from hfspace.report.savings import SavingsReport
from tests.unit.builders import live

NOW = datetime(2026, 11, 25, 22, 0, tzinfo=UTC)
PRICES = shipped_prices().flavors
NAMES = ("whisper", "ocr", "search", "translate", "chat", "images", "leaderboard", "notebook")
HARDWARE = (
    "cpu-basic",
    "t4-small",
    "cpu-upgrade",
    "a10g-small",
    "l4x1",
    "cpu-basic",
    "t4-medium",
    "zero-a10g",
)
STAGES = ("RUNNING", "RUNNING", "SLEEPING", "RUNNING", "PAUSED", "RUNNING", "RUNTIME_ERROR")


def _space(number: int) -> tuple[str, SpaceSpec, SpaceState]:
    owner = ("acme", "speech-lab", "vision-group")[number % 3]
    space = f"{owner}/{NAMES[number % len(NAMES)]}-{number:03}"
    flavor = HARDWARE[number % len(HARDWARE)]
    free = PRICES[flavor].usd_per_hour == 0
    stage = STAGES[number % len(STAGES)]
    sleep = 172_800 if free else (-1, 3600, 1800)[number % 3]
    wanted = "t4-small" if number % 11 == 3 else flavor
    team = ("speech", "vision", "apps")[number % 5 % 3]
    declared: dict[str, Any] = {
        "labels": {"team": team},
        "hardware": wanted,
        "state": "paused" if stage == "PAUSED" else "running",
    }
    if PRICES[wanted].usd_per_hour:
        declared["sleep_time"] = 1800 if number % 13 == 4 else -1 if sleep == 172_800 else sleep
    message = "CUDA out of memory. Tried to allocate 20.00 MiB" if stage == "RUNTIME_ERROR" else None
    state = replace(
        live("x", hardware=flavor, sleep_time=sleep, stage=stage, error_message=message),
        id=space,
        entity=f"{number:024x}",
    )
    return space, SpaceSpec(**declared), state


def _charges(number: int, state: SpaceState, start: float, now: float) -> list[Charge]:
    """Awake for some hours of every weekday."""
    flavor = state.hardware or ""
    owner = state.id.split("/")[0]
    if PRICES[flavor].usd_per_hour == 0:
        return []
    charges = []
    for day in range(int((now - start) // DAY)):
        begin = start + day * DAY + 8 * HOUR
        if datetime.fromtimestamp(begin, UTC).weekday() < 5:
            length = HOUR * (4 + number % 9)
            charges.append(
                Charge(
                    owner=owner,
                    kind=SPACES,
                    product=f"spaces/{flavor}/minutes",
                    usd=PRICES[flavor].usd_per_hour * length / HOUR,
                    quantity=Decimal(length) / 60,
                    space=state.id,
                    label=state.id,
                    started=begin,
                    stopped=begin + length,
                )
            )
    return charges


def fleet(count: int, *, billing: bool = True, **values: Any) -> Fleet:
    """`count` declared Spaces and a few of the same owners that nobody declares."""
    now = NOW.timestamp()
    start, _ = month(now)
    spaces = [_space(number) for number in range(count)]
    others = [_space(number)[2] for number in range(count, count + 2)]
    manifest = Manifest(
        ref=ManifestRef(files=("spaces.yaml",), sha256="0" * 64),
        policy=Policy(max_monthly_usd=Decimal(500 * count)),
        spaces={space: spec for space, spec, _ in spaces},
    )
    snapshot = Snapshot(
        hub="https://huggingface.co",
        account=Account(name="alice", role="write"),
        spaces={space: state for space, _, state in spaces},
        flavors=PRICES,
        unmanaged=tuple(others),
        requests=4,
    )
    snapshot = replace(snapshot, **values)
    states = [*snapshot.spaces.values(), *snapshot.unmanaged]
    by_owner: dict[str, list[Charge]] = {"acme": [], "speech-lab": [], "vision-group": []}
    for number, state in enumerate(states):
        by_owner[state.id.split("/")[0]] += _charges(number, state, start, now)
    usages = tuple(
        Usage(owner=owner, start=start, end=now, source="usage-v2", charges=tuple(charges))
        for owner, charges in by_owner.items()
    )
    reason = "needs the Billing read permission"
    billed = Billed(usages=usages) if billing else Billed(unknown=dict.fromkeys(by_owner, reason))
    snapshot = replace(snapshot, billed=billed)
    known = uses(billed, [state.id for state in states], now)
    return Fleet(
        plan=plan(manifest, snapshot, LocalInputs(now=now)),
        manifest=manifest,
        snapshot=snapshot,
        billed=billed,
        uses=known,
        savings=SavingsReport(
            savings=savings(manifest, snapshot, Evidence(uses=known), NOW),
            days=30,
            unknown=billed.unknown,
            unreadable={},
        ),
        start=start,
        now=now,
    )
