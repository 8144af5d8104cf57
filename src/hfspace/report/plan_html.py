"""A plan as one HTML page that needs nothing else: no script, no font, no image, no link to anywhere."""

from __future__ import annotations

from collections.abc import Iterable

from hfspace.model import Cost, Plan
from hfspace.planner.counts import counts
from hfspace.report.cells import POLICY, counted, html, money
from hfspace.report.plan_view import MEANINGS, Block, Row, blocks, grouped, result_of, signs

_NAMES = {"+": "create", "~": "change", "-": "delete", "!": "check", "i": "ignored", "?": "unknown"}
# The policy forbids everything but the style below, should a value ever get through the escaping.
_HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --line: #8884; --create: #1a7f37; --change: #9a6700; --delete: #cf222e;
  --check: #cf222e; --ignored: #6e7781; }}
@media (prefers-color-scheme: dark) {{ :root {{ --create: #3fb950; --change: #d29922; --delete: #f85149;
  --check: #f85149; --ignored: #8b949e; }} }}
body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }}
table {{ border-collapse: collapse; table-layout: fixed; width: 100%; margin: .25rem 0 1.25rem; }}
th, td {{ border-top: 1px solid var(--line); padding: .3rem .6rem; text-align: left; vertical-align: top; }}
td {{ overflow-wrap: anywhere; }}
code {{ font: 13px/1.5 ui-monospace, monospace; white-space: pre-wrap; }}
h2 {{ font-size: 1rem; margin: 1.25rem 0 0; }}
.sign {{ width: 1.5rem; font-weight: bold; }}
.name {{ width: 26%; }} td.place {{ width: 22%; }}
.price {{ width: 7rem; white-space: nowrap; text-align: right; }}
.place, .note {{ color: var(--ignored); font-weight: normal; font-size: .9em; }}
.create {{ color: var(--create); }} .change {{ color: var(--change); }} .delete {{ color: var(--delete); }}
.check, .unknown {{ color: var(--check); }} .ignored {{ color: var(--ignored); }}
</style>
</head>
<body>
"""


def render(plan: Plan) -> str:
    """The page. Every text of it is escaped; secrets are not in a plan."""
    groups = grouped(blocks(plan))
    title = f"hfspace plan: {_summary(plan)}"
    parts = [
        _HEAD.format(title=html(title), policy=POLICY),
        f"<h1>{html(_summary(plan))}</h1>",
        f"<p>{_who(plan)}</p>",
        _bill(plan.cost),
        *(_block(block) for block in groups),
        _legend(groups),
        _unmanaged(plan.unmanaged),
        "</body>\n</html>",
    ]
    return "\n".join(part for part in parts if part)


def _summary(plan: Plan) -> str:
    created, deleted, changed = counts(plan)
    if plan.changes:
        first = f"{created:,} to create, {changed:,} to change, {deleted:,} to delete"
    else:
        first = "No changes"
    return f"{first}; {result_of(plan.checks)}" if plan.checks else first


def _who(plan: Plan) -> str:
    account = f" as {html(plan.account)} ({html(plan.role)})" if plan.account else " without a token"
    files = html(", ".join(plan.manifest.files))
    spaces, requests = counted(len(plan.declared), "Space"), counted(plan.requests, "request")
    return f"Hub <code>{html(plan.hub)}</code>{account}; <code>{files}</code>, {spaces}, {requests}."


def _bill(cost: Cost) -> str:
    rows = [
        ("per hour, now", cost.before_usd_per_hour, cost.after_usd_per_hour),
        ("per month, if always on", cost.before_usd_per_month, cost.after_usd_per_month),
    ]
    cells = "".join(
        f'<tr><th scope="row">{name}</th><td class="price">{html(money(before))}</td>'
        f'<td class="price">{html(money(after))}</td></tr>'
        for name, before, after in rows
    )
    limit = cost.limit_usd_per_month
    note = ""
    if limit is not None:
        over = cost.after_usd_per_month > limit
        word = ' <strong class="check">over budget</strong>' if over else ""
        note = f"<p>Limit {html(money(limit))} per month.{word}</p>"
    head = (
        '<tr><th scope="col">Cost</th><th scope="col" class="price">before</th>'
        '<th scope="col" class="price">after</th></tr>'
    )
    return f"<table>{head}{cells}</table>{note}"


def _block(block: Block) -> str:
    note = f' <span class="note">{html(block.note)}</span>' if block.note else ""
    sign = f'<span class="{_NAMES[block.sign]}">{html(block.sign)}</span>'
    alike = ""
    if block.alike:
        names = html(", ".join(block.alike))
        alike = f"<details><summary>and {counted(len(block.alike), 'more like it', 'more like it')}</summary>"
        alike += f"<p>{names}</p></details>"
    rows = "".join(_row(row) for row in block.rows)
    table = f"<table>{rows}</table>" if rows else ""
    return f"<h2>{sign} {html(block.name)}{note}</h2>{alike}{table}"


def _row(row: Row) -> str:
    hint = f'<br><span class="note">{html(row.hint)}</span>' if row.hint else ""
    severity = f"{html(row.severity)}: " if row.severity else ""
    return (
        f'<tr><td class="sign {_NAMES[row.sign]}">{html(row.sign)}</td>'
        f'<td class="name"><code>{html(row.name)}</code></td>'
        f'<td>{severity}<code>{html(row.text)}</code>{hint}</td><td class="price">{html(row.price)}</td>'
        f'<td class="place">{html(row.place)}</td></tr>'
    )


def _legend(groups: list[Block]) -> str:
    used = signs(groups)
    if not used:
        return ""
    meanings = ", ".join(
        f'<span class="{_NAMES[sign]}">{html(sign)}</span> {html(MEANINGS[sign])}' for sign in used
    )
    return f'<p class="note">{meanings}</p>'


def _unmanaged(spaces: Iterable[str]) -> str:
    names = list(spaces)
    if not names:
        return ""
    listed = "".join(f"<li><code>{html(name)}</code></li>" for name in names)
    return (
        f"<details><summary>{counted(len(names), 'Space')} not declared</summary><ul>{listed}</ul></details>"
    )
