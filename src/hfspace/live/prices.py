"""The prices that hfspace ships, for when the Hub's own are out of reach. Always told with their date."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from hfspace.errors import HubError, HubUnreachable, RateLimited
from hfspace.live import wire
from hfspace.live.ports import HubReader
from hfspace.model import Flavor


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceTable:
    """Flavors as the Hub listed them on `date`, a day or a month in ISO 8601; "" is now."""

    date: str
    flavors: Mapping[str, Flavor]


@cache
def shipped_prices() -> PriceTable:
    """The table in this package, which tools/prices.py refreshes."""
    document = json.loads(files("hfspace.live").joinpath("prices.json").read_text(encoding="utf-8"))
    return PriceTable(date=document["date"], flavors=wire.flavors(document["hardware"]))


def read_prices(hub: HubReader) -> PriceTable:
    """The Hub's prices, without a date; those that hfspace ships, where the Hub's make no sense or can't be
    had. Raises HubUnreachable and RateLimited: nothing else could be read either."""
    try:
        return PriceTable(date="", flavors=hub.flavors())
    except (HubUnreachable, RateLimited):
        raise
    except HubError:
        return shipped_prices()
