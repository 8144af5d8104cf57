"""The names that a facet of another package needs (docs/extending.md): they stay until a major version."""

from __future__ import annotations

from hfspace.errors import HfspaceError
from hfspace.facets.base import Facet, Need
from hfspace.facets.desired import Desired
from hfspace.live.ports import HubReader, Ports
from hfspace.manifest.models import SpaceSpec
from hfspace.model import UNKNOWN, Action, Change, Check, Effect, Json, Severity, SpaceState

__all__ = [
    "UNKNOWN",
    "Action",
    "Change",
    "Check",
    "Desired",
    "Effect",
    "Facet",
    "HfspaceError",
    "HubReader",
    "Json",
    "Need",
    "Ports",
    "Severity",
    "SpaceSpec",
    "SpaceState",
]
