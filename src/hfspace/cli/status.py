"""hfspace status: one table of what is live, and how far it is from the manifest."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from hfspace.cli.context import DEFAULT_FILE, Context, find_space, hfspace_command
from hfspace.cli.session import open_session
from hfspace.errors import UsageError
from hfspace.model import Flavor, SpaceState
from hfspace.planner.counts import drift_of, exit_code
from hfspace.report import spaces as report
from hfspace.text import json_text, plain


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusOptions:
    """Which Spaces, compared how, and how they are shown."""

    spaces: tuple[str, ...]
    form: str
    checks: bool
    sort: str


@hfspace_command(
    name="status",
    epilog="\b\nExamples:\n  hfspace status\n  hfspace status acme/whisper --format json\n"
    "  hfspace status --exit-code     exit 2 when something drifted\n  hfspace status --watch",
)
@click.argument("spaces", nargs=-1, metavar="[ID…]")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the table."
)
@click.option(
    "--exit-code",
    is_flag=True,
    help="Exit 2 when a Space differs from its declaration, 4 when that is not known.",
)
@click.option("--checks", is_flag=True, help="Compare declared endpoints with what the apps serve, too.")
@click.option(
    "--sort", type=click.Choice(["name", "cost"]), default="name", help="Dearest first, or by name."
)
@click.option("--watch", is_flag=True, help="Again every 5 seconds, until Ctrl-C.")
def command(context: Context, watch: bool, exit_code: bool, **options: object) -> int:
    """Stage, hardware, sleep time, price and drift of the declared Spaces, or of those named. With -v also
    the names of variables and secrets that nobody declared."""
    chosen = StatusOptions(**options)  # type: ignore[arg-type]
    while True:
        code = _once(context, chosen)
        if not watch:
            return code if exit_code else 0
        time.sleep(5)


def _once(context: Context, chosen: StatusOptions) -> int:
    """Prints the table; 2 when something differs, 4 when something could not be read or checked."""
    if chosen.spaces and not _has_manifest(context):
        return _undeclared(context, chosen)
    session = open_session(context, endpoints=chosen.checks, unmanaged=bool(context.verbose))
    if chosen.spaces:
        ids = {find_space(session.hub, name) for name in chosen.spaces}
        if unknown := ids - set(session.manifest.spaces):
            raise UsageError(f"{min(unknown)} is not declared.", hint=f"hfspace show {min(unknown)}")
        session.manifest = session.manifest.only(frozenset(ids))
    made = session.plan()
    snapshot, drift = session.snapshot, drift_of(made)
    _print(context, chosen, snapshot.spaces.values(), snapshot.flavors, drift)
    if chosen.form == "text":
        for space in sorted(set(session.manifest.spaces) - set(snapshot.spaces)):
            missing = drift[space] if drift[space] != "in line" else "absent, as declared"
            context.echo(f"{plain(space)}: {plain(missing)}")
        for address in made.undeclared:
            context.echo(f"{plain(address)}: declared by nobody")
    return 2 if made.changes or made.errors else exit_code(made)


def _undeclared(context: Context, chosen: StatusOptions) -> int:
    """The named Spaces where there is no manifest to compare them with."""
    hub = context.hub()
    states = [hub.space(find_space(hub, name)) for name in chosen.spaces]
    _print(context, chosen, states, hub.flavors(), {state.id: "not declared" for state in states})
    return 0


def _has_manifest(context: Context) -> bool:
    return context.manifest_files != (DEFAULT_FILE,) or Path(DEFAULT_FILE).exists()


def _print(
    context: Context,
    chosen: StatusOptions,
    states: Iterable[SpaceState],
    flavors: Mapping[str, Flavor],
    drift: Mapping[str, str],
) -> None:
    listed = sorted(states, key=lambda state: state.id)
    if chosen.sort == "cost":
        listed.sort(key=lambda one: (-report.usd_now(one, flavors), -report.usd_awake(one, flavors)))
    if chosen.form == "json":
        items = [{**report.to_json(state, flavors), "drift": drift.get(state.id, "")} for state in listed]
        context.echo(json_text({"format_version": 1, "spaces": items}))
        return
    for line in report.status_lines(listed, flavors, drift, columns=context.columns):
        context.echo(line)
