"""Faults on demand: which request fails, and how."""

from __future__ import annotations

import random
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError

from hfspace.localhub.seed import LocalHubError, problems


class Fault(BaseModel):
    """One rule. `times` is how often it strikes (None: always); `after` lets that many pass first.

    `drop` closes the connection without a status line, before or after the effect; `hang` never answers;
    `stale` makes that many reads after a write answer as before it.
    """

    model_config = ConfigDict(extra="forbid")

    path: str = "*"
    method: str = "*"
    times: Annotated[int, Field(ge=0)] | None = None
    after: Annotated[int, Field(ge=0)] = 0
    probability: Annotated[float, Field(ge=0, le=1)] = 1.0
    seed: int = 0
    status: Annotated[int, Field(ge=400, le=599)] | None = None
    error: str | None = None
    headers: dict[str, str] = Field(default_factory=dict)
    drop: Literal["before", "after"] | None = None
    hang: bool = False
    latency_ms: Annotated[float, Field(ge=0)] = 0.0
    body: Literal["html", "empty", "truncated", "wrong_json"] | None = None
    stale: Annotated[int, Field(ge=0)] = 0

    _left: int | None = PrivateAttr(default=None)
    _passed: int = PrivateAttr(default=0)
    _dice: random.Random = PrivateAttr(default_factory=random.Random)

    def model_post_init(self, context: Any) -> None:
        self._left = self.times
        self._dice.seed(self.seed)

    @staticmethod
    def read(raw: object) -> Fault:
        """Raises LocalHubError for what is not a fault."""
        try:
            return Fault.model_validate(raw)
        except ValidationError as error:
            raise LocalHubError(f"a fault: {problems(error)}") from None

    def strikes(self, method: str, path: str) -> bool:
        """Whether this request is hit; counts it. Stale reads begin at writes."""
        if self._left == 0 or self.method not in {"*", method} or not fnmatchcase(path, self.path):
            return False
        if self.stale and method == "GET":
            return False
        if self._passed < self.after:
            self._passed += 1
            return False
        if self.probability < 1 and self._dice.random() >= self.probability:
            return False
        if self._left is not None:
            self._left -= 1
        return True
