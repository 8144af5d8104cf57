"""What a rendered plan consists of: a block per Space, a row per difference. Text in it is escaped for a
terminal; other formats escape it again for themselves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hfspace.model import Action, Change, Check, Json, Plan, Subject
from hfspace.report.cells import LONGEST_VALUE, counted, cut, delta
from hfspace.report.settings import facet, move, setting
from hfspace.text import plain

LONGEST_MESSAGE = 600
MEANINGS = {
    "+": "create",
    "~": "change",
    "-": "delete",
    "!": "failed check: apply can't mend it",
    "?": "unknown: could not be read or compared",
    "i": "ignored, as the manifest says",
}
CHECKS_ONLY = frozenset({"!", "?"})
_SIGNS = {Action.CREATE: "+", Action.DELETE: "-"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One difference or failed check. `severity` is set for checks only; `details` is what `text` counts."""

    sign: str
    name: str
    text: str
    price: str = ""
    hint: str = ""
    place: str = ""
    severity: str = ""
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One Space, or the policy. `note` says what happens to it as a whole; `alike` are further Spaces with
    the very same rows (see `grouped`)."""

    name: str
    sign: str
    note: str = ""
    rows: tuple[Row, ...] = ()
    alike: tuple[str, ...] = ()


def blocks(plan: Plan, limit: int = LONGEST_VALUE) -> list[Block]:
    """Every Space that has something to say, by name: first those that change, then those with nothing but
    failed checks; the policy last. Values are cut to `limit` characters."""
    changes, checks, ignored = _by_space(plan.changes), _by_space(plan.checks), _by_space(plan.ignored)
    spaces = {*changes, *checks, *ignored, *plan.exempt} - {""}
    listed = [
        _block(space, changes[space], checks[space], ignored[space], plan.exempt.get(space, {}), limit)
        for space in spaces
    ]
    listed += _of_all(checks[""])
    return sorted(listed, key=_place)


def _of_all(checks: list[Check]) -> Iterator[Block]:
    """Blocks of what is about no single Space: the policy, the prices."""
    for name in sorted({check.facet for check in checks}):
        own = [check for check in checks if check.facet == name]
        rows = tuple(_check(check.address.removeprefix("policy."), check) for check in own)
        stops = any(check.scope == "policy" and check.severity == "error" for check in own)
        note = "nothing will be applied" if stops else ""
        yield Block(name=name, sign=_worst(own), note=note, rows=rows)


def _place(block: Block) -> tuple[bool, bool, str]:
    return (block.name == "policy", block.sign in CHECKS_ONLY, block.name)


def grouped(blocks: list[Block], least: int = 3) -> list[Block]:
    """`blocks` with Spaces whose rows are the same put together, where there are `least` of them or more.

    Places in the manifest differ by Space and do not count; blocks with a failed check stay by themselves.
    """
    kinds: dict[object, list[Block]] = defaultdict(list)
    for block in blocks:
        own = block.name if any(row.severity for row in block.rows) else ""
        bare = tuple(replace(row, place="") for row in block.rows)
        kinds[block.sign, block.note, bare, own].append(block)
    together = []
    for kind in kinds.values():
        if len(kind) < least:
            together += kind
        else:
            together.append(replace(kind[0], alike=tuple(block.name for block in kind[1:])))
    return sorted(together, key=_place)


def signs(blocks: Iterable[Block]) -> list[str]:
    """The signs in use, in the order of MEANINGS."""
    used = {sign for block in blocks for sign in (block.sign, *(row.sign for row in block.rows))}
    return [sign for sign in MEANINGS if sign in used]


def result_of(checks: Sequence[Check]) -> str:
    """How many failed, and how many could not be made."""
    unknown = sum(check.severity == "unknown" for check in checks)
    failed = len(checks) - unknown
    parts = [f"{counted(failed, 'check')} failed"] if failed else []
    return ", ".join([*parts, *([f"{unknown:,} unknown"] if unknown else [])])


def _by_space(items: Iterable[Any]) -> Mapping[str, list[Any]]:
    groups: dict[str, list[Any]] = defaultdict(list)
    for item in items:
        groups[item.space].append(item)
    return groups


def _block(
    space: str,
    changes: list[Change],
    checks: list[Check],
    ignored: list[Change],
    exempt: Mapping[str, str],
    limit: int,
) -> Block:
    rows = [row for change in changes for row in _change(change, limit)]
    rows += [_check(_name(check.address, space), check) for check in checks]
    rows += [replace(row, sign="i") for change in ignored for row in _change(change, limit)]
    rows += [
        Row(sign="i", name=f"policy.{plain(rule)}", text=f"exempt: {cut(plain(why), LONGEST_MESSAGE)}")
        for rule, why in exempt.items()
    ]
    whole = next((change for change in changes if change.subject is Subject.SPACE), None)
    sign = _SIGNS.get(whole.action, "~") if whole else "~" if changes else _worst(checks)
    return Block(name=plain(space), sign=sign, note=_note(changes, whole), rows=tuple(rows))


def _note(changes: list[Change], whole: Change | None) -> str:
    if whole is not None and whole.action is Action.DELETE:
        return "deleted for good, with all that is in it"
    if whole is not None:
        return _origin(whole.after)
    if any(change.pauses for change in changes):
        return "pauses"
    effects = {effect for change in changes for effect in change.effects}
    if "restart" in effects and any(change.commits for change in changes):
        return "rebuilds once"
    return "starts" if "wakes" in effects else "restarts once" if "restart" in effects else ""


def _worst(checks: list[Check]) -> str:
    if not checks:
        return "i"
    return "?" if all(check.severity == "unknown" for check in checks) else "!"


def _origin(settings: Json) -> str:
    kept = settings if isinstance(settings, dict) else {}
    if kept.get("template"):
        return f"create from {plain(kept['template'])}"
    if kept.get("duplicate_from"):
        return f"create as a duplicate of {plain(kept['duplicate_from'])}"
    return "create"


def _change(change: Change, limit: int) -> list[Row]:
    sign = _SIGNS.get(change.action, "~")
    place = str(change.source or "")
    if change.subject is Subject.SPACE:
        return _whole(change, sign, place, limit)
    note = f"  ({plain(change.note)})" if change.note else ""
    price = delta(change.usd_per_hour_before, change.usd_per_hour_after)
    if change.commits and change.restarts:
        price = "rebuilds"
    text = f"{_values(change, limit)}{note}"
    return [
        Row(
            sign=sign,
            name=_name(change.address, change.space),
            text=text,
            price=price,
            place=place,
            details=tuple(facet(change.facet).lines(change)),
        )
    ]


def _whole(change: Change, sign: str, place: str, limit: int) -> list[Row]:
    """A create shows what it creates with, a delete what is lost; the price stands at the hardware."""
    settings = change.after if change.action is Action.CREATE else change.before
    price = delta(change.usd_per_hour_before, change.usd_per_hour_after)
    return [
        Row(sign=sign, name=name, text=text, price=price if facet(name).priced else "", place=place)
        for name, text in _settings(settings if isinstance(settings, dict) else {}, limit)
    ]


def _settings(settings: Mapping[str, Json], limit: int) -> Iterator[tuple[str, str]]:
    for name, item in settings.items():
        if item is None or name in {"template", "duplicate_from"}:
            continue
        if isinstance(item, dict):
            yield from ((plain(f"{name}.{key}"), setting(name, one, limit)) for key, one in item.items())
        elif facet(name).sensitive and isinstance(item, list):
            yield from ((plain(f"{name}.{key}"), "(not shown)") for key in item)
        else:
            yield plain(name), setting(name, item, limit)


def _values(change: Change, limit: int) -> str:
    if change.sensitive:
        return "(changed, not shown)" if change.action is Action.UPDATE else "(not shown)"
    if change.action is Action.DELETE:
        return setting(change.facet, change.before, limit)
    if change.action is Action.CREATE or facet(change.facet).relative:
        return setting(change.facet, change.after, limit)
    return move(change.facet, change.before, change.after, limit)


def _check(name: str, check: Check) -> Row:
    return Row(
        sign="?" if check.severity == "unknown" else "!",
        name=name,
        text=cut(plain(check.message), LONGEST_MESSAGE),
        hint=cut(plain(check.hint), LONGEST_MESSAGE),
        place=plain(check.source or ""),
        severity=check.severity,
    )


def _name(address: str, space: str) -> str:
    return "space" if address == space else plain(address.removeprefix(f"{space}."))
