"""What an answer that is no app's config means: the proxy of the Hub, a login, a limit, another kind of app.

The table is gradio facts 3.2; the proxy's pages are known from public recordings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from hfspace.live.gradio.codes import Code
from hfspace.live.gradio.fetch import AppAnswer, safe_host
from hfspace.retries import asked_wait

ERROR_PAGE = b"Your space is in error, check its status on hf.co"
"""The whole body of the 503 with which the Hub's proxy says that it can't reach the app."""

_LONGEST_PAGE = 1 << 18
_LINK = re.compile(r"""\b(?:href|src)\s*=\s*["']([^"'<>\s]{1,200})["']""", re.IGNORECASE)
_PATH = re.compile(r"(/[\w.~-]+){1,4}")
_NO_PAGE = "Sorry, we can't find the page"
_CANONICAL = re.compile(
    r"<https?://(?:www\.)?(?:huggingface\.co|hf\.co)/spaces/([\w.-]+/[\w.-]+)>\s*;\s*rel=\"?canonical\"?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """One finding. `seen` is a sentence about this answer; `kind` names the app where it is another kind;
    `todo` is what to do, where the code alone does not say it."""

    code: Code
    seen: str
    kind: str = ""
    todo: str = ""


_APP_LOGIN = Sight(code=Code.APP_LOGIN, seen="The app answered 401: it has a login of its own.")


def canonical_space(headers: Mapping[str, str]) -> str | None:
    """The Space that the Hub's proxy says this host belongs to (also on its 503); None off the Hub."""
    match = _CANONICAL.search(headers.get("link", ""))
    return match[1] if match else None


def links_of(answer: AppAnswer) -> tuple[str, ...]:
    """The paths of its own host to which a redirect or a page leads, without their last slash, in order."""
    named = [answer.headers.get("location", ""), *_LINK.findall(answer.text[:_LONGEST_PAGE])]
    own = urlsplit(answer.url)
    paths = []
    for link in named:
        try:
            target = urlsplit(urljoin(answer.url, link.strip()))
        except ValueError:
            continue
        path = target.path.rstrip("/")
        if (target.scheme, target.netloc) == (own.scheme, own.netloc) and _PATH.fullmatch(path):
            paths.append(path)
    return tuple(dict.fromkeys(paths))


def reached_app(headers: Mapping[str, str]) -> bool:
    """The proxy adds x-proxied-* only when the request got to the container."""
    return any(name.startswith("x-proxied-") for name in headers)


def classify(answer: AppAnswer, *, sent_token: bool = False, public: bool = False) -> Sight:
    """What this answer to GET /config means, when it is not the config of a Gradio app. `public`: no proxy
    of the Hub asks for a token before the app is reached."""
    if not answer.status:
        return Sight(code=Code.UNREACHABLE, seen=answer.problem)
    if answer.status == 401 and (public or reached_app(answer.headers)):
        return _APP_LOGIN
    special = {401: _login, 403: _forbidden, 404: _not_found, 429: _limited}.get(answer.status)
    if special is not None:
        return special(answer, sent_token)
    if answer.status >= 500:
        return _server_error(answer)
    if 300 <= answer.status < 400:
        return _redirect(answer)
    if answer.status == 200:
        return _other_page(answer)
    if answer.status == 405:
        return Sight(
            code=Code.NOT_GRADIO,
            seen="There is a route /config, but not one that can be read.",
            kind="unknown",
        )
    return Sight(code=Code.NOT_UNDERSTOOD, seen=f"{_host(answer)} answered {answer.status} to GET /config.")


def _login(answer: AppAnswer, sent_token: bool) -> Sight:
    if answer.json() is not None:
        return _APP_LOGIN
    if sent_token:
        return Sight(code=Code.WRONG_TOKEN, seen="The Hub's proxy answered 401 although a token was sent.")
    return Sight(code=Code.PRIVATE_NO_TOKEN, seen="The Hub's proxy answered 401: the Space is private.")


def _forbidden(answer: AppAnswer, sent_token: bool) -> Sight:
    if reached_app(answer.headers):
        return Sight(code=Code.APP_LOGIN, seen="The app itself answered 403.")
    return Sight(code=Code.WRONG_ROLE, seen=f"{_host(answer)} answered 403 before the app was reached.")


def _not_found(answer: AppAnswer, sent_token: bool) -> Sight:
    if _NO_PAGE in answer.text and not reached_app(answer.headers):
        space = canonical_space(answer.headers)
        owner = f"; the Hub says that this host belongs to {space}" if space else ""
        return Sight(code=Code.WRONG_SUBDOMAIN, seen=f"No Space has the host {_host(answer)}{owner}.")
    body = answer.json()
    if isinstance(body, dict) and "does not accept direct HTTP POST" in str(body.get("detail")):
        return Sight(
            code=Code.QUEUE_ONLY, seen="The endpoint exists, and takes calls through its queue only."
        )
    if body is not None:
        return Sight(
            code=Code.NOT_GRADIO, seen="An app answers, but it serves no Gradio config here.", kind="http"
        )
    return Sight(code=Code.NOT_GRADIO, seen=f"{_host(answer)} answers 404 to GET /config.", kind="unknown")


def _limited(answer: AppAnswer, sent_token: bool) -> Sight:
    wait = asked_wait(answer.headers)
    hint = f" It asks to wait {wait:.0f} s." if wait is not None else ""
    return Sight(code=Code.RATE_LIMITED, seen=f"{_host(answer)} answered 429: too many requests.{hint}")


def _server_error(answer: AppAnswer) -> Sight:
    if answer.body.strip() == ERROR_PAGE:
        return Sight(
            code=Code.PROXY_UNREACHABLE, seen="The Hub's proxy answered 503: it can't reach the app."
        )
    if answer.status in {502, 503, 504} and not reached_app(answer.headers) and answer.json() is None:
        return Sight(
            code=Code.PROXY_UNREACHABLE, seen=f"A proxy answered {answer.status}: it can't reach the app."
        )
    return Sight(code=Code.NOT_UNDERSTOOD, seen=f"The app answered {answer.status} to GET /config.")


def _redirect(answer: AppAnswer) -> Sight:
    target = safe_host(answer.headers.get("location", "")) or "another path"
    return Sight(
        code=Code.NOT_UNDERSTOOD,
        seen=f"{_host(answer)} redirects to {target}; redirects are not followed, so that no token travels.",
    )


def _other_page(answer: AppAnswer) -> Sight:
    if not answer.complete:
        size = len(answer.body) >> 20
        return Sight(
            code=Code.NOT_UNDERSTOOD, seen=f"The answer of {_host(answer)} is larger than {size} MiB."
        )
    text = answer.text
    if '"auth_required":true' in text.replace(" ", ""):
        return Sight(code=Code.APP_LOGIN, seen="The app shows a login page of its own.")
    if "<title>Streamlit</title>" in text or "_stcore/" in text:
        return Sight(
            code=Code.NOT_GRADIO, seen="The app is a Streamlit app: it has no API to call.", kind="streamlit"
        )
    if "html" in answer.content_type or text.lstrip()[:1] == "<":
        return Sight(code=Code.NOT_GRADIO, seen="The host serves a web page for every path.", kind="static")
    if answer.json() is None:
        return Sight(
            code=Code.NOT_UNDERSTOOD, seen=f"{_host(answer)} answered 200 with something that is not JSON."
        )
    return Sight(
        code=Code.NOT_GRADIO, seen="GET /config answers JSON, but not that of a Gradio app.", kind="http"
    )


def _host(answer: AppAnswer) -> str:
    return safe_host(answer.url)
