"""Tests see the same environment everywhere: not a CI system's, not that of somebody's shell."""

from __future__ import annotations

import os
import signal

from hypothesis import HealthCheck, settings

_PREFIXES = ("HF_", "HUGGINGFACE", "GITHUB_", "ACTIONS_", "RUNNER_", "TRACKIO_", "HFSPACE_INPUT_")
_NAMES = {
    "CI",
    "HFSPACE_FILE",
    "NO_COLOR",
    "FORCE_COLOR",
    "CLICOLOR_FORCE",
    "COLUMNS",
    "LINES",
    "PYTHONWARNINGS",
}

if "CI" in os.environ:
    # Nobody reads there which tests were skipped: real apps that can not be had are a failure.
    os.environ["HFSPACE_REAL_APPS"] = "required"
for _name in tuple(os.environ):
    if _name.startswith(_PREFIXES) or _name in _NAMES:
        del os.environ[_name]
# A shell that starts the tests in the background ignores SIGINT, and so would every command they start.
signal.signal(signal.SIGINT, signal.default_int_handler)
os.environ["NO_PROXY"] = "127.0.0.1,localhost"
# How long one drawn example takes is a matter of the machine: no test fails for it.
settings.register_profile("hfspace", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("hfspace")
