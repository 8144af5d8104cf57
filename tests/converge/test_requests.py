"""Requests that nobody asked for."""

from __future__ import annotations

import os
import subprocess
import sys

PROGRAM = """
import huggingface_hub.constants as constants
assert not constants.HF_HUB_DISABLE_TELEMETRY
from hfspace.live.hub import connect
connect("http://127.0.0.1:9", None)
assert constants.HF_HUB_DISABLE_TELEMETRY
"""


def test_no_telemetry_also_where_huggingface_hub_was_imported_first() -> None:
    """Found by the kill sweep: five attempts to fetch a list of agents, six seconds before every command."""
    env = {name: value for name, value in os.environ.items() if "TELEMETRY" not in name}
    subprocess.run([sys.executable, "-c", PROGRAM], env=env, check=True, timeout=60)
