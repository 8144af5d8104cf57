"""hfspace explain: what a key of the manifest means."""

from __future__ import annotations

import json
from typing import Any

import click

from hfspace.cli.context import Context, hfspace_command
from hfspace.manifest.reference import KeyEntry, below, entry


@hfspace_command(
    manifest=False,
    name="explain",
    epilog="\b\nExamples:\n  hfspace explain spaces                 every key of a Space\n"
    "  hfspace explain spaces.sleep_time\n  hfspace explain endpoint.params        'spaces.' is optional\n"
    "  hfspace explain policy --format json",
)
@click.argument("field", metavar="FIELD")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the result."
)
def command(context: Context, field: str, form: str) -> int:
    """Explain a key of the manifest, from the declaration that validates it."""
    one = entry(field)
    children = list(below(one))
    if form == "json":
        document = {"format_version": 1, **_document(one), "keys": [_document(child) for child in children]}
        context.echo(json.dumps(document, ensure_ascii=False))
        return 0
    context.echo("\n".join(_lines(one, children)))
    return 0


def _document(one: KeyEntry) -> dict[str, Any]:
    key = one.key
    return {
        "field": one.path,
        "text": key.text,
        "values": one.values,
        "example": key.example or None,
        "required": one.required,
        "static": key.static,
        "in_defaults": not key.not_in_defaults,
        "prunable": key.prunable,
        "ignorable": key.ignorable,
    }


def _lines(one: KeyEntry, children: list[KeyEntry]) -> list[str]:
    key = one.key
    name = one.path.rpartition(".")[2]
    lines = [one.path, "", f"  {key.text}", ""]
    facts = [("takes", one.values), ("example", f"{name}: {key.example}" if key.example else "")]
    if one.path.startswith(("spaces.", "defaults.")) and one.path.count(".") == 1:
        facts += [
            ("static", "" if key.static else "a static Space can't hold it"),
            ("defaults", key.not_in_defaults and f"not there. {key.not_in_defaults}"),
            ("prune", "may name it" if key.prunable else ""),
            ("ignore", "may name it" if key.ignorable else ""),
        ]
    lines += [f"  {label:<10}{text}".replace("\\|", "|") for label, text in facts if text]
    if children:
        width = max(len(child.path.rpartition(".")[2]) for child in children)
        lines += ["", "  keys of each item:" if one.many else "  keys:"]
        lines += [
            f"    {child.path.rpartition('.')[2]:<{width}}  {child.key.text}"
            + (" (required)" if child.required else "")
            for child in children
        ]
    return lines
