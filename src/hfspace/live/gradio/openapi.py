"""Docker Spaces: the routes that an OpenAPI document lists, and Text Generation Inference's own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from hfspace.model import Json, ServedApp, ServedEndpoint, ServedParameter

PART = re.compile(r"\{([^{}]*)\}")
"""A part of a path that a value stands for."""
_METHODS = ("post", "put", "patch", "delete", "get")
BODILESS = frozenset({"GET", "DELETE"})
"""Methods that are sent without a body, unless a document says otherwise."""
_PREFERRED = ("application/json", "multipart/form-data", "application/x-www-form-urlencoded")
STREAMED = ("text/event-stream", "application/x-ndjson", "application/jsonl")
"""Media types whose answers come in pieces."""
_OF_HTTP = frozenset({"accept", "authorization", "content-type"})
_MAX_ROUTES = 500
_MAX_DEPTH = 8
_MAX_NODES = 5_000
"""Schemas in a whole document once its references are followed; a self-referring one would have no end."""
_TGI_PARAMETERS = (
    ServedParameter(name="inputs", schema={"type": "string"}),
    ServedParameter(name="parameters", schema={"type": "object"}, has_default=True),
)

_BODY = (ServedParameter(name=None, label="body", has_default=True),)
_TGI_OTHERS = (
    ("/generate_stream", "POST", _TGI_PARAMETERS),
    ("/v1/chat/completions", "POST", _BODY),
    ("/v1/completions", "POST", _BODY),
    ("/health", "GET", ()),
)
"""Its other routes, which a call may name."""


def openapi_app(raw: Json, base: str) -> ServedApp | None:
    """The routes of an OpenAPI 3 document; None when this JSON is none, or lists no callable route."""
    if not isinstance(raw, dict) or not isinstance(raw.get("paths"), dict):
        return None
    budget = iter(range(_MAX_NODES))
    routes = [
        _route(raw, budget, f"{base}{path}", path, method, item)
        for path, item in list(raw["paths"].items())[:_MAX_ROUTES]
        # One without its slash would continue the name of the host.
        if isinstance(item, dict) and isinstance(path, str) and path.startswith("/")
        for method in _METHODS
        if isinstance(item.get(method), dict)
    ][:_MAX_ROUTES]
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
        endpoints=(
            ServedEndpoint(name="/generate", url=f"{base}/generate", parameters=_TGI_PARAMETERS),
            *(ServedEndpoint(name=name, url=f"{base}{name}", method=method, parameters=parameters,
                             hidden=True, generator=name.endswith("_stream"))
              for name, method, parameters in _TGI_OTHERS),
        ),
    )  # fmt: skip


def body_parameters(endpoint: ServedEndpoint) -> list[ServedParameter]:
    """The fields of the body of a route; its whole body is one without a name."""
    return [item for item in endpoint.parameters if item.place == "body"]


def takes(endpoint: ServedEndpoint) -> str:
    """Which payload an HTTP route takes: inputs, data, or the names of its body's fields ("" for no body)."""
    names = [item.name for item in body_parameters(endpoint) if item.name]
    if "inputs" in names:
        return "inputs"
    return "data" if "data" in names else ", ".join(names)


def _route(
    raw: Mapping[str, Any], budget: Iterator[int], url: str, path: str, method: str, item: Mapping[str, Any]
) -> ServedEndpoint:
    operation = item[method]
    parts = PART.findall(path)
    parameters = {
        ("path", name): ServedParameter(name=name, label=name, place="path", schema={"type": "string"})
        for name in parts
    }
    # An operation's own stand in for those of its path.
    for entry in [*_list(item.get("parameters")), *_list(operation.get("parameters"))]:
        parameter = _outside(raw, budget, entry)
        if parameter is not None and (parameter.place == "query" or parameter.name in parts):
            parameters[parameter.place, str(parameter.name)] = parameter
    demands = dict.fromkeys(
        f"the {one['in']} {one['name']}"
        for entry in [*_list(item.get("parameters")), *_list(operation.get("parameters"))]
        if _is_demand(one := _resolve(raw, entry))
    )
    request = _resolve(raw, operation.get("requestBody"))
    content_type, body = _content(raw, request)
    inside: tuple[ServedParameter, ...] = ()
    if content_type:
        inside = _fields(raw, budget, body, required=request.get("required") is True)
    elif method.upper() not in BODILESS:  # a function that reads the request itself describes no body
        inside = _BODY
    answers = operation.get("responses")
    ok = answers.get("200") if isinstance(answers, dict) else None
    answer_type, returned = _content(raw, _resolve(raw, ok))
    schema = _inline(raw, budget, returned)
    return ServedEndpoint(
        name=path,
        url=url,
        # In the order of a signature: what must be given, then the rest.
        parameters=tuple(sorted([*parameters.values(), *inside], key=lambda one: one.has_default)),
        returns=(ServedParameter(name=None, label="answer", schema=schema),) if schema else (),
        generator=answer_type in STREAMED,
        method=method.upper(),
        content_type=content_type or "application/json",
        demands=tuple(demands),
    )


def _is_demand(item: Mapping[str, Any]) -> bool:
    """Whether a parameter is a header or a cookie without which the route refuses. OpenAPI says of the three
    of HTTP itself that they stand here for nothing."""
    name = item.get("name")
    if item.get("required") is not True or not isinstance(name, str):
        return False
    return item.get("in") == "cookie" or (item.get("in") == "header" and name.lower() not in _OF_HTTP)


def _outside(raw: Mapping[str, Any], budget: Iterator[int], entry: Json) -> ServedParameter | None:
    """A parameter of the path or the query; None for a header, a cookie, or what is none."""
    item = _resolve(raw, entry)
    place, name = item.get("in"), item.get("name")
    if place not in ("path", "query") or not isinstance(name, str):
        return None
    schema = _inline(raw, budget, item.get("schema"))
    optional = place == "query" and item.get("required") is not True
    return ServedParameter(
        name=name, label=name, schema=schema, has_default=optional, default=schema.get("default"), place=place
    )


def _fields(
    raw: Mapping[str, Any], budget: Iterator[int], body: Json, *, required: bool
) -> tuple[ServedParameter, ...]:
    """The fields of a body that is an object; any other body is one parameter without a name."""
    schema_of_body = _resolve(raw, body)
    properties = schema_of_body.get("properties")
    if not isinstance(properties, dict):
        schema = _inline(raw, budget, body)
        component = "file" if is_binary(schema) else ""
        return (
            ServedParameter(
                name=None, label="body", component=component, schema=schema, has_default=not required
            ),
        )
    required_names = set(map(str, _list(schema_of_body.get("required"))))
    return tuple(
        ServedParameter(
            name=str(name),
            label=str(name),
            component="file" if is_binary(schema := _inline(raw, budget, item)) else "",
            schema=schema,
            has_default=name not in required_names,
            default=schema.get("default"),
        )
        for name, item in properties.items()
    )


def is_binary(schema: Mapping[str, Any]) -> bool:
    """Whether a field of a form is a file, or several."""
    if schema.get("format") == "binary" or schema.get("contentMediaType") == "application/octet-stream":
        return True
    inner = [schema.get("items"), *_list(schema.get("anyOf"))]
    return any(is_binary(item) for item in inner if isinstance(item, dict))


def _content(raw: Mapping[str, Any], holder: Mapping[str, Any]) -> tuple[str, Json]:
    """The media type that is used, JSON before others, and its schema; ("", None) where there is none."""
    content = holder.get("content")
    if not isinstance(content, dict) or not content:
        return "", None
    name = next((kind for kind in (*STREAMED, *_PREFERRED) if kind in content), str(next(iter(content))))
    item = content.get(name)
    return name.partition(";")[0].strip().lower(), item.get("schema") if isinstance(item, dict) else None


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


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
    resolved = _resolve(raw, item)
    if depth >= _MAX_DEPTH or next(budget, None) is None:
        return {}
    plain: dict[str, Json] = {}
    for key, value in resolved.items():
        if isinstance(value, dict) and key in {"properties", "patternProperties"}:
            plain[key] = {str(name): _inline(raw, budget, inner, depth + 1) for name, inner in value.items()}
        elif isinstance(value, dict) and key in {"items", "additionalProperties", "not"}:
            plain[key] = _inline(raw, budget, value, depth + 1)
        elif isinstance(value, list) and key in {"anyOf", "oneOf", "allOf", "prefixItems"}:
            plain[key] = [_inline(raw, budget, inner, depth + 1) for inner in value]
        else:
            plain[key] = value
    return plain
