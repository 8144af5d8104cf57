"""What a manifest can't say about money, labels and exemptions, although each key by itself is fine."""

from __future__ import annotations

import re

from hfspace.manifest.experiments import Complaints, has_breaks
from hfspace.manifest.models import SpaceSpec
from hfspace.manifest.policy_models import EXEMPTIBLE
from hfspace.manifest.wording import nearest
from hfspace.manifest.yaml_tree import short

_LABEL = re.compile(r"[A-Za-z][\w.-]{0,62}", re.ASCII)
_LONGEST = 100


def problems(spec: SpaceSpec) -> Complaints:
    """Every broken rule of one Space, below it."""
    for name, value in (spec.labels or {}).items():
        if not _LABEL.fullmatch(name):
            hint = "A name begins with a letter; letters, digits, . _ - follow."
            yield ("labels", name), f"'{short(name)}' can't be the name of a label", hint
        elif not value.strip() or has_breaks(value) or "=" in value or len(value) > _LONGEST:
            hint = f"A label is one line of 1 to {_LONGEST} characters without '='."
            yield ("labels", name), f"'{short(value)}' can't be a label", hint
    for rule, reason in spec.exempt.items():
        if rule not in EXEMPTIBLE:
            hint = nearest(rule, EXEMPTIBLE)
            yield ("exempt", rule), f"no Space can leave the rule '{short(rule)}'", hint
        elif not reason.strip() or has_breaks(reason):
            hint = "Write why, in one line: every plan shows it."
            yield ("exempt", rule), f"the exemption from {rule} gives no reason", hint
