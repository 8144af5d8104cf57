"""Running apps behind Spaces: what they serve, whether a declaration fits, and calls that are bounded."""

from __future__ import annotations

from hfspace.live.gradio.codes import Code
from hfspace.live.gradio.probe import Place, Reading, look, read_app

__all__ = ["Code", "Place", "Reading", "look", "read_app"]
