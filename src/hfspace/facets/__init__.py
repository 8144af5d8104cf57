"""One file per thing that can be declared. Adding one: its file, a line in ALL, the schema and the docs."""

from __future__ import annotations

from hfspace.facets.base import Facet, Need
from hfspace.facets.desired import Desired
from hfspace.facets.dev_mode import DevMode
from hfspace.facets.endpoint import Endpoint
from hfspace.facets.existence import Existence
from hfspace.facets.experiments import Experiments
from hfspace.facets.hardware import Hardware
from hfspace.facets.restart import Restart
from hfspace.facets.secrets import Secrets
from hfspace.facets.sleep_time import SleepTime
from hfspace.facets.state import State
from hfspace.facets.variables import Variables
from hfspace.facets.visibility import Visibility
from hfspace.facets.volumes import Volumes
from hfspace.manifest.models import SpaceSpec
from hfspace.model import SpaceState

ALL: tuple[Facet, ...] = (
    Existence(),
    Variables(),
    Secrets(),
    Volumes(),
    DevMode(),
    Hardware(),
    SleepTime(),
    Visibility(),
    Restart(),
    State(),
    Endpoint(),
    Experiments(),
)
"""In the order in which one Space's changes are applied (see hfspace.planner.order for the exceptions)."""

BY_NAME = {facet.name: facet for facet in ALL}


def needs(spec: SpaceSpec, state: SpaceState) -> frozenset[Need]:
    """What must be read beside `state` before a Space can be compared."""
    return frozenset(need for facet in ALL for need in facet.needs(spec, state))


__all__ = ["ALL", "BY_NAME", "Desired", "Facet", "Need", "needs"]
