"""A path that somebody typed, such as /api/predict, against what the app serves."""

from __future__ import annotations

from dataclasses import replace

from hfspace.diagnosis.verdicts import Diagnosis, Verdict, verdict
from hfspace.live.gradio.codes import Code
from hfspace.live.gradio.findings import listed, suggestion
from hfspace.live.gradio.routes import routes_at
from hfspace.live.gradio.urls import TypedPath, why_obsolete
from hfspace.model import ServedApp


def judge(known: Diagnosis, typed: TypedPath) -> Diagnosis:
    """The verdict on a typed path, with the URL that works instead."""
    app = known.app
    if app is None:
        return known
    if app.kind != "gradio":
        return _route(known, typed, app)
    served = next((endpoint for endpoint in app.endpoints if endpoint.name == typed.name), None)
    why = why_obsolete(typed, app.prefix, app.version)
    if served is None:
        return _no_such_name(known, typed, app, why)
    known = replace(known, call_url=served.url)
    if why is None:
        seen = f"{typed.path} calls {served.name}, which Gradio {app.version} serves."
        also = f"The URL for this version is {served.url}" if typed.route not in {"call", "call/v2"} else ""
        return replace(known, verdict=Verdict(code=Code.HEALTHY, seen=seen, why=also, problem=False))
    seen = f"Gradio {app.version} does not serve {typed.path}."
    judged = verdict(
        Code.ENDPOINT_MISMATCH, seen, why=f"{_sentence(why)}", todo=f"POST to {served.url} instead."
    )
    return replace(known, verdict=judged)


def _no_such_name(known: Diagnosis, typed: TypedPath, app: ServedApp, why: str | None) -> Diagnosis:
    names = listed(app)
    best = suggestion(typed.name or "", app)
    served = next((endpoint for endpoint in app.endpoints if endpoint.name == best), None)
    seen = f"Gradio {app.version} does not serve {typed.path}, and has no endpoint {typed.name}."
    shown = ", ".join(names[:8]) or "no named endpoint"
    reason = f"{_sentence(why)} " if why else ""
    todo = f"POST to {served.url} instead." if served else f"Choose one of its endpoints: {shown}."
    judged = verdict(Code.ENDPOINT_MISMATCH, seen, why=f"{reason}It serves {shown}.", todo=todo)
    return replace(known, verdict=judged, call_url=served.url if served else "")


def _route(known: Diagnosis, typed: TypedPath, app: ServedApp) -> Diagnosis:
    same = routes_at(typed.path, app)
    if same:
        served = same[0]
        methods = ", ".join(item.method for item in same)
        seen = f"{methods} {served.name} is a route of this app (not Gradio)."
        judged = Verdict(code=Code.HEALTHY, seen=seen, problem=False)
        return replace(known, verdict=judged, call_url=served.url)
    best = suggestion(typed.path, app)
    near = next((endpoint for endpoint in app.endpoints if endpoint.name == best), None)
    shown = ", ".join(listed(app)[:8])
    todo = f"Use {near.url} instead." if near else f"Choose one of its routes: {shown}."
    judged = verdict(
        Code.ENDPOINT_MISMATCH, f"The app has no route {typed.path}.", why=f"It serves {shown}.", todo=todo
    )
    return replace(known, verdict=judged, call_url=near.url if near else "")


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
