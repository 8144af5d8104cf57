"""The endpoint that callers use: compared with what the running app serves, never written."""

from __future__ import annotations

from hfspace.facets.base import NOTHING, Facet, Need, known
from hfspace.facets.desired import Desired
from hfspace.live.gradio.findings import Finding
from hfspace.manifest.models import SpaceSpec
from hfspace.model import Change, Check, Severity, SpaceState

# What hfspace can't send, others may: the route is served.
_SEVERITY: dict[str, Severity] = {"unreadable": "unknown", "unsendable": "warning"}


class Endpoint(Facet):
    name = "endpoint"

    def needs(self, spec: SpaceSpec, state: SpaceState) -> frozenset[Need]:
        return NOTHING if spec.endpoint is None else frozenset({Need.APP})

    def compare(self, desired: Desired, state: SpaceState) -> list[Change | Check]:
        """Checks only, and none while the app was not read (it does not run, or nobody asked)."""
        spec = desired.spec.endpoint
        if spec is None or state.app is None:
            return []
        from hfspace.live.gradio.contract import check  # asyncio with it: 60 ms, and few plans look at apps

        return [self._check(desired, finding) for finding in check(spec, state.app)]

    def value(self, state: SpaceState, key: str | None) -> object:
        return known(state.app)

    def verify(self, desired: Desired, state: SpaceState) -> Check | None:
        return next((item for item in self.compare(desired, state) if isinstance(item, Check)), None)

    def _check(self, desired: Desired, finding: Finding) -> Check:
        if finding.code == "unreadable":
            todo = f"See why: hfspace diagnose {desired.id}"
        elif finding.fix is not None:
            todo = f"Write it into the manifest: hfspace diagnose {desired.id} --fix"
        else:
            todo = ""
        hint = " ".join(part for part in (finding.hint, todo) if part)
        severity: Severity = _SEVERITY.get(finding.code, "error")
        return desired.check(self.name, severity, finding.message, key=finding.key, hint=hint, blocks=False)
