"""hfspace list: the Spaces of an owner or a search, declared or not."""

from __future__ import annotations

import click

from hfspace.cli.context import Context, hfspace_command


@hfspace_command(
    manifest=False,
    name="list",
    epilog="\b\nExamples:\n  hfspace list acme\n  hfspace list --search whisper --limit 20\n"
    "  hfspace list acme --format json",
)
@click.argument("owner", required=False)
@click.option("--search", help="Only Spaces whose name holds this.")
@click.option("--limit", type=click.IntRange(1, 10000), help="At most so many.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the list."
)
def command(context: Context, owner: str | None, search: str | None, limit: int | None, form: str) -> int:
    """List the Spaces of OWNER (default: the token's account), or of a search."""
    import json
    from itertools import islice

    from hfspace.errors import UsageError
    from hfspace.report import spaces as report

    hub = context.hub()
    if owner is None and search is None:
        account = hub.whoami()
        if account is None or account.role == "oidc":
            raise UsageError("Whose Spaces? There is no token to tell.", hint="hfspace list OWNER")
        owner = account.name
    found = hub.list_spaces(author=owner, search=search, limit=limit)
    states = list(islice(found, limit))
    flavors = hub.flavors()
    if form == "json":
        items = report.to_json(states, flavors)
        context.echo(json.dumps({"format_version": 1, "spaces": items}, indent=2))
    else:
        context.echo(report.table(states, flavors))
    return 0
