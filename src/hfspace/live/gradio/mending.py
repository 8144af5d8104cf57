"""A declaration with everything put right that can be: the fixes of its findings, until none is left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hfspace.live.gradio.contract import check
from hfspace.live.gradio.findings import Finding, Fix
from hfspace.manifest.models import EndpointSpec
from hfspace.model import ServedApp

_ROUNDS = 12
_OF_ROUTES = ("method", "params", "query")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """`left` is what only a person can decide; `notes` say what was lost or made up on the way."""

    spec: EndpointSpec
    left: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()


def mend(spec: EndpointSpec, app: ServedApp) -> Mended:
    """`spec` as it should be declared for `app`, as far as its findings say so."""
    notes: list[str] = []
    findings = check(spec, app)
    for _ in range(_ROUNDS):
        fix = next((item.fix for item in findings if item.fix is not None), None)
        if fix is None:
            break
        spec = _applied(spec, fix)
        notes += [fix.note] if fix.note else []
        findings = check(spec, app)
    return Mended(spec=spec, left=findings, notes=tuple(notes))


def written_keys(spec: EndpointSpec) -> dict[str, Any]:
    """What of `spec` is written down, by key."""
    return {key: getattr(spec, key) for key in EndpointSpec.model_fields if key in spec.model_fields_set}


def _applied(spec: EndpointSpec, fix: Fix) -> EndpointSpec:
    values = written_keys(spec) | {fix.key: fix.value}
    if fix.rename is not None:
        values[fix.rename] = values.pop(fix.key)
    if fix.rename == "api_name":
        # A Gradio endpoint has values and nothing else.
        for key in _OF_ROUTES:
            values.pop(key, None)
        body = values.pop("body", None)
        if body is not None:
            values.setdefault("example", body)
    return EndpointSpec.model_validate(values)
