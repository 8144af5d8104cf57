"""One file per thing that can be declared. Adding one: its file, a line in ALL, the schema and the docs."""

from __future__ import annotations

from collections.abc import Sequence

from hfspace.errors import ExtensionError
from hfspace.facets.base import Facet, Need
from hfspace.facets.card import Card
from hfspace.facets.desired import Desired
from hfspace.facets.dev_mode import DevMode
from hfspace.facets.endpoint import Endpoint
from hfspace.facets.existence import Existence
from hfspace.facets.experiments import Experiments
from hfspace.facets.extensions import extension
from hfspace.facets.files import Files
from hfspace.facets.hardware import Hardware
from hfspace.facets.hold import Hold
from hfspace.facets.restart import Restart
from hfspace.facets.secrets import Secrets
from hfspace.facets.sleep_time import SleepTime
from hfspace.facets.state import State
from hfspace.facets.variables import Variables
from hfspace.facets.visibility import Visibility
from hfspace.facets.volumes import Volumes
from hfspace.manifest.models import SpaceSpec
from hfspace.model import Change, SpaceState

ALL: tuple[Facet, ...] = (
    Existence(),
    Variables(),
    Secrets(),
    Hold(),
    Volumes(),
    DevMode(),
    Hardware(),
    SleepTime(),
    Visibility(),
    Restart(),
    Files(),
    Card(),
    State(),
    Endpoint(),
    Experiments(),
)
"""In the order in which one Space's changes are applied (see hfspace.planner.order for the exceptions)."""

_BY_NAME = {facet.name: facet for facet in ALL}


def get(name: str) -> Facet | None:
    """The facet of this name, ours or an installed package's. Raises ExtensionError for a broken one."""
    return _BY_NAME.get(name) or extension(name)


def of(spec: SpaceSpec) -> Sequence[Facet]:
    """All of ours, and those of other packages that a Space declares."""
    others = (extension(name) for name in spec.extensions)
    return (*ALL, *(facet for facet in others if facet is not None)) if spec.extensions else ALL


def by(change: Change) -> Facet:
    """The facet that a change is of. Raises ExtensionError where it is of a package that is not installed."""
    facet = get(change.facet)
    if facet is None:
        raise ExtensionError(f"{change.address}: no installed package brings the key '{change.facet}'.")
    return facet


def needs(spec: SpaceSpec, state: SpaceState) -> frozenset[Need]:
    """What must be read beside `state` before a Space can be compared."""
    return frozenset(need for facet in of(spec) for need in facet.needs(spec, state))


__all__ = ["ALL", "Desired", "Facet", "Need", "by", "get", "needs", "of"]
