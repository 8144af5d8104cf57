"""Routes of an HTTP app: which one a declaration means, and whether what it sends fits. Nothing is sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from hfspace.live.gradio.findings import (
    Finding,
    Fix,
    misspelled,
    name_fix,
    named_by,
    not_served,
    reshaping_note,
    signature,
    undeclared,
    value_finding,
)
from hfspace.live.gradio.openapi import body_parameters, takes
from hfspace.live.gradio.sending import RequestParts, parts_of, placeholders, reshape, sends_body, value_list
from hfspace.live.gradio.values import json_or_text, value_problem
from hfspace.manifest.models import EndpointSpec
from hfspace.model import Json, ServedApp, ServedEndpoint, ServedParameter

_SENDING = ("POST", "PUT", "PATCH", "DELETE", "GET")
_ASKING = ("GET", "POST", "PUT", "PATCH", "DELETE")


def resolve_route(spec: EndpointSpec, app: ServedApp) -> tuple[ServedEndpoint | None, list[Finding]]:
    """The route that is meant, and what is wrong with how it is named. None when no route fits."""
    key = named_by(spec)
    typed = spec.path or spec.api_name
    if typed is None:
        return None, [undeclared(app)]
    same = routes_at(typed, app)
    if not same:
        return None, [not_served(key, "/" + typed.strip("/"), app, f"The app has no route {typed}.")]
    endpoint = _by_method(spec, same)
    findings = []
    if key == "api_name":
        message = f"{typed} is a route of an HTTP app: there is no Gradio endpoint of that name."
        fix = name_fix(key, endpoint.name, app)
        hint = f"Write path: {endpoint.name}."
        findings.append(Finding(code="not_gradio", key=key, message=message, hint=hint, fix=fix))
    if spec.method is not None and endpoint.method != spec.method:
        methods = ", ".join(item.method for item in same)
        findings.append(
            Finding(
                code="method", key="method", message=f"{endpoint.name} takes {methods}, not {spec.method}.",
                hint=f"Write method: {endpoint.method}.", fix=Fix(key="method", value=endpoint.method),
            )
        )  # fmt: skip
    return endpoint, findings


def routes_at(typed: str, app: ServedApp) -> list[ServedEndpoint]:
    """The routes of a path, one per method: /items/{id} and /items/7 are both at /items/{item}."""
    name = "/" + typed.partition("?")[0].strip("/")
    exact = [item for item in app.endpoints if item.name.strip("/") == name.strip("/")]
    return exact or [item for item in app.endpoints if placeholders(item, name) is not None]


def check_request(spec: EndpointSpec, endpoint: ServedEndpoint) -> Iterator[Finding]:
    """What `spec` sends against what the route takes. A declaration that sends nothing only names a route."""
    if endpoint.refusal:
        yield Finding(code="refused", key="path", message=endpoint.refusal)
        return
    if endpoint.demands:
        message = f"{endpoint.name} needs {' and '.join(endpoint.demands)}, which hfspace does not send."
        hint = "Call it by another program; hfspace sends a path, a query and a body."
        yield Finding(code="unsendable", key="path", message=message, hint=hint)
    shape = _check_shape(spec, endpoint)
    yield from shape
    sends = {"example", "body", "params", "query"} & {
        key for key in spec.model_fields_set if getattr(spec, key) is not None or key == "body"
    }
    if shape or not sends:
        return
    parts = parts_of(spec, endpoint)
    yield from _check_outside(parts, endpoint)
    yield from _check_body(parts, endpoint, "body" if "body" in sends else "example")


# ------------------------------------------------------------------ parts


def _by_method(spec: EndpointSpec, same: list[ServedEndpoint]) -> ServedEndpoint:
    """The declared method, else one that takes what is declared to be sent."""
    by_method = {item.method: item for item in same}
    if spec.method in by_method:
        return by_method[spec.method]
    methods = _SENDING if sends_body(spec) else _ASKING
    return next((by_method[name] for name in methods if name in by_method), same[0])


def _check_shape(spec: EndpointSpec, endpoint: ServedEndpoint) -> list[Finding]:
    """The form of the body as a whole: inputs and parameters, data, or fields of the route's own."""
    form = takes(endpoint)
    findings = []
    if form in {"inputs", "data"} and "payload" in spec.model_fields_set and spec.payload != form:
        findings.append(
            Finding(
                code="payload", key="payload", hint=f"Write payload: {form}.",
                message=f"{endpoint.name} takes the payload form {form}, not {spec.payload}.",
                fix=Fix(key="payload", value=form),
            )
        )  # fmt: skip
    if isinstance(spec.example, Mapping) and (new := reshape(spec.example, endpoint)) is not None:
        note = reshaping_note(new.lost, new.sampled)
        findings.append(
            Finding(
                code="shape", key="example",
                hint=" ".join([f"It takes {signature(endpoint.parameters)}.", note]).strip(),
                message=f"The example has another shape than {endpoint.name} takes.",
                fix=Fix(key="example", value=new.example, note=note),
            )
        )  # fmt: skip
    return findings


def _check_outside(parts: RequestParts, endpoint: ServedEndpoint) -> Iterator[Finding]:
    """The path and the query."""
    for place, key, values in (("path", "params", parts.path), ("query", "query", parts.query)):
        parameters = {item.name: item for item in endpoint.parameters if item.place == place and item.name}
        missing = [
            str(name) for name, item in parameters.items() if not item.has_default and name not in values
        ]
        if missing:
            yield Finding(
                code="missing_argument", key=key, message=f"{endpoint.name} needs {', '.join(missing)}.",
                hint=f"Write {key}: {{{missing[0]}: …}} (with call: --{_OPTIONS[key]} {missing[0]}=…).",
            )  # fmt: skip
        for name, value in values.items():
            if name in parameters:
                yield from _check_text(value, parameters[name], key)
            elif near := get_close_matches(
                str(name), [item for item in parameters if item not in values], n=1
            ):
                yield misspelled(endpoint.name, values, name, near[0], key)


_OPTIONS = {"params": "param", "query": "query"}


def _check_text(value: Json, parameter: ServedParameter, key: str) -> Iterator[Finding]:
    """On the wire it is text, so 7 and "7" are one; a list is a parameter that is repeated."""
    forms: list[Json] = []
    if isinstance(value, str):
        forms = [json_or_text(value), [value], [json_or_text(value)]]
    elif not isinstance(value, list | Mapping):
        forms = [str(value), [value]]
    problem = value_problem(value, parameter)
    if problem and all(value_problem(form, parameter) for form in forms):
        yield from value_finding(problem, parameter, key)


def _check_body(parts: RequestParts, endpoint: ServedEndpoint, key: str) -> Iterator[Finding]:
    inside = body_parameters(endpoint)
    if parts.left:
        few = [item for item in endpoint.parameters if item.name]
        message = f"{endpoint.method} {endpoint.name} has no place for {value_list(parts.left)}."
        yield Finding(code="arity", key=key, message=message, hint=f"It takes {signature(few)}.")
        return
    if not inside:
        return
    whole = inside[0] if inside[0].name is None else None
    if whole is not None:
        if parts.has_body:
            yield from value_finding(value_problem(parts.body, whole), whole, key)
        elif not whole.has_default:
            yield Finding(code="missing_argument", key=key, message=f"{endpoint.name} needs a body.")
        return
    if parts.has_body and not isinstance(parts.body, Mapping):
        message = f"{endpoint.name} takes a JSON object with {takes(endpoint)}."
        yield Finding(code="shape", key=key, message=message, hint="Write it as a mapping.")
        return
    yield from _check_fields(dict(parts.body) if parts.has_body else {}, inside, endpoint, key)


def _check_fields(
    body: Mapping[str, Any], inside: list[ServedParameter], endpoint: ServedEndpoint, key: str
) -> Iterator[Finding]:
    fields = {str(item.name): item for item in inside}
    for name, value in body.items():
        if name in fields:
            yield from value_finding(value_problem(value, fields[name]), fields[name], key)
        # What a route does not know it leaves aside; only a name that is nearly one of its own is told.
        elif near := get_close_matches(str(name), [item for item in fields if item not in body], n=1):
            yield misspelled(endpoint.name, body, name, near[0], key)
    missing = [name for name, item in fields.items() if not item.has_default and name not in body]
    if missing:
        yield Finding(
            code="missing_argument", key=key, message=f"{endpoint.name} needs {', '.join(missing)}.",
            hint=f"It takes {signature(endpoint.parameters)}.",
        )  # fmt: skip
