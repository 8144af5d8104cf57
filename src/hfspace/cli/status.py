"""hfspace status: one table of what is live, and how far it is from the manifest."""

from __future__ import annotations

import time

import click

from hfspace.cli.context import Context, hfspace_command


@hfspace_command(
    name="status",
    epilog="\b\nExamples:\n  hfspace status\n  hfspace status acme/whisper --format json\n"
    "  hfspace status --exit-code     exit 2 when something drifted\n  hfspace status --watch",
)
@click.argument("spaces", nargs=-1, metavar="[ID…]")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the table."
)
@click.option("--exit-code", is_flag=True, help="Exit 2 when a Space differs from its declaration.")
@click.option("--checks", is_flag=True, help="Compare declared endpoints with what the apps serve, too.")
@click.option("--watch", is_flag=True, help="Again every 5 seconds, until Ctrl-C.")
def command(
    context: Context, spaces: tuple[str, ...], form: str, exit_code: bool, checks: bool, watch: bool
) -> int:
    """Stage, hardware, sleep time, price and drift of the declared Spaces, or of those named."""
    while True:
        code = _once(context, spaces, form, checks)
        if not watch:
            return code if exit_code else 0
        time.sleep(5)


def _once(context: Context, spaces: tuple[str, ...], form: str, checks: bool) -> int:
    """Prints the table; 2 when something differs."""
    import json

    from hfspace.cli.session import open_session
    from hfspace.errors import UsageError
    from hfspace.planner.counts import drift_of
    from hfspace.report import spaces as report

    session = open_session(context, endpoints=checks)
    if spaces:
        if unknown := set(spaces) - set(session.manifest.spaces):
            raise UsageError(f"{sorted(unknown)[0]} is not declared.", hint="See it with `hfspace show ID`.")
        session.manifest = session.manifest.only(frozenset(spaces))
    made = session.plan()
    snapshot, drift = session.snapshot, drift_of(made)
    states = [snapshot.spaces[space] for space in sorted(snapshot.spaces)]
    if form == "json":
        listed = [
            {**report.to_json(state, snapshot.flavors), "drift": drift.get(state.id, "")} for state in states
        ]
        context.echo(json.dumps({"format_version": 1, "spaces": listed}, indent=2))
    else:
        for line in report.status_lines(states, snapshot.flavors, drift, columns=context.columns):
            context.echo(line)
        missing = sorted(set(session.manifest.spaces) - set(snapshot.spaces))
        for space in missing:
            context.echo(f"{space}: {drift[space] if drift[space] != 'in line' else 'absent, as declared'}")
    return 2 if made.changes or made.errors else 0
