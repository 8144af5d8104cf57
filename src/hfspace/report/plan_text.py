"""A plan as text for people: each Space with its changes and checks, the counts, the bill."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from textwrap import wrap
from typing import TypeAlias

from hfspace.model import Cost, FileDiff, Plan
from hfspace.planner.counts import counts, unchanged
from hfspace.report import costs
from hfspace.report.cells import LONGEST_VALUE, counted, money
from hfspace.report.file_diffs import title, unified
from hfspace.report.plan_view import CHECKS_ONLY, MEANINGS, Block, Row, blocks, grouped, signs
from hfspace.report.timing import timing
from hfspace.text import clip, opening, pad, plain, width

Paint: TypeAlias = Callable[[str], str]

_COLORS = {"+": "32", "~": "33", "-": "31", "!": "31", "?": "35", "i": "36"}
_LONG = 40  # from so many blocks on, Spaces with the same changes are put together
_WIDEST_NAME = 40
_WIDEST = 88  # where prices and notes stand at most; what is longer pushes them on
_LINE = 100
_NARROWEST = 40
_MOST_FILES = 3


def render(
    plan: Plan,
    *,
    color: bool,
    verbose: int = 0,
    automation: bool = False,
    columns: int | None = None,
    command: str = "hfspace apply",
) -> str:
    """The whole plan. `command` is what applies it. `automation` leaves out what only a person at a terminal
    can use; `columns` is the width of that terminal, None where nothing is to be cut."""
    paint = _painter(color)
    page = None if columns is None or verbose else max(columns, _NARROWEST)
    listed = blocks(plan, LONGEST_VALUE if page is None else _value_room(page))
    if len(listed) > _LONG and not verbose:
        listed = grouped(listed)
    lines = [*_fold(_header(plan, verbose), page), ""]
    names = min(max((width(row.name) for block in listed for row in block.rows), default=0), _WIDEST_NAME)
    if page is not None:
        names = min(names, page // 3)
    edge = _edge(listed, names)
    checks_only = next(
        (block for block in listed if block.sign in CHECKS_ONLY and block.name != "policy"), None
    )
    for block in listed:
        if block is checks_only and block is not listed[0]:
            lines += ["", "  Failed or unknown; apply can't mend these:"]
        lines += _block(block, names, edge, paint, verbose, page)
    if listed:
        lines.append("")
    lines += [line for diff in plan.diffs for line in _file(diff, paint)]
    lines += [*_fold(_summary(plan), page), *_fold(_cost(plan.cost), page)]
    lines += [line for figure in costs.lines(plan) for line in _fold(f"      {figure}", page)]
    lines += [line for sentence in timing(plan) for line in _fold(sentence, page)]
    if plan.unmanaged:
        lines += ["", *_unmanaged(plan)]
    if plan.undeclared:
        lines += ["", f"On these Spaces, and declared by nobody: {counted(len(plan.undeclared), 'name')}."]
        lines += _wrapped((plain(address) for address in plan.undeclared), "    ", page or _LINE)
    if listed and not automation:
        lines += ["", "   ".join(f"{paint(sign)} {MEANINGS[sign]}" for sign in signs(listed))]
    lines += _next_step(plan, automation, command)
    return "\n".join(lines)


def _file(diff: FileDiff, paint: Paint) -> Iterator[str]:
    """The text of one file that changes."""
    yield f"{plain(diff.space)}: {title(diff)}"
    for line in unified(diff):
        yield f"  {paint(line[0])}{line[1:]}" if line[0] in _COLORS else opening(f"  {line}").rstrip()
    yield ""


def _looked_at(plan: Plan) -> str:
    """12 Spaces, or 1 of 27 Spaces where the plan has targets."""
    count = len(plan.declared)
    return f"{count:,} of {counted(plan.of, 'Space')}" if count < plan.of else counted(count, "Space")


def _value_room(page: int) -> int:
    """Characters for one value, so that two of them, an arrow, a name and a price fit on a line."""
    return max(12, (page - page // 3 - 12) // 2)


def _fold(text: str, page: int | None, indent: str = "") -> list[str]:
    """`text` in lines of at most `page` columns, broken between words; later lines are indented."""
    if page is None or width(text) <= page:
        return [text]
    return wrap(text, page, subsequent_indent=indent, break_long_words=True, break_on_hyphens=False)


def _header(plan: Plan, verbose: int) -> str:
    who = f"as {plan.account} ({plan.role})" if plan.account else "without a token"
    files = plan.manifest.files
    names = ", ".join(files if verbose else files[:_MOST_FILES])
    if len(files) > _MOST_FILES and not verbose:
        names += f" and {counted(len(files) - _MOST_FILES, 'more file')}"
    spaces, requests = _looked_at(plan), counted(plan.requests, "request")
    return plain(f"Hub {plan.hub} {who}      {names}, {spaces}, {requests}")


def _edge(listed: Sequence[Block], names: int) -> int:
    """The column in which prices and notes stand."""
    rows = (width(_left(row, names)) for block in listed for row in block.rows if row.price)
    titles = (4 + width(_title(block)) for block in listed if block.note)
    return min(max((*rows, *titles), default=0) + 3, _WIDEST)


def _block(
    block: Block, names: int, edge: int, paint: Paint, verbose: int, page: int | None
) -> Iterator[str]:
    each = " each" if block.alike else ""
    note = block.note and f"{block.note}{each}"
    yield _at(f"  {block.sign} {_title(block)}", edge, note, paint, block.sign, page)
    for row in block.rows:
        left = _left(row, names)
        if row.place and (verbose or row.severity == "error") and not block.alike:
            left += f"  [{row.place}]"
        margin = " " * (9 + names)
        if row.severity:
            first, *more = _fold(left, page, margin)
            yield _at(first, edge, "", paint, row.sign, page)
            yield from more
        else:
            yield _at(left, edge, row.price and f"{row.price}{each}", paint, row.sign, page)
        if verbose:
            yield from (f"{margin}{line}" for line in row.details)
        if row.hint:
            yield from _fold(f"{margin}{opening(row.hint)}", page, margin)
    if block.alike:
        yield from _wrapped([block.name, *block.alike], "        ", page or _LINE)


def _title(block: Block) -> str:
    return f"{1 + len(block.alike):,} Spaces alike:" if block.alike else block.name


def _left(row: Row, names: int) -> str:
    return f"      {row.sign} {pad(clip(row.name, names), names)} {row.text}"


def _at(left: str, edge: int, right: str, paint: Paint, sign: str, page: int | None) -> str:
    if page is not None and right:
        edge = min(edge, page - 1 - width(right))
        left = clip(left, max(edge, page // 2))
        right = clip(right, page - 1 - max(edge, width(left)))
    elif page is not None:
        left = clip(left, page)
    text = f"{pad(left, edge)} {right}" if right else left
    return text.rstrip().replace(f" {sign} ", f" {paint(sign)} ", 1)


def _wrapped(names: Iterable[str], indent: str, page: int) -> Iterator[str]:
    line = indent
    for name in names:
        if len(line) > len(indent) and width(line) + width(name) > page:
            yield line.rstrip()
            line = indent
        line += f"{name}  "
    yield line.rstrip()


def _summary(plan: Plan) -> str:
    created, deleted, changed = counts(plan)
    if plan.is_empty and not plan.checks:
        return f"No changes: {_looked_at(plan)} as declared."
    parts = f"{created:,} to create, {changed:,} to change, {deleted:,} to delete"
    failed = len(plan.checks) - len(plan.unknowns)
    checks = f"; {counted(failed, 'check')} failed" if failed else ""
    checks += f"; {len(plan.unknowns):,} unknown" if plan.unknowns else ""
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
    yield from _wrapped((plain(space) for space in plan.unmanaged), "    ", _LINE)


def _next_step(plan: Plan, automation: bool, command: str) -> Iterator[str]:
    """What to do now, or why it can't be done. A refusal is said to automation as well."""
    if plan.at is not None:
        return
    if plan.breaches:
        yield "\nThe policy refuses this plan: nothing will be applied."
        return
    changed = {change.space for change in plan.changes}
    refused = {check.space for check in plan.errors if check.space}
    if changed and refused:
        yield f"\n{counted(len(refused), 'Space')} with an error will not be touched."
    if changed - refused and not automation:
        yield f"\n{_apply(plan, command)}"


def _apply(plan: Plan, command: str) -> str:
    if plan.account is None or plan.role == "read":
        return f"To make these changes: {command} with a token that may write, which this plan had not."
    return f"To make these changes: {command}{' --allow-delete' if plan.deletes else ''}"


def _painter(color: bool) -> Paint:
    def paint(sign: str) -> str:
        return f"\x1b[{_COLORS[sign]}m{sign}\x1b[0m" if color else sign

    return paint
