"""What in a file must not be sent: tokens, private keys, keys of other services, and pointers of Git LFS.

The rules for other services are those of detect-secrets that name a service by the form of its keys: what
looks for mere randomness stops a good app for its test data.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from hfspace.text import HUB_TOKEN

LOOKED_AT = 10 << 20
"""Bytes of the beginning of a file that are looked at; what is longer is hardly text."""
POINTER = b"version https://git-lfs.github.com/spec/v1"
_LONGEST_TEXT = 1 << 20
_TOKEN_BYTES = re.compile(HUB_TOKEN.pattern.encode())
_SHORTEST_TOKEN = 30
_MOST_DIFFERENT = 8
_KEY = re.compile(
    rb"-----BEGIN (?:[A-Z0-9]{1,10} ){0,3}PRIVATE KEY(?: BLOCK)?-----"
    rb"(?:\\[nr]|\s){1,8}(?:[\w-]{1,40}: [^\n]{0,200}\n){0,8}\s{0,8}[A-Za-z0-9+/=]{40}"
)
_ALLOWED = re.compile(rb"pragma: ?(?:allow|white)list[ -]secret")
_NEEDLES = {
    "AKIA": (b"a3t", b"abia", b"acca", b"akia", b"asia"),
    "aws.{": (b"aws",),
    "AccountKey=": (b"accountkey=",),
    "ghp|": (b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_"),
    "glpat|": (b"glpat-", b"gldt-", b"glft-", b"glsoat-", b"glrt-"),
    "GR1348941": (b"gr1348941",),
    "glcbt-": (b"glcbt-",),
    "glimt-": (b"glimt-",),
    "glptt-": (b"glptt-",),
    "glagent-": (b"glagent-",),
    "gloas-": (b"gloas-",),
    "_authToken=": (b"_authtoken=",),
    "T3BlbkFJ": (b"t3blbkfj",),
    "pypi-": (b"pypi-ag",),
    "SG\\.": (b"sg.",),
    "xox(": (b"xox",),
    "hooks\\.slack": (b"hooks.slack",),
    "sq0csp-": (b"sq0csp-",),
    "k_live_": (b"k_live_",),
}
"""What stands in every match of a rule with this in it: looking for that is a hundred times faster."""


class Finding(NamedTuple):
    """One thing in a file: what it is, and its line, from 1."""

    what: str
    line: int


def findings(data: bytes) -> tuple[Finding, ...]:
    """What in the beginning of a file must not be sent; one of each kind."""
    kinds: dict[str, Finding] = {}
    for what, at in _matches(data):
        kinds.setdefault(what, Finding(what, data.count(b"\n", 0, at) + 1))
    return tuple(kinds.values())


def is_pointer(data: bytes) -> bool:
    """Whether it stands for a file that Git LFS has not fetched."""
    return data.startswith(POINTER) and len(data) < 1024


def _matches(data: bytes) -> Iterator[tuple[str, int]]:
    """(what, offset) of each secret. A line may be marked as none, but for tokens of the Hub: it refuses a
    commit with one, whatever the line says."""
    tokens = _TOKEN_BYTES.finditer(data) if b"hf_" in data else ()
    yield from (("a token of the Hub", one.start()) for one in tokens if _is_real(one[0]))
    keys = _KEY.finditer(data) if b"PRIVATE KEY" in data else ()
    yield from (("a private key", one.start()) for one in keys if not _is_allowed(data, one))
    if len(data) > _LONGEST_TEXT or b"\0" in data[:8192]:
        return
    lowered = data.lower()
    for what, rule, needles in _rules():
        if not needles or any(needle in lowered for needle in needles):
            yield from ((what, one.start()) for one in rule.finditer(data) if not _is_allowed(data, one))


def _is_real(token: bytes) -> bool:
    """Whether a token may be more than a placeholder, such as hf_xxxxxxxxxxxx."""
    return len(token) >= _SHORTEST_TOKEN and len(set(token[3:])) >= _MOST_DIFFERENT


def _is_allowed(data: bytes, match: re.Match[bytes]) -> bool:
    """Whether the line says that it holds no secret, as detect-secrets has it."""
    end = data.find(b"\n", match.end())
    line = data[data.rfind(b"\n", 0, match.start()) + 1 : end if end >= 0 else len(data)]
    return _ALLOWED.search(line) is not None


@cache
def _rules() -> tuple[tuple[str, re.Pattern[bytes], tuple[bytes, ...]], ...]:
    """(what, rule, what stands in every match) of each rule of detect-secrets that is used."""
    from detect_secrets.plugins import (  # 300 ms: for folders alone
        aws,
        azure_storage_key,
        github_token,
        gitlab_token,
        npm,
        openai,
        pypi_token,
        sendgrid,
        slack,
        square_oauth,
        stripe,
    )

    detectors = (
        aws.AWSKeyDetector,
        azure_storage_key.AzureStorageKeyDetector,
        github_token.GitHubTokenDetector,
        gitlab_token.GitLabTokenDetector,
        npm.NpmDetector,
        openai.OpenAIDetector,
        pypi_token.PypiTokenDetector,
        sendgrid.SendGridDetector,
        slack.SlackDetector,
        square_oauth.SquareOAuthDetector,
        stripe.StripeDetector,
    )
    return tuple(
        (_named(detector.secret_type), _for_bytes(rule), _needles(rule.pattern))
        for detector in detectors
        for rule in detector.denylist
    )


def _named(kind: str) -> str:
    return f"{'an' if kind[0] in 'AEIO' else 'a'} {kind}"


def _for_bytes(rule: re.Pattern[str]) -> re.Pattern[bytes]:
    return re.compile(rule.pattern.encode(), rule.flags & ~re.UNICODE)


def _needles(pattern: str) -> tuple[bytes, ...]:
    return next((needles for part, needles in _NEEDLES.items() if part in pattern), ())
