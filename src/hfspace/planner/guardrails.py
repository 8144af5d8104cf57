"""Whose guardrails a proposed manifest is judged by: those of the branch that it is to be merged into."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from hfspace.manifest.models import Manifest, Policy, SpaceSpec
from hfspace.model import Check
from hfspace.planner import budgets
from hfspace.text import one_line

ADDRESS = "policy"
"""The address of these checks: no key of the policy, so that none is mistaken for a breach."""


def guarded(proposed: Manifest, base: Manifest) -> Manifest:
    """`proposed` under the policy of `base`; what `base` protects stays protected, and no Space leaves a rule
    or is free that is not so in `base`."""
    spaces = {space: spec.model_copy(update=_kept(base, space)) for space, spec in proposed.spaces.items()}
    return replace(proposed, policy=base.policy, spaces=spaces)


def changed(proposed: Manifest, base: Manifest) -> list[Check]:
    """A warning for each guardrail that differs from that of `base`."""
    return [
        *_policy(proposed, base),
        *_exemptions(proposed, base),
        *(
            _check(proposed, f"{space} is not protected any more; this plan protects it.", ("spaces", space))
            for space, spec in sorted(proposed.spaces.items())
            if _is_protected(base, space) and not spec.protect
        ),
    ]


def unreadable(proposed: Manifest, why: str) -> Check:
    """The error of a plan whose guardrails could not be read."""
    check = _check(proposed, f"the policy of the target branch can't be read: {why}", ("policy",))
    return replace(check, severity="error", hint="Mend it on the target branch.")


def own(proposed: Manifest) -> list[Check]:
    """The warning of a policy that nobody has agreed to yet, since the target branch has no manifest."""
    if proposed.policy == Policy():
        return []
    return [_check(proposed, "the target branch has no manifest: this policy is new.", ("policy",))]


def _kept(base: Manifest, space: str) -> dict[str, object]:
    """What a proposal can't say of a Space on its own."""
    agreed = base.spaces.get(space) or SpaceSpec()
    protect = {"protect": True} if agreed.protect else {}
    return {"exempt": agreed.exempt, "free_hardware": agreed.free_hardware, **protect}


def _exemptions(proposed: Manifest, base: Manifest) -> Iterable[Check]:
    """What would loosen a rule for one Space: it counts once it is merged."""
    by_label = any("=" in whose for budget in budgets.of(base) for whose in (budget.whose,))
    for space, spec in sorted(proposed.spaces.items()):
        agreed = base.spaces.get(space) or SpaceSpec()
        for rule in sorted(spec.exempt.keys() - agreed.exempt.keys()):
            message = f"{space} would leave {rule} ({one_line(spec.exempt[rule], 200)}); this plan keeps it."
            yield _check(proposed, message, ("spaces", space, "exempt", rule))
        if spec.free_hardware and not agreed.free_hardware:
            message = f"{space} would count as free (free_hardware); this plan counts its price."
            yield _check(proposed, message, ("spaces", space, "free_hardware"))
        if by_label and space in base.spaces and (spec.labels or {}) != (agreed.labels or {}):
            message = f"{space} changes its labels, by which the policy has budgets."
            yield _check(proposed, message, ("spaces", space, "labels"))


def _policy(proposed: Manifest, base: Manifest) -> Iterable[Check]:
    for key in Policy.model_fields:
        before, after = getattr(base.policy, key), getattr(proposed.policy, key)
        if before != after:
            values = f"from {_shown(before)} to {_shown(after)}"
            message = f"{key} is changed {values}; this plan keeps to the former."
            yield _check(proposed, message, ("policy", key))


def _is_protected(base: Manifest, space: str) -> bool:
    return space in base.spaces and base.spaces[space].protect


def _check(proposed: Manifest, message: str, path: tuple[str, ...]) -> Check:
    return Check(
        address=ADDRESS,
        space="",
        facet="policy",
        scope="policy",
        severity="warning",
        message=message,
        hint="Whoever merges this agrees to it.",
        source=proposed.source(*path),
    )


def _shown(value: object) -> str:
    match value:
        case None:
            return "no limit"
        case bool():
            return "on" if value else "off"
        case Mapping():
            return ", ".join(f"{key} {item}" for key, item in value.items())
        case tuple():
            return f"[{', '.join(map(str, value))}]"
    return str(value)
