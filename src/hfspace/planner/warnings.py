"""What a manifest's hours are warned of, since it is allowed and hardly ever meant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta, tzinfo
from decimal import Decimal

from hfspace.manifest import clock, ticks
from hfspace.manifest.clock_models import Window
from hfspace.manifest.models import Manifest, SpaceSpec
from hfspace.manifest.zones import zone
from hfspace.model import FREE_HARDWARE, NEVER, Check, Flavor

_START = timedelta(minutes=5)
"""What a restart may take, until the app answers."""


def warnings(manifest: Manifest, prices: Mapping[str, Flavor] | None = None) -> list[Check]:
    """The warnings of all Spaces; without `prices`, as offline, they name no dollars."""
    return [
        Check(
            address=f"{space}.{'.'.join(path)}",
            space=space,
            facet=path[0],
            severity="warning",
            message=message,
            hint=hint,
            source=manifest.source("spaces", space, *path),
        )
        for space, spec in sorted(clock.declared(manifest).items())
        if spec.has_hours
        for path, message, hint in _of(spec, zone(manifest.timezone), prices or {})
    ]


_Warning = tuple[tuple[str, ...], str, str]


def _of(spec: SpaceSpec, where: tzinfo, prices: Mapping[str, Flavor]) -> Iterator[_Warning]:
    windows = spec.when or ()
    for index in clock.unreached(spec, where):
        message = f"{windows[index].text} never holds: windows before it do at all of its times."
        yield ("when", str(index)), message, "Put it before them, or remove it."
    for index, window in enumerate(windows):
        if (length := _length(window)) is not None and length < _START:
            message = f"{window.text} is {_minutes(length)}, and a start may take {_minutes(_START)}."
            yield ("when", str(index)), message, "Make it longer."
    for inside, path in clock.variants(spec)[1:]:
        if message := _open_end(inside, spec, prices):
            hint = "Set a sleep_time such as 30m beside it: the Space then stops by itself."
            yield path, message, hint
    every = spec.restart.every if spec.restart else None
    if every is not None and (between := ticks.shortest(every)) < _START:
        message = f"it restarts every {_minutes(between)}, and a start may take {_minutes(_START)}."
        yield ("restart", "every"), message, "Restart it less often."


def _length(window: Window) -> timedelta | None:
    if window.during is not None:
        return timedelta(minutes=window.during.minutes)
    return window.until - window.start if window.start and window.until else None


def _open_end(inside: SpaceSpec, outside: SpaceSpec, prices: Mapping[str, Flavor]) -> str:
    """Why a window may go on billing when nobody comes to end it; "" when the Space then stops by itself."""
    flavor = inside.hardware
    if (
        flavor is None
        or flavor in FREE_HARDWARE
        or not inside.is_on
        or inside.sleep_time not in {None, NEVER}
    ):
        return ""
    before = outside.hardware if outside.is_on else None
    known = prices.get(flavor)
    more = known.usd_per_hour - _price(before, prices) if known else None
    if flavor == before or (more is not None and more <= 0):
        return ""
    cost = f" at ${more:.2f} more an hour, ${more * 24:.2f} a day" if more is not None else ""
    return f"if no runner comes at the end of this window, {flavor} goes on{cost}."


def _price(flavor: str | None, prices: Mapping[str, Flavor]) -> Decimal:
    known = prices.get(flavor or "")
    return known.usd_per_hour if known else Decimal(0)


def _minutes(time: timedelta) -> str:
    count = time / timedelta(minutes=1)
    return f"{count:g} minute{'' if count == 1 else 's'}"
