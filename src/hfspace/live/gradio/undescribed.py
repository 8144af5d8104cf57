"""A declared route of an HTTP app that does not describe it: asked for without running more than a GET."""

from __future__ import annotations

from dataclasses import replace

from hfspace.live.gradio.classify import Sight, classify
from hfspace.live.gradio.codes import Code
from hfspace.live.gradio.fetch import AppAnswer, Ask
from hfspace.live.gradio.openapi import BODILESS, PART
from hfspace.live.gradio.sending import parts_of, request_of, sends_body, url_of
from hfspace.manifest.models import EndpointSpec
from hfspace.model import ServedEndpoint, ServedParameter

_BLOCKED = frozenset(
    {Code.UNREACHABLE, Code.APP_LOGIN, Code.WRONG_TOKEN, Code.WRONG_ROLE, Code.PRIVATE_NO_TOKEN,
     Code.RATE_LIMITED, Code.PROXY_UNREACHABLE}
)  # fmt: skip
"""What says more about the host than about the route."""
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def assumed(spec: EndpointSpec, base: str) -> ServedEndpoint:
    """The route as it is declared: what is in braces, and then a body or a query of which nobody tells."""
    name = "/" + (spec.path or "").partition("?")[0].lstrip("/")
    return _endpoint(name, base, spec.method or ("POST" if sends_body(spec) else "GET"))


def callable_as(spec: EndpointSpec, base: str) -> tuple[ServedEndpoint, ...]:
    """The route in each method with which it may be called: the declared one, else GET and POST."""
    endpoint = assumed(spec, base)
    methods = [spec.method] if spec.method else ["GET", "POST"]
    return tuple(_endpoint(endpoint.name, base, method) for method in methods)


def question(spec: EndpointSpec, base: str, token: str | None) -> Ask:
    """A GET as it is declared: HTTP defines it as safe. Any other method is asked for by OPTIONS."""
    endpoint = assumed(spec, base)
    if endpoint.method == "GET":
        return replace(request_of(spec, endpoint, token), opening=True)
    return Ask(url=url_of(endpoint, parts_of(spec, endpoint)), method="OPTIONS", token=token)


def judge(
    spec: EndpointSpec, base: str, answer: AppAnswer, *, sent_token: bool, page_for_all: bool
) -> tuple[ServedEndpoint, ...] | Sight:
    """The routes that the answer to `question` shows, one with a refusal where it shows none; else why it
    leaves that open. `page_for_all`: this host answers every path with a page."""
    sight = classify(answer, sent_token=sent_token)
    if sight.code in _BLOCKED:
        return sight
    endpoint = assumed(spec, base)
    allowed = {word.strip().upper() for word in answer.headers.get("allow", "").split(",")}
    routes = tuple(_endpoint(endpoint.name, base, method) for method in _METHODS if method in allowed)
    if routes and (answer.method == "OPTIONS" or answer.status == 405):
        return routes
    if (
        answer.method == "GET"
        and answer.status < 300
        and not (page_for_all and "html" in answer.content_type)
    ):
        return (endpoint,)
    if answer.status in {404, 410} or (answer.method == "GET" and answer.status >= 300):
        return (replace(endpoint, refusal=f"{answer.method} {endpoint.name} answered {answer.status}."),)
    name = f"{endpoint.method} {endpoint.name}"
    message = f"The app does not describe itself: only a call shows whether {name} is served."
    todo = "Call it: --invoke beside these options, or `hfspace call`."
    return Sight(code=Code.NOT_UNDERSTOOD, seen=message, kind="http", todo=todo)


def _endpoint(name: str, base: str, method: str) -> ServedEndpoint:
    parts = [ServedParameter(name=part, label=part, place="path") for part in PART.findall(name)]
    place = "query" if method in BODILESS else "body"
    rest = ServedParameter(name=None, label=place, has_default=True, place=place)
    return ServedEndpoint(name=name, url=f"{base}{name}", method=method, parameters=(*parts, rest))
