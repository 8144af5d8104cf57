"""What a declaration or a command line sends to an HTTP route: the parts of the request, then the request."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlencode

from hfspace.live.gradio.calls import EndpointError
from hfspace.live.gradio.fetch import Ask
from hfspace.live.gradio.openapi import PART, body_parameters, takes
from hfspace.live.gradio.samples import sample
from hfspace.live.gradio.values import http_body
from hfspace.manifest.models import EndpointSpec
from hfspace.model import Json, ServedEndpoint, ServedParameter

_MAX_UPLOAD = 64 << 20
_FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")


@dataclass(slots=True, kw_only=True)
class RequestParts:
    """The parts of one request. `left` are values that the route has no place for."""

    path: dict[str, Json] = field(default_factory=dict)
    query: dict[str, Json] = field(default_factory=dict)
    body: Json = None
    has_body: bool = False
    left: tuple[Json, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reshaping:
    """An example in the shape that a route takes. `lost` names what found no place in it, `sampled` what it
    needed beside what was there."""

    example: Json
    lost: tuple[str, ...] = ()
    sampled: tuple[str, ...] = ()


def placeholders(endpoint: ServedEndpoint, path: str) -> dict[str, str] | None:
    """What a path gives for the {name} parts of the route's; None when it is another path."""
    own, typed = endpoint.name.strip("/").split("/"), path.strip("/").split("/")
    if len(own) != len(typed):
        return None
    values: dict[str, str] = {}
    for mine, yours in zip(own, typed, strict=True):
        name = PART.fullmatch(mine)
        if name and not PART.fullmatch(yours):
            values[name[1]] = unquote(yours)
        elif not name and mine != yours:
            return None
    return values


def sends_body(spec: EndpointSpec) -> bool:
    """Whether `spec` declares more to send than a path and a query."""
    return spec.example not in (None, {}) or "body" in spec.model_fields_set


def parts_of(spec: EndpointSpec, endpoint: ServedEndpoint) -> RequestParts:
    """The request that `spec` declares: params and query as they are, then `body`, or `example` spread over
    what the route takes: by name, or in the order of its parameters."""
    typed, _, query = (spec.path or "").partition("?")
    from_path = placeholders(endpoint, typed) or {}
    # The manifest may call a part of the path by another name than the app does.
    names = dict(zip(PART.findall(typed), PART.findall(endpoint.name), strict=False))
    params = {names.get(name, name): value for name, value in (spec.params or {}).items()}
    parts = RequestParts(path={**from_path, **params}, query={**_query(query), **(spec.query or {})})
    if "body" in spec.model_fields_set:
        parts.body, parts.has_body = spec.body, True
        if not body_parameters(endpoint):
            parts.left = (spec.body,)
    elif isinstance(spec.example, Mapping):
        _by_name(spec.example, endpoint, parts)
    elif spec.example is not None:
        _by_position(spec, endpoint, parts)
    return parts


def _query(text: str) -> dict[str, Json]:
    """A query string as values; a name that is repeated has a list."""
    values = parse_qs(text, keep_blank_values=True)
    return {name: items if len(items) > 1 else items[0] for name, items in values.items()}


def request_of(spec: EndpointSpec, endpoint: ServedEndpoint, token: str | None) -> Ask:
    """The request itself. Raises EndpointError when a part of it is missing, or a file can't be read."""
    parts = parts_of(spec, endpoint)
    if parts.left:
        raise EndpointError(f"{endpoint.method} {endpoint.name} has no place for {value_list(parts.left)}.")
    url = url_of(endpoint, parts)
    if not parts.has_body:
        return Ask(url=url, method=endpoint.method, token=token)
    kind, content = _encoded(parts.body, endpoint)
    return Ask(url=url, method=endpoint.method, token=token, body=content, content_type=kind)


def value_list(left: Sequence[Json]) -> str:
    """Values for a sentence, the first four of them."""
    return ", ".join(str(item) for item in left[:4]) + (", …" if len(left) > 4 else "")


def url_of(endpoint: ServedEndpoint, parts: RequestParts) -> str:
    """The URL with its path and query filled in. Raises EndpointError when a part has no value."""
    missing = [name for name in PART.findall(endpoint.name) if name not in parts.path]
    if missing:
        raise EndpointError(
            f"{endpoint.name} needs {', '.join(missing)}.", hint=f"Give it: --param {missing[0]}=…"
        )
    base = endpoint.url.removesuffix(endpoint.name)
    url = base + PART.sub(lambda match: quote(_plain(parts.path[match[1]]), safe=""), endpoint.name)
    if parts.query:
        url += "?" + urlencode({key: _text(value) for key, value in parts.query.items()}, doseq=True)
    return url


def reshape(example: Mapping[str, Any], endpoint: ServedEndpoint) -> Reshaping | None:
    """`{"inputs": x, "parameters": {…}}` and `{"data": […]}` as what the route takes; None where the example
    is neither, or already is that."""
    fields = {str(item.name): item for item in body_parameters(endpoint) if item.name}
    if "inputs" in example and "inputs" not in fields:
        raw = example.get("parameters")
        values, by_name = [example["inputs"]], dict(raw) if isinstance(raw, Mapping) else {}
    elif set(example) == {"data"} and isinstance(example["data"], list) and "data" not in fields:
        values, by_name = list(example["data"]), {}
    else:
        return None
    if not fields:
        return None
    if takes(endpoint) == "data":
        return Reshaping(example=values, lost=tuple(by_name))
    if takes(endpoint) == "inputs":
        body, left = _inputs(values, fields.get("parameters"))
        return Reshaping(example=body, lost=tuple(map(str, left)))
    body = dict(zip(fields, values, strict=False))
    body |= {name: value for name, value in by_name.items() if name in fields and name not in body}
    missing = {
        name: sample(item) for name, item in fields.items() if not item.has_default and name not in body
    }
    lost = [*[name for name in by_name if name not in body], *map(str, values[len(fields) :])]
    return Reshaping(example=body | missing, lost=tuple(lost), sampled=tuple(missing))


def as_form(endpoint: ServedEndpoint, fields: Collection[str]) -> ServedEndpoint:
    """The same route taking a form in which `fields` are files."""
    kept = [item for item in endpoint.parameters if item.name not in {None, *fields}]
    files = [ServedParameter(name=name, label=name, component="file") for name in fields]
    return replace(endpoint, parameters=(*kept, *files), content_type=_FORMS[0])


# ------------------------------------------------------------------ spreading values


def _by_name(example: Mapping[str, Any], endpoint: ServedEndpoint, parts: RequestParts) -> None:
    places: dict[str | None, str] = {item.name: item.place for item in reversed(endpoint.parameters)}
    body: dict[str, Json] = {}
    for name, value in example.items():
        place = places.get(name, "body")
        {"path": parts.path, "query": parts.query}.get(place, body)[name] = value
    inside = body_parameters(endpoint)
    if not inside and places.get(None) == "query":  # nobody describes what it takes
        parts.query |= body
    elif not inside:
        parts.left = tuple(body)
    elif body or any(item.name for item in inside):
        parts.body, parts.has_body = body, True


def _by_position(spec: EndpointSpec, endpoint: ServedEndpoint, parts: RequestParts) -> None:
    queue = list(spec.example) if isinstance(spec.example, list | tuple) else [spec.example]
    form = takes(endpoint)
    for item in endpoint.parameters:
        if not queue:
            break
        if item.place != "body":
            target = parts.path if item.place == "path" else parts.query
            if item.name and item.name not in target:
                target[item.name] = queue.pop(0)
        elif item.name is None:
            queue = _whole(queue, item, spec, parts)
        elif form not in {"inputs", "data"}:
            _field(parts, item.name, queue.pop(0))
        elif item.name == form:
            body = {"data": queue} if form == "data" else {}
            left: list[Json] = []
            if form == "inputs":
                more = next((one for one in body_parameters(endpoint) if one.name == "parameters"), None)
                body, left = _inputs(queue, more)
            parts.body, parts.has_body, queue = body, True, left
    parts.left = tuple(queue)


def _field(parts: RequestParts, name: str, value: Json) -> None:
    parts.body, parts.has_body = {**(parts.body or {}), name: value}, True


def _whole(queue: list[Json], item: ServedParameter, spec: EndpointSpec, parts: RequestParts) -> list[Json]:
    """The body as one value. One that nobody describes has the form that the manifest calls payload."""
    parts.has_body = True
    if not item.schema:
        parts.body = http_body(spec.payload, queue)
        return []
    if item.schema.get("type") == "array" and isinstance(spec.example, list | tuple):
        parts.body = queue
        return []
    parts.body = queue[0]
    return queue[1:]


def _inputs(values: Sequence[Json], parameters: ServedParameter | None) -> tuple[dict[str, Json], list[Json]]:
    """`{"inputs": first, "parameters": {…}}`, the rest by the order in which the parameters are described."""
    body: dict[str, Json] = {"inputs": values[0]}
    rest = list(values[1:])
    properties = parameters.schema.get("properties") if parameters else None
    names = list(properties) if isinstance(properties, Mapping) else []
    if rest and parameters is not None and isinstance(rest[0], Mapping):
        return {**body, "parameters": dict(rest[0])}, rest[1:]
    by_name = dict(zip(names, rest, strict=False))
    return ({**body, "parameters": by_name} if by_name else body), rest[len(by_name) :]


# ------------------------------------------------------------------ the wire


def _text(value: Json) -> Json:
    """A value of the query: a list is a name that is repeated."""
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else _plain(value)


def _plain(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _encoded(body: Json, endpoint: ServedEndpoint) -> tuple[str, bytes]:
    """The body as the route's content type has it: a form, a file as it is, else JSON."""
    kind = endpoint.content_type or "application/json"
    if kind in _FORMS and isinstance(body, Mapping):
        return _form(body, endpoint, kind)
    if kind == "application/json" or kind.endswith("+json") or kind in _FORMS:
        return "application/json", json.dumps(body).encode()
    if kind.startswith("text/"):
        return kind, _plain(body).encode()
    _, content = read_upload(body)
    return kind, content


def _form(body: Mapping[str, Any], endpoint: ServedEndpoint, kind: str) -> tuple[str, bytes]:
    import httpx

    files = {item.name for item in endpoint.parameters if item.component == "file"}
    data: dict[str, Any] = {}
    uploads: list[tuple[str, tuple[str, bytes]]] = []
    for name, value in body.items():
        if name in files and value is not None:
            uploads += [(name, read_upload(item)) for item in (value if isinstance(value, list) else [value])]
        elif value is not None:
            data[name] = _text(value)
    if kind == _FORMS[0] and not uploads:
        uploads = [(name, (None, _plain(value).encode())) for name, value in data.items()]  # type: ignore[misc]
        data = {}
    request = httpx.Request("POST", "http://localhost/", data=data, files=uploads or None)
    return request.headers["content-type"], request.read()


def read_upload(value: Json) -> tuple[str, bytes]:
    """Name and content of the file at a path. Raises EndpointError when there is none, or it is too large."""
    if not isinstance(value, str):
        raise EndpointError("A file is given by its path.")
    path = Path(value)
    if not path.is_file():
        raise EndpointError(f"There is no file {value}.", hint="Give the path of a file.")
    if path.stat().st_size > _MAX_UPLOAD:
        raise EndpointError(f"{value} is larger than {_MAX_UPLOAD >> 20} MiB.")
    try:
        return path.name, path.read_bytes()
    except OSError as error:
        raise EndpointError(f"{value} can't be read: {error.strerror}.") from None
