"""A diagnosis as text or JSON. What an app or the Hub says is escaped: it can't steer a terminal."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from textwrap import wrap

from hfspace.diagnosis.verdicts import Diagnosis, Trial
from hfspace.live.gradio.calls import EndpointError
from hfspace.live.gradio.components import FILE_KINDS
from hfspace.live.gradio.contract import resolve, values_of
from hfspace.live.gradio.findings import Finding
from hfspace.live.gradio.payloads import forms
from hfspace.live.gradio.samples import sample
from hfspace.live.gradio.sending import parts_of, url_of
from hfspace.model import Json, ServedApp, ServedEndpoint, ServedParameter, Source
from hfspace.text import plain, width

FORMAT_VERSION = 1
_SHOWN_ENDPOINTS = 20
_INDENT = " " * 8
_KINDS = {
    "openapi": "HTTP app with OpenAPI routes",
    "tgi": "Text Generation Inference",
    "http": "HTTP app that does not describe itself",
}


def render(
    diagnosis: Diagnosis,
    *,
    verbose: int = 0,
    sources: dict[str, Source] | None = None,
    columns: int | None = None,
    manifest_options: Sequence[str] = (),
) -> str:
    """One diagnosis in lines: seen, why, do, then what the app serves; evidence when `verbose`. `columns` is
    the width of the terminal, None where there is none; `manifest_options` name the manifest in commands."""
    verdict = diagnosis.verdict
    mark = "problem" if verdict.problem else "ok"
    name = (
        diagnosis.target
        if diagnosis.space in {None, diagnosis.target}
        else f"{diagnosis.target} ({diagnosis.space})"
    )
    lines = [f"{plain(name)}: {mark}: {verdict.code.value}", f"  seen  {plain(verdict.seen)}"]
    lines += [f"  why   {plain(verdict.why)}"] if verdict.why else []
    lines += [f"  do    {plain(verdict.todo)}"] if verdict.todo else []
    lines += [f"  hub   {plain(diagnosis.hub)}"] if diagnosis.hub else []
    lines += [line for item in diagnosis.findings[1:] for line in _finding(item)]
    lines += _place(diagnosis, sources or {})
    if diagnosis.app is not None and not diagnosis.app.problem:
        full = verbose > 0 or not verdict.problem or bool(diagnosis.findings)
        lines += _app(diagnosis, diagnosis.app, manifest_options, full=full)
    lines += [_attempt(item) for item in diagnosis.attempts]
    lines += _invocation(diagnosis)
    if verbose:
        lines += [f"  {plain(line)}" for line in verdict.evidence]
        lines += [f"  {diagnosis.requests} requests, {diagnosis.seconds * 1000:.0f} ms"]
    elif verdict.problem:
        lines += [f"  {plain(line)}" for line in verdict.evidence if line.startswith(("log:", "build log:"))]
    return "\n".join(part for line in lines for part in fold(line, columns))


def fold(line: str, columns: int | None) -> list[str]:
    """`line` in lines of that width, broken between words, later ones indented; a URL or a command that is to
    be copied stays whole. One line where there is no width (no terminal)."""
    if columns is None or width(line) <= columns:
        return [line]
    sentence, colon, command = line.partition(": hfspace ")
    if colon:
        return [*fold(f"{sentence}:", columns), f"{_INDENT}hfspace {command}"]
    indent = f"{_INDENT}  " if line.startswith(_INDENT) else _INDENT
    return wrap(line, columns, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def call_command(
    diagnosis: Diagnosis, endpoint: ServedEndpoint, app: ServedApp, manifest_options: Sequence[str] = ()
) -> str:
    """`hfspace call` of this endpoint: as it is declared, where that fits; else with a value for each
    parameter that must be given."""
    named = [diagnosis.space] if diagnosis.space else [diagnosis.base]
    if diagnosis.space and diagnosis.hub:
        named += ["--url", diagnosis.base]
    if _sends(diagnosis):
        return shlex.join(["hfspace", "call", *named, *manifest_options])
    needed = [item for item in values_of(endpoint.parameters) if not item.has_default]
    values = ["FILE" if item.component in FILE_KINDS else sample(item) for item in needed]
    option = "--api-name" if app.kind == "gradio" else "--path"
    alike = [item for item in app.endpoints if item.name == endpoint.name]
    method = ["--method", endpoint.method] if len(alike) > 1 else []
    words = [item if isinstance(item, str) else json.dumps(item, ensure_ascii=False) for item in values]
    dashes = ["--"] if any(word.startswith("-") for word in words) else []
    return shlex.join(["hfspace", "call", *named, option, endpoint.name, *method, *dashes, *words])


def _sends(diagnosis: Diagnosis) -> bool:
    """Whether the declaration fits and says what to send."""
    declared = diagnosis.declared
    if declared is None or diagnosis.findings:
        return False
    route = diagnosis.app is not None and diagnosis.app.kind != "gradio"
    return route or declared.example is not None


def to_json(all_found: Sequence[Diagnosis]) -> Json:
    """The document of `diagnose --format json`."""
    return {"format_version": FORMAT_VERSION, "diagnoses": [_document(found) for found in all_found]}


def signature(endpoint: ServedEndpoint, *, method: bool = False) -> str:
    """`/name(prompt: string, tokens: number 1..512 = 25) -> string`; a route with its method before it."""
    known = [item for item in values_of(endpoint.parameters) if item.name or item.component or item.schema]
    parameters = ", ".join(_parameter(item) for item in known)
    returned = ", ".join(_type(item) for item in values_of(endpoint.returns))
    arrow = f" -> {returned}" if returned else ""
    stream = " (streams)" if endpoint.generator else ""
    label = f"{endpoint.method} {endpoint.name}" if method else endpoint.name
    return plain(f"{label}({parameters}){arrow}{stream}")


# ------------------------------------------------------------------ parts


def _finding(item: Finding) -> list[str]:
    return [f"  also  {plain(item.message)}{' ' + plain(item.hint) if item.hint else ''}"]


def _place(diagnosis: Diagnosis, sources: dict[str, Source]) -> list[str]:
    if not diagnosis.findings:
        return []
    place = sources.get(diagnosis.findings[0].key)
    return [f"  at    {place}"] if place else []


def _app(diagnosis: Diagnosis, app: ServedApp, manifest_options: Sequence[str], *, full: bool) -> list[str]:
    kind = f"Gradio {app.version}" if app.kind == "gradio" else _KINDS.get(app.kind, app.kind)
    facts = [f"prefix {app.prefix}"] if app.prefix else []
    facts += [f"protocol {app.protocol}"] if app.kind == "gradio" and app.protocol else []
    lines = [plain(f"  app   {', '.join([kind, *facts])}, at {diagnosis.base}")]
    if not full:
        return lines
    public = [endpoint for endpoint in app.endpoints if not endpoint.hidden and not endpoint.refusal]
    lines += [
        f"        {signature(endpoint, method=app.kind != 'gradio')}"
        for endpoint in public[:_SHOWN_ENDPOINTS]
    ]
    if len(public) > _SHOWN_ENDPOINTS:
        lines.append(f"        … and {len(public) - _SHOWN_ENDPOINTS} more")
    chosen = _meant(diagnosis, app) or next(iter(public), None)
    return lines + (_how(diagnosis, chosen, app, manifest_options) if chosen and not chosen.refusal else [])


def _meant(diagnosis: Diagnosis, app: ServedApp) -> ServedEndpoint | None:
    if diagnosis.declared is not None:
        return resolve(diagnosis.declared, app)[0]
    return next((item for item in app.endpoints if item.url == diagnosis.call_url), None)


def _how(
    diagnosis: Diagnosis, endpoint: ServedEndpoint, app: ServedApp, manifest_options: Sequence[str]
) -> list[str]:
    lines = [plain(f"  run   {call_command(diagnosis, endpoint, app, manifest_options)}")]
    for form, (url, body) in _requests(diagnosis, endpoint, app).items():
        text = json.dumps(body, ensure_ascii=False) if body is not None else "no body"
        remark = f"  ({form})" if body is not None else ""
        lines.append(plain(f"  call  {endpoint.method} {url}  {text}{remark}"))
    if app.kind == "gradio":
        if "/call/" in endpoint.url:
            lines.append(
                plain("        the answer is an event id; GET the same URL + /EVENT_ID for the result")
            )
        lines.append('        not {"inputs": …, "parameters": …}: Gradio refuses it with 422')
    return lines


def _requests(diagnosis: Diagnosis, endpoint: ServedEndpoint, app: ServedApp) -> dict[str, tuple[str, Json]]:
    """The request of a route as it is declared; else a sample in each form that the endpoint takes."""
    if app.kind == "gradio" or diagnosis.declared is None or not _sends(diagnosis):
        return forms(endpoint, app, diagnosis.base)
    parts = parts_of(diagnosis.declared, endpoint)
    try:
        return {"declared": (url_of(endpoint, parts), parts.body if parts.has_body else None)}
    except EndpointError:
        return forms(endpoint, app, diagnosis.base)


def _attempt(item: Trial) -> str:
    body = json.dumps(item.body, ensure_ascii=False)
    return plain(f"  tried POST {item.path}  {body}  -> {item.outcome}")


def _invocation(diagnosis: Diagnosis) -> list[str]:
    invocation = diagnosis.invocation
    if invocation is None or not invocation.ok:
        return []
    text = (
        invocation.answer
        if isinstance(invocation.answer, str)
        else json.dumps(invocation.answer, ensure_ascii=False, default=str)
    )
    cut = text if len(text) <= 200 else text[:200] + "…"
    return [f"  got   {plain(cut)}"]


def _parameter(parameter: ServedParameter) -> str:
    name = parameter.name or parameter.label or "value"
    unsaid = parameter.default is None and "null" not in str(parameter.schema.get("type", "null"))
    default = f" = {'…' if unsaid else _short(parameter.default)}" if parameter.has_default else ""
    return f"{name}: {_type(parameter)}{default}"


def _type(parameter: ServedParameter) -> str:
    schema = parameter.schema
    if isinstance(schema.get("enum"), list):
        choices = [_short(item) for item in schema["enum"][:6]]
        return "|".join(choices) + ("|…" if len(schema["enum"]) > 6 else "")
    kind = schema.get("type")
    if parameter.component in FILE_KINDS:
        kind = "file"
    type_name = kind if isinstance(kind, str) else (parameter.component or "any")
    low, high = schema.get("minimum"), schema.get("maximum")
    return (
        f"{type_name} {_number(low)}..{_number(high)}" if low is not None and high is not None else type_name
    )


def _number(value: Json) -> str:
    return f"{value:g}" if isinstance(value, float) else _short(value)


def _short(value: Json) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 40 else text[:40] + "…"


def _document(diagnosis: Diagnosis) -> Json:
    verdict, app, invocation = diagnosis.verdict, diagnosis.app, diagnosis.invocation
    return {
        "target": diagnosis.target,
        "space": diagnosis.space,
        "ok": not verdict.problem,
        "exit_code": diagnosis.exit_code,
        "code": verdict.code.value,
        "seen": verdict.seen,
        "why": verdict.why,
        "todo": verdict.todo,
        "evidence": list(verdict.evidence),
        "hub": diagnosis.hub or None,
        "stage": diagnosis.state.stage if diagnosis.state else None,
        "sdk": diagnosis.state.sdk if diagnosis.state else None,
        "base": diagnosis.base or None,
        "call_url": diagnosis.call_url or None,
        "app": _app_document(app, diagnosis.base) if app is not None else None,
        "findings": [_finding_document(item) for item in diagnosis.findings],
        "invocation": None if invocation is None else {
            "ok": invocation.ok, "seconds": round(invocation.seconds, 3), "answer": invocation.answer,
            "problem": invocation.problem or None,
        },
        "attempts": [
            {"method": "POST", "path": item.path, "payload": item.payload, "body": item.body, "ok": item.ok,
             "outcome": item.outcome, "seconds": round(item.seconds, 3)}
            for item in diagnosis.attempts
        ],
        "requests": diagnosis.requests,
        "seconds": round(diagnosis.seconds, 3),
    }  # fmt: skip


def _app_document(app: ServedApp, base: str) -> Json:
    return {
        "kind": app.kind,
        "version": app.version,
        "prefix": app.prefix,
        "protocol": app.protocol,
        "problem": app.problem or None,
        "endpoints": [_endpoint_document(endpoint, app, base) for endpoint in app.endpoints],
    }


def _endpoint_document(endpoint: ServedEndpoint, app: ServedApp, base: str) -> Json:
    return {
        "name": endpoint.name,
        "url": endpoint.url,
        "method": endpoint.method,
        "content_type": endpoint.content_type,
        "generator": endpoint.generator,
        "hidden": endpoint.hidden,
        "parameters": [_parameter_document(item) for item in endpoint.parameters],
        "returns": [_parameter_document(item) for item in endpoint.returns],
        "payloads": {
            form: {"url": url, "body": body} for form, (url, body) in forms(endpoint, app, base).items()
        },
    }


def _parameter_document(parameter: ServedParameter) -> Json:
    return {
        "name": parameter.name,
        "label": parameter.label,
        "component": parameter.component,
        "place": parameter.place,
        "schema": dict(parameter.schema),
        "has_default": parameter.has_default,
        "default": parameter.default,
    }


def _finding_document(item: Finding) -> Json:
    fix = (
        None
        if item.fix is None
        else {"key": item.fix.key, "value": item.fix.value, "rename": item.fix.rename}
    )
    return {"code": item.code, "key": item.key, "message": item.message, "hint": item.hint, "fix": fix}
