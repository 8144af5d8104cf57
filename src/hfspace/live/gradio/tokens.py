"""Who may get the token: the Space's own host, named by the Hub, and only where it is needed."""

from __future__ import annotations

from urllib.parse import urlsplit

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def host_token(host: str, *, hub_endpoint: str, needed: bool, token: str | None) -> str | None:
    """`token` when `host`, as the Hub named it, may get it; else None.

    It may when it is needed (a private Space, or ZeroGPU quota asked for) and the host is https below
    hf.space. A local Hub on http loopback may name a loopback host. Never ask with a host somebody typed.
    """
    if token is None or not needed:
        return None
    try:
        place, hub = urlsplit(host), urlsplit(hub_endpoint)
        names = place.hostname or "", hub.hostname or ""
    except ValueError:
        return None
    if place.username or place.password:
        return None
    on_hub = place.scheme == "https" and names[0].endswith(".hf.space") and place.port in {None, 443}
    local = hub.scheme == "http" and names[1] in _LOOPBACK and names[0] in _LOOPBACK
    return token if on_hub or local else None
