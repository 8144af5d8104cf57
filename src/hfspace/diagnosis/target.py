"""What somebody typed: a Space, a *.hf.space host, or any URL of an app."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from hfspace.errors import UsageError
from hfspace.hub_url import DEFAULT_ENDPOINT
from hfspace.live.gradio.urls import TypedPath, read_path
from hfspace.manifest.values import normalise_id
from hfspace.text import plain

_NOTHING = TypedPath(path="", mount="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Exactly one of `space` (owner/name) and `origin` (scheme://host) is set. `subdomain` is set when the
    origin is a *.hf.space host; `path` is the path behind it."""

    typed: str
    space: str | None = None
    origin: str | None = None
    subdomain: str | None = None
    path: TypedPath = _NOTHING


_HINT = (
    "Write owner/name, its huggingface.co/spaces/… URL, its *.hf.space host, or the http(s) URL of an app."
)


def read_target(text: str, hub_endpoint: str = DEFAULT_ENDPOINT) -> Target:
    """Raises UsageError when it is none of these."""
    typed = text.strip()
    shown = plain(typed, 200)
    on_hub = _below_hub(typed, hub_endpoint)
    try:
        name = normalise_id(on_hub or typed)
    except ValueError:
        return _url(typed, shown)
    if not name.endswith(".hf.space"):
        return Target(typed=shown, space=name)
    url = typed if "://" in typed else f"https://{typed}"
    origin = f"https://{(urlsplit(url).hostname or '').lower()}"
    subdomain = name.removesuffix(".hf.space")
    return Target(typed=shown, origin=origin, subdomain=subdomain, path=read_path(urlsplit(url).path))


def _below_hub(typed: str, hub_endpoint: str) -> str | None:
    """A /spaces/… URL of another Hub than huggingface.co (a local one)."""
    start = hub_endpoint.rstrip("/") + "/spaces/"
    if not typed.startswith(start):
        return None
    return "/".join(typed.removeprefix(start).split("?")[0].split("#")[0].split("/")[:2])


def _url(typed: str, name: str) -> Target:
    try:
        parts = urlsplit(typed)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise UsageError(f"{name} is no URL.", hint=_HINT) from None
    if parts.scheme not in {"http", "https"} or not host or any(char.isspace() for char in typed):
        raise UsageError(f"{name} is neither a Space nor a URL.", hint=_HINT)
    if parts.username or parts.password:
        raise UsageError("A URL with a user and password in it is not asked.", hint="Leave them out.")
    named = f"[{host}]" if ":" in host else host
    origin = f"{parts.scheme}://{named}" + (f":{port}" if port else "")
    return Target(typed=name, origin=origin, path=read_path(parts.path))
