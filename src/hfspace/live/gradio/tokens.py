"""Who may get the token: the Space's own host, named by the Hub, and only where it is needed."""

from __future__ import annotations

from urllib.parse import urlsplit

from hfspace.loopback import is_loopback


def host_token(host: str, *, hub_endpoint: str, needed: bool, token: str | None) -> str | None:
    """`token` when `host`, as the Hub named it, may get it; else None.

    It may when it is needed (a private Space, or ZeroGPU quota asked for) and the host is https below
    hf.space. A Hub on loopback has tokens of its own: they go to loopback hosts only, and a host on loopback
    gets none but from such a Hub. Never ask with a host somebody typed.
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
    if is_loopback(names[1]):
        return token if hub.scheme == "http" and is_loopback(names[0]) else None
    on_hub = place.scheme == "https" and names[0].endswith(".hf.space") and place.port in {None, 443}
    return token if on_hub else None
