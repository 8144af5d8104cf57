"""A Hub in memory that answers the questions of a diagnosis and counts them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hfspace.errors import HubError, NotVisible
from hfspace.model import SpaceState


@dataclass
class MemoryHub:
    spaces: dict[str, SpaceState] = field(default_factory=dict)
    cards: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    subdomains: Mapping[str, str] = field(default_factory=dict)
    log: Mapping[tuple[str, bool], tuple[str, ...]] = field(default_factory=dict)
    error: HubError | None = None
    token: str | None = None
    endpoint: str = "https://huggingface.co"
    stages: list[str] = field(default_factory=list)  # one more is shown on each look
    requests: int = 0

    def space_with_card(self, space: str) -> tuple[SpaceState, dict[str, Any]]:
        self.requests += 1
        if self.error is not None:
            raise self.error
        if space not in self.spaces:
            raise NotVisible(f"{space} does not exist, or this token can't see it.", status=404)
        if self.stages:
            import dataclasses

            self.spaces[space] = dataclasses.replace(self.spaces[space], stage=self.stages.pop(0))
        return self.spaces[space], dict(self.cards.get(space, {}))

    def by_subdomain(self, subdomain: str) -> str | None:
        self.requests += 1
        return self.subdomains.get(subdomain)

    def token_for(self, space: str) -> str | None:
        return self.token

    def logs(
        self,
        space: str,
        *,
        build: bool,
        follow: bool = False,
        tail: int | None = None,
        seconds: float | None = None,
    ) -> Iterator[str]:
        self.requests += 1
        return iter(self.log.get((space, build), ()))
