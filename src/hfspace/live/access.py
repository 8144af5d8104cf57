"""Which token goes with a request about one Space: the one that was found, or one exchanged for the Space."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from hfspace.errors import NeedsWrite, NotVisible, Rejected, Unauthorized, UsageError
from hfspace.live.oidc import KeylessTokens, is_available
from hfspace.model import Account

T = TypeVar("T")
Auth = str | bool
"""What huggingface_hub takes: a token, or False for none."""

FORBIDDEN = (NeedsWrite, NotVisible, Rejected, Unauthorized)
"""What a read is refused with that another token may be allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One token for everything; None asks anonymously."""

    token: str | None

    @property
    def account(self) -> Account | None:
        """Who it is, where that needs no question."""
        return None

    def settings(self, space: str) -> Auth:
        """For writing, and for reading what only a writer may read."""
        return self.token or False

    def app(self, space: str) -> str | None:
        """For the Space's own app."""
        return self.token

    def read(self, space: str, ask: Callable[[Auth], T]) -> T:
        """For what everybody may read of a public Space."""
        return ask(self.token or False)

    def explained(self, error: NeedsWrite) -> NeedsWrite:
        return error


def allowed(read: Callable[[], T]) -> T | None:
    """None for what this token may not read: unknown, never empty (docs/hub-api.md section 9)."""
    try:
        return read()
    except FORBIDDEN:
        return None


class Keyless:
    """A token per Space, exchanged when it is first needed. Public Spaces are read without one, and their
    apps never see one: it can change the Space. Safe to use from several threads.
    """

    token = None

    def __init__(self, exchange: Callable[[str], str], account: Account) -> None:
        self._exchange = exchange
        self.account = account
        self._closed: set[str] = set()
        self._lock = threading.Lock()

    def settings(self, space: str) -> Auth:
        return self._exchange(space)

    def app(self, space: str) -> str | None:
        with self._lock:
            closed = space in self._closed
        return self._exchange(space) if closed else None

    def read(self, space: str, ask: Callable[[Auth], T]) -> T:
        """Raises NotTrusted for a Space that is missing, or private without a trusted publisher: without a
        token the Hub does not say which."""
        with self._lock:
            closed = space in self._closed
        if not closed:
            try:
                return ask(False)
            except (Unauthorized, NotVisible):
                pass
        token = self._exchange(space)
        with self._lock:
            self._closed.add(space)
        return ask(token)

    def explained(self, error: NeedsWrite) -> NeedsWrite:
        """The Hub documents what such a token may do to a repository, not to a Space's settings."""
        hint = "The token exchanged for this job may not: set HF_TOKEN (docs/github-actions.md)."
        return NeedsWrite(error.message, hint=hint, status=error.status)


def access(token: str | None, endpoint: str, env: Mapping[str, str]) -> Stored | Keyless:
    """The token that was found; without one, in a CI job that may, keyless. Raises UsageError for an endpoint
    that is no http(s) URL and for a token that can be none."""
    _check(token, endpoint)
    if token or not is_available(env):
        return Stored(token=token)
    who = env.get("GITHUB_REPOSITORY") or "this job"
    return Keyless(KeylessTokens(env, endpoint).token_for, Account(name=who, role="oidc"))


def _check(token: str | None, endpoint: str) -> None:
    if "@" in endpoint:
        # It would be in plans, reports and messages; the value is not repeated here either.
        raise UsageError(
            "HF_ENDPOINT holds a user or a password.", hint="Remove it: the token says who you are."
        )
    if not endpoint.startswith(("https://", "http://")):
        raise UsageError(f"HF_ENDPOINT is not a URL: {endpoint}.", hint="Write https://huggingface.co.")
    if token is not None and not (token.isascii() and token.isprintable()):
        raise UsageError(
            "The token holds characters that no token has.", hint="Copy it once more, into HF_TOKEN."
        )
