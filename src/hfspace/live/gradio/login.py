"""The login of a Gradio app with auth=: a user and a password for the cookies of a session."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

from hfspace.live.gradio.calls import EndpointError
from hfspace.live.gradio.fetch import TIMEOUT_SECONDS, Ask, fetch_all, safe_host
from hfspace.loopback import is_loopback


def sign_in(
    base: str, auth: tuple[str, str], *, token: str | None = None, timeout: float = TIMEOUT_SECONDS
) -> dict[str, str]:
    """The cookies that let `auth` (user, password) in. `timeout` is in seconds.

    Raises EndpointError when the app refuses them or has no such login; nothing is sent over plain http to
    another machine.
    """
    parts = urlsplit(base)
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        raise EndpointError("A password is not sent over plain http.", hint="Use the https URL of the app.")
    user, password = auth
    body = urlencode({"username": user, "password": password}).encode()
    ask = Ask(
        url=f"{base}/login", method="POST", token=token, body=body,
        content_type="application/x-www-form-urlencoded",
    )  # fmt: skip
    (answer,) = fetch_all([ask], timeout=timeout, max_bytes=1 << 16)
    if not answer.status:
        raise EndpointError(answer.problem)
    if answer.status in {400, 401}:
        raise EndpointError(
            f"The app at {safe_host(base)} refuses this user and password.",
            hint="They are those of auth= in the app's code, not a Hub token.",
        )
    if answer.status != 200 or not answer.cookies:
        raise EndpointError(
            f"{safe_host(base)} has a login that is not Gradio's ({answer.status} to POST /login).",
            hint="Only the login of auth= in a Gradio app is known.",
        )
    return dict(answer.cookies)
