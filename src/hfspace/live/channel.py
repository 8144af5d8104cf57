"""Where a token may be sent: over TLS, or to this machine."""

from __future__ import annotations

from urllib.parse import urlsplit

from hfspace.loopback import is_loopback


def is_confidential(url: str) -> bool:
    """True for https, and for http to a loopback name. False for what is no URL."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host)))
