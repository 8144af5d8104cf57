"""A Space as the judge of savings sees it, and what it says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from hfspace.manifest.models import Manifest, SpaceSpec
from hfspace.model import BILLED, HOURS_PER_MONTH, NEVER, Flavor, Json, Source, SpaceState
from hfspace.planner.use import Evidence, Use

_NOTHING = Decimal(0)
AT_MOST = frozenset({"no-sleep-time", "long-sleep-time", "unmanaged", "cheaper-flavor"})
"""Rules whose amount use may have needed a part of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Saving:
    """One thing that costs more than it must. `usd_per_month` is None where the Hub tells no amount; `edits`
    are the keys of the Space that mend it, none where a person has to decide."""

    rule: str
    space: str
    usd_per_month: Decimal | None
    at_most: bool
    evidence: str
    advice: str
    edits: tuple[tuple[str, Json], ...] = ()
    source: Source | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One Space with all that is known of it; `spec` is None for one that nobody declares."""

    space: str
    spec: SpaceSpec | None
    state: SpaceState
    manifest: Manifest
    flavors: Mapping[str, Flavor]
    evidence: Evidence
    now: float

    @property
    def use(self) -> Use | None:
        return self.evidence.use(self.space)

    @property
    def flavor(self) -> str:
        return self.state.hardware_current or self.state.hardware or ""

    @property
    def price(self) -> Decimal:
        """USD per hour that it is up, of all its replicas; 0 where none is known, and for a
        community grant (`free_hardware`)."""
        return self.price_of(self.flavor)

    def price_of(self, flavor: str) -> Decimal:
        known = None if self.spec and self.spec.free_hardware else self.flavors.get(flavor)
        return known.usd_per_hour * max(self.state.replicas or 1, 1) if known else _NOTHING

    @property
    def usd_per_month(self) -> Decimal:
        """What was billed, in an average month; the ceiling where that is not known, or where it is up and
        never sleeps: then every hour from now on is billed."""
        stays_up = self.state.stage in BILLED and self.state.sleep_time == NEVER
        if self.use is not None and not stays_up:
            return self.use.per_month(self.use.usd)
        return self.price * HOURS_PER_MONTH

    def is_planned(self, key: str) -> bool:
        """Whether the plan changes this setting: then it is left to the plan."""
        wanted = getattr(self.spec, key, None)
        ignored = self.spec is not None and key in self.spec.ignore
        return wanted is not None and not ignored and wanted != getattr(self.state, key)

    def edits(self, **values: Json) -> tuple[tuple[str, Json], ...]:
        """These keys as edits, where the manifest manages all of them without windows."""
        spec = self.spec
        if spec is None or spec.when or spec.ignore & values.keys():
            return ()
        return tuple(values.items())

    def billed(self) -> str:
        """What was billed, in words."""
        if self.use is None:
            return "what was billed is not known"
        return f"billed {self.use.hours:.0f} h, ${self.use.usd:.2f}, in {self.use.days:.0f} days"

    def saving(self, rule: str, usd: Decimal | None, evidence: str, advice: str, **values: Json) -> Saving:
        return Saving(
            rule=rule,
            space=self.space,
            usd_per_month=usd,
            at_most=rule in AT_MOST,
            evidence=evidence,
            advice=advice,
            edits=self.edits(**values) if values else (),
            source=self.manifest.source("spaces", self.space) if self.spec else None,
        )
