"""From what huggingface_hub raises to one clear sentence with a next step.

Decides on the status code, never on the library's exception class: over http a 401 is not the exception
that it is over https (docs/hub-api.md section 13).
"""

from __future__ import annotations

import re
from typing import Any

from hfspace.errors import (
    BillingRefused,
    Conflict,
    HubError,
    HubFault,
    HubUnreachable,
    NeedsWrite,
    NotVisible,
    Outdated,
    RateLimited,
    Rejected,
    Unauthorized,
)
from hfspace.redaction import KnownSecrets
from hfspace.retries import asked_wait
from hfspace.text import one_line, rough_time

_BILLING = re.compile(
    r"subscri|payment|billing|PRO\b|quota|upgrade your|credit|spend limit|plan\b|pause your previous",
    re.IGNORECASE,
)
_LONGEST = 700
_BAD_ADDRESS = frozenset({"InvalidURL", "UnsupportedProtocol"})
_ODD = {
    "JSONDecodeError": "it is not JSON",
    "UnicodeDecodeError": "it is not text",
    "RecursionError": "it is nested too deep",
    "KeyError": "something is missing in it",
    "ValueError": "a value in it makes no sense",
    "ArithmeticError": "a number in it makes no sense",
    "TypeError": "it has another shape",
    "AttributeError": "it has another shape",
    "LookupError": "something is missing in it",
    "TooManyRedirects": "it sends us round in circles",
}
_WHY = {
    "ConnectError": "no connection",
    "ConnectTimeout": "no connection in time",
    "ReadTimeout": "it took too long",
    "WriteTimeout": "it took too long",
    "PoolTimeout": "it took too long",
    "ReadError": "the connection broke",
    "WriteError": "the connection broke",
    "RemoteProtocolError": "the connection broke in the middle of an answer",
    "ProxyError": "the proxy refuses",
}


def translate(
    error: Exception,
    *,
    doing: str,
    what: str,
    endpoint: str,
    has_token: bool,
    write: bool,
    secrets: KnownSecrets,
) -> HubError:
    """The HubError for `error`, raised while `doing` something to `what`; without any of `secrets`."""
    act = f"{doing} {what}".strip()
    response = getattr(error, "response", None)
    if response is not None and getattr(response, "status_code", None):
        return _refusal(response, act, what, has_token, write, secrets)
    name = type(error).__name__
    if name == "Diverted":
        return Rejected(
            f"{endpoint} sends us to another host ({_clean(str(error), secrets)}), to: {act}. "
            "Nothing was sent there.",
            hint="Check that HF_ENDPOINT names the Hub itself, not an address that redirects to it.",
        )
    if name in _BAD_ADDRESS or str(error) in _BAD_ADDRESS:
        return HubFault(
            f"{endpoint} sends us to an address that is none, to: {act}.",
            hint="Check that HF_ENDPOINT names a Hub, and that no proxy answers in its place.",
        )
    if _is_transport(error):
        hint = (
            "It may or may not have happened: run again." if write else "Check the network and HF_ENDPOINT."
        )
        return HubUnreachable(f"No answer from {endpoint} to: {act} ({_broken(error)}).", hint=hint)
    if isinstance(error, ValueError) and type(error).__module__.startswith("huggingface_hub"):
        return Rejected(f"Could not {act}: {_clean(str(error), secrets)}", status=400)
    if isinstance(error, ValueError) and write and name == "ValueError":
        return Rejected(f"Could not {act}: {_clean(str(error), secrets)}", status=400)
    return HubFault(
        f"{endpoint} did not answer as the Hub does to: {act} ({oddity(error)}).",
        hint="Run again; check that HF_ENDPOINT names a Hub, and that no proxy answers in its place.",
    )


def oddity(error: Exception) -> str:
    """What is odd about an answer that could not be understood, judged by what reading it raised."""
    names = [base.__name__ for base in type(error).__mro__]
    return next((_ODD[name] for name in names if name in _ODD), names[0])


def _broken(error: Exception) -> str:
    """Why there was no answer. GaveUp carries the name of the last failure as its text."""
    name = str(error) if type(error).__name__ == "GaveUp" else type(error).__name__
    return _WHY.get(name, name)


def _refusal(
    response: Any, act: str, what: str, has_token: bool, write: bool, secrets: KnownSecrets
) -> HubError:
    status = int(response.status_code)
    said = _message(response, secrets)
    quoted = f' The Hub says: "{said}"' if said else ""
    if status == 401:
        return _unauthorized(act, quoted, has_token)
    if status == 402 or (status == 403 and _BILLING.search(said)):
        return BillingRefused(
            f"The Hub will not {act} with this account.{quoted}", hint=_billing_hint(said), status=status
        )
    if status == 403:
        return NeedsWrite(
            f"This token may not {act}.{quoted}",
            hint="Use a token with write access to it; `hfspace doctor` shows what this one may do.",
            status=status,
        )
    if status == 404:
        return NotVisible(
            f"{what or 'It'} does not exist, or this token can't see it.",
            hint="Check the spelling and that the token may see private Spaces of this owner.",
            status=status,
        )
    if status == 409:
        return Conflict(
            f"Could not {act}: it conflicts with what is there.{quoted}", hint="Run again.", status=status
        )
    if status == 412:
        return Outdated(f"Could not {act}: a commit came in between.{quoted}", status=status)
    if status == 429:
        wait = asked_wait(response.headers)
        hint = "Run again later." if wait is None else f"Run again in {rough_time(wait)}."
        stop = f"The Hub's rate limit stops us at: {act}.{quoted}"
        return RateLimited(stop, hint=hint, reset_in=wait or 0.0)
    if status >= 500:
        return HubFault(f"The Hub failed ({status}) to: {act}.{quoted}", hint="Run again.", status=status)
    return Rejected(
        f"The Hub refuses to {act}.{quoted}",
        hint="Correct the value in the manifest." if write else "Run again; check HF_ENDPOINT.",
        status=status,
    )


def _unauthorized(act: str, quoted: str, has_token: bool) -> Unauthorized:
    if not has_token:
        return Unauthorized(
            f"Without a token the Hub does not let us {act}.",
            hint="Set HF_TOKEN, or log in with `hf auth login`.",
            status=401,
        )
    return Unauthorized(
        f"The Hub does not accept this token to {act}.{quoted}",
        hint="It may be expired, or of a kind that may not do this (a login by browser can pause, but not "
        "restart or change hardware): make an access token with write role and set HF_TOKEN.",
        status=401,
    )


def _billing_hint(said: str) -> str:
    if "downgrade" in said:
        return "Pause the Space instead (state: paused): a paused Space costs nothing."
    if "spend limit" in said.lower():
        return "Raise the limit of its resource group, or wait for the next month."
    if "quota" in said.lower():
        return "Pause other Spaces of this account first (state: paused), then run again."
    return "Check the plan and the payment method of the account that owns the Space."


def _message(response: Any, secrets: KnownSecrets) -> str:
    """The Hub's own words: `error` of the body, in either of its two forms (docs/hub-api.md section 13)."""
    try:
        body = response.json()
        said = body.get("error", "") if isinstance(body, dict) else ""
        said = said.get("message", "") if isinstance(said, dict) else said
        said = said if isinstance(said, str) else ""
    except Exception:  # noqa: BLE001 - whatever came is not JSON; the header may still say it
        said = ""
    return _clean(str(said or response.headers.get("x-error-message", "")), secrets)


def _clean(text: str, secrets: KnownSecrets) -> str:
    """One bounded line without anything that looks like a token."""
    return one_line(secrets.redact(text), _LONGEST)


def _is_transport(error: Exception) -> bool:
    names = {base.__name__ for base in type(error).__mro__}
    return bool(
        names
        & {"TransportError", "GaveUp", "OSError", "TimeoutException", "OfflineModeIsEnabled", "InvalidURL"}
    )
