"""Faults on demand: which request fails, and how."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal

from hfspace.localhub.seed import LocalHubError

_KNOWN = frozenset(
    {
        "path",
        "method",
        "times",
        "after",
        "probability",
        "seed",
        "status",
        "drop",
        "latency_ms",
        "body",
        "headers",
        "stale",
    }
)


@dataclass(slots=True)
class Fault:
    """One rule. `times` is how often it still strikes (None: always); `after` lets that many pass first."""

    path: str = "*"
    method: str = "*"
    times: int | None = None
    after: int = 0
    probability: float = 1.0
    status: int | None = None
    drop: Literal["before", "after"] | None = None
    latency_ms: float = 0.0
    body: Literal["html", "empty", "truncated", "wrong_json"] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    stale: int = 0
    dice: random.Random = field(default_factory=random.Random)

    @staticmethod
    def read(raw: dict[str, Any]) -> Fault:
        """Raises LocalHubError for a key that faults do not have."""
        if unknown := set(raw) - _KNOWN:
            raise LocalHubError(f"A fault has no key '{sorted(unknown)[0]}'.")
        fields = {key: value for key, value in raw.items() if key != "seed"}
        return Fault(**fields, dice=random.Random(raw.get("seed", 0)))  # noqa: S311 - repeatable on purpose

    def strikes(self, method: str, path: str) -> bool:
        """Whether this request is hit; counts it."""
        if self.times == 0 or not fnmatchcase(path, self.path) or self.method not in {"*", method}:
            return False
        if self.after > 0:
            self.after -= 1
            return False
        if self.probability < 1 and self.dice.random() >= self.probability:
            return False
        if self.times is not None:
            self.times -= 1
        return True
