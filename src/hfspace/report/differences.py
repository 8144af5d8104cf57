"""The members in which two nested values differ: of volumes, parameters, and text that holds JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from hfspace.model import Json

_LARGEST = 20_000  # characters of JSON; beyond, comparing member by member takes too long


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One member: its path (`[1].mount_path`), and what it was and is. A member that one side lacks is an
    addition or a removal."""

    path: str
    before: Json = None
    after: Json = None
    added: bool = False
    removed: bool = False


def differences(before: Json, after: Json) -> tuple[Difference, ...]:
    """The differing members, by path; none where the two are no nested values of one kind, or too large."""
    before, after = _nested(before), _nested(after)
    if not before or not after or type(before) is not type(after):
        return ()
    if len(json.dumps([before, after])) > _LARGEST:
        return ()
    from deepdiff import DeepDiff  # 100 ms: for plans that hold such a change

    items = []
    for kind, levels in DeepDiff(before, after, view="tree").items():
        added, removed = kind.endswith("_added"), kind.endswith("_removed")
        for level in levels:
            items.append(
                Difference(
                    path=_path(level.path(output_format="list")),
                    before=None if added else level.t1,
                    after=None if removed else level.t2,
                    added=added,
                    removed=removed,
                )
            )
    return tuple(sorted(items, key=lambda item: item.path))


def _nested(value: Json) -> Json:
    """A map or list, also one that is written as JSON in a text; None for all else."""
    if isinstance(value, str) and value.lstrip()[:1] in {"{", "["}:
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    return value if isinstance(value, dict | list) else None


def _path(keys: Sequence[str | int]) -> str:
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys)
    return text.removeprefix(".")
