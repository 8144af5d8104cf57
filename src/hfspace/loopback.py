"""Whether an address is this machine's own: the one place that is trusted without https, and no other."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit


def is_loopback(host: str) -> bool:
    """`host` is a name or an address without a port."""
    if host[-1:].isalpha() and ":" not in host:  # a name: no IPv4 address ends in a letter
        return host == "localhost"
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def is_loopback_url(url: str) -> bool:
    """The same of a URL; without a scheme it begins with `//`."""
    try:
        return is_loopback(urlsplit(url).hostname or "")
    except ValueError:
        return False
