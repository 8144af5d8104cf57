"""Where a Trackio app is, and what may be sent there."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where an app is, and which tokens may go there. `private`: reading needs the token too."""

    base: str
    private: bool = False
    token: str | None = field(default=None, repr=False)
    write_token: str | None = field(default=None, repr=False)
