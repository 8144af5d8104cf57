"""hfspace list: the Spaces of an owner or a search, declared or not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import chain, islice
from textwrap import indent

import click

from hfspace.cli.context import Context, hfspace_command
from hfspace.errors import UsageError
from hfspace.live.hub import HubClient
from hfspace.model import Details, Flavor, SpaceState
from hfspace.report import spaces as report
from hfspace.text import json_text, plain


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOptions:
    """What to list, and how. A filter that is empty holds for every Space."""

    owner: str | None
    search: str | None
    all: bool
    sdk: tuple[str, ...]
    stage: tuple[str, ...]
    hardware: tuple[str, ...]
    tag: tuple[str, ...]
    visibility: tuple[str, ...]
    sort: str | None
    limit: int | None
    form: str

    def holds(self, state: SpaceState) -> bool:
        """Whether every filter lets `state` through. An unknown value passes no filter."""
        tags = state.details.tags if state.details else ()
        return (
            _any(self.sdk, [state.sdk])
            and _any(self.stage, [state.stage])
            and _any(self.hardware, [state.hardware, state.hardware_current])
            and _any(self.visibility, [state.visibility])
            and all(_any((tag,), tags) for tag in self.tag)
        )


def _any(patterns: tuple[str, ...], values: Iterable[str | None]) -> bool:
    if not patterns:
        return True
    known = [value.lower() for value in values if value is not None]
    return any(fnmatchcase(value, pattern.lower()) for pattern in patterns for value in known)


@hfspace_command(
    ListOptions,
    manifest=False,
    name="list",
    epilog="\b\nExamples:\n  hfspace list acme\n  hfspace list --all --stage 'RUNNING*' --sort cost\n"
    "  hfspace list --search whisper --sdk gradio --limit 20\n"
    "  hfspace list acme --hardware 't4-*' --format csv > spaces.csv",
)
@click.argument("owner", required=False)
@click.option("--search", metavar="TEXT", help="Only Spaces whose name holds this.")
@click.option("--all", is_flag=True, help="Of this token's account and all its organisations.")
@click.option("--sdk", multiple=True, metavar="SDK", help="gradio, docker, static …; repeatable, globs.")
@click.option("--stage", multiple=True, metavar="STAGE", help="RUNNING, PAUSED …; repeatable, globs.")
@click.option("--hardware", multiple=True, metavar="FLAVOR", help="t4-small, 'a10g-*' …; repeatable, globs.")
@click.option("--tag", multiple=True, metavar="TAG", help="Only with this tag; repeated: with all of them.")
@click.option("--visibility", multiple=True, type=click.Choice(["public", "private"]), help="Repeatable.")
@click.option(
    "--sort",
    type=click.Choice(["likes", "modified", "cost", "name"]),
    help="Highest or newest first; names A to Z.",
)
@click.option("--limit", type=click.IntRange(1, 100_000), help="At most so many.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "csv"]), default="text", help="Form of the list."
)
def command(context: Context, options: ListOptions) -> int:
    """List the Spaces of OWNER (default: the token's account), of all owners, or of a search."""
    hub = context.hub()
    flavors = hub.flavors()
    matching = filter(options.holds, _existing(_read(hub, options), options))
    states = islice(_sorted(matching, options.sort, flavors), options.limit)
    if options.form == "json":
        lines = _json(report.to_json(state, flavors) for state in states)
    elif options.form == "csv":
        lines = report.list_csv(states, flavors)
    else:
        lines = report.list_lines(states, flavors, columns=context.columns)
    for line in lines:
        context.echo(line)
    return 4 if hub.left_out else 0


def _read(hub: HubClient, options: ListOptions) -> Iterator[SpaceState]:
    """Page by page; with --all owner after owner."""
    authors: list[str | None] = [options.owner]
    if options.all or (options.owner is None and options.search is None):
        if options.owner is not None:
            raise UsageError("OWNER and --all exclude each other.", hint="hfspace list --all")
        account = hub.whoami()
        if account is None or account.role == "oidc":
            raise UsageError("Whose Spaces? There is no token to tell.", hint="hfspace list OWNER")
        authors = [account.name, *(sorted(account.orgs) if options.all else ())]
    return chain.from_iterable(
        hub.list_spaces(author=author, search=options.search, details=True) for author in authors
    )


def _existing(states: Iterator[SpaceState], options: ListOptions) -> Iterator[SpaceState]:
    """`states`, of which there must be one where somebody named the owner: the Hub lists nothing for an owner
    that does not exist. Raises UsageError."""
    first = next(states, None)
    if first is None and options.owner and options.search is None:
        raise UsageError(
            f"There is no Space of {plain(options.owner)} that this token can see.",
            hint="Check the spelling, and that the token may see private Spaces of this owner.",
        )
    return states if first is None else chain((first,), states)


def _sorted(
    states: Iterable[SpaceState], sort: str | None, flavors: Mapping[str, Flavor]
) -> Iterable[SpaceState]:
    """As the Hub sends them when nothing is asked for, so that they can be shown as they come."""
    match sort:
        case "likes":
            return sorted(states, key=lambda state: -(_details(state).likes or 0))
        case "modified":
            return sorted(states, key=lambda state: _details(state).modified or "", reverse=True)
        case "cost":
            return sorted(
                states, key=lambda state: (-report.usd_now(state, flavors), -report.usd_awake(state, flavors))
            )
        case "name":
            return sorted(states, key=lambda state: state.id.lower())
        case _:
            return states


def _details(state: SpaceState) -> Details:
    return state.details or Details()


def _json(items: Iterable[dict[str, object]]) -> Iterator[str]:
    """The lines of one document, an item as soon as it is there."""
    yield '{\n  "format_version": 1,\n  "spaces": ['
    previous = ""
    for item in items:
        if previous:
            yield f"{previous},"
        previous = indent(json_text(item), "    ")
    if previous:
        yield previous
    yield "  ]\n}"
