"""/healthz and /metrics of hfspace watch, on loopback only."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, make_wsgi_app

from hfspace.applier.watch import Tick, next_transition
from hfspace.cli.loopback import serving


@contextmanager
def metrics(port: int, fresh_seconds: float, note: Callable[[str], None]) -> Iterator[Metrics]:
    """Metrics that are served while the block runs. Raises UsageError when the port can't be used."""
    figures = Metrics(fresh_seconds)
    with serving(port, figures.answer) as url:
        note(f"Metrics on {url}/metrics, health on {url}/healthz.")
        yield figures


class Metrics:
    """What the last turn found. /healthz is 200 while a turn succeeded within `fresh_seconds`."""

    def __init__(self, fresh_seconds: float) -> None:
        registry = CollectorRegistry()
        self._turns = Counter("hfspace_turns", "Turns of the loop.", ["result"], registry=registry)
        self._pending = Gauge("hfspace_changes_pending", "Differences left to a person.", registry=registry)
        self._applied = Counter("hfspace_changes_applied", "Changes made.", registry=registry)
        self._checks = Gauge("hfspace_checks_failed", "Failed checks.", ["severity"], registry=registry)
        self._given_up = Gauge(
            "hfspace_spaces_given_up", "Spaces that failed too often to be restarted.", registry=registry
        )
        self._usd = Gauge("hfspace_usd_per_hour", "What bills now.", registry=registry)
        self._last = Gauge(
            "hfspace_last_success_timestamp_seconds", "Of the last good turn.", registry=registry
        )
        self._next = Gauge(
            "hfspace_next_transition_timestamp_seconds",
            "When the hours of the manifest ask for something else; +Inf for never.",
            registry=registry,
        )
        self._held = Gauge("hfspace_spaces_held", "Spaces that somebody holds.", registry=registry)
        self._by_hand = Counter(
            "hfspace_changes_by_hand", "Differences that somebody made between two turns.", registry=registry
        )
        self._metrics: Any = make_wsgi_app(registry)
        self._fresh = fresh_seconds
        self._good_at: float | None = None

    def report(self, tick: Tick) -> None:
        self._turns.labels("ok" if tick.ok else "failed").inc()
        if tick.ok:
            self._good_at = time.monotonic()
            self._last.set_to_current_time()
        if tick.result is not None:
            self._applied.inc(sum(len(outcome.applied) for outcome in tick.result.outcomes))
        if tick.plan is not None:
            self._pending.set(len(tick.left))
            self._given_up.set(len(tick.given_up))
            self._next.set(next_transition(tick.plan))
            self._held.set(len(tick.plan.held))
            self._by_hand.inc(len(tick.by_hand))
            self._usd.set(float(tick.plan.cost.before_usd_per_hour))
            for severity in ("error", "warning", "unknown"):
                self._checks.labels(severity).set(
                    sum(1 for one in tick.plan.checks if one.severity == severity)
                )

    def answer(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("PATH_INFO") == "/metrics":
            answer: Iterable[bytes] = self._metrics(environ, start)
            return answer
        if environ.get("PATH_INFO") != "/healthz":
            start("404 Not Found", [("Content-Type", "text/plain")])
            return [b"not found\n"]
        healthy = self._good_at is not None and time.monotonic() - self._good_at < self._fresh
        start("200 OK" if healthy else "503 Service Unavailable", [("Content-Type", "text/plain")])
        return [b"ok\n" if healthy else b"no good turn lately\n"]
