"""The diagnosis: the Hub first, then one look at the app, then what is declared or asked for against it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hfspace.diagnosis.invoking import with_invocation
from hfspace.diagnosis.judging import judge
from hfspace.diagnosis.stage import WAKEABLE, SpaceLookup, card_text, not_running, refused
from hfspace.diagnosis.target import Target, read_target
from hfspace.diagnosis.verdicts import Diagnosis, for_space, verdict
from hfspace.errors import HubError, HubUnreachable, UsageError, WaitTimeout
from hfspace.live.gradio.calls import EndpointError
from hfspace.live.gradio.classify import Sight, links_of
from hfspace.live.gradio.codes import Code
from hfspace.live.gradio.config import read_config
from hfspace.live.gradio.fetch import TIMEOUT_SECONDS, Ask, fetch_all
from hfspace.live.gradio.login import sign_in
from hfspace.live.gradio.probe import Place, Reading, fetch_paths, look
from hfspace.live.gradio.served import place_of
from hfspace.live.limiter import Pace
from hfspace.live.stages import readings
from hfspace.manifest.models import EndpointSpec
from hfspace.model import SpaceState

_USUAL_MOUNTS = ("/gradio", "/demo", "/app", "/ui")
_MOST_LINKS = 8
_POLL_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagnosisOptions:
    """`timeout` and `wake_timeout` are in seconds: per request, and for a Space to wake. `zero_gpu` sends
    the token to a public Space too, so that a call counts on the token's quota. `ask_declared` looks for a
    declared route that the app does not describe; a call will show that anyway. `fitting` invokes only what
    is declared as the app takes it. `auth` is the user and password of the app's own login, sent where it
    asks for one. `manifest_options` name the manifest in commands that are shown. Without `ask_hub` only the
    URL that was typed is asked."""

    wake: bool = False
    invoke: bool = False
    fitting: bool = True
    ask_declared: bool = True
    ask_hub: bool = True
    manifest_options: tuple[str, ...] = ()
    zero_gpu: bool = False
    auth: tuple[str, str] | None = field(default=None, repr=False)
    timeout: float = TIMEOUT_SECONDS
    invoke_timeout: float = 60.0
    wake_timeout: float = 300.0
    pace: Callable[[float], Pace] = Pace
    notify: Callable[[str], None] = field(default=lambda text: None)
    declared: Callable[[str], EndpointSpec | None] = field(default=lambda space: None)


def examine(
    text: str,
    hub: SpaceLookup,
    *,
    endpoint: EndpointSpec | None = None,
    options: DiagnosisOptions | None = None,
) -> Diagnosis:
    """Why the Space or app `text` can't be called, or that it can. `endpoint` is what a manifest declares.

    No function of the app is run unless `options.invoke`, but for a declared GET of a route that the app does
    not describe. Raises UsageError when `text` names nothing;
    whatever the Hub or the app answers becomes a verdict.
    """
    options = options or DiagnosisOptions()
    started = time.monotonic()
    before = hub.requests
    target = read_target(text, hub.endpoint)
    if not options.ask_hub and target.space is not None:
        raise UsageError(f"{text} is no URL of an app.", hint="--url takes its own host: https://….hf.space")
    space, unasked = (target.space, "") if target.space else _space_of_host(target, hub, options)
    if space is not None:
        if endpoint is None and not target.path.path:
            endpoint = options.declared(space)
        diagnosis, asks = _by_space(replace(target, space=space), hub, endpoint, options)
    else:
        diagnosis, asks = _by_url(target, None if unasked else hub, endpoint, options)
    return replace(
        diagnosis,
        hub=unasked,
        verdict=for_space(diagnosis.verdict, diagnosis.space),
        requests=hub.requests - before + asks,
        seconds=time.monotonic() - started,
    )


def _space_of_host(target: Target, hub: SpaceLookup, options: DiagnosisOptions) -> tuple[str | None, str]:
    """The Space behind a *.hf.space host, if the Hub tells: then a sleeping one is not woken. And why the Hub
    could not be asked, if it was to be."""
    if not options.ask_hub:
        return None, "not asked, as --url says; no token was sent"
    if target.subdomain is None:
        return None, ""
    try:
        return hub.by_subdomain(target.subdomain), ""
    except HubUnreachable as error:
        return None, f"could not be asked: {error.message} The host was asked directly, without a token."
    except HubError:
        return None, ""


# ------------------------------------------------------------------ by id


def _by_space(
    target: Target, hub: SpaceLookup, endpoint: EndpointSpec | None, options: DiagnosisOptions
) -> tuple[Diagnosis, int]:
    space = target.space or ""
    known = Diagnosis(target=target.typed, space=space, verdict=verdict(Code.NOT_UNDERSTOOD, ""))
    token = hub.token_for(space)
    try:
        state, card = hub.space_with_card(space)
        woken = 0
        if options.wake and not state.is_static and state.stage in WAKEABLE:
            state, woken = _wake(state, hub, options)
    except HubError as error:
        return replace(known, verdict=refused(error, has_token=token is not None)), 0
    known = replace(known, space=state.id, state=state)
    stopped = not_running(state, hub)
    if stopped is not None:
        return replace(known, verdict=stopped), woken
    if not state.host:
        seen = "It runs, but the Hub names no host for it."
        return replace(known, verdict=verdict(Code.NOT_UNDERSTOOD, seen)), woken
    place = _place(state, card, hub, options)
    return _by_place(known, place, target, endpoint, options, card, woken)


def _place(state: SpaceState, card: Mapping[str, Any], hub: SpaceLookup, options: DiagnosisOptions) -> Place:
    place = place_of(
        state,
        hub_endpoint=hub.endpoint,
        token=hub.token_for(state.id),
        timeout=options.timeout,
        zero_gpu=options.zero_gpu,
    )
    path, version = card_text(card, "base_path"), card_text(card, "sdk_version")
    return replace(place, path=path or "", sdk_version=version)


def _wake(state: SpaceState, hub: SpaceLookup, options: DiagnosisOptions) -> tuple[SpaceState, int]:
    """Visit the host once, then wait for the Hub to say that it runs. The state it got to, and our visits."""
    visits = 0
    if state.stage in {"SLEEPING", "STOPPED"} and state.host:
        visit = Ask(url=state.host.rstrip("/") + "/", token=_place(state, {}, hub, options).token)
        fetch_all([visit], timeout=options.timeout, max_bytes=1 << 16)
        visits = 1
    pace = options.pace(options.wake_timeout)
    try:
        for reading in readings(_again(hub), state, pace, _POLL_SECONDS):
            state = reading.state
            if state.stage not in WAKEABLE:
                break
            options.notify(f"{state.id}: {state.stage}, waiting for it to run")
    except WaitTimeout:
        pass  # what it has come to is judged as it is
    return state, visits


def _again(hub: SpaceLookup) -> Callable[[SpaceState], SpaceState]:
    return lambda state: hub.space_with_card(state.id)[0]


# ------------------------------------------------------------------ by URL


def _by_url(
    target: Target, hub: SpaceLookup | None, endpoint: EndpointSpec | None, options: DiagnosisOptions
) -> tuple[Diagnosis, int]:
    origin = target.origin or ""
    known = Diagnosis(target=target.typed, space=None, verdict=verdict(Code.NOT_UNDERSTOOD, ""))
    # No token: this host was typed, the Hub did not name it.
    place = Place(host=origin, path=target.path.mount, timeout=options.timeout)
    diagnosis, asks = _by_place(known, place, target, endpoint, options, {}, 0)
    if hub is None or not diagnosis.verdict.problem or diagnosis.space is None:
        return diagnosis, asks
    try:
        state, card = hub.space_with_card(diagnosis.space)
    except HubError:
        return diagnosis, asks
    if (state.host or "").rstrip("/").lower() != origin.lower():
        return diagnosis, asks
    # The Hub itself names this host: its stage explains more, and a private Space may be read.
    stopped = not_running(state, hub)
    known = replace(diagnosis, space=state.id, state=state)
    if stopped is not None:
        return replace(known, verdict=stopped), asks
    if diagnosis.verdict.code is Code.PRIVATE_NO_TOKEN and hub.token_for(state.id):
        again, more = _by_place(
            known, _place(state, card, hub, options), target, endpoint, options, card, asks
        )
        return again, more
    return known, asks


# ------------------------------------------------------------------ the app


def _by_place(
    known: Diagnosis,
    place: Place,
    target: Target,
    endpoint: EndpointSpec | None,
    options: DiagnosisOptions,
    card: Mapping[str, Any],
    asks: int,
) -> tuple[Diagnosis, int]:
    # A call shows whether an app that describes nothing has the route; one that describes others is asked.
    assumed = frozenset({"http"} if options.ask_declared else {"http", "openapi", "tgi"})
    unasked = options.invoke or not options.ask_declared
    place = replace(place, declared=endpoint, assume_declared=assumed if unasked else frozenset())
    reading = look(place)
    asks += reading.requests
    if options.auth is not None and reading.sight is not None and reading.sight.code is Code.APP_LOGIN:
        place, reading = _signed_in(place, reading, options.auth)
        asks += 1 + reading.requests
    mounted = False
    if reading.app.kind != "gradio":
        elsewhere, more = _look_elsewhere(place, reading, target)
        asks += more
        if elsewhere is not None:
            # A path that somebody typed is no news; one that we had to find is.
            mounted = elsewhere.base != (target.origin or "") and not target.path.mount
            reading = elsewhere
    known = replace(
        known, base=reading.base, app=reading.app, cookies=place.cookies, space=known.space or reading.space
    )
    evidence = tuple(answer.evidence() for answer in reading.answers)
    judged = judge(known, reading, target, endpoint, mounted, card, options.manifest_options)
    judged = replace(judged, verdict=replace(judged.verdict, evidence=(*judged.verdict.evidence, *evidence)))
    if options.invoke and endpoint is not None and judged.app is not None and _worth_calling(judged, options):
        judged = with_invocation(judged, endpoint, place.token, options.invoke_timeout)
        asks += 1
    return judged, asks


def _signed_in(place: Place, reading: Reading, auth: tuple[str, str]) -> tuple[Place, Reading]:
    """The same place with the cookies of its login, and the app behind it; else why it does not let in."""
    try:
        cookies = sign_in(place.base, auth, token=place.token, timeout=place.timeout)
    except EndpointError as error:
        sight = Sight(code=Code.APP_LOGIN, seen=error.message)
        return place, replace(reading, app=replace(reading.app, problem=error.message), sight=sight)
    place = replace(place, cookies=cookies)
    return place, look(place)


def _look_elsewhere(place: Place, reading: Reading, target: Target) -> tuple[Reading | None, int]:
    """A Gradio app at the root when a path was typed; when the root is no Gradio, below a usual path, or
    below one to which the page at the root leads."""
    if (
        reading.sight is None
        or reading.sight.code is not Code.NOT_GRADIO
        or (place.sdk == "docker" and not place.path)
    ):
        return None, 0
    if place.path:
        root = look(replace(place, path=""))
        useful = root.app.kind == "gradio" or reading.app.kind == "unknown"
        return (root if useful else None), root.requests
    if reading.sight.kind not in {"openapi", "http"} or target.path.path:
        return None, 0
    page, *answers = fetch_paths(place, ["/", *(f"{path}/config" for path in _USUAL_MOUNTS)])
    paths = dict(zip(_USUAL_MOUNTS, answers, strict=True))
    linked = [path for path in links_of(page) if path not in paths][:_MOST_LINKS]
    paths |= zip(linked, fetch_paths(place, [f"{path}/config" for path in linked]), strict=True)
    for path, answer in paths.items():
        if answer.status == 200 and read_config(answer.json()) is not None:
            below = look(replace(place, path=path))
            evidence = (*reading.answers, *below.answers)
            return replace(below, answers=evidence), 1 + len(paths) + below.requests
    return None, 1 + len(paths)


def _worth_calling(known: Diagnosis, options: DiagnosisOptions) -> bool:
    codes = {Code.HEALTHY, Code.NOT_GRADIO, Code.MOUNTED_BELOW}
    if not options.fitting:
        codes.add(Code.ENDPOINT_MISMATCH)
    return known.verdict.code in codes and bool(known.call_url)
