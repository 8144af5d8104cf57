"""What a manifest declares of an endpoint against what the app serves: pure, and nothing is run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from hfspace.live.gradio.openapi import takes
from hfspace.live.gradio.urls import SEED_PATHS, read_path, version_of, why_obsolete
from hfspace.live.gradio.values import value_problem
from hfspace.manifest.models import EndpointSpec
from hfspace.model import Json, ServedApp, ServedEndpoint, ServedParameter

_RENAMED_IN_6 = {"/predict": "gr.Interface(fn)", "/chat": "gr.ChatInterface(fn)"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """One edit of the manifest: endpoint.`key` becomes `value`, and is renamed to `rename` if that is set."""

    key: str
    value: Json
    rename: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One way in which the declaration does not fit. `key` is the manifest key below `endpoint`; `fix` is
    None where only a person can decide."""

    code: str
    key: str
    message: str
    hint: str = ""
    fix: Fix | None = None


def check(spec: EndpointSpec, app: ServedApp) -> tuple[Finding, ...]:
    """Everything in which `spec` does not fit `app`, the most basic first; () when it fits."""
    found = [*_check_expect(spec)]
    if app.problem:
        return (Finding(code="unreadable", key="api_name", message=app.problem), *found)
    endpoint, findings = resolve(spec, app)
    if endpoint is not None:
        findings += _check_payload(spec, endpoint, app)
        findings += _check_example(spec, endpoint, app)
    return (*findings, *found)


def resolve(spec: EndpointSpec, app: ServedApp) -> tuple[ServedEndpoint | None, list[Finding]]:
    """The endpoint that is meant, and what is wrong with how it is named. None when nothing served fits."""
    if app.kind == "gradio":
        return _resolve_gradio(spec, app)
    if app.kind in {"openapi", "tgi"}:
        return _resolve_route(spec, app)
    return None, [
        Finding(code="no_api", key=_named_by(spec), message=f"The app is {app.kind}: it has no API to call.")
    ]


def listed(app: ServedApp) -> tuple[str, ...]:
    """The names of the endpoints that the app shows."""
    return tuple(endpoint.name for endpoint in app.endpoints if not endpoint.hidden)


def values_of(parameters: Sequence[ServedParameter]) -> tuple[ServedParameter, ...]:
    """The parameters that a caller gives; states are kept by the app."""
    return tuple(parameter for parameter in parameters if parameter.component != "state")


def positional(example: Json) -> list[Json] | None:
    """The values of an example in order, with its `data` wrapper taken off; None when it is not a list."""
    if isinstance(example, Mapping) and set(example) == {"data"} and isinstance(example["data"], list):
        return list(example["data"])
    if isinstance(example, list | tuple):
        return list(example)
    return None if isinstance(example, Mapping) else [example]


# ------------------------------------------------------------------ names


def _resolve_gradio(spec: EndpointSpec, app: ServedApp) -> tuple[ServedEndpoint | None, list[Finding]]:
    key = _named_by(spec)
    typed = spec.api_name or spec.path
    by_name = {endpoint.name: endpoint for endpoint in app.endpoints}
    if typed is None:
        return _undeclared(app)
    name = "/" + typed.lstrip("/")
    if name in by_name and key == "api_name":
        return by_name[name], []
    asked = read_path(name)
    meant = by_name.get(asked.name or name)
    if meant is not None:
        why = why_obsolete(asked, app.prefix, app.version) if asked.name else None
        message = f"{typed} is an endpoint of Gradio {app.version}, not a path"
        if name != meant.name:
            message = f"{typed} is not how Gradio {app.version} is called{': ' + why if why else ''}"
        fix = Fix(key=key, value=meant.name, rename="api_name" if key == "path" else None)
        hint = f"Write api_name: {meant.name}; it is called at {meant.url}."
        return meant, [Finding(code="obsolete_path", key=key, message=message + ".", hint=hint, fix=fix)]
    return None, [_unknown_name(key, typed, asked.name or name, app)]


def _undeclared(app: ServedApp) -> tuple[ServedEndpoint | None, list[Finding]]:
    names = listed(app)
    message = "The endpoint has neither api_name nor path."
    fix = Fix(key="api_name", value=names[0]) if len(names) == 1 else None
    hint = f"The app serves {_names(app)}."
    return None, [Finding(code="no_name", key="api_name", message=message, hint=hint, fix=fix)]


def _unknown_name(key: str, typed: str, name: str, app: ServedApp) -> Finding:
    best = suggestion(name, app)
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
    fix = Fix(key=key, value=best, rename="api_name" if key == "path" else None) if best else None
    hint = f"It serves {_names(app)}." + (f" Write api_name: {best}." if best else "")
    return Finding(code="not_served", key=key, message=message, hint=hint, fix=fix)


def suggestion(name: str, app: ServedApp) -> str | None:
    """The endpoint most likely meant: the nearest name, else the only one there is."""
    names = listed(app)
    near = get_close_matches(name.lower(), [item.lower() for item in names], n=1, cutoff=0.6)
    if near:
        return next(item for item in names if item.lower() == near[0])
    return names[0] if len(names) == 1 else None


def _resolve_route(spec: EndpointSpec, app: ServedApp) -> tuple[ServedEndpoint | None, list[Finding]]:
    key = _named_by(spec)
    typed = spec.path or spec.api_name
    if typed is None:
        return _undeclared(app)
    name = "/" + typed.strip("/")
    found = next(
        (endpoint for endpoint in app.endpoints if endpoint.name.rstrip("/") == name.rstrip("/")), None
    )
    if found is None:
        best = suggestion(name, app)
        fix = Fix(key=key, value=best, rename="path" if key == "api_name" else None) if best else None
        hint = f"It serves {_names(app)}." + (f" Write path: {best}." if best else "")
        return None, [
            Finding(code="not_served", key=key, message=f"The app has no route {typed}.", hint=hint, fix=fix)
        ]
    if key == "api_name":
        fix = Fix(key="api_name", value=found.name, rename="path")
        message = f"{typed} is a route of an HTTP app: there is no Gradio endpoint of that name."
        return found, [
            Finding(code="not_gradio", key=key, message=message, hint=f"Write path: {found.name}.", fix=fix)
        ]
    return found, []


def _named_by(spec: EndpointSpec) -> str:
    return "path" if spec.api_name is None and spec.path is not None else "api_name"


def _names(app: ServedApp) -> str:
    names = listed(app)
    more = f" and {len(names) - 12} more" if len(names) > 12 else ""
    return (", ".join(names[:12]) or "no named endpoint") + more


# ------------------------------------------------------------------ payload


def _check_payload(spec: EndpointSpec, endpoint: ServedEndpoint, app: ServedApp) -> Iterator[Finding]:
    if app.kind == "gradio":
        if spec.payload != "data":
            yield _payload(
                'Gradio takes {"data": [...]}; {"inputs": ...} is always refused with 422.', "data"
            )
        return
    took = takes(endpoint)
    if took in {"inputs", "data"} and spec.payload != took:
        yield _payload(f"{endpoint.name} takes the payload form {took}, not {spec.payload}.", took)
    elif took not in {"inputs", "data", ""} and isinstance(spec.example, list):
        message = f"{endpoint.name} takes a JSON object with {took}, not a list."
        yield Finding(code="shape", key="example", message=message, hint="Write the example as a mapping.")


def _payload(message: str, value: str) -> Finding:
    return Finding(
        code="payload", key="payload", message=message, hint=f"Write payload: {value}.",
        fix=Fix(key="payload", value=value),
    )  # fmt: skip


def _check_example(spec: EndpointSpec, endpoint: ServedEndpoint, app: ServedApp) -> Iterator[Finding]:
    if spec.example is None:
        return
    if app.kind != "gradio":
        yield from _check_body(spec, endpoint)
        return
    wanted = values_of(endpoint.parameters)
    values = positional(spec.example)
    if isinstance(spec.example, Mapping) and "inputs" in spec.example and not _has(wanted, "inputs"):
        yield _shape_of_inputs(spec.example, wanted)
    elif values is None:
        yield from _check_named(spec.example, wanted, endpoint.name)
    else:
        yield from _check_positional(values, wanted, endpoint.name)


def _shape_of_inputs(example: Mapping[str, Any], wanted: tuple[ServedParameter, ...]) -> Finding:
    """{"inputs": x, "parameters": {...}} as the list that this endpoint takes, where the names fit."""
    raw = example.get("parameters")
    given: Mapping[str, Any] = raw if isinstance(raw, Mapping) else {}
    known = {parameter.name for parameter in wanted[1:]}
    fix = None
    if wanted and set(given) <= known:
        values = [example["inputs"]]
        for parameter in wanted[1:]:
            if parameter.name not in given and not parameter.has_default:
                break
            values.append(given.get(parameter.name or "", parameter.default))
        else:
            fix = Fix(key="example", value=values)
    return Finding(
        code="shape", key="example", hint=f"It takes {_signature(wanted)}.", fix=fix,
        message='{"inputs", "parameters"} is not a Gradio payload: the example must be the list of values.',
    )  # fmt: skip


def _check_positional(
    values: list[Json], wanted: tuple[ServedParameter, ...], name: str
) -> Iterator[Finding]:
    need = sum(1 for parameter in wanted if not parameter.has_default)
    if not need <= len(values) <= len(wanted):
        takes_text = str(len(wanted)) if need == len(wanted) else f"{need} to {len(wanted)}"
        plural = "s" if len(wanted) != 1 else ""
        message = f"{name} takes {takes_text} value{plural}, not {len(values)}."
        yield Finding(code="arity", key="example", message=message, hint=f"It takes {_signature(wanted)}.")
    for value, parameter in zip(values, wanted, strict=False):
        yield from _check_value(value, parameter)


def _check_named(
    given: Mapping[str, Any], wanted: tuple[ServedParameter, ...], name: str
) -> Iterator[Finding]:
    known = {parameter.name: parameter for parameter in wanted if parameter.name}
    if wanted and not known:
        message = f"{name} has no named parameters on this version."
        yield Finding(code="shape", key="example", message=message, hint="Write the example as a list.")
        return
    for key, value in given.items():
        if key in known:
            yield from _check_value(value, known[key])
            continue
        near = get_close_matches(str(key), list(known), n=1)
        hint = f"Did you mean {near[0]}?" if near else f"It takes {_signature(wanted)}."
        yield Finding(
            code="unknown_argument", key="example", message=f"{name} has no parameter {key}.", hint=hint
        )
    missing = [
        parameter.name for parameter in wanted if not parameter.has_default and parameter.name not in given
    ]
    if missing:
        message = f"{name} needs {', '.join(str(item) for item in missing)}."
        yield Finding(
            code="missing_argument", key="example", message=message, hint=f"It takes {_signature(wanted)}."
        )


def _check_body(spec: EndpointSpec, endpoint: ServedEndpoint) -> Iterator[Finding]:
    """The example against the fields of an HTTP route's body."""
    from hfspace.live.gradio.values import http_body

    body = http_body(spec.payload, spec.example)
    if not endpoint.parameters or not isinstance(body, Mapping):
        return
    yield from _check_named(body, endpoint.parameters, endpoint.name)


def _check_value(value: Json, parameter: ServedParameter) -> Iterator[Finding]:
    problem = value_problem(value, parameter)
    if problem:
        label = parameter.name or parameter.label or "a value"
        yield Finding(code="value", key="example", message=f"{label}: {problem}")


def _check_expect(spec: EndpointSpec) -> Iterator[Finding]:
    if spec.expect is None:
        return
    from hfspace.live.gradio.values import schema_problem

    problem = schema_problem(spec.expect)
    if problem:
        yield Finding(code="expect", key="expect", message=f"expect is not a JSON Schema: {problem}")


def _has(parameters: tuple[ServedParameter, ...], name: str) -> bool:
    return any(parameter.name == name for parameter in parameters)


def _signature(parameters: tuple[ServedParameter, ...]) -> str:
    told = [
        f"{parameter.name or parameter.label or 'value'}{'=…' if parameter.has_default else ''}"
        for parameter in parameters
    ]
    return f"({', '.join(told)})" if told else "no values"
