"""Several experiments side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hfspace.errors import TrackioRejected
from hfspace.live.trackio.port import Series


def all_series(plot: Callable[[str], Series], refs: Sequence[str], metric: str) -> tuple[Series, ...]:
    """One series each, in order; empty for those without the metric. Raises TrackioRejected when none has it,
    and what `plot` raises for an experiment that is not there."""
    curves: list[Series] = []
    refusal: TrackioRejected | None = None
    for ref in refs:
        try:
            curves.append(plot(ref))
        except TrackioRejected as error:
            refusal = error
            curves.append(Series(experiment=ref, metric=metric))
    if refusal is not None and not any(series.points for series in curves):
        raise refusal
    return tuple(curves)
