"""How far this machine's clock is from the Hub's: hours that begin by a wrong clock begin at a wrong time."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from hfspace.text import rough_time

_MOST_APART = 120.0
"""Seconds. A Date has whole ones, and an answer may be on its way for some."""


@dataclass(slots=True)
class HubClock:
    """Learns from the Date of each answer. `ahead` is in seconds, negative where the Hub's clock is behind;
    None before the first answer. The smallest difference counts: an answer from a cache has an old Date."""

    ahead: float | None = None
    now: Callable[[], float] = time.time

    def learn(self, headers: Mapping[str, str]) -> None:
        try:
            ahead = parsedate_to_datetime(headers.get("date", "")).timestamp() - self.now()
        except (ValueError, TypeError, OverflowError):
            return
        if self.ahead is None or abs(ahead) < abs(self.ahead):
            self.ahead = ahead

    @property
    def problem(self) -> str:
        """What is wrong with this machine's clock; "" where it is right as far as anybody can tell."""
        if self.ahead is None or abs(self.ahead) < _MOST_APART:
            return ""
        side, effect = ("behind", "late") if self.ahead > 0 else ("ahead of", "early")
        apart = rough_time(abs(self.ahead))
        return (
            f"This machine's clock is {apart} {side} the Hub's: hours begin and end that much too {effect}."
        )
