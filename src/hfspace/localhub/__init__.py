"""The embedded Hub: the Spaces API on loopback, for trying things on, for tests and for the demo."""

from __future__ import annotations

from hfspace.localhub.seed import LocalHubError
from hfspace.localhub.server import LocalHub, LoggedRequest, serve

__all__ = ["LocalHub", "LocalHubError", "LoggedRequest", "serve"]
