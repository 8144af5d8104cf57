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
_KEY_SIGNS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+/=.:\\"
_MASK = bytes(ord("x" if sign in _KEY_SIGNS else " ") for sign in range(256))
_KEY_LIKE = b"x" * 16
_AWS = "aws.{"
_AWS_SECRET = re.compile(rb"[0-9a-zA-Z/+]{40}")
_NEEDLES = {
    "_authToken=": b"_authtoken=",
    "T3BlbkFJ": b"t3blbkfj",
    "xox(": b"xox",
    "hooks\\.slack": b"hooks.slack",
    "k_live_": b"k_live_",
}
"""What stands in every match of a rule with this in it: the rule itself is slow to look for."""
_ONE_STRETCH = (
    "AKIA", "AccountKey=", "ghp|", "glpat|", "GR1348941", "glcbt-", "glimt-", "glptt-", "glagent-", "gloas-",
    "pypi-", "SG\\.", "sq0csp-",
)  # fmt: skip
"""Parts of rules that match signs of keys alone, and begin with fixed letters."""


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
    runs = b"\n".join(_runs(data))
    lowered = runs.lower()
    for what, rule, part in _rules():
        if _may_match(rule, part, data, runs, lowered):
            yield from ((what, one.start()) for one in rule.finditer(data) if not _is_allowed(data, one))


def _may_match(rule: re.Pattern[bytes], part: str, data: bytes, runs: bytes, lowered: bytes) -> bool:
    """Whether it is worth while to look for a rule in the whole of a file, of which `runs` are key-like."""
    if part in _ONE_STRETCH:
        return rule.search(runs) is not None
    if part == _AWS:  # stands before the key, and not in it
        return _AWS_SECRET.search(runs) is not None and b"aws" in data.lower()
    return part not in _NEEDLES or _NEEDLES[part] in lowered


def _runs(data: bytes) -> list[bytes]:
    """The stretches of a file that are long enough for a key, without anything that no key has in it: a small
    part of what people write, and all that the rules have to look at."""
    mask, runs = data.translate(_MASK), []
    start = mask.find(_KEY_LIKE)
    while start >= 0:
        end = mask.find(b" ", start)
        runs.append(data[start : end if end >= 0 else len(data)])
        start = mask.find(_KEY_LIKE, end) if end >= 0 else -1
    return runs


def _is_real(token: bytes) -> bool:
    """Whether a token may be more than a placeholder, such as hf_xxxxxxxxxxxx."""
    return len(token) >= _SHORTEST_TOKEN and len(set(token[3:])) >= _MOST_DIFFERENT


def _is_allowed(data: bytes, match: re.Match[bytes]) -> bool:
    """Whether the line says that it holds no secret, as detect-secrets has it."""
    end = data.find(b"\n", match.end())
    line = data[data.rfind(b"\n", 0, match.start()) + 1 : end if end >= 0 else len(data)]
    return _ALLOWED.search(line) is not None


@cache
def _rules() -> tuple[tuple[str, re.Pattern[bytes], str], ...]:
    """(what, rule, the part that we know it by) of each rule of detect-secrets that is used."""
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
        (_named(detector.secret_type), _for_bytes(rule), _part(rule.pattern))
        for detector in detectors
        for rule in detector.denylist
    )


def _named(kind: str) -> str:
    return f"{'an' if kind[0] in 'AEIO' else 'a'} {kind}"


def _for_bytes(rule: re.Pattern[str]) -> re.Pattern[bytes]:
    return re.compile(rule.pattern.encode(), rule.flags & ~re.UNICODE)


def _part(pattern: str) -> str:
    return next((part for part in (*_ONE_STRETCH, *_NEEDLES, _AWS) if part in pattern), "")
