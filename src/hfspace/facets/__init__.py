"""One file per thing that can be declared. Adding one: its file, a line in ALL, the schema and the docs."""

from __future__ import annotations

from hfspace.facets.base import Desired, Facet
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

__all__ = ["ALL", "BY_NAME", "Desired", "Facet"]
