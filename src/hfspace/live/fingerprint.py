"""Secret fingerprints: how an unchanged secret is recognised on a Hub that never shows a value.

A fingerprint is a salted scrypt digest kept in the secret's own description. Everybody who may list the
Space's secrets can read it, so it is slow to guess from, and salted per secret so that two secrets with one
value look different. With a key (HFSPACE_FINGERPRINT_KEY) nobody without the key can guess at all.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from functools import lru_cache
from threading import BoundedSemaphore

_MARK = re.compile(r"\s*\[hfspace:(v1|v2|k2):([\w-]{22}):([\w-]{22})\]")
_COST = {"v1": 2**14, "v2": 2**16, "k2": 2**12}
"""scrypt's N. 2**16 takes 64 MiB and about 0.25 s a guess: 12 s for a plan of 50 secrets on two slow cores.
With a key it is the key that protects, and 50 take less than a second. Marks of the first version are still
recognised, and replaced when a secret is written anyway."""

_AT_ONCE = BoundedSemaphore(2)  # a plan compares in many threads, and each digest takes 64 MiB
_FEWEST_BITS = 40
_CLASSES = (("0123456789", 10), ("abcdefghijklmnopqrstuvwxyz", 26), ("ABCDEFGHIJKLMNOPQRSTUVWXYZ", 26))


def fingerprint(value: str, salt: bytes, key: str = "") -> str:
    """The mark for `value`, keyed where there is a `key`. `salt` is 16 random bytes."""
    version = "k2" if key else "v2"
    return f"[hfspace:{version}:{_text(salt)}:{_text(_digest(value, salt, key, version))}]"


def split(description: str | None) -> tuple[str | None, str | None]:
    """(what a person wrote, the mark) of a secret's description; None for what is not there. A mark that
    somebody wrote behind is none, but is not shown either."""
    if not description:
        return None, None
    marks = list(_MARK.finditer(description))
    if not marks:
        return description, None
    last = marks[-1]
    mark = last[0].strip() if not description[last.end() :].strip() else None
    return _MARK.sub("", description).rstrip() or None, mark


def join(description: str | None, mark: str) -> str:
    return f"{description} {mark}" if description else mark


def matches(value: str, mark: str, key: str = "") -> bool | None:
    """Whether `mark` was made from `value`. False for a damaged mark, None for one that needs a key."""
    match = _MARK.fullmatch(mark)
    if not match:
        return False
    version, salt_text, digest = match.groups()
    if version == "k2" and not key:
        return None
    try:
        salt = urlsafe_b64decode(salt_text + "==")
    except Base64Error:
        return False
    return hmac.compare_digest(_text(_digest(value, salt, key, version)), digest)


def is_guessable(value: str) -> bool:
    """Whether so few values look like this one (its length, its kinds of characters) that a fingerprint
    without a key gives it away."""
    kinds = sum(size for letters, size in _CLASSES if any(one in letters for one in value))
    others = 33 if any(not one.isalnum() or not one.isascii() for one in value) else 0
    alphabet = min(kinds + others, 2 ** len(set(value)))
    return len(value) * math.log2(max(alphabet, 1)) < _FEWEST_BITS


@lru_cache(maxsize=1024)
def _digest(value: str, salt: bytes, key: str, version: str) -> bytes:
    """A run looks at a secret more than once: each digest is computed once."""
    data = hmac.digest(key.encode(), value.encode(), "sha256") if version == "k2" else value.encode()
    with _AT_ONCE:
        return hashlib.scrypt(data, salt=salt, n=_COST[version], r=8, p=1, dklen=16, maxmem=2**27)


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")
