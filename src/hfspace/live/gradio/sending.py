"""What a declaration or a command line sends to an HTTP route: the parts of the request, then the request."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode

from hfspace.live.gradio.calls import EndpointError
from hfspace.live.gradio.fetch import Ask
from hfspace.live.gradio.openapi import PART, takes
from hfspace.live.gradio.samples import sample
from hfspace.live.gradio.values import http_body
from hfspace.manifest.models import EndpointSpec
from hfspace.model import Json, ServedEndpoint, ServedParameter

MAX_UPLOAD = 64 << 20
_FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")


@dataclass(slots=True, kw_only=True)
class Sent:
    """The parts of one request. `left` are values that the route has no place for."""

    path: dict[str, Json] = field(default_factory=dict)
    query: dict[str, Json] = field(default_factory=dict)
    body: Json = None
    has_body: bool = False
    left: tuple[Json, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reshaped:
    """An example in the shape that a route takes. `lost` names what found no place in it, `sampled` what it
    needed beside what was there."""

    example: Json
    lost: tuple[str, ...] = ()
    sampled: tuple[str, ...] = ()


def placeholders(endpoint: ServedEndpoint, path: str) -> dict[str, str] | None:
    """What a path gives for the {name} parts of the route's; None when it is another path."""
    wanted, given = endpoint.name.strip("/").split("/"), path.strip("/").split("/")
    if len(wanted) != len(given):
        return None
    found: dict[str, str] = {}
    for mine, yours in zip(wanted, given, strict=True):
        name = PART.fullmatch(mine)
        if name and not PART.fullmatch(yours):
            found[name[1]] = unquote(yours)
        elif not name and mine != yours:
            return None
    return found


def sent_by(spec: EndpointSpec, endpoint: ServedEndpoint) -> Sent:
    """The request that `spec` declares: params and query as they are, then `body`, or `example` spread over
    what the route takes: by name, or in the order of its parameters."""
    typed, _, query = (spec.path or "").partition("?")
    parts = placeholders(endpoint, typed) or {}
    own = PART.findall(typed)
    named = dict(zip(own, PART.findall(endpoint.name), strict=False)) if len(own) else {}
    params = {named.get(name, name): value for name, value in (spec.params or {}).items()}
    sent = Sent(path={**parts, **params}, query={**dict(parse_qsl(query)), **(spec.query or {})})
    if "body" in spec.model_fields_set:
        sent.body, sent.has_body = spec.body, True
        if not any(item.place == "body" for item in endpoint.parameters):
            sent.left = (spec.body,)
    elif isinstance(spec.example, Mapping):
        _by_name(spec.example, endpoint, sent)
    elif spec.example is not None:
        _by_position(spec, endpoint, sent)
    return sent


def request_of(spec: EndpointSpec, endpoint: ServedEndpoint, token: str | None) -> Ask:
    """The request itself. Raises EndpointError when a part of it is missing, or a file can't be read."""
    sent = sent_by(spec, endpoint)
    if sent.left:
        raise EndpointError(f"{endpoint.method} {endpoint.name} has no place for {told(sent.left)}.")
    url = url_of(endpoint, sent)
    if not sent.has_body:
        return Ask(url=url, method=endpoint.method, token=token)
    kind, content = _encoded(sent.body, endpoint)
    return Ask(url=url, method=endpoint.method, token=token, body=content, content_type=kind)


def told(left: Sequence[Json]) -> str:
    """Values for a sentence, the first four of them."""
    return ", ".join(str(item) for item in left[:4]) + (", …" if len(left) > 4 else "")


def url_of(endpoint: ServedEndpoint, sent: Sent) -> str:
    """The URL with its path and query filled in. Raises EndpointError when a part has no value."""
    missing = [name for name in PART.findall(endpoint.name) if name not in sent.path]
    if missing:
        raise EndpointError(
            f"{endpoint.name} needs {', '.join(missing)}.", hint=f"Give it: --param {missing[0]}=…"
        )
    base = endpoint.url.removesuffix(endpoint.name)
    url = base + PART.sub(lambda match: quote(_plain(sent.path[match[1]]), safe=""), endpoint.name)
    if sent.query:
        url += "?" + urlencode({key: _text(value) for key, value in sent.query.items()}, doseq=True)
    return url


def reshaped(example: Mapping[str, Any], endpoint: ServedEndpoint) -> Reshaped | None:
    """`{"inputs": x, "parameters": {…}}` and `{"data": […]}` as what the route takes; None where the example
    is neither, or already is that."""
    inside = [item for item in endpoint.parameters if item.place == "body" and item.name]
    known = {str(item.name): item for item in inside}
    if "inputs" in example and "inputs" not in known:
        raw = example.get("parameters")
        values, named = [example["inputs"]], dict(raw) if isinstance(raw, Mapping) else {}
    elif set(example) == {"data"} and isinstance(example["data"], list) and "data" not in known:
        values, named = list(example["data"]), {}
    else:
        return None
    if not known:
        return None
    if takes(endpoint) == "data":
        return Reshaped(example=values, lost=tuple(named))
    if takes(endpoint) == "inputs":
        body, left = _inputs(values, known.get("parameters"))
        return Reshaped(example=body, lost=tuple(map(str, left)))
    body = dict(zip(known, values, strict=False))
    body |= {name: value for name, value in named.items() if name in known and name not in body}
    missing = {
        name: sample(item) for name, item in known.items() if not item.has_default and name not in body
    }
    lost = [*[name for name in named if name not in body], *map(str, values[len(known) :])]
    return Reshaped(example=body | missing, lost=tuple(lost), sampled=tuple(missing))


def with_files(endpoint: ServedEndpoint, fields: Collection[str]) -> ServedEndpoint:
    """The same route taking a form in which `fields` are files."""
    kept = [item for item in endpoint.parameters if item.name not in {None, *fields}]
    files = [ServedParameter(name=name, label=name, component="file") for name in fields]
    return replace(endpoint, parameters=(*kept, *files), content_type=_FORMS[0])


# ------------------------------------------------------------------ spreading values


def _by_name(example: Mapping[str, Any], endpoint: ServedEndpoint, sent: Sent) -> None:
    places: dict[str | None, str] = {item.name: item.place for item in reversed(endpoint.parameters)}
    body: dict[str, Json] = {}
    for name, value in example.items():
        place = places.get(name, "body")
        {"path": sent.path, "query": sent.query}.get(place, body)[name] = value
    inside = [item for item in endpoint.parameters if item.place == "body"]
    if not inside and places.get(None) == "query":  # nobody describes what it takes
        sent.query |= body
    elif not inside:
        sent.left = tuple(body)
    elif body or any(item.name for item in inside):
        sent.body, sent.has_body = body, True


def _by_position(spec: EndpointSpec, endpoint: ServedEndpoint, sent: Sent) -> None:
    queue = list(spec.example) if isinstance(spec.example, list | tuple) else [spec.example]
    inside = [item for item in endpoint.parameters if item.place == "body"]
    form = takes(endpoint)
    for item in endpoint.parameters:
        if not queue:
            break
        if item.place != "body":
            given = sent.path if item.place == "path" else sent.query
            if item.name and item.name not in given:
                given[item.name] = queue.pop(0)
        elif item.name is None:
            queue = _whole(queue, item, spec, sent)
        elif form not in {"inputs", "data"}:
            _field(sent, item.name, queue.pop(0))
        elif item.name == form:
            taken = {"data": queue} if form == "data" else {}
            left: list[Json] = []
            if form == "inputs":
                more = next((one for one in inside if one.name == "parameters"), None)
                taken, left = _inputs(queue, more)
            sent.body, sent.has_body, queue = taken, True, left
    sent.left = tuple(queue)


def _field(sent: Sent, name: str, value: Json) -> None:
    sent.body, sent.has_body = {**(sent.body or {}), name: value}, True


def _whole(queue: list[Json], item: ServedParameter, spec: EndpointSpec, sent: Sent) -> list[Json]:
    """The body as one value. One that nobody describes has the form that the manifest calls payload."""
    sent.has_body = True
    if not item.schema:
        sent.body = http_body(spec.payload, queue)
        return []
    if item.schema.get("type") == "array" and isinstance(spec.example, list | tuple):
        sent.body = queue
        return []
    sent.body = queue[0]
    return queue[1:]


def _inputs(values: Sequence[Json], parameters: ServedParameter | None) -> tuple[dict[str, Json], list[Json]]:
    """`{"inputs": first, "parameters": {…}}`, the rest by the order in which the parameters are described."""
    body: dict[str, Json] = {"inputs": values[0]}
    rest = list(values[1:])
    properties = parameters.schema.get("properties") if parameters else None
    names = list(properties) if isinstance(properties, Mapping) else []
    if rest and parameters is not None and isinstance(rest[0], Mapping):
        return {**body, "parameters": dict(rest[0])}, rest[1:]
    named = dict(zip(names, rest, strict=False))
    return ({**body, "parameters": named} if named else body), rest[len(named) :]


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
    _, content = _file(body)
    return kind, content


def _form(body: Mapping[str, Any], endpoint: ServedEndpoint, kind: str) -> tuple[str, bytes]:
    import httpx

    files = {item.name for item in endpoint.parameters if item.component == "file"}
    data: dict[str, Any] = {}
    uploads: list[tuple[str, tuple[str, bytes]]] = []
    for name, value in body.items():
        if name in files and value is not None:
            uploads += [(name, _file(item)) for item in (value if isinstance(value, list) else [value])]
        elif value is not None:
            data[name] = _text(value)
    if kind == _FORMS[0] and not uploads:
        uploads = [(name, (None, _plain(value).encode())) for name, value in data.items()]  # type: ignore[misc]
        data = {}
    request = httpx.Request("POST", "http://localhost/", data=data, files=uploads or None)
    return request.headers["content-type"], request.read()


def _file(value: Json) -> tuple[str, bytes]:
    """Name and content of the file at a path. Raises EndpointError when there is none, or it is too large."""
    if not isinstance(value, str):
        raise EndpointError("A file is given by its path.")
    path = Path(value)
    if not path.is_file():
        raise EndpointError(f"There is no file {value}.", hint="Give the path of a file.")
    if path.stat().st_size > MAX_UPLOAD:
        raise EndpointError(f"{value} is larger than {MAX_UPLOAD >> 20} MiB.")
    try:
        return path.name, path.read_bytes()
    except OSError as error:
        raise EndpointError(f"{value} can't be read: {error.strerror}.") from None
