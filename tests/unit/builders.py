"""Short ways to say what is wanted and what is live, for tests of the pure core."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hfspace.manifest.models import Manifest, Policy, SpaceSpec
from hfspace.model import (
    Account,
    Flavor,
    LocalInputs,
    ManifestRef,
    Plan,
    Secret,
    Snapshot,
    SpaceState,
    Variable,
)
from hfspace.planner.plan import plan

PRICES = {"cpu-basic": "0", "zero-a10g": "0", "cpu-upgrade": "0.03", "t4-small": "0.40", "a10g-small": "1.00"}
FLAVORS = {
    name: Flavor(name=name, pretty_name=name, usd_per_hour=Decimal(usd)) for name, usd in PRICES.items()
}
ALICE = Account(name="alice", role="write", can_pay=True, orgs={"acme": "admin"})
SPACE = "acme/x"


def manifest(policy: Policy | None = None, **spaces: SpaceSpec) -> Manifest:
    """`x=SpaceSpec(...)` declares acme/x."""
    return Manifest(
        ref=ManifestRef(files=("spaces.yaml",), sha256="0" * 64),
        policy=policy or Policy(),
        spaces={f"acme/{name.replace('_', '-')}": spec for name, spec in spaces.items()},
    )


def live(name: str = "x", **values: Any) -> SpaceState:
    """A healthy Space on cpu-basic with nothing set."""
    defaults: dict[str, Any] = {
        "id": f"acme/{name}",
        "sdk": "gradio",
        "visibility": "public",
        "visibility_exact": True,
        "stage": "RUNNING",
        "hardware": "cpu-basic",
        "hardware_current": values.get("hardware", "cpu-basic"),
        "sleep_time": 172800,
        "dev_mode": False,
        "variables": {},
        "secrets": {},
        "volumes": (),
        "marks": (),
    }
    return SpaceState(**{**defaults, **values})


def snapshot(*states: SpaceState, **values: Any) -> Snapshot:
    spaces = {state.id: state for state in states}
    return Snapshot(hub="http://hub", account=ALICE, spaces=spaces, flavors=FLAVORS, **values)


def planned(
    spec: SpaceSpec, state: SpaceState | None, inputs: LocalInputs | None = None, **values: Any
) -> Plan:
    """The plan of acme/x alone."""
    states = (state,) if state else ()
    return plan(manifest(x=spec), snapshot(*states, **values), inputs)


def told(made: Plan) -> list[str]:
    """Changes as 'facet action before -> after', in order of application."""
    return [
        f"{change.address.removeprefix(SPACE).lstrip('.') or 'space'} {change.action} "
        f"{change.before!r} -> {change.after!r}"
        for change in made.changes
    ]


def checks(made: Plan) -> list[str]:
    return [f"{check.severity} {check.facet}: {check.message}" for check in made.checks]


def variable(value: str, description: str | None = None) -> Variable:
    return Variable(value=value, description=description)


def secret(*, matches: bool | None = None, description: str | None = None) -> Secret:
    mark = None if matches is None else "[hfspace:v1:AAAAAAAAAAAAAAAAAAAAAA:AAAAAAAAAAAAAAAAAAAAAA]"
    return Secret(description=description, fingerprint=mark, matches=matches)
