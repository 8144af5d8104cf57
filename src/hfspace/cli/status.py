"""hfspace status: one table of what is live, and how far it is from the manifest."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NoReturn

import click

from hfspace.cli.context import Context, find_space, hfspace_command
from hfspace.cli.session import open_session
from hfspace.errors import HfspaceError, UsageError
from hfspace.model import Flavor, SpaceState
from hfspace.planner.counts import exit_code
from hfspace.report.spaces import usd_awake, usd_now
from hfspace.report.status import SpaceStatus, text_lines, to_json
from hfspace.report.timing import drift as drift_in_words

_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusOptions:
    """Which Spaces, compared how, and how they are shown."""

    spaces: tuple[str, ...]
    form: str
    checks: bool
    sort: str
    exit_code: bool
    watch: bool


@hfspace_command(
    StatusOptions,
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
@click.option("--watch", is_flag=True, help="Again every 5 seconds, until Ctrl-C; in a terminal, in place.")
def command(context: Context, options: StatusOptions) -> int:
    """Stage, hardware, sleep time, price and drift of the declared Spaces, or of those named. With -v also
    the names of variables and secrets that nobody declared."""
    if options.watch:
        _watch(context, options)
    status = _read(context, options)
    _print(context, options, status)
    return status.exit_code if options.exit_code else 0


def _read(context: Context, options: StatusOptions) -> SpaceStatus:
    if options.spaces and not context.has_manifest:
        return _undeclared(context, options)
    session = open_session(context, endpoints=options.checks, unmanaged=bool(context.verbose), cached=True)
    if options.spaces:
        ids = {find_space(session.hub, name) for name in options.spaces}
        if unknown := ids - set(session.manifest.spaces):
            raise UsageError(f"{min(unknown)} is not declared.", hint=f"hfspace show {min(unknown)}")
        session.manifest = session.manifest.only(frozenset(ids))
    plan = session.plan()
    snapshot, drift = session.snapshot, drift_in_words(plan)
    absent = {
        space: drift[space] if drift[space] != "in line" else "absent, as declared"
        for space in set(session.manifest.spaces) - set(snapshot.spaces)
    }
    return SpaceStatus(
        states=_sorted(options, snapshot.spaces.values(), snapshot.flavors),
        flavors=snapshot.flavors,
        drift=drift,
        absent=absent,
        undeclared=tuple(plan.undeclared),
        exit_code=2 if plan.changes or plan.errors else exit_code(plan),
        prices_of=snapshot.prices_of,
    )


def _undeclared(context: Context, options: StatusOptions) -> SpaceStatus:
    """The named Spaces where there is no manifest to compare them with."""
    hub = context.hub()
    states = [hub.space(find_space(hub, name)) for name in options.spaces]
    flavors = hub.flavors()
    return SpaceStatus(
        states=_sorted(options, states, flavors),
        flavors=flavors,
        drift={state.id: "not declared" for state in states},
        absent={},
        undeclared=(),
        exit_code=0,
    )


def _sorted(
    options: StatusOptions, states: Iterable[SpaceState], flavors: Mapping[str, Flavor]
) -> tuple[SpaceState, ...]:
    by_name = sorted(states, key=lambda state: state.id)
    if options.sort == "cost":
        by_name.sort(key=lambda one: (-usd_now(one, flavors), -usd_awake(one, flavors)))
    return tuple(by_name)


def _print(context: Context, options: StatusOptions, status: SpaceStatus) -> None:
    if options.form == "json":
        context.echo(to_json(status))
        return
    for line in text_lines(status, columns=context.columns):
        context.echo(line)


def _watch(context: Context, options: StatusOptions) -> NoReturn:
    """Read and show until Ctrl-C. What can't be read after a first time is told, and tried again."""
    status = _read(context, options)
    with _shown(context, options) as show:
        while True:
            show(status, "")
            time.sleep(_SECONDS)
            try:
                status = _read(context, options)
            except HfspaceError as error:
                show(status, str(error))


@contextmanager
def _shown(context: Context, options: StatusOptions) -> Iterator[Callable[[SpaceStatus, str], None]]:
    """Takes the newest status, or the last one and why there is no newer one."""

    def write(status: SpaceStatus, problem: str) -> None:
        if problem:
            context.warn(problem)
        else:
            _print(context, options, status)

    if options.form == "json" or not sys.stdout.isatty() or context.env.get("TERM") == "dumb":
        yield write
        return
    from hfspace.cli.live import status_view  # only a terminal needs rich

    with status_view(color=context.color) as view:
        yield view.show
