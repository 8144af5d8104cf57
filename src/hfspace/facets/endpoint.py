"""The endpoint that callers use: compared with what the running app serves, never written."""

from __future__ import annotations

from dataclasses import dataclass

from hfspace.facets.base import Desired
from hfspace.live.gradio.contract import Finding, check
from hfspace.live.ports import Ports
from hfspace.model import Change, Check, Severity, SpaceState


@dataclass(frozen=True)
class Endpoint:
    name: str = "endpoint"
    restarts: bool = False
    carries: frozenset[str] = frozenset()

    def compare(self, desired: Desired, state: SpaceState) -> list[Change | Check]:
        """Checks only, and none while the app was not read (it does not run, or nobody asked)."""
        spec = desired.spec.endpoint
        if spec is None or state.app is None:
            return []
        return [self._check(desired, finding) for finding in check(spec, state.app)]

    def is_unknown(self, state: SpaceState) -> bool:
        return False

    def apply(self, change: Change, desired: Desired, ports: Ports) -> None:
        """Nothing to write: an endpoint is what the app's code serves."""

    def _check(self, desired: Desired, finding: Finding) -> Check:
        if finding.code == "unreadable":
            todo = f"See why: hfspace diagnose {desired.id}"
        elif finding.fix is not None:
            todo = f"Write it into the manifest: hfspace diagnose {desired.id} --fix"
        else:
            todo = ""
        hint = " ".join(part for part in (finding.hint, todo) if part)
        severity: Severity = "unknown" if finding.code == "unreadable" else "error"
        return desired.check(self.name, severity, finding.message, key=finding.key, hint=hint, blocks=False)
