"""Recording a training run: the monitor that a script uses, its spool, sending it, and exporting."""

from __future__ import annotations

from hfspace.monitor.media import Histogram, Image, Table
from hfspace.monitor.monitor import ExperimentMonitor

__all__ = ["ExperimentMonitor", "Histogram", "Image", "Table"]
