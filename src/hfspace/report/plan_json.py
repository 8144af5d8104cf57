"""A plan as JSON: the codec of saved plans is the public format."""

from __future__ import annotations

from hfspace.planner.codec import FORMAT_VERSION, from_json, to_json

__all__ = ["FORMAT_VERSION", "from_json", "to_json"]
