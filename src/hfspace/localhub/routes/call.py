"""One request to the local Hub, and the ways to read what it says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from hfspace.localhub.rules import Identity
from hfspace.localhub.wire import Answer, Refused
from hfspace.localhub.world import World


@dataclass(frozen=True, kw_only=True)
class Call:
    """`base` is the URL that the client used, for links. `rest` holds the named parts of the path. The bytes
    of a large file are in the file `spool`. `too_long`: the body is more than the Hub reads."""

    world: World
    method: str
    path: str
    query: Mapping[str, list[str]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    token: str | None = None
    base: str = "http://127.0.0.1"
    rest: Mapping[str, str] = field(default_factory=dict)
    spool: Path | None = None
    too_long: bool = False

    @cached_property
    def who(self) -> Identity:
        """Raises Refused (401) for a token that nobody has."""
        return self.world.identify(self.token)

    @property
    def space(self) -> str:
        """owner/name from the path."""
        return f"{self.rest['owner']}/{self.rest['name']}"

    @property
    def doing(self) -> str:
        return self.path.rpartition("/")[2]

    def json(self) -> dict[str, Any]:
        try:
            raw = json.loads(self.body or b"{}")
        except (ValueError, RecursionError):
            raise Refused(400, "✖ Invalid JSON body") from None
        if not isinstance(raw, dict):
            raise Refused(400, "✖ Invalid input: expected object, received something else")
        return raw

    def one(self, name: str) -> str | None:
        values = self.query.get(name)
        return values[-1] if values else None

    def flag(self, name: str) -> bool:
        return (self.one(name) or "").lower() in {"true", "1"}

    def several(self, name: str) -> list[str]:
        """A repeated parameter: a=1&a=2, a[]=1&a[]=2 and a=1,2 are the same."""
        values = [*self.query.get(name, []), *self.query.get(f"{name}[]", [])]
        return [part for value in values for part in value.split(",") if part]

    def number(self, name: str, default: int, *, least: int = 1) -> int:
        text = self.one(name)
        if text is None:
            return default
        if not re.fullmatch(r"-?\d{1,9}", text) or int(text) < least:
            raise Refused(400, f"✖ Invalid input: expected number to be >={least} → at {name}")
        return int(text)


Handler = Callable[[Call], Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    method: str
    pattern: re.Pattern[str]
    handler: Handler


def route(method: str, path: str, handler: Handler) -> Route:
    """`{name}` is one part of a path, `{name...}` the whole rest."""
    pattern = re.sub(r"\\{(\w+)\\\.\\\.\\\.\\}", r"(?P<\1>.*)", re.escape(path))
    pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", pattern)
    return Route(method=method, pattern=re.compile(pattern), handler=handler)


SPACE = "/api/spaces/{owner}/{name}"
