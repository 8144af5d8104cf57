"""One look at a running app without running it: its config and API info, in one parallel round trip."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from hfspace.errors import AppError
from hfspace.live.gradio.classify import Sight, canonical_space, classify
from hfspace.live.gradio.codes import Code
from hfspace.live.gradio.config import GradioConfig, gradio_app, read_config
from hfspace.live.gradio.fetch import MAX_BYTES, TIMEOUT_SECONDS, AppAnswer, Ask, fetch_all
from hfspace.live.gradio.openapi import openapi_app, tgi_app
from hfspace.live.gradio.routes import routes_at
from hfspace.live.gradio.undescribed import callable_as, judge, question
from hfspace.live.gradio.urls import expected_prefix
from hfspace.manifest.models import EndpointSpec
from hfspace.model import ServedApp


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where to look. `host` is an http(s) origin; `path` where the app is mounted; `token` goes to this
    origin only, as do the `cookies` of a login. `public`: no proxy of the Hub asks for a token. `sdk` and
    `sdk_version` are what the Hub says, None when it was not asked. `declared` is looked for where the app
    does not describe it; in apps of the kinds in `assume_declared` it is taken as it is, to be called."""

    host: str
    path: str = ""
    sdk: str | None = None
    sdk_version: str | None = None
    token: str | None = field(default=None, repr=False)
    cookies: Mapping[str, str] = field(default_factory=dict, repr=False)
    public: bool = False
    timeout: float = TIMEOUT_SECONDS
    max_bytes: int = MAX_BYTES
    declared: EndpointSpec | None = None
    assume_declared: frozenset[str] = frozenset()

    @property
    def base(self) -> str:
        path = "/" + self.path.strip("/") if self.path.strip("/") else ""
        return self.host.rstrip("/") + path


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was seen. `app.kind` is unknown where nothing could be read; `sight` then says why.
    `space` is the id that the Hub's proxy names for this host."""

    app: ServedApp
    base: str
    sight: Sight | None = None
    answers: tuple[AppAnswer, ...] = ()
    space: str | None = None

    @property
    def requests(self) -> int:
        return len(self.answers)


def read_app(
    host: str,
    *,
    sdk: str | None = None,
    sdk_version: str | None = None,
    token: str | None = None,
    base_path: str = "",
    declared: EndpointSpec | None = None,
    timeout: float = TIMEOUT_SECONDS,
    max_bytes: int = MAX_BYTES,
) -> ServedApp:
    """What the app at `host` serves; `problem` is set when it can't be read. Two or three GETs, no call; one
    more request for a `declared` route that an HTTP app does not describe.

    `timeout` is in seconds per request. Raises AppError when `host` is no http(s) URL.
    """
    place = Place(
        host=host, path=base_path, sdk=sdk, sdk_version=sdk_version, token=token, timeout=timeout,
        max_bytes=max_bytes, declared=declared,
    )  # fmt: skip
    return look(place).app


def look(place: Place) -> Reading:
    """Read the app at `place`. Never raises for what the host answers. Raises AppError for no URL."""
    if not place.host.lower().startswith(("http://", "https://")):
        raise AppError("The host of the Space is not an http(s) URL.", hint="Write https://….")
    first = fetch_paths(place, _first_paths(place))
    config_answer = first[0]
    config = read_config(config_answer.json()) if config_answer.status == 200 else None
    if config is not None:
        reading = _gradio(place, config, first)
    elif config_answer.status in {200, 404, 405, 307, 308}:
        reading = _other(place, first)
    else:
        reading = _unread(
            place, classify(config_answer, sent_token=place.token is not None, public=place.public), first
        )
    space = next((name for answer in reading.answers if (name := canonical_space(answer.headers))), None)
    return replace(reading, space=space)


def _first_paths(place: Place) -> list[str]:
    if place.sdk == "docker":
        return ["/config", "/openapi.json"]
    return ["/config", f"{expected_prefix(place.sdk_version)}/info"]


def _gradio(place: Place, config: GradioConfig, answers: tuple[AppAnswer, ...]) -> Reading:
    """The API info is at the prefix that the config names; one more request where that was not expected."""
    info_url = f"{place.base}{config.prefix}/info"
    info = next((answer for answer in answers if answer.url == info_url), None)
    if info is None and not config.version.startswith("2."):
        (info,) = fetch_paths(place, [f"{config.prefix}/info"])
        answers = (*answers, info)
    document = info.json() if info is not None and info.status == 200 else None
    return Reading(app=gradio_app(config, document, place.base), base=place.base, answers=answers)


def _other(place: Place, answers: tuple[AppAnswer, ...]) -> Reading:
    """Not Gradio: TGI, else the routes of an OpenAPI document, else what the page is."""
    sight = classify(answers[0], sent_token=place.token is not None)
    if sight.code is not Code.NOT_GRADIO or sight.kind == "streamlit":
        return _unread(place, sight, answers)
    have = {answer.url: answer for answer in answers}
    missing = [path for path in ("/openapi.json", "/info") if f"{place.base}{path}" not in have]
    more = fetch_paths(place, missing) if missing else ()
    answers = (*answers, *more)
    have |= {answer.url: answer for answer in more}
    app = _app_of(have.get(f"{place.base}/info"), tgi_app, place.base) or _app_of(
        have.get(f"{place.base}/openapi.json"), openapi_app, place.base
    )
    if place.declared is not None and place.declared.path and _undescribed(place.declared, app):
        return _with_declared(place, place.declared, app, sight, answers)
    if app is None:
        return _unread(place, sight, answers)
    return Reading(app=app, base=place.base, sight=_http_sight(app), answers=answers)


def _http_sight(app: ServedApp) -> Sight:
    what = {"tgi": "Text Generation Inference", "openapi": "an HTTP app with an OpenAPI document"}
    kind = what.get(app.kind, "an HTTP app that does not describe itself")
    return Sight(code=Code.NOT_GRADIO, seen=f"The app is {kind}, not Gradio.", kind=app.kind)


def _undescribed(declared: EndpointSpec, app: ServedApp | None) -> bool:
    return app is None or not routes_at(declared.path or "", app)


def _with_declared(
    place: Place, declared: EndpointSpec, app: ServedApp | None, sight: Sight, answers: tuple[AppAnswer, ...]
) -> Reading:
    """The app with the declared route in it, as far as asking for it shows that it is served."""
    routes = callable_as(declared, place.base)
    if (app.kind if app else "http") not in place.assume_declared:
        try:
            ask = replace(question(declared, place.base, place.token), cookies=place.cookies)
        except AppError as error:  # a part of its path has no value
            todo = "Write its values beside path, so that it can be asked for: params: {NAME: …}"
            sight = Sight(code=Code.NOT_UNDERSTOOD, seen=error.message, kind="http", todo=todo)
            return _unread(place, sight, answers)
        (answer,) = fetch_all([ask], timeout=place.timeout, max_bytes=place.max_bytes)
        answers = (*answers, answer)
        judged = judge(
            declared, place.base, answer,
            sent_token=place.token is not None, page_for_all=sight.kind == "static",
        )  # fmt: skip
        if isinstance(judged, Sight) and app is None:
            return _unread(place, judged, answers)
        routes = () if isinstance(judged, Sight) else judged
    if app is not None:
        served = tuple(route for route in routes if not route.refusal)
        described = replace(app, endpoints=(*app.endpoints, *served))
    else:
        described = ServedApp(kind="http", protocol="http", endpoints=routes)
    return Reading(app=described, base=place.base, sight=_http_sight(described), answers=answers)


def _app_of(
    answer: AppAnswer | None, read: Callable[[object, str], ServedApp | None], base: str
) -> ServedApp | None:
    return read(answer.json(), base) if answer is not None and answer.status == 200 else None


def _unread(place: Place, sight: Sight, answers: tuple[AppAnswer, ...]) -> Reading:
    kind = sight.kind if sight.kind in {"static", "streamlit", "http"} else "unknown"
    return Reading(
        app=ServedApp(kind=kind, problem=sight.seen), base=place.base, sight=sight, answers=answers
    )


def fetch_paths(place: Place, paths: Sequence[str]) -> tuple[AppAnswer, ...]:
    """GET each path below the app's own, all at once."""
    asks = [Ask(url=f"{place.base}{path}", token=place.token, cookies=place.cookies) for path in paths]
    return fetch_all(asks, timeout=place.timeout, max_bytes=place.max_bytes)
