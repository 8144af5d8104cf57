"""A plan in one of its forms: for a terminal, a script, a pull request, a browser."""

from __future__ import annotations

from hfspace.model import Plan
from hfspace.report import plan_json, plan_markdown, plan_text
from hfspace.text import json_text

FORMATS = ("text", "json", "markdown", "html")


def render(
    plan: Plan,
    form: str = "text",
    *,
    color: bool = False,
    verbose: int = 0,
    automation: bool = False,
    columns: int | None = None,
    command: str = "hfspace apply",
) -> str:
    """`plan` as text, json, markdown or html; the options are those of text, see plan_text.render.

    Raises ValueError for another form.
    """
    match form:
        case "text":
            return plan_text.render(
                plan,
                color=color,
                verbose=verbose,
                automation=automation,
                columns=columns,
                command=command,
            )
        case "json":
            return json_text(plan_json.to_json(plan))
        case "markdown":
            return plan_markdown.render(plan)
        case "html":
            from hfspace.report import plan_html  # its templates take 40 ms, and the other forms have none

            return plan_html.render(plan)
        case _:
            raise ValueError(f"'{form}' is none of {', '.join(FORMATS)}")
