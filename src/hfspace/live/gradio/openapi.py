"""Docker Spaces: the routes that an OpenAPI document lists, and Text Generation Inference's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hfspace.model import Json, ServedApp, ServedEndpoint, ServedParameter

_METHODS = ("post", "put", "get")
_MAX_ROUTES = 500
_MAX_DEPTH = 8
_MAX_NODES = 5_000
"""Schemas in a whole document once its references are followed; a self-referring one would have no end."""
_TGI_PARAMETERS = (
    ServedParameter(name="inputs", schema={"type": "string"}),
    ServedParameter(name="parameters", schema={"type": "object"}, has_default=True),
)


def openapi_app(raw: Json, base: str) -> ServedApp | None:
    """The routes of an OpenAPI 3 document; None when this JSON is none, or lists no callable route."""
    if not isinstance(raw, dict) or not isinstance(raw.get("paths"), dict):
        return None
    budget = iter(range(_MAX_NODES))
    routes = [
        _route(raw, budget, base, str(path), method, item[method])
        for path, item in list(raw["paths"].items())[:_MAX_ROUTES]
        if isinstance(item, dict)
        and (method := next((m for m in _METHODS if isinstance(item.get(m), dict)), None))
    ]
    if not routes:
        return None
    info = raw.get("info")
    version = info.get("version") if isinstance(info, dict) else None
    return ServedApp(
        kind="openapi",
        version=str(version)[:40] if version is not None else None,
        protocol="http",
        endpoints=tuple(routes),
    )


def tgi_app(raw: Json, base: str) -> ServedApp | None:
    """Text Generation Inference, told by its /info: a model_id, and no Gradio endpoints."""
    if not isinstance(raw, dict) or not isinstance(raw.get("model_id"), str) or "named_endpoints" in raw:
        return None
    version = raw.get("version")
    return ServedApp(
        kind="tgi",
        version=str(version)[:40] if version is not None else None,
        protocol="http",
        endpoints=(ServedEndpoint(name="/generate", url=f"{base}/generate", parameters=_TGI_PARAMETERS),),
    )


def takes(endpoint: ServedEndpoint) -> str:
    """Which payload an HTTP route takes: inputs, data, or the names of its body's fields ("" for no body)."""
    names = [parameter.name for parameter in endpoint.parameters if parameter.name]
    if "inputs" in names:
        return "inputs"
    return "data" if "data" in names else ", ".join(names)


def _route(
    raw: Mapping[str, Any], budget: Iterator[int], base: str, path: str, method: str, item: Mapping[str, Any]
) -> ServedEndpoint:
    body = _resolve(raw, _content_schema(raw, item.get("requestBody")))
    answers = item.get("responses")
    ok = answers.get("200") if isinstance(answers, dict) else None
    returned = _inline(raw, budget, _content_schema(raw, ok))
    return ServedEndpoint(
        name=path,
        url=f"{base}{path}",
        parameters=_fields(raw, budget, body),
        returns=(ServedParameter(name=None, label="answer", schema=returned),) if returned else (),
        method=method.upper(),
    )


def _fields(
    raw: Mapping[str, Any], budget: Iterator[int], body: Mapping[str, Any]
) -> tuple[ServedParameter, ...]:
    properties = body.get("properties")
    if not isinstance(properties, dict):
        return ()
    wanted = body.get("required")
    required = set(map(str, wanted)) if isinstance(wanted, list) else set()
    return tuple(
        ServedParameter(
            name=str(name),
            label=str(name),
            schema=(schema := _inline(raw, budget, item)),
            has_default=name not in required,
            default=schema.get("default"),
        )
        for name, item in properties.items()
    )


def _content_schema(raw: Mapping[str, Any], holder: Json) -> Json:
    holder = _resolve(raw, holder)
    content = holder.get("content")
    if not isinstance(content, dict):
        return None
    item = content.get("application/json") or next(iter(content.values()), None)
    return item.get("schema") if isinstance(item, dict) else None


def _resolve(raw: Mapping[str, Any], item: Json) -> dict[str, Any]:
    """`item` with local references followed; {} for anything that is no object or leads nowhere."""
    for _ in range(_MAX_DEPTH):
        if not isinstance(item, dict):
            return {}
        reference = item.get("$ref")
        if not isinstance(reference, str) or not reference.startswith("#/"):
            return item  # one that leads out is never followed; a check of it says so
        target: Json = raw
        for part in reference.removeprefix("#/").split("/"):
            target = target.get(part) if isinstance(target, dict) else None
        item = target
    return {}


def _inline(raw: Mapping[str, Any], budget: Iterator[int], item: Json, depth: int = 0) -> dict[str, Json]:
    """A schema without references; a recursive one is cut where it gets deep."""
    found = _resolve(raw, item)
    if depth >= _MAX_DEPTH or next(budget, None) is None:
        return {}
    plain: dict[str, Json] = {}
    for key, value in found.items():
        if isinstance(value, dict) and key in {"properties", "patternProperties"}:
            plain[key] = {str(name): _inline(raw, budget, inner, depth + 1) for name, inner in value.items()}
        elif isinstance(value, dict) and key in {"items", "additionalProperties", "not"}:
            plain[key] = _inline(raw, budget, value, depth + 1)
        elif isinstance(value, list) and key in {"anyOf", "oneOf", "allOf", "prefixItems"}:
            plain[key] = [_inline(raw, budget, inner, depth + 1) for inner in value]
        else:
            plain[key] = value
    return plain
