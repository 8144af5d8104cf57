"""A plan as text for people: each Space with its changes and checks, the counts, the bill."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from hfspace.model import Action, Cost, Plan
from hfspace.planner.counts import counts, unchanged
from hfspace.report.cells import counted, money, opening, pad, plain, width
from hfspace.report.plan_view import MEANINGS, Block, Row, blocks, grouped, signs

Paint: TypeAlias = Callable[[str], str]

_COLORS = {"+": "32", "~": "33", "-": "31", "!": "31", "i": "36"}
_LONG = 40  # from so many blocks on, Spaces with the same changes are put together
_WIDEST_NAME = 40
_WIDEST = 88  # where prices and notes stand at most; what is longer pushes them on
_LINE = 100
_MOST_FILES = 3


def render(plan: Plan, *, color: bool, verbose: int = 0, automation: bool = False) -> str:
    """The whole plan. `automation` leaves out what only a person at a terminal can use."""
    paint = _painter(color)
    made = blocks(plan)
    if len(made) > _LONG and not verbose:
        made = grouped(made)
    lines = [_header(plan, verbose), ""]
    names = min(max((width(row.name) for block in made for row in block.rows), default=0), _WIDEST_NAME)
    edge = _edge(made, names)
    for block in made:
        lines += _block(block, names, edge, paint, verbose)
    if made:
        lines.append("")
    lines += [_summary(plan), _cost(plan.cost)]
    if plan.unmanaged:
        lines += ["", *_unmanaged(plan)]
    if made and not automation:
        lines += ["", "   ".join(f"{paint(sign)} {MEANINGS[sign]}" for sign in signs(made))]
    lines += _next_step(plan, automation)
    return "\n".join(lines)


def _header(plan: Plan, verbose: int) -> str:
    who = f"as {plan.account} ({plan.role})" if plan.account else "without a token"
    files = plan.manifest.files
    shown = ", ".join(files if verbose else files[:_MOST_FILES])
    if len(files) > _MOST_FILES and not verbose:
        shown += f" and {counted(len(files) - _MOST_FILES, 'more file')}"
    spaces, requests = counted(len(plan.declared), "Space"), counted(plan.requests, "request")
    return plain(f"Hub {plan.hub} {who}      {shown}, {spaces}, {requests}")


def _edge(made: Iterable[Block], names: int) -> int:
    """The column in which prices and notes stand."""
    rows = (width(_left(row, names)) for block in made for row in block.rows if row.price)
    titles = (4 + width(_title(block)) for block in made if block.note)
    return min(max((*rows, *titles), default=0) + 3, _WIDEST)


def _block(block: Block, names: int, edge: int, paint: Paint, verbose: int) -> Iterator[str]:
    each = " each" if block.alike else ""
    note = block.note and f"{block.note}{each}"
    yield _at(f"  {block.sign} {_title(block)}", edge, note, paint, block.sign)
    for row in block.rows:
        left = _left(row, names)
        if row.place and (verbose or row.severity == "error") and not block.alike:
            left += f"  [{row.place}]"
        yield _at(left, edge, row.price and f"{row.price}{each}", paint, row.sign)
        if row.hint:
            yield f"{' ' * (9 + names)}{opening(row.hint)}"
    if block.alike:
        yield from _wrapped([block.name, *block.alike], "        ")


def _title(block: Block) -> str:
    return f"{1 + len(block.alike):,} Spaces alike:" if block.alike else block.name


def _left(row: Row, names: int) -> str:
    return f"      {row.sign} {pad(row.name, names)} {row.text}"


def _at(left: str, edge: int, right: str, paint: Paint, sign: str) -> str:
    text = f"{pad(left, edge)} {right}" if right else left
    return text.rstrip().replace(f" {sign} ", f" {paint(sign)} ", 1)


def _wrapped(names: Iterable[str], indent: str) -> Iterator[str]:
    line = indent
    for name in names:
        if len(line) > len(indent) and width(line) + width(name) > _LINE:
            yield line.rstrip()
            line = indent
        line += f"{name}  "
    yield line.rstrip()


def _summary(plan: Plan) -> str:
    created, deleted, changed = counts(plan)
    if plan.is_empty and not plan.checks:
        return f"No changes: {counted(len(plan.declared), 'Space')} as declared."
    parts = f"{created:,} to create, {changed:,} to change, {deleted:,} to delete"
    checks = f"; {counted(len(plan.checks), 'check')} failed" if plan.checks else ""
    return f"Plan: {parts}{checks}; {unchanged(plan):,} unchanged."


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


def _unmanaged(plan: Plan) -> Iterator[str]:
    total = len(plan.unmanaged) + len(plan.declared)
    count = counted(len(plan.unmanaged), "Space")
    yield (
        f"Not declared by anybody: {count}. "
        f"{len(plan.declared):,} of {total:,} are declared ({100 * len(plan.declared) // total}%)."
    )
    yield from _wrapped((plain(space) for space in plan.unmanaged), "    ")


def _next_step(plan: Plan, automation: bool) -> Iterator[str]:
    """What to do now, or why it can't be done. A refusal is said to automation as well."""
    if any(check.facet == "policy" for check in plan.errors):
        yield "\nThe policy refuses this plan: nothing will be applied."
        return
    changed = {change.space for change in plan.changes}
    refused = changed & {check.space for check in plan.errors}
    if refused:
        yield f"\n{counted(len(refused), 'Space')} with an error will not be touched."
    if changed - refused and not automation:
        yield f"\n{_apply(plan)}"


def _apply(plan: Plan) -> str:
    if plan.account is None or plan.role == "read":
        return "To make these changes: hfspace apply with a token that may write, which this plan had not."
    deletes = any(change.facet == "existence" and change.action is Action.DELETE for change in plan.changes)
    return f"To make these changes: hfspace apply{' --allow-delete' if deletes else ''}"


def _painter(color: bool) -> Paint:
    def paint(sign: str) -> str:
        return f"\x1b[{_COLORS[sign]}m{sign}\x1b[0m" if color else sign

    return paint
