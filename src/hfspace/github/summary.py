"""The job summary: the plan with its bill, within what GitHub takes."""

from __future__ import annotations

from pathlib import Path

from hfspace.errors import UsageError
from hfspace.model import Plan
from hfspace.report import plan_markdown

LARGEST = 1024 * 1024
"""Bytes of one step's summary; a larger one is dropped as a whole."""


def summary(plan: Plan, *, title: str, limit: int = 200_000) -> str:
    """The plan as a summary of at most about `limit` characters."""
    return f"## {title}\n\n{plan_markdown.render(plan, limit=limit)}\n"


def write_summary(path: str, text: str) -> None:
    """Append to the file of GITHUB_STEP_SUMMARY; what would not fit is left out and said so."""
    file = Path(path)
    try:
        used = file.stat().st_size if file.exists() else 0
        room = LARGEST - used - 1024
        body = text.encode("utf-8")
        if len(body) > room:
            body = b"\nThe summary of this plan does not fit here; the artifact has all of it.\n"
            if room < 0:
                return
        with file.open("ab") as out:
            out.write(body)
    except OSError as error:
        raise UsageError(f"GITHUB_STEP_SUMMARY can't be written: {error.strerror}.") from None
