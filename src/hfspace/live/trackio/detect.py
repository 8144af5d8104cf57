"""Which Trackio an app is: asked from the app itself, with three GETs at once; a title proves nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hfspace.errors import TrackioUnavailable
from hfspace.live.gradio.fetch import AppAnswer, Ask, fetch_all, safe_host
from hfspace.live.gradio.urls import PREFIX
from hfspace.live.trackio.app_http import parsed
from hfspace.live.trackio.budget import Budget
from hfspace.live.trackio.endpoints import NEEDED, USUAL
from hfspace.live.trackio.port import Kind
from hfspace.live.trackio.values import one_line
from hfspace.model import Json

API_VERSION = 1
_LEGACY = frozenset({"get_all_projects", "bulk_log"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Detected:
    """What an app turned out to be. `endpoints` are the Gradio names without their slash, `prefix` is where
    they are called."""

    kind: Kind
    version: str = ""
    endpoints: frozenset[str] = frozenset()
    prefix: str = ""


def detect(
    base: str,
    *,
    token: str | None,
    timeout: float,
    names: Mapping[str, str] = USUAL,
    budget: Budget | None = None,
) -> Detected:
    """Ask the app at `base`. Runs no function of it. `names` are those of the Gradio app's endpoints.

    Raises TrackioUnavailable: `not_trackio` when it was reached and is something else, else it is not ready
    or not understood. Official trackio answers a page to any path, so that only JSON counts (trackio 0.43).
    """
    prefixes = (PREFIX, "")
    asks = [Ask(url=base + path, token=token) for path in ("/version", *(f"{one}/info" for one in prefixes))]
    host = safe_host(base)
    seconds = min(timeout, budget.seconds(host)) if budget is not None else timeout
    version, *infos = fetch_all(asks, timeout=seconds)
    if budget is not None:
        budget.take(sum(len(answer.body) for answer in (version, *infos)), host)
    info = _json(version)
    if isinstance(info, Mapping) and info.get("api_transport") == "http":
        return _official(base, info)
    needed = {names[use] for use in NEEDED}
    served = {prefix: _endpoints(_json(answer)) for prefix, answer in zip(prefixes, infos, strict=True)}
    for prefix, endpoints in served.items():
        if endpoints is not None and endpoints >= needed:
            return Detected(kind="interface", endpoints=endpoints, prefix=prefix)
    known = [endpoints for endpoints in served.values() if endpoints is not None]
    if any(endpoints >= _LEGACY for endpoints in known):
        raise TrackioUnavailable(
            f"{host} is a trackio older than 0.24, which tells no run's configuration.",
            hint="Redeploy it with trackio>=0.24 (`trackio bump`).",
            not_trackio=True,
        )
    absent = [f"/{name}" for name in sorted(needed) if not any(name in one for one in known)]
    if known and names != USUAL:
        raise TrackioUnavailable(
            f"{host} has no endpoint of these names: {one_line(', '.join(absent))}.",
            hint="Correct `trackio.endpoints`; see what it serves: hfspace diagnose SPACE",
            not_trackio=True,
        )
    raise _other(base, (version, *infos), gradio=bool(known))


def _official(base: str, info: Mapping[str, Json]) -> Detected:
    version = one_line(str(info.get("version", "")))
    if info.get("api_version") != API_VERSION:
        raise TrackioUnavailable(
            f"{safe_host(base)} is trackio {version} with API version "
            f"{one_line(str(info.get('api_version')))}, and this hfspace knows {API_VERSION}.",
            hint="Look for a newer hfspace.",
        )
    return Detected(kind="trackio", version=version)


def _other(base: str, answers: tuple[AppAnswer, ...], *, gradio: bool) -> TrackioUnavailable:
    """Another app, or one that is not ready: a page, a 5xx or silence never means 'no experiments'."""
    host = safe_host(base)
    if gradio:
        return TrackioUnavailable(
            f"{host} is a Gradio app, and no Trackio.", hint="Check the Space's id.", not_trackio=True
        )
    silent = next((answer for answer in answers if not answer.status), None)
    if silent is not None:
        return TrackioUnavailable(f"{host} is not ready: {silent.problem}", hint="Try again in a moment.")
    worst = max(answers, key=lambda answer: answer.status)
    if any(answer.status >= 500 or answer.status == 429 for answer in answers):
        return TrackioUnavailable(
            f"{host} is not ready: it answers {worst.status}.", hint="Try again in a moment."
        )
    if any(answer.status in {401, 403} for answer in answers):
        return TrackioUnavailable(
            f"{host} does not let this token in ({worst.status}).",
            hint="A private Space needs a token that may read it, and its id rather than a URL.",
        )
    if any("html" in answer.content_type or not answer.complete for answer in answers):
        return TrackioUnavailable(
            f"{host} is not ready, or no Trackio: it answers with a page.",
            hint="See what it is: hfspace diagnose SPACE",
        )
    return TrackioUnavailable(
        f"{host} is no Trackio app.", hint="See what it is: hfspace diagnose SPACE", not_trackio=True
    )


def _json(answer: AppAnswer) -> Json:
    usable = answer.status == 200 and answer.complete and "json" in answer.content_type
    return parsed(answer.text) if usable else None


def _endpoints(info: Json) -> frozenset[str] | None:
    """The named endpoints of a Gradio API info; None when it is none."""
    named = info.get("named_endpoints") if isinstance(info, Mapping) else None
    return frozenset(str(name).lstrip("/") for name in named) if isinstance(named, Mapping) else None
