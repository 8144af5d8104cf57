"""What became of spools, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hfspace.monitor.sync import Synced
from hfspace.report.cells import counted, cut
from hfspace.report.experiments import LONGEST_NAME, grid
from hfspace.text import plain


def synced_table(results: Sequence[Synced]) -> str:
    """What became of each spool, and why where something is left."""
    rows = [
        {
            "SPOOL": plain(item.path),
            "EXPERIMENT": plain(cut(item.name, LONGEST_NAME)),
            "SENT": f"{item.sent:,}",
            "LEFT": f"{item.left:,}" if item.name else "?",
            "": plain(_remark(item)),
        }
        for item in results
    ]
    return "\n".join(grid(rows))


def synced_to_json(item: Synced) -> dict[str, Any]:
    target = item.target
    return {
        "spool": str(item.path),
        "experiment": item.name or None,
        "space": target.space if target else None,
        "url": target.url if target else None,
        "project": target.project if target else None,
        "sent": item.sent,
        "left": item.left,
        "damaged_lines": item.damaged,
        "status": item.status,
        "removed": item.removed,
        "error": str(item.error) if item.error else None,
    }


def _remark(item: Synced) -> str:
    if item.error is not None:
        return str(item.error)
    parts = []
    if item.damaged:
        parts.append(f"{counted(item.damaged, 'damaged line')} skipped")
    if item.status is None:
        parts.append("the run did not say how it ended")
    if item.removed:
        parts.append("deleted")
    return "; ".join(parts) or f"{item.status}"
