"""Why a Space can't be called, as data: `diagnose`, and `connect` to call one from its manifest."""

from __future__ import annotations

from hfspace.diagnose.connection import Connection, connect
from hfspace.diagnose.run import Options, examine
from hfspace.diagnose.simple import diagnose
from hfspace.diagnose.verdicts import Diagnosis, Invocation, Verdict
from hfspace.live.gradio.codes import Code

__all__ = [
    "Code",
    "Connection",
    "Diagnosis",
    "Invocation",
    "Options",
    "Verdict",
    "connect",
    "diagnose",
    "examine",
]
