"""What a package needs that brings a backend of experiments (docs/trackio.md, "A backend of your own")."""

from hfspace.errors import (
    AmbiguousExperiment,
    DataLoss,
    ExperimentNotFound,
    NotSupported,
    TrackioRejected,
    TrackioUnavailable,
)
from hfspace.live.trackio.base import TrackerApp, TrackerBase
from hfspace.live.trackio.port import Experiment, LogEntry, Point, Series
from hfspace.manifest.trackers import Ability
from hfspace.model import Json

__all__ = [
    "Ability",
    "AmbiguousExperiment",
    "DataLoss",
    "Experiment",
    "ExperimentNotFound",
    "Json",
    "LogEntry",
    "NotSupported",
    "Point",
    "Series",
    "TrackerApp",
    "TrackerBase",
    "TrackioRejected",
    "TrackioUnavailable",
]
