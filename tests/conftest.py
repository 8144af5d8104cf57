"""Tests see the same environment everywhere: not a CI system's, not that of somebody's shell."""

from __future__ import annotations

import os

_PREFIXES = ("HF_", "HUGGINGFACE", "GITHUB_", "ACTIONS_", "RUNNER_", "TRACKIO_", "HFSPACE_INPUT_")
_NAMES = (
    "CI",
    "HFSPACE_FILE",
    "NO_COLOR",
    "FORCE_COLOR",
    "CLICOLOR_FORCE",
    "COLUMNS",
    "LINES",
    "PYTHONWARNINGS",
)

if "CI" in os.environ:
    # Where nobody reads which tests were skipped, an environment for real apps that can't be made is a failure.
    os.environ["HFSPACE_REAL_APPS"] = "required"
for _name in tuple(os.environ):
    if _name.startswith(_PREFIXES) or _name in _NAMES:
        del os.environ[_name]
os.environ["NO_PROXY"] = "127.0.0.1,localhost"
