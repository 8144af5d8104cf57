"""Secret fingerprints: how an unchanged secret is recognised on a Hub that never shows a value.

A fingerprint is a salted scrypt digest kept in the secret's own description. Everybody who may list the
Space's secrets can read it, so it is slow to guess from (scrypt, 16 MiB, about 40 ms a guess), and salted
per secret so that two secrets with one value look different.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error

_MARK = re.compile(r"\s*\[hfspace:v1:([\w-]{22}):([\w-]{22})\]\s*$")


def fingerprint(value: str, salt: bytes) -> str:
    """The mark for `value`. `salt` is 16 random bytes."""
    return f"[hfspace:v1:{_text(salt)}:{_text(_digest(value, salt))}]"


def split(description: str | None) -> tuple[str | None, str | None]:
    """(what a person wrote, the mark) of a secret's description; None for what is not there."""
    if not description:
        return None, None
    match = _MARK.search(description)
    if not match:
        return description, None
    return description[: match.start()] or None, match[0].strip()


def join(description: str | None, mark: str) -> str:
    return f"{description} {mark}" if description else mark


def matches(value: str, mark: str) -> bool:
    """Whether `mark` was made from `value`. False for a damaged mark."""
    match = _MARK.search(mark)
    if not match:
        return False
    try:
        salt = urlsafe_b64decode(match[1] + "==")
    except Base64Error:
        return False
    return hmac.compare_digest(_text(_digest(value, salt)), match[2])


def _digest(value: str, salt: bytes) -> bytes:
    return hashlib.scrypt(value.encode(), salt=salt, n=2**14, r=8, p=1, dklen=16)


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")
