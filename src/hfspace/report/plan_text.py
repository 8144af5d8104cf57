"""A plan as text for people: each Space with its changes and checks, the counts, the bill."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from hfspace.model import Action, Change, Check, Cost, Plan
from hfspace.plan.counts import counts
from hfspace.report.cells import counted, delta, money, plain, setting

Paint: TypeAlias = Callable[[str], str]

_SIGNS = {
    Action.CREATE: "+",
    Action.UPDATE: "~",
    Action.DELETE: "-",
    Action.RESTART: "~",
    Action.PAUSE: "~",
}
_COLORS = {"+": "32", "~": "33", "-": "31", "!": "31", "i": "36"}
_WIDTH = 24
_TITLE = 64


def render(plan: Plan, *, color: bool, verbose: int = 0, automation: bool = False) -> str:
    """The whole plan. `automation` leaves out what only a person at a terminal can use."""
    paint = _painter(color)
    lines = [_header(plan), ""]
    spaces = {change.space for change in (*plan.changes, *plan.ignored)} | {
        check.space for check in plan.checks
    }
    for space in sorted(spaces - {""}):
        lines += _space(space, plan, paint, verbose)
    lines += [
        line for check in plan.checks if not check.space for line in _check("policy", check, paint, verbose)
    ]
    if len(lines) > 2:
        lines.append("")
    lines += _summary(plan)
    if plan.unmanaged:
        lines += ["", *_unmanaged(plan)]
    if plan.changes and not automation and not any(check.facet == "policy" for check in plan.errors):
        lines.append("\nTo make these changes: hfspace apply")
    return "\n".join(lines)


def _header(plan: Plan) -> str:
    who = f"as {plan.account} ({plan.role})" if plan.account else "without a token"
    files = ", ".join(plan.manifest.files)
    spaces, requests = counted(len(plan.declared), "Space"), counted(plan.requests, "request")
    return plain(f"Hub {plan.hub} {who}      {files}, {spaces}, {requests}")


def _space(space: str, plan: Plan, paint: Paint, verbose: int) -> list[str]:
    changes = [change for change in plan.changes if change.space == space]
    checks = [check for check in plan.checks if check.space == space]
    ignored = [change for change in plan.ignored if change.space == space]
    lines = [_title(space, changes, paint)]
    for change in changes:
        lines += _change(change, paint)
    for check in checks:
        lines += _check(check.address.removeprefix(f"{space}.") or "space", check, paint, verbose)
    for change in ignored:
        lines.append(f"      {paint('i')} {_what(change):<{_WIDTH}} {_values(change)}  (ignored)")
    return lines


def _title(space: str, changes: list[Change], paint: Paint) -> str:
    whole = next((change for change in changes if change.facet == "existence"), None)
    sign = _SIGNS[whole.action] if whole else "~" if changes else "!"
    note = _restarts(changes)
    text = plain(space)
    return f"  {paint(sign)} {text:<{_TITLE}}{note}".rstrip()


def _restarts(changes: list[Change]) -> str:
    if any("wakes" in change.effects for change in changes):
        return "starts"
    if any("restart" in change.effects for change in changes):
        return "restarts once"
    return "deleted for good" if any(_is_delete(change) for change in changes) else ""


def _change(change: Change, paint: Paint) -> list[str]:
    if change.facet == "existence":
        return _whole(change, paint)
    sign = paint(_SIGNS[change.action])
    note = f"  ({plain(change.note)})" if change.note else ""
    price = delta(change.usd_per_hour_before, change.usd_per_hour_after)
    text = f"      {sign} {_what(change):<{_WIDTH}} {_values(change)}{note}"
    return [f"{text:<76} {price}".rstrip() if price else text.rstrip()]


def _whole(change: Change, paint: Paint) -> list[str]:
    """A create shows what it creates with, a delete what is lost."""
    sign = paint(_SIGNS[change.action])
    settings = change.after if change.action is Action.CREATE else change.before
    lines = []
    for name, item in (settings or {}).items():
        if item is None:
            continue
        if isinstance(item, dict):
            lines += [
                f"      {sign} {plain(f'{name}.{key}'):<{_WIDTH}} {setting(name, one)}"
                for key, one in item.items()
            ]
        elif name == "secrets":
            lines += [f"      {sign} {plain(f'{name}.{key}'):<{_WIDTH}} (not shown)" for key in item]
        else:
            lines.append(f"      {sign} {plain(name):<{_WIDTH}} {setting(name, item)}")
    price = delta(change.usd_per_hour_before, change.usd_per_hour_after)
    return [*lines[:-1], f"{lines[-1]:<76} {price}".rstrip()] if lines and price else lines


def _what(change: Change) -> str:
    return plain(change.address.removeprefix(f"{change.space}."))


def _values(change: Change) -> str:
    if change.sensitive:
        return "(not shown)" if change.action is Action.CREATE else "(changed, not shown)"
    if change.action is Action.DELETE:
        return setting(change.facet, change.before)
    if change.action is Action.CREATE:
        return setting(change.facet, change.after)
    if change.facet == "volumes":
        return f"{_volumes(change.before)} → {_volumes(change.after)}"
    return f"{setting(change.facet, change.before)} → {setting(change.facet, change.after)}"


def _volumes(items: object) -> str:
    if not isinstance(items, list):
        return "none"
    return plain(", ".join(f"{item['source']} at {item['mount_path']}" for item in items))


def _check(what: str, check: Check, paint: Paint, verbose: int) -> list[str]:
    place = f"  [{check.source}]" if check.source and (verbose or check.severity == "error") else ""
    lines = [f"      {paint('!')} {plain(what):<{_WIDTH}} {plain(check.message)}{plain(place)}"]
    if check.hint:
        lines.append(f"        {'':<{_WIDTH}} {plain(check.hint)}")
    return lines


def _summary(plan: Plan) -> Iterable[str]:
    created, deleted, changed = counts(plan)
    unchanged = len(plan.declared) - created - deleted - changed
    failed = counted(len(plan.checks), "check") + " failed"
    if plan.is_empty and not plan.checks:
        yield f"No changes: {counted(len(plan.declared), 'Space')} as declared."
    else:
        parts = f"{created} to create, {changed} to change, {deleted} to delete"
        checks = f"; {failed}" if plan.checks else ""
        yield f"Plan: {parts}{checks}; {unchanged} unchanged."
    yield _cost(plan.cost)


def _is_delete(change: Change) -> bool:
    return change.facet == "existence" and change.action is Action.DELETE


def _cost(cost: Cost) -> str:
    hour = f"{money(cost.before_usd_per_hour)} → {money(cost.after_usd_per_hour)} per hour"
    if cost.before_usd_per_hour == cost.after_usd_per_hour:
        hour = f"{money(cost.after_usd_per_hour)} per hour"
    before, after = cost.before_usd_per_month, cost.after_usd_per_month
    ceiling = f"{money(before)} → {money(after)}" if before != after else money(after)
    text = f"Cost: {hour}; ceiling {ceiling} per month (730 h)"
    if cost.limit_usd_per_month is None:
        return f"{text}."
    over = "   over budget" if after > cost.limit_usd_per_month else ""
    return f"{text}, limit {money(cost.limit_usd_per_month)}.{over}"


def _unmanaged(plan: Plan) -> Iterable[str]:
    total = len(plan.unmanaged) + len(plan.declared)
    share = 100 * len(plan.declared) // total
    count = counted(len(plan.unmanaged), "Space")
    yield f"Not declared by anybody: {count} ({share}% of these owners' are declared)"
    yield from (f"    {plain(space)}" for space in plan.unmanaged)


def _painter(color: bool) -> Paint:
    def paint(sign: str) -> str:
        return f"\x1b[{_COLORS[sign]}m{sign}\x1b[0m" if color else sign

    return paint
