"""Labels of Spaces: `team=speech` as a target, and the sums of a bill by them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase

from hfspace.errors import UsageError
from hfspace.manifest.models import Manifest

_TARGET = re.compile(r"([A-Za-z][\w.-]{0,62})=([^\s=][^=]{0,99})", re.ASCII)


def addresses(targets: Iterable[str], manifest: Manifest) -> tuple[str, ...]:
    """`targets` with each label (`team=speech`, a glob after the =) replaced by the Spaces that have it.

    Raises UsageError for a label that no Space has."""
    expanded: list[str] = []
    for target in targets:
        match = _TARGET.fullmatch(target)
        if match is None:
            expanded.append(target)
            continue
        spaces = having(manifest, match[1], match[2])
        if not spaces:
            known = sorted({f"{name}={value}" for name, value in _pairs(manifest)})
            hint = f"There are: {', '.join(known[:10])}." if known else "No Space has labels."
            raise UsageError(f"--target {target}: no Space has this label.", hint=hint)
        expanded += spaces
    return tuple(dict.fromkeys(expanded))


def having(manifest: Manifest, name: str, value: str) -> list[str]:
    """The Spaces whose label `name` is `value`, which may be a glob."""
    return [
        space
        for space, spec in sorted(manifest.spaces.items())
        if fnmatchcase((spec.labels or {}).get(name, ""), value) and name in (spec.labels or {})
    ]


def names(manifest: Manifest) -> list[str]:
    """Every name of a label."""
    return sorted({name for name, _ in _pairs(manifest)})


def _pairs(manifest: Manifest) -> Iterable[tuple[str, str]]:
    return (pair for spec in manifest.spaces.values() for pair in (spec.labels or {}).items())
