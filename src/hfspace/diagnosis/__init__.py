"""Why a Space can't be called, as data: `diagnose`, and `connect` to call one from its manifest."""

from __future__ import annotations

from hfspace.diagnosis.connection import Connection, connect
from hfspace.diagnosis.run import DiagnosisOptions, examine
from hfspace.diagnosis.simple import diagnose
from hfspace.diagnosis.verdicts import Diagnosis, Invocation, Verdict
from hfspace.live.gradio.codes import Code

__all__ = [
    "Code",
    "Connection",
    "Diagnosis",
    "DiagnosisOptions",
    "Invocation",
    "Verdict",
    "connect",
    "diagnose",
    "examine",
]
