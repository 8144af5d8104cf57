"""What is told of prices that are not the Hub's own of today, and the ceiling that they give offline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from hfspace.manifest.models import Manifest
from hfspace.model import HOURS_PER_MONTH, Check, Flavor, Snapshot


def shipped_prices_check(manifest: Manifest, snapshot: Snapshot) -> list[Check]:
    """Says that the Hub's listing could not be read, and what the amounts rest on instead. Unknown where a
    limit in dollars was judged by it, else a warning."""
    if not snapshot.prices_of:
        return []
    return [
        Check(
            address="prices",
            space="",
            facet="prices",
            severity="unknown" if manifest.policy.budgets else "warning",
            message="the Hub's prices could not be read; every amount rests on those of "
            f"{snapshot.prices_of}, which hfspace ships.",
            hint="Run again later.",
            source=manifest.source("policy", *manifest.policy.budgets[:1]),
        )
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class OfflineCeiling:
    """USD a month of what is declared, always on. `not_counted`: Spaces whose hardware the manifest does not
    say, or whose flavor has no known price."""

    usd_per_month: Decimal
    not_counted: tuple[str, ...]


def offline_ceiling(manifest: Manifest, flavors: Mapping[str, Flavor]) -> OfflineCeiling:
    """The ceiling of the manifest by a table of prices, with one replica each; paused and absent Spaces and
    static ones cost nothing."""
    awake = {
        space: spec.hardware or ""
        for space, spec in manifest.spaces.items()
        if spec.sdk != "static" and spec.state not in {"paused", "absent"}
    }
    priced = {space: flavors[name] for space, name in awake.items() if name in flavors}
    return OfflineCeiling(
        usd_per_month=sum((one.usd_per_hour for one in priced.values()), Decimal(0)) * HOURS_PER_MONTH,
        not_counted=tuple(sorted(awake.keys() - priced.keys())),
    )
