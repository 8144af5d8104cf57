"""The verdict on an app that was looked at: what it tells, the declaration, the path typed, a mount."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hfspace.diagnosis import typed_path
from hfspace.diagnosis.stage import SERVING, card_text
from hfspace.diagnosis.target import Target
from hfspace.diagnosis.verdicts import Diagnosis, Verdict, verdict
from hfspace.live.gradio.calls import EndpointError
from hfspace.live.gradio.classify import ERROR_PAGE
from hfspace.live.gradio.codes import Code
from hfspace.live.gradio.contract import check, resolve
from hfspace.live.gradio.findings import listed
from hfspace.live.gradio.mending import mend
from hfspace.live.gradio.probe import Reading
from hfspace.live.gradio.sending import parts_of, url_of
from hfspace.manifest.models import EndpointSpec
from hfspace.model import ServedApp, ServedEndpoint


def judge(
    known: Diagnosis,
    reading: Reading,
    target: Target,
    endpoint: EndpointSpec | None,
    mounted: bool,
    card: Mapping[str, Any],
    manifest: tuple[str, ...],
) -> Diagnosis:
    """The verdict, the most basic first. `manifest` are the options that name it in shown commands."""
    app = reading.app
    if app.problem:
        return replace(known, verdict=_unread(known, reading, card, manifest))
    if endpoint is not None and (endpoint.api_name or endpoint.path):
        return _declared(known, endpoint, mounted, manifest)
    if target.path.name or (target.path.path and app.kind != "gradio"):
        return typed_path.judge(known, target.path)
    if mounted:
        return replace(known, verdict=_mounted(reading))
    if app.kind != "gradio" and known.state is not None and known.state.sdk == "gradio":
        return replace(known, verdict=_mounted_somewhere(known))
    return replace(known, verdict=_well(known), call_url=_only_url(known))


def _unread(
    known: Diagnosis, reading: Reading, card: Mapping[str, Any], manifest: tuple[str, ...]
) -> Verdict:
    sight = reading.sight
    if sight is None:
        return verdict(Code.NOT_UNDERSTOOD, reading.app.problem)
    if sight.code is Code.PROXY_UNREACHABLE and known.state is not None and known.state.stage in SERVING:
        port = card_text(card, "app_port") or "7860"
        seen = f"The Hub says {known.state.stage}, but its proxy can't reach the app (503)."
        why = f"Nothing listens on 0.0.0.0:{port}: another port, bound to 127.0.0.1, or it just restarts."
        return verdict(
            sight.code,
            seen,
            why=why,
            todo=f"Listen on 0.0.0.0 and port {port}, or set app_port in the README.",
        )
    if sight.code is Code.PROXY_UNREACHABLE and any(a.body.strip() == ERROR_PAGE for a in reading.answers):
        why = "It sleeps, starts, has crashed, or listens on the wrong port: only the Hub knows which."
        return verdict(
            sight.code, sight.seen, why=why, todo="Diagnose it as OWNER/NAME: hfspace diagnose SPACE"
        )
    if sight.code is Code.WRONG_SUBDOMAIN and reading.space:
        return verdict(sight.code, sight.seen, todo=f"Use it: hfspace diagnose {reading.space}")
    if sight.code is Code.NOT_GRADIO and sight.kind == "http" and known.state and known.state.sdk == "gradio":
        return _mounted_somewhere(known)
    if sight.code is Code.NOT_GRADIO and sight.kind != "streamlit":
        todo = f"Declare a route that it serves (endpoint: {{path: /…}}), or {_trial(known, manifest)}"
        return verdict(sight.code, sight.seen, todo=todo)
    why = "It has no OpenAPI document." if sight.kind == "http" else ""
    return verdict(sight.code, sight.seen, why=why, todo=sight.todo)


def _declared(
    known: Diagnosis, endpoint: EndpointSpec, mounted: bool, manifest: tuple[str, ...]
) -> Diagnosis:
    app = known.app
    if app is None:
        return known
    findings = check(endpoint, app)
    served, _ = resolve(endpoint, app)
    route = served is not None and app.kind != "gradio"
    url = _url(endpoint, served) if served and route else served.url if served else ""
    known = replace(known, findings=findings, call_url=url, declared=endpoint)
    named = endpoint.api_name or endpoint.path
    if findings:
        first = findings[0]
        todo = _advice(known, endpoint, app, manifest) or first.hint
        if not todo and app.kind == "http":
            todo = f"Correct what is declared, or {_trial(known, manifest)}"
        why = first.hint if todo != first.hint else ""
        return replace(known, verdict=verdict(Code.ENDPOINT_MISMATCH, first.message, why=why, todo=todo))
    seen = f"{named} is served, and the declared payload fits."
    where = f"It is called at {url}" + (f" (mounted at {known.base})" if mounted else "")
    return replace(known, verdict=Verdict(code=Code.HEALTHY, seen=seen, why=where, problem=False))


def _url(endpoint: EndpointSpec, served: ServedEndpoint) -> str:
    """The URL that is called: of a route with its values filled in, where they are declared."""
    try:
        return url_of(served, parts_of(endpoint, served))
    except EndpointError:
        return served.url


def _trial(known: Diagnosis, manifest: tuple[str, ...]) -> str:
    command = shlex.join(["hfspace", "diagnose", _named(known), *manifest, "--invoke", "--try"])
    return f"try the usual ones: {command}"


def _named(known: Diagnosis) -> str:
    return known.space or known.target


def _advice(known: Diagnosis, endpoint: EndpointSpec, app: ServedApp, manifest: tuple[str, ...]) -> str:
    """The command that mends the declaration, and what it leaves to a person; "" when it can do nothing."""
    better = mend(endpoint, app)
    if better.spec == endpoint:
        return ""
    command = shlex.join(["hfspace", "diagnose", _named(known), *manifest, "--fix"])
    left = better.left[0] if better.left else None
    more = f" Then by hand: {left.message} {left.hint}".rstrip() if left else ""
    return f"Write it into the manifest: {command}{'.' if more else ''}{more}"


def _mounted(reading: Reading) -> Verdict:
    seen = f"Gradio {reading.app.version} is not at / but at {reading.base}."
    path = "/" + reading.base.split("/", 3)[3]
    return verdict(
        Code.MOUNTED_BELOW, seen, todo=f"Use {reading.base}, and set base_path: {path} in the README."
    )


def _mounted_somewhere(known: Diagnosis) -> Verdict:
    """Of a Gradio Space whose root is another app, and which is at no path that anything leads to."""
    return verdict(
        Code.MOUNTED_BELOW,
        "The Hub says gradio, but the root of its host is another web app.",
        why="Gradio is at none of the usual paths, and no link of that app leads to it.",
        todo=f"Name the path at which it is mounted: hfspace diagnose {known.base}/PATH; then set "
        "base_path: /PATH in the README of the Space.",
    )


def _well(known: Diagnosis) -> Verdict:
    app = known.app
    if app is None:
        return known.verdict
    names = listed(app)
    what = {"gradio": f"Gradio {app.version}", "tgi": "Text Generation Inference"}.get(
        app.kind, "an HTTP app"
    )
    count = f"{len(names)} endpoint{'s' if len(names) != 1 else ''}" if names else "no named endpoint"
    seen = f"It runs {what} and serves {count}."
    if app.kind == "gradio":
        return Verdict(code=Code.HEALTHY, seen=seen, problem=False)
    return replace(verdict(Code.NOT_GRADIO, seen), problem=not names)


def _only_url(known: Diagnosis) -> str:
    public = [item for item in known.app.endpoints if not item.hidden] if known.app else []
    return public[0].url if len(public) == 1 else ""
