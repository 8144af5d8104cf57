"""The local Hub's routes: method and path to what the world does. Paths and bodies are the Hub's."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlencode

from hfspace.localhub import wire
from hfspace.localhub.routes import (
    accounts,
    billing,
    entries,
    files,
    groups,
    history,
    large,
    listing,
    oauth,
    repos,
    runtime,
    streams,
)
from hfspace.localhub.routes.call import Call, Route
from hfspace.localhub.wire import Answer, Moved, Refused

_ROUTES: tuple[Route, ...] = (
    *listing.ROUTES, *accounts.ROUTES, *oauth.ROUTES, *repos.ROUTES, *runtime.ROUTES, *entries.ROUTES,
    *streams.ROUTES, *billing.ROUTES, *groups.ROUTES, *files.ROUTES, *history.ROUTES, *large.ROUTES,
    *listing.LAST,
)  # fmt: skip


def answer(call: Call) -> Answer:
    """What the Hub answers to one request. Never raises for bad input."""
    try:
        if call.too_long:
            raise Refused(413, "Payload Too Large")
        for route in _ROUTES:
            match = route.pattern.fullmatch(call.path) if route.method == call.method else None
            if match:
                return route.handler(replace(call, rest=match.groupdict()))
        raise Refused(404, wire.NO_PAGE)
    except Refused as refused:
        return refused.answer
    except Moved as moved:
        return _redirect(call, moved)


def _redirect(call: Call, moved: Moved) -> Answer:
    """307 keeps the method and the body."""
    path = call.path.replace(f"/{moved.old}", f"/{moved.new}", 1)
    query = f"?{urlencode(call.query, doseq=True)}" if call.query else ""
    text = f"Temporary Redirect. Redirecting to {path}{query}"
    headers = {"Location": f"{call.base}{path}{query}"}
    return Answer(status=307, body=text, content_type="text/plain; charset=utf-8", headers=headers)
