"""`custom_domain: demo.acme.ai` in a manifest of hfspace: a domain of one's own for a Space.

Domains that the Space has and nobody declares are left alone.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from hfspace.extending import (
    UNKNOWN,
    Action,
    Change,
    Check,
    Desired,
    Facet,
    HubReader,
    Json,
    Ports,
    SpaceSpec,
    SpaceState,
)


class CustomDomain(Facet):
    """A domain of the Space's own, beside its *.hf.space host."""

    name = "custom_domain"
    type = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$")]

    def read(self, spec: SpaceSpec, state: SpaceState, hub: HubReader) -> object:
        """The Space's own domains. A paused one may not tell them."""
        domains = hub.get(state.id, "runtime").get("domains")
        return UNKNOWN if domains is None else [one["domain"] for one in domains if one.get("isCustom")]

    def compare(self, desired: Desired, state: SpaceState) -> list[Change | Check]:
        live, wanted = self.value(state, None), desired.spec.extensions[self.name]
        if not isinstance(live, list):
            return [desired.check(self.name, "unknown", "its domains can't be read now.", hint="Run again.")]
        if wanted in live:
            return []
        if (desired.spec.visibility or state.visibility) == "private":
            return [desired.check(self.name, "error", "a private Space has none.", hint="Make it public.")]
        return [desired.change(self.name, Action.UPDATE, before=live or None, after=[*live, wanted])]

    def compare_missing(self, desired: Desired) -> list[Change | Check]:
        wanted = desired.spec.extensions[self.name]
        return [desired.change(self.name, Action.UPDATE, after=[wanted])] if desired.is_created else []

    def show(self, value: Json) -> str:
        return ", ".join(value) if value else "none"

    def apply(self, change: Change, desired: Desired, ports: Ports) -> None:
        ports.hub.send("POST", desired.id, "custom-domain", {"domain": desired.spec.extensions[self.name]})
