"""A plan as GitHub-flavoured Markdown: what matters in the first line, the worst first, an honest cut."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from hfspace.model import Action, Change, Check, Cost, Plan, Subject
from hfspace.planner.counts import counts
from hfspace.report import costs
from hfspace.report.cells import counted, cut, delta, html, money
from hfspace.report.plan_view import LONGEST_MESSAGE, result_of
from hfspace.report.settings import facet, setting
from hfspace.report.timing import timing
from hfspace.text import plain

LONGEST = 60_000
"""Characters of one rendering; a comment on GitHub holds 65,536."""

_SETTINGS = 15  # of a created Space; there are no more today
_ALIKE = 3  # so many Spaces with the same changes are shown as one
_MANY = 40  # from this many changes on, a table of what they have in common comes first
_MOST_EXEMPT = 20
_MOST_LINES = 10  # of the files of one commit
_SPECIAL = re.compile(r"[\\`*_\[\]|~$!@]")
_NEVER_SPLIT = {"@": "&#64;<!-- -->"}
_SENSITIVE = {Action.CREATE: "set", Action.DELETE: "deleted"}
_MARKS = {
    Action.CREATE: "➕",
    Action.UPDATE: "✏️",
    Action.DELETE: "🗑️",
    Action.RESTART: "🔄",
    Action.PAUSE: "⏸️",
}


def render(plan: Plan, *, limit: int = LONGEST) -> str:
    """The whole plan as a document of at most `limit` characters."""
    parts = [f"**{headline(plan)}**", ""]
    left = limit - sum(map(len, parts)) - 2_000
    if plan.checks:
        parts.append(checks_table(plan.checks, left // 2))
        left -= len(parts[-1])
    if plan.changes:
        parts.append(changes_table(plan.changes, left))
        left -= len(parts[-1])
    parts.append(cost_table(plan))
    parts += exemptions(plan)
    parts += [f"{html(sentence)}\n" for sentence in timing(plan)]
    if plan.ignored:
        parts.append(f"{counted(len(plan.ignored), 'difference')} ignored, as the manifest asks.\n")
    if plan.unmanaged and left > 0:
        parts.append(_unmanaged(plan, left))
    return "\n".join([*parts, footer(plan)])


def headline(plan: Plan) -> str:
    """Changes, checks and cost in one line."""
    created, deleted, changed = counts(plan)
    if plan.changes:
        first = f"{created:,} to create, {changed:,} to change, {deleted:,} to delete"
    else:
        first = "no changes"
    return " · ".join([first, *([result_of(plan.checks)] if plan.checks else []), bill(plan.cost)])


def bill(cost: Cost) -> str:
    """The ceiling per month, before and after."""
    before, after = cost.before_usd_per_month, cost.after_usd_per_month
    text = usd(money(after)) if before == after else f"{usd(money(before))} → {usd(money(after))}"
    over = cost.limit_usd_per_month is not None and after > cost.limit_usd_per_month
    limit = f" (over the limit of {usd(money(cost.limit_usd_per_month))})" if over else ""  # type: ignore[arg-type]
    return f"{text} per month at most{limit}"


def code(text: object, limit: int = LONGEST_MESSAGE) -> str:
    """Untrusted text as inline code, cut to `limit` characters: no tag, mention, link, cell or emoji comes
    of it.

    GitHub looks for mentions, references and emoji in the rendered text outside of code elements, so an
    entity alone is no protection; for '@' and '://' a comment splits the text as well.
    """
    escaped = _SPECIAL.sub(
        lambda found: f"&#{ord(found[0])};", html(cut(plain(text), limit)).replace("&#x27;", "'")
    )
    escaped = (
        escaped.replace("&#64;", _NEVER_SPLIT["@"]).replace("://", ":<!-- -->//").replace("www.", "www&#46;")
    )
    return f"<code>{escaped.strip() or ' '}</code>"


def usd(text: str) -> str:
    """Money, so that two dollar signs in one line are not taken for a formula."""
    return text.replace("$", "&#36;")


def checks_table(checks: Sequence[Check], budget: int) -> str:
    """Failed checks, errors first, in at most about `budget` characters."""
    worst = sorted(checks, key=lambda check: (check.severity != "error", check.space, check.address))
    rows = [_check_row(check) for check in worst]
    return _table(("", "Check", "What is wrong"), rows, budget, "failed check")


def changes_table(changes: Sequence[Change], budget: int) -> str:
    """Changes by Space, the most dangerous Spaces first, in at most about `budget` characters. Where there
    are many, what they have in common comes first, and Spaces with the same changes are put together."""
    many = len(changes) > _MANY
    summary = _common(changes, budget // 4) + "\n" if many else ""
    left = budget - len(summary)
    groups = _groups(changes, _ALIKE if many else len(changes) + 1)
    rows, weights = [], []
    for spaces, its in groups:
        each = f"<br>and {len(spaces) - 1:,} alike" if len(spaces) > 1 else ""
        for number, change in enumerate(its):
            rows.append(_change_row(change, "" if number else code(spaces[0]) + each))
            weights.append(len(spaces))
    header = ("", "Space", "Setting", "Now → after", "Per hour each" if many else "Per hour")
    table = _table(header, rows, left * 2 // 3 if many else left, "change", weights=weights)
    return summary + table + _alike([spaces for spaces, _ in groups if len(spaces) > 1], left - len(table))


def _groups(changes: Sequence[Change], least: int) -> list[tuple[list[str], list[Change]]]:
    """Spaces with the same rows, where there are `least` of them or more; the rest each by itself."""
    by_space: dict[str, list[Change]] = {}
    for change in changes:
        by_space.setdefault(change.space, []).append(change)
    kinds: dict[tuple[str, ...], list[str]] = {}
    for space, its in sorted(by_space.items()):
        kinds.setdefault(tuple(_change_row(change, "") for change in its), []).append(space)
    groups = [
        part
        for spaces in kinds.values()
        for part in ([spaces] if len(spaces) >= least else [[space] for space in spaces])
    ]
    groups.sort(key=lambda spaces: (min(map(danger, by_space[spaces[0]])), spaces[0]))
    return [(spaces, by_space[spaces[0]]) for spaces in groups]


def _alike(groups: Sequence[list[str]], budget: int) -> str:
    """The names of the Spaces that a table only counts, as far as they fit."""
    parts = []
    for number, spaces in enumerate(groups):
        left = budget // (len(groups) - number) - 150
        if left < 0:
            break
        fitting = _fitting(spaces, left)
        rest = f" and {len(spaces) - len(fitting):,} more" if len(fitting) < len(spaces) else ""
        title = f"The {len(spaces):,} Spaces like {code(spaces[0], 100)}"
        parts.append(folded(title, f"{', '.join(fitting)}{rest}"))
        budget -= len(parts[-1])
    return "".join(f"\n{part}" for part in parts)


def _fitting(spaces: Iterable[str], left: int) -> list[str]:
    lines: list[str] = []
    for space in spaces:
        left -= len(code(space)) + 2
        if left < 0:
            break
        lines.append(code(space))
    return lines


def danger(change: Change) -> int:
    """0 deletes a Space, 1 makes one public, 2 costs more, 3 deletes something, 4 the rest."""
    if change.deletes_space:
        return 0
    if "exposes" in change.effects:
        return 1
    if (change.usd_per_hour_after or 0) > (change.usd_per_hour_before or 0):
        return 2
    return 3 if change.action is Action.DELETE else 4


def cost_table(plan: Plan) -> str:
    """The bill in a table."""
    cost = plan.cost
    limit = cost.limit_usd_per_month
    rows = [
        ("now", money(cost.before_usd_per_hour), money(cost.before_usd_per_month)),
        ("after", money(cost.after_usd_per_hour), money(cost.after_usd_per_month)),
    ]
    if limit is not None:
        rows.append(("limit", "", money(limit)))
    lines = ["| Cost | Billed per hour | Ceiling per month (730 h) |", "| --- | ---: | ---: |"]
    table = [usd(f"| {name} | {hour} | {month} |") for name, hour, month in rows]
    more = [_figure(one) for one in costs.figures(plan)]
    return "\n".join([*lines, *table, *(["", *more] if more else []), ""])


def _figure(one: costs.Figure) -> str:
    over = f" **{costs.OVER}**" if one.is_over else ""
    text = one.text if one.usd is not None else code(one.text)
    return usd(f"- {one.name}: {text}{over} ({one.source})")


def exemptions(plan: Plan) -> list[str]:
    """Which Spaces leave a rule of the policy, and why: a list, empty where none does."""
    every = [(space, rule, why) for space, reasons in plan.exempt.items() for rule, why in reasons.items()]
    rows = [f"- {code(space)} leaves {code(rule)}: {code(why)}" for space, rule, why in every[:_MOST_EXEMPT]]
    more = f"- and {len(every) - _MOST_EXEMPT:,} more" if len(every) > _MOST_EXEMPT else ""
    return ["\n".join([*rows, *([more] if more else []), ""])] if rows else []


def footer(plan: Plan) -> str:
    """Where the plan comes from."""
    who = f"as {code(plan.account, 100)} ({code(plan.role, 20)})" if plan.account else "without a token"
    files = ", ".join(code(name, 100) for name in plan.manifest.files[:5])
    if len(plan.manifest.files) > 5:
        files += f" and {len(plan.manifest.files) - 5:,} more"
    return (
        f"<sub>{files}: {counted(len(plan.declared), 'Space')} on {code(plan.hub, 100)}, read {who}.</sub>\n"
    )


def _check_row(check: Check) -> str:
    mark = {"error": "❌", "unknown": "❔"}.get(check.severity, "⚠️")
    hint = f"<br>{code(check.hint)}" if check.hint else ""
    return f"| {mark} | {code(check.address)} | {code(check.message)}{hint} |"


def _change_row(change: Change, space: str) -> str:
    what = (
        "the Space"
        if change.subject is Subject.SPACE
        else code(change.address.removeprefix(f"{change.space}."))
    )
    note = f"<br>{code(change.note)}" if change.note else ""
    price = usd(delta(change.usd_per_hour_before, change.usd_per_hour_after))
    if change.commits and change.restarts:
        price = "rebuilds"
    return f"| {_MARKS[change.action]} | {space} | {what} | {_values(change)}{note} | {price} |"


def _values(change: Change) -> str:
    if change.sensitive:
        return f"{_SENSITIVE.get(change.action, 'changed')}, not shown"
    if change.subject is Subject.SPACE:
        gone = change.action is Action.DELETE
        return "deleted for good" if gone else f"created {_created(change.after)}".rstrip()
    before, after = _shown(change.facet, change.before), _shown(change.facet, change.after)
    if lines := facet(change.facet).lines(change):
        more = [f"and {len(lines) - _MOST_LINES:,} more"] if len(lines) > _MOST_LINES else []
        return "<br>".join([after, *(code(line) for line in lines[:_MOST_LINES]), *more])
    if change.action is Action.CREATE or facet(change.facet).relative:
        return after
    return f"{before} → nothing" if change.action is Action.DELETE else f"{before} → {after}"


def _shown(facet: str, item: object) -> str:
    return code(setting(facet, item))


def _created(settings: object) -> str:
    if not isinstance(settings, dict):
        return ""
    # Names of variables and secrets only: values of secrets never reach a plan.
    rows = [
        code(f"{key.replace('_', ' ')} {_listed(key, item)}", 200)
        for key, item in settings.items()
        if item not in (None, {}, [], ())
    ]
    return f"with<br>{'<br>'.join(rows[:_SETTINGS])}" if rows else ""


def _listed(key: str, item: object) -> str:
    if isinstance(item, dict | list | tuple):
        return ", ".join(map(str, item))
    return setting(key, item)


def _common(changes: Sequence[Change], budget: int) -> str:
    """What many changes have in common: the same setting, the same move."""
    kinds = Counter(
        (change.facet, change.action, "the Space" if change.subject is Subject.SPACE else _values(change))
        for change in changes
    )
    rows = [
        f"| {_MARKS[action]} | {code(facet)} | {values} | {count:,} |"
        for (facet, action, values), count in kinds.most_common(20)
    ]
    return _table(("", "Setting", "Now → after", "Times"), rows, budget, "kind", total=len(kinds))


def _table(
    header: Sequence[str],
    rows: Sequence[str],
    budget: int,
    noun: str,
    *,
    weights: Sequence[int] | None = None,
    total: int | None = None,
) -> str:
    """Rows that fit, then how many did not. `weights` says how many each row stands for."""
    weights = weights or [1] * len(rows)
    count = sum(weights) if total is None else total
    lines = [f"| {' | '.join(header)} |", f"|{' --- |' * len(header)}"]
    left = budget - sum(map(len, lines)) - 100
    fitting = 0
    for row, weight in zip(rows, weights, strict=True):
        left -= len(row) + 1
        if left < 0:
            break
        lines.append(row)
        fitting += weight
    lines.append("")
    if fitting < count:
        rest = counted(count - fitting, f"more {noun}")
        lines.append(f"**{rest} not shown here:** the full plan has all.\n")
    return "\n".join(lines)


def _unmanaged(plan: Plan, budget: int) -> str:
    items = _fitting(plan.unmanaged, min(budget, 4_000))
    more = f" and {len(plan.unmanaged) - len(items):,} more" if len(items) < len(plan.unmanaged) else ""
    return f"Not declared: {', '.join(items)}{more}.\n"


def folded(summary: str, body: str, *, shown: bool = False) -> str:
    """A section that opens on a click. `summary` is our own text or escaped already."""
    return f"<details{' open' if shown else ''}><summary>{summary}</summary>\n\n{body}\n</details>\n"


def names(spaces: Iterable[str], most: int = 10) -> str:
    """Ids of Spaces in a sentence."""
    ids = sorted(set(spaces))
    text = ", ".join(code(space, 100) for space in ids[:most])
    return f"{text} and {len(ids) - most:,} more" if len(ids) > most else text
