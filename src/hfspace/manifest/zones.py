"""Time zones by name, from one table: all who run a manifest agree on what a clock shows."""

from __future__ import annotations

from datetime import UTC, tzinfo
from difflib import get_close_matches
from functools import cache
from importlib.resources import files

DEFAULT_ZONE = "UTC"


@cache
def zone(name: object) -> tzinfo:
    """The zone of this name, as the package tzdata has it, whatever the machine's own table says. Raises
    ValueError with the nearest names."""
    if name == DEFAULT_ZONE:
        return UTC
    from zoneinfo import ZoneInfo

    import tzdata

    if not isinstance(name, str):
        raise ValueError("write one such as Europe/Paris, or UTC")
    if name not in names():
        last = {one.rpartition("/")[2].lower(): one for one in sorted(names(), reverse=True)}
        lower = {one.lower(): one for one in names()}
        city = name[:60].lower().rpartition("/")[2].replace(" ", "_")
        near = get_close_matches(name[:60].lower(), lower, n=1, cutoff=0.7)
        near += get_close_matches(city, last, n=1, cutoff=0.7)
        guess = f"the nearest is {({**last, **lower})[near[0]]}" if near else "write one such as Europe/Paris"
        raise ValueError(guess)
    with (files(tzdata) / "zoneinfo").joinpath(*name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


@cache
def names() -> frozenset[str]:
    """The names of all zones."""
    import tzdata

    return frozenset((files(tzdata) / "zones").read_text(encoding="ascii").split())
