"""What is secret in this process, cut out of everything that leaves it: text, JSON, plans, results.

Secrets are known by their values, tokens of the Hub by their look too. A server, an app or a log may repeat
what it was sent, and a manifest may hold in a variable what is also a secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from functools import cache
from typing import Any, TypeVar

from hfspace.text import HUB_TOKEN

T = TypeVar("T")

TOKENS = frozenset(
    {
        "HF_TOKEN",
        "HUGGINGFACE_TOKEN",
        "HUGGING_FACE_HUB_TOKEN",
        "GH_TOKEN",
        "GITHUB_TOKEN",
        "ACTIONS_RUNTIME_TOKEN",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
        "HFSPACE_FINGERPRINT_KEY",
    }
)
"""The variables of the environment whose values are tokens and keys."""

_SHORTEST = 4
_BEGINNING = 8
_SAME_EVERYWHERE = re.compile(r"[A-Za-z0-9_.~-]*")
"""Values that JSON and a URL write as they are: every token."""
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_FREE_TEXT = frozenset({"before", "after", "note", "message", "hint", "error", "log_tail", "text"})
"""Fields of plans, events and results that hold text of others; all else are names and numbers of ours."""
_PLAIN = frozenset({type(None), bool, int, float})


@cache
def _fields(kind: type) -> tuple[tuple[str, bool], ...]:
    """The fields of a dataclass, and whether each holds text of others."""
    return tuple((field.name, field.name in _FREE_TEXT) for field in fields(kind))


class KnownSecrets:
    """The values of tokens and secrets that this process has read. Safe to use from several threads.

    Values of fewer than four characters are not known as secrets: they are in everything.
    """

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._forms: tuple[str, ...] = ()
        self.add(values)

    def add(self, values: Iterable[str]) -> None:
        forms = {form for value in values for form in _forms(value)}
        self._forms = tuple(sorted(forms.union(self._forms), key=lambda form: (-len(form), form)))

    def redact(self, text: str) -> str:
        """`text` without secrets and tokens. What is JSON stays JSON: numbers and words in it are no secret,
        even where one looks like them."""
        text = HUB_TOKEN.sub("hf_…", text)
        if "…" in text:
            text = self._without_beginnings(text)
        forms = [form for form in self._forms if form in text]
        if not forms:
            return text
        if _is_json(text):
            return _STRING.sub(lambda string: f'"{_cut(string[0][1:-1], forms)}"', text)
        if "\n" in text:
            return "\n".join(self.redact(line) for line in text.split("\n"))
        return _cut(text, forms)

    def redact_data(self, value: T) -> T:
        """The same for a plan, an event or a result: its texts of others, never names and numbers of ours."""
        return self._data(value, free=False)  # type: ignore[no-any-return]

    def redact_all(self, value: T) -> T:
        """The same where every text is of others: what was read of an app."""
        return self._data(value, free=True, every=True)  # type: ignore[no-any-return]

    def redact_file(self, content: bytes) -> bytes:
        """The content of a file of others. What is no text loses only the values themselves."""
        try:
            return self.redact(content.decode()).encode()
        except UnicodeDecodeError:
            for form in self._forms:
                content = content.replace(form.encode(), "…".encode())
            return content

    def _data(self, value: Any, *, free: bool, every: bool = False) -> Any:
        kind = type(value)
        if kind is str:
            return self.redact(value) if free else value
        if kind in _PLAIN:
            return value
        if isinstance(value, Mapping):
            if not free:
                return value
            return {
                self._data(key, free=every): self._data(item, free=free, every=every)
                for key, item in value.items()
            }
        if isinstance(value, list | tuple):
            return kind(self._data(item, free=free, every=every) for item in value)
        if not is_dataclass(kind):
            return value
        changed = {}
        for name, is_free in _fields(kind):
            before = getattr(value, name)
            after = self._data(before, free=is_free or every, every=every)
            if after is not before and after != before:
                changed[name] = after
        return replace(value, **changed) if changed else value

    def _without_beginnings(self, text: str) -> str:
        """`text` without a secret that somebody cut in the middle, with an ellipsis."""
        *parts, last = text.split("…")
        for number, part in enumerate(parts):
            for form in self._forms:
                at = part.rfind(form[:_BEGINNING])
                if at >= 0 and len(form) > _BEGINNING and form.startswith(part[at:]):
                    parts[number] = part[:at]
        return "…".join([*parts, last])


def _forms(value: str) -> set[str]:
    """How a secret may come back: as it is, as one line, in parts, in JSON, in JSON within JSON, in a URL."""
    if _SAME_EVERYWHERE.fullmatch(value):
        return {value} if len(value) >= _SHORTEST else set()
    from urllib.parse import quote  # 5 ms, and the start of a command needs none of it

    parts = {value, " ".join(value.split()), *value.splitlines()}
    quoted = {_in_json(part) for part in parts}
    forms = parts | quoted | {_in_json(part) for part in quoted} | {quote(part, safe="") for part in parts}
    return {form for form in forms if len(form.strip()) >= _SHORTEST}


def _in_json(text: str) -> str:
    import json  # 4 ms, and the start of a command needs none of it

    return json.dumps(text)[1:-1]


def _cut(text: str, forms: Iterable[str]) -> str:
    for form in forms:
        if form.replace(".", "").isdigit():  # no part of a longer number
            text = re.sub(rf"(?<![\d.]){re.escape(form)}(?!\.?\d)", "…", text)
        else:
            text = text.replace(form, "…")
    return text


def _is_json(text: str) -> bool:
    if not text.lstrip().startswith(("{", "[")):
        return False
    import json  # 4 ms, and the start of a command needs none of it

    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
