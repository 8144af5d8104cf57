"""Which URL calls a Gradio endpoint, by version; and what the paths that guides still name became."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

PREFIX = "/gradio_api"
"""Where Gradio 5 and 6 serve everything but /config (gradio facts 1.1)."""

SEED_PATHS = ("/api/predict", "/run/predict", "/api/generate", "/run", "/predict")
"""The five candidates that guides tell people to try one by one."""

_NAMED = re.compile(
    r"(?P<mount>.*?)(?:/gradio_api)?/(?P<route>api|run|call/v2|call)/(?P<name>[^/]+)(?:/[^/]*)?/?"
)
_BARE = re.compile(
    r"(?P<mount>.*?)(?:/gradio_api)?/(?:run|predict|api|call|queue/join|queue/data|queue|heartbeat/[^/]*)/?"
)
_META = re.compile(
    r"(?P<mount>.*?)(?:/gradio_api)?/(?:config|info|openapi\.json|docs|app_id|startup-events|queue/status|"
    r"login_check|login|theme\.css|monitoring)/?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedPath:
    """A path as somebody typed it. `mount` is the part before the app's own routes; `name` the Gradio
    endpoint that it means, `route` the family (api, run, call, call/v2), both None when it means none."""

    path: str
    mount: str
    name: str | None = None
    route: str | None = None


def version_of(text: str | None) -> tuple[int, int]:
    """(major, minor); (0, 0) when unknown. Gradio 3.0 to 3.18 end their version in a newline."""
    match = re.match(r"\s*(\d+)(?:\.(\d+))?", text or "")
    return (int(match[1]), int(match[2] or 0)) if match else (0, 0)


def expected_prefix(sdk_version: str | None) -> str:
    """Where to look for the API info before /config has told: "" below 5, else /gradio_api."""
    major, _ = version_of(sdk_version)
    return "" if 0 < major < 5 else PREFIX


def is_nested(name: str) -> bool:
    """Whether an endpoint's name holds a slash, which no route of Gradio matches."""
    return "/" in name.strip("/")


def call_url(base: str, prefix: str, version: str | None, name: str) -> str:
    """The URL to POST `{"data": [...]}` to (gradio facts 1.1 and 1.2). From 4.20 on it answers an event id,
    and the result is at that URL + / + id. A name with a slash in it has no route: its function is called by
    its `fn_index` in the body."""
    number = version_of(version)
    if is_nested(name):
        return f"{base}{prefix}/run/predict"
    leaf = quote(name.lstrip("/"), safe="")
    if number >= (4, 20) or number == (0, 0):
        return f"{base}{prefix}/call/{leaf}"
    if number >= (3, 1):
        return f"{base}{prefix}/run/{leaf}"
    return f"{base}/api/{leaf}" if number >= (3, 0) else f"{base}/api/predict/"


def named_call_url(base: str, prefix: str, version: str | None, name: str) -> str | None:
    """The URL that takes named arguments as the body; None where there is none (before 6.13)."""
    if version_of(version) < (6, 13) or is_nested(name):
        return None
    return f"{base}{prefix}/call/v2/{quote(name.lstrip('/'), safe='')}"


def read_path(path: str) -> TypedPath:
    """What a typed path means. A path that is no route of Gradio's is taken for the place of a mount."""
    clean = "/" + path.split("?")[0].split("#")[0].strip("/")
    if clean == "/":
        return TypedPath(path="", mount="")
    if match := _META.fullmatch(clean):
        return TypedPath(path=clean, mount=match["mount"])
    # /run and /predict alone never were endpoints of Gradio, but `predict` is what they mean.
    if match := _NAMED.fullmatch(clean):
        return TypedPath(
            path=clean, mount=match["mount"], name="/" + unquote(match["name"]), route=match["route"]
        )
    if match := _BARE.fullmatch(clean):
        name = "/predict" if clean.endswith(("/run", "/predict", "/api", "/call")) else None
        return TypedPath(path=clean, mount=match["mount"], name=name)
    return TypedPath(path=clean, mount=clean)


def why_obsolete(typed: TypedPath, prefix: str, version: str | None) -> str | None:
    """Why a typed path is not served by this version; None when the path itself is right."""
    local = typed.path.removeprefix(typed.mount)
    number = version_of(version)
    if typed.name is None:
        return None
    if typed.route is None:
        return f"{typed.path} was never a Gradio route"
    if prefix and not local.startswith(prefix + "/"):
        return f"since Gradio 5 everything is under {prefix}; {typed.path} is 404"
    if not prefix and local.startswith(PREFIX + "/"):
        return f"Gradio {number[0]} has no {PREFIX}; {typed.path} is 404"
    return _too_new(typed.route, number)


def _too_new(route: str, number: tuple[int, int]) -> str | None:
    first = {"call/v2": (6, 13), "call": (4, 20), "run": (3, 1)}.get(route, (0, 0))
    if number != (0, 0) and number < first:
        return f"/{route} came with Gradio {first[0]}.{first[1]}"
    return None
