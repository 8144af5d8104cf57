"""Fingerprints of Spaces: what a saved plan compares to see whether the world moved."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace

from hfspace.model import SpaceState


class Digests(Mapping[str, str]):
    """id → digest, computed when one is asked for: most plans are neither saved nor commented on."""

    def __init__(self, states: Mapping[str, SpaceState]) -> None:
        self._states = dict(sorted(states.items()))

    def __getitem__(self, space: str) -> str:
        return digest(self._states[space])

    def __iter__(self) -> Iterator[str]:
        return iter(self._states)

    def __len__(self) -> int:
        return len(self._states)


def digest(state: SpaceState) -> str:
    """A fingerprint of what a plan depends on: settings and whether it is up, not passing stages or hosts.

    The first half is of what every look shows, whatever is declared; the second of all that was read.
    """
    always = (
        state.id,
        state.sdk,
        state.visibility == "public",
        _standing(state.stage),
        state.hardware,
        state.sleep_time,
    )
    kept = replace(
        state,
        stage=_standing(state.stage),
        entity=None,
        hardware_current=None,
        replicas=None,
        host=None,
        subdomain=None,
        sha=None,
        runtime_sha=None,
        app=None,
        error_message=None,
        details=None,
        secrets=None,
        tree=None,
        history=None,
    )
    secrets = {
        key: (item.description, item.fingerprint) for key, item in sorted((state.secrets or {}).items())
    }
    files = state.tree.commit if state.tree else None
    return _hash(always) + _hash([asdict(kept), secrets, files])


def _hash(values: object) -> str:
    text = json.dumps(values, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _standing(stage: str | None) -> str | None:
    """RUNNING, sleeping and everything on the way there are one: a plan does not depend on which."""
    if stage in {"PAUSED", "STOPPED", "BUILD_ERROR", "RUNTIME_ERROR", "CONFIG_ERROR", "NO_APP_FILE", None}:
        return stage
    return "UP"
