"""How the values of a facet are shown: one alone, and a move from one to another."""

from __future__ import annotations

from hfspace import facets
from hfspace.errors import ExtensionError
from hfspace.facets import Facet
from hfspace.model import Json
from hfspace.report.cells import LONGEST_VALUE, cut, value
from hfspace.report.differences import Difference, differences
from hfspace.text import plain

_LONG = 40  # characters from which on nested values are compared member by member
_MOST_MEMBERS = 8
_CONTEXT = 12  # characters shown before the first difference of two long values
_UNKNOWN = Facet()


def facet(name: str) -> Facet:
    """The facet of this name, or one that shows values plainly: a plan may come from another hfspace."""
    try:
        return facets.get(name) or _UNKNOWN
    except ExtensionError:
        return _UNKNOWN


def setting(name: str, item: Json, limit: int = LONGEST_VALUE) -> str:
    """A value of one facet, as that shows it; escaped."""
    return cut(plain(facet(name).show(item)), limit)


def move(name: str, before: Json, after: Json, limit: int = LONGEST_VALUE) -> str:
    """`before → after`; of two nested values only the members that differ; two long values are shown
    from where they part, since their starts may be equal."""
    old, new = setting(name, before, 10**9), setting(name, after, 10**9)
    if max(len(old), len(new)) > _LONG and (members := differences(before, after)):
        parts = [_member(item, limit) for item in members[:_MOST_MEMBERS]]
        more = [f"{len(members) - _MOST_MEMBERS} more members"] if len(members) > _MOST_MEMBERS else []
        return ", ".join([*parts, *more])
    if max(len(old), len(new)) <= limit:
        return f"{old} → {new}"
    pairs = enumerate(zip(old, new, strict=False))
    same = next((at for at, (a, b) in pairs if a != b), min(len(old), len(new)))
    start = max(0, same - _CONTEXT) if same > limit // 2 else 0
    return f"{_from(old, start, limit)} → {_from(new, start, limit)}"


def _member(item: Difference, limit: int) -> str:
    if item.added or item.removed:
        verb = "added" if item.added else "removed"
        return f"{plain(item.path)} {verb}: {value(item.after if item.added else item.before, limit)}"
    return f"{plain(item.path)} {value(item.before, limit)} → {value(item.after, limit)}"


def _from(text: str, start: int, limit: int) -> str:
    return cut(text, limit) if start == 0 else f"…{text[start : start + limit]}… ({len(text):,} characters)"
