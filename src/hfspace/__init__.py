"""GitOps for Hugging Face Spaces.

`load` a manifest, `observe` the Hub, `hfspace.planner.plan.plan` the difference and
`hfspace.applier.executor.apply` it; `connect` to a Space to call its endpoint, `diagnose` to ask why that
fails. Names are imported when they are used, so that the command line starts at once.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from hfspace.applier.run import Options, Run
    from hfspace.diagnosis import connect, diagnose
    from hfspace.live.snapshot import Look, observe
    from hfspace.live.trackio.client import TrackioClient
    from hfspace.manifest.loader import load, load_files
    from hfspace.manifest.models import Manifest, SpaceSpec
    from hfspace.model import ApplyResult, Change, Check, Outcome, Plan, Snapshot, SpaceState
    from hfspace.monitor import ExperimentMonitor

_HOMES = {
    "load": "hfspace.manifest.loader",
    "load_files": "hfspace.manifest.loader",
    "Manifest": "hfspace.manifest.models",
    "SpaceSpec": "hfspace.manifest.models",
    "observe": "hfspace.live.snapshot",
    "Look": "hfspace.live.snapshot",
    "TrackioClient": "hfspace.live.trackio.client",
    "connect": "hfspace.diagnosis",
    "diagnose": "hfspace.diagnosis",
    "Options": "hfspace.applier.run",
    "Run": "hfspace.applier.run",
    "ExperimentMonitor": "hfspace.monitor",
    **dict.fromkeys(
        ("ApplyResult", "Change", "Check", "Outcome", "Plan", "Snapshot", "SpaceState"), "hfspace.model"
    ),
}
__all__ = [
    "ApplyResult",
    "Change",
    "Check",
    "ExperimentMonitor",
    "Look",
    "Manifest",
    "Options",
    "Outcome",
    "Plan",
    "Run",
    "Snapshot",
    "SpaceSpec",
    "SpaceState",
    "TrackioClient",
    "__version__",
    "connect",
    "diagnose",
    "load",
    "load_files",
    "observe",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'hfspace' has no attribute '{name}'")
