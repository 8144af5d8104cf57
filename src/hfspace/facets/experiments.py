"""Trackio experiments. Reading and writing them is not built yet: declaring some is an error that says so,
never a success that did nothing."""

from __future__ import annotations

from dataclasses import dataclass

from hfspace.facets.base import Desired
from hfspace.live.ports import Ports
from hfspace.model import Change, Check, SpaceState


@dataclass(frozen=True)
class Experiments:
    name: str = "experiments"
    restarts: bool = False
    carries: frozenset[str] = frozenset()

    def compare(self, desired: Desired, state: SpaceState) -> list[Change | Check]:
        if desired.spec.experiments is None:
            return []
        return [
            desired.check(
                self.name,
                "error",
                "this version of hfspace does not manage experiments yet.",
                hint="Remove `experiments:` until it does.",
            )
        ]

    def apply(self, change: Change, desired: Desired, ports: Ports) -> None:
        raise NotImplementedError
