"""Placeholder until its issue is done: never differs."""

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
        return []

    def apply(self, change: Change, desired: Desired, ports: Ports) -> None:
        return None
