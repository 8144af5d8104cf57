"""hfspace validate: everything that can be said about a manifest without a network and a token."""

from __future__ import annotations

import click

from hfspace.cli.context import Context, hfspace_command
from hfspace.errors import ManifestError


@hfspace_command(
    name="validate",
    epilog="\b\nExamples:\n  hfspace validate\n  hfspace validate spaces/ production.yaml\n"
    "  hfspace validate --format json",
)
@click.argument("paths", nargs=-1, metavar="[FILES]…")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the result."
)
def command(context: Context, paths: tuple[str, ...], form: str) -> int:
    """Check the manifest offline: syntax, keys, types, rules and policy."""
    import json
    from dataclasses import replace

    from hfspace.plan.policy import declared
    from hfspace.report.cells import counted, plain
    from hfspace.report.problems import to_json

    context = replace(context, files=paths or context.files)
    try:
        manifest = context.load_manifest()
    except ManifestError as error:
        if form == "json":
            context.echo(
                json.dumps({"format_version": 1, "valid": False, "problems": to_json(error.problems)})
            )
            return 1
        raise
    breaches = declared(manifest)
    if form == "json":
        problems = [{"message": one.message, "hint": one.hint, "place": str(one.source)} for one in breaches]
        context.echo(json.dumps({"format_version": 1, "valid": not breaches, "problems": problems}))
        return 1 if breaches else 0
    for check in breaches:
        context.echo(plain(f"{check.source}: {check.address}: {check.message} {check.hint}"))
    if breaches:
        return 1
    context.echo(
        f"Valid: {counted(len(manifest.spaces), 'Space')} in {plain(', '.join(manifest.ref.files))}."
    )
    return 0
