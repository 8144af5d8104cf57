"""GitOps for Hugging Face Spaces: what the commands use, for Python programs (docs/python.md).

`open` a manifest and a Hub, `plan`, `approve`, `apply`; beside it the pure functions `load`, `observe`,
`plan` and `render`. Names are imported when they are used, so that the command line starts at once.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from hfspace.version import __version__

if TYPE_CHECKING:
    from hfspace.applier.executor import apply
    from hfspace.applier.run import Options, Run
    from hfspace.bills import bill_of_account, bill_of_manifest
    from hfspace.diagnosis import connect, diagnose
    from hfspace.errors import HfspaceError, ManifestError, PlanRefused, Refusal
    from hfspace.live.experiments.client import TrackioClient
    from hfspace.manifest.loader import load, load_files
    from hfspace.manifest.models import Manifest, SpaceSpec
    from hfspace.model import (
        ApplyResult,
        ApprovedPlan,
        Change,
        Check,
        LocalInputs,
        Outcome,
        Plan,
        Snapshot,
        SpaceState,
    )
    from hfspace.monitor import ExperimentMonitor
    from hfspace.observer import Look, observe
    from hfspace.planner.plan import plan
    from hfspace.report.rendering import render
    from hfspace.session import Session
    from hfspace.session import open_session as open

_HOMES = {
    "apply": "hfspace.applier.executor",
    "Options": "hfspace.applier.run",
    "Run": "hfspace.applier.run",
    "bill_of_account": "hfspace.bills",
    "bill_of_manifest": "hfspace.bills",
    "connect": "hfspace.diagnosis",
    "diagnose": "hfspace.diagnosis",
    "Look": "hfspace.observer",
    "observe": "hfspace.observer",
    "TrackioClient": "hfspace.live.experiments.client",
    "load": "hfspace.manifest.loader",
    "load_files": "hfspace.manifest.loader",
    "Manifest": "hfspace.manifest.models",
    "SpaceSpec": "hfspace.manifest.models",
    "ExperimentMonitor": "hfspace.monitor",
    "plan": "hfspace.planner.plan",
    "render": "hfspace.report.rendering",
    "Session": "hfspace.session",
    **dict.fromkeys(("HfspaceError", "ManifestError", "PlanRefused", "Refusal"), "hfspace.errors"),
    **dict.fromkeys(
        (
            "ApplyResult",
            "ApprovedPlan",
            "Change",
            "Check",
            "LocalInputs",
            "Outcome",
            "Plan",
            "Snapshot",
            "SpaceState",
        ),
        "hfspace.model",
    ),
}
__all__ = [
    "ApplyResult",
    "ApprovedPlan",
    "Change",
    "Check",
    "ExperimentMonitor",
    "HfspaceError",
    "LocalInputs",
    "Look",
    "Manifest",
    "ManifestError",
    "Options",
    "Outcome",
    "Plan",
    "PlanRefused",
    "Refusal",
    "Run",
    "Session",
    "Snapshot",
    "SpaceSpec",
    "SpaceState",
    "TrackioClient",
    "__version__",
    "apply",
    "bill_of_account",
    "bill_of_manifest",
    "connect",
    "diagnose",
    "load",
    "load_files",
    "observe",
    "open",
    "plan",
    "render",
]


def __getattr__(name: str) -> Any:
    if name == "open":
        return import_module("hfspace.session").open_session
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'hfspace' has no attribute '{name}'")
