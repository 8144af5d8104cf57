"""What a manifest declares of an endpoint against what the app serves: pure, and nothing is run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from hfspace.live.gradio.components import refusal
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
from hfspace.live.gradio.routes import check_request, resolve_route
from hfspace.live.gradio.samples import sample
from hfspace.live.gradio.urls import SEED_PATHS, read_path, version_of, why_obsolete
from hfspace.live.gradio.values import positional, schema_problem
from hfspace.manifest.models import EndpointSpec
from hfspace.model import Json, ServedApp, ServedEndpoint, ServedParameter

HTTP_KINDS = frozenset({"openapi", "tgi", "http"})
"""Kinds of apps that are called by plain HTTP, at their routes."""
_RENAMED_IN_6 = {"/predict": "gr.Interface(fn)", "/chat": "gr.ChatInterface(fn)"}


def check(spec: EndpointSpec, app: ServedApp) -> tuple[Finding, ...]:
    """Everything in which `spec` does not fit `app`, the most basic first; () when it fits."""
    problems = [*_check_expect(spec)]
    if app.problem:
        return (Finding(code="unreadable", key=named_by(spec), message=app.problem), *problems)
    endpoint, findings = resolve(spec, app)
    if endpoint is not None:
        fits = _check_gradio(spec, endpoint) if app.kind == "gradio" else check_request(spec, endpoint)
        findings += fits
    return (*findings, *problems)


def resolve(spec: EndpointSpec, app: ServedApp) -> tuple[ServedEndpoint | None, list[Finding]]:
    """The endpoint that is meant, and what is wrong with how it is named. None when nothing served fits."""
    if app.kind == "gradio":
        return _resolve_gradio(spec, app)
    if app.kind in HTTP_KINDS:
        return resolve_route(spec, app)
    return None, [
        Finding(code="no_api", key=named_by(spec), message=f"The app is {app.kind}: it has no API to call.")
    ]


def values_of(parameters: Sequence[ServedParameter]) -> tuple[ServedParameter, ...]:
    """The parameters that a caller gives; states are kept by the app."""
    return tuple(parameter for parameter in parameters if parameter.component != "state")


# ------------------------------------------------------------------ names


def _resolve_gradio(spec: EndpointSpec, app: ServedApp) -> tuple[ServedEndpoint | None, list[Finding]]:
    key = named_by(spec)
    typed = spec.api_name or spec.path
    by_name = {endpoint.name: endpoint for endpoint in app.endpoints}
    if typed is None:
        return None, [undeclared(app)]
    name = "/" + typed.lstrip("/")
    if name in by_name and key == "api_name":
        return by_name[name], []
    route = read_path(name)
    endpoint = by_name.get(route.name or name)
    if endpoint is not None:
        why = why_obsolete(route, app.prefix, app.version) if route.name else None
        message = f"{typed} is an endpoint of Gradio {app.version}, not a path"
        if name != endpoint.name:
            message = f"{typed} is not how Gradio {app.version} is called{': ' + why if why else ''}"
        fix = name_fix(key, endpoint.name, app)
        hint = f"Write api_name: {endpoint.name}; it is called at {endpoint.url}."
        return endpoint, [Finding(code="obsolete_path", key=key, message=message + ".", hint=hint, fix=fix)]
    return None, [_unknown_name(key, typed, route.name or name, app)]


def _unknown_name(key: str, typed: str, name: str, app: ServedApp) -> Finding:
    message = f"The app does not serve {typed}."
    if name in _RENAMED_IN_6 and version_of(app.version) >= (6, 0):
        message = (
            f"The app does not serve {typed}: since Gradio 6, {_RENAMED_IN_6[name]} names its endpoint "
            f"after the function (app: {app.version})."
        )
    elif typed in SEED_PATHS and app.prefix:
        message = (
            f"The app does not serve {typed}: Gradio {app.version} serves its endpoints under {app.prefix}."
        )
    return not_served(key, name, app, message)


# ------------------------------------------------------------------ payload


def _check_gradio(spec: EndpointSpec, endpoint: ServedEndpoint) -> Iterator[Finding]:
    if spec.payload != "data":
        message = 'Gradio takes {"data": [...]}; {"inputs": ...} is always refused with 422.'
        fix = Fix(key="payload", value="data")
        yield Finding(code="payload", key="payload", message=message, hint="Write payload: data.", fix=fix)
    if spec.example is not None:
        yield from _check_example(spec, endpoint)


def _check_example(spec: EndpointSpec, endpoint: ServedEndpoint) -> Iterator[Finding]:
    parameters = values_of(endpoint.parameters)
    values = positional(spec.example)
    if isinstance(spec.example, Mapping) and "inputs" in spec.example and not _has(parameters, "inputs"):
        yield _shape_of_inputs(spec.example, parameters)
    elif values is None:
        yield from _check_named(spec.example, parameters, endpoint.name)
    else:
        yield from _check_positional(values, parameters, endpoint.name)


def _shape_of_inputs(example: Mapping[str, Any], parameters: tuple[ServedParameter, ...]) -> Finding:
    """{"inputs": x, "parameters": {...}} as the list that this endpoint takes, parameters by their names."""
    raw = example.get("parameters")
    given: Mapping[str, Any] = raw if isinstance(raw, Mapping) else {}
    rest = parameters[1:]
    lost = [str(name) for name in given if name not in {parameter.name for parameter in rest}]
    unknown = [item for item in rest if item.name not in given and not item.has_default]
    values = [example["inputs"], *[given.get(item.name or "", sample(item)) for item in rest]]
    note = reshaping_note(
        lost if parameters else ["inputs", *lost], [item.name or item.label for item in unknown]
    )
    return Finding(
        code="shape", key="example", hint=" ".join([f"It takes {signature(parameters)}.", note]).strip(),
        fix=Fix(key="example", value=values if parameters else [], note=note),
        message='{"inputs", "parameters"} is not a Gradio payload: the example must be the list of values.',
    )  # fmt: skip


def _check_positional(
    values: list[Json], parameters: tuple[ServedParameter, ...], name: str
) -> Iterator[Finding]:
    need = sum(1 for parameter in parameters if not parameter.has_default)
    if not need <= len(values) <= len(parameters):
        takes_text = str(len(parameters)) if need == len(parameters) else f"{need} to {len(parameters)}"
        plural = "s" if len(parameters) != 1 else ""
        message = f"{name} takes {takes_text} value{plural}, not {len(values)}."
        yield Finding(code="arity", key="example", message=message, hint=f"It takes {signature(parameters)}.")
    for value, parameter in zip(values, parameters, strict=False):
        yield from value_finding(refusal(value, parameter), parameter, "example")


def _check_named(
    given: Mapping[str, Any], parameters: tuple[ServedParameter, ...], name: str
) -> Iterator[Finding]:
    known = {parameter.name: parameter for parameter in parameters if parameter.name}
    if parameters and not known:
        message = f"{name} has no named parameters on this version."
        yield Finding(code="shape", key="example", message=message, hint="Write the example as a list.")
        return
    for key, value in given.items():
        if key in known:
            yield from value_finding(refusal(value, known[key]), known[key], "example")
        elif (near := get_close_matches(str(key), list(known), n=1)) and near[0] not in given:
            yield misspelled(name, given, key, near[0], "example")
        else:
            message, hint = f"{name} has no parameter {key}.", f"It takes {signature(parameters)}."
            yield Finding(code="unknown_argument", key="example", message=message, hint=hint)
    missing = [
        parameter.name
        for parameter in parameters
        if not parameter.has_default and parameter.name not in given
    ]
    if missing:
        message = f"{name} needs {', '.join(str(item) for item in missing)}."
        yield Finding(
            code="missing_argument", key="example", message=message, hint=f"It takes {signature(parameters)}."
        )


def _check_expect(spec: EndpointSpec) -> Iterator[Finding]:
    if spec.expect is None:
        return
    problem = schema_problem(spec.expect)
    if problem:
        yield Finding(code="expect", key="expect", message=f"expect is not a JSON Schema: {problem}")


def _has(parameters: tuple[ServedParameter, ...], name: str) -> bool:
    return any(parameter.name == name for parameter in parameters)
