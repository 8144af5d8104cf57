"""hfspace init: a manifest to begin with, empty or from the Spaces that are there."""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import click

from hfspace.cli.context import DEFAULT_FILE, Context, find_space, hfspace_command
from hfspace.errors import HubError, UsageError
from hfspace.files import write_atomically
from hfspace.live.hub import HubClient
from hfspace.manifest import adopt
from hfspace.manifest.adopt import Found
from hfspace.manifest.models import SpaceSpec
from hfspace.manifest.schema import json_schema
from hfspace.model import SpaceState
from hfspace.observer import Look, read_details
from hfspace.pull import Pull, prepare
from hfspace.report.cells import counted
from hfspace.text import plain

_THREADS = 8


@hfspace_command(
    manifest=False,
    name="init",
    epilog="\b\nExamples:\n  hfspace init                     a commented starter\n"
    "  hfspace init acme                all Spaces of acme, as they are\n"
    "  hfspace init acme --files        their files too, each in a folder of its own\n"
    "  hfspace init acme/a acme/b --out -",
)
@click.argument("names", nargs=-1, metavar="[OWNER | ID]…")
@click.option("--out", default=DEFAULT_FILE, show_default=True, metavar="FILE", help="Where to; - is stdout.")
@click.option("--files", is_flag=True, help="Write each Space's files to a folder beside the manifest.")
@click.option("--force", is_flag=True, help="Replace files that are there.")
def command(context: Context, names: tuple[str, ...], out: str, files: bool, force: bool) -> int:
    """Write a manifest: a commented starter, or one that adopts live Spaces as they are.

    Nothing on the Hub is changed. Secrets are listed as comments: their values can't be read.
    """
    path = Path(out)
    if files and (out == "-" or not names):
        hint = "hfspace init acme --files, say." if out != "-" else "Leave out --out -."
        raise UsageError(
            "--files needs Spaces, and a place for a manifest that names their folders.", hint=hint
        )
    if out != "-" and path.exists() and not force:
        raise UsageError(f"{plain(out)} is there already.", hint="Name another with --out, or pass --force.")
    code = 0
    if not names:
        text, said = adopt.STARTER, "a starter; declare your first Space in it"
    else:
        hub = context.hub()
        spaces = _found(hub, names)
        code = 4 if hub.left_out else 0
        if not spaces and not code:
            raise UsageError(
                f"There is no Space of {plain(', '.join(names))} that this token can see.",
                hint="Check the name, or run `hfspace init` for a starter.",
            )
        if files:
            spaces, missing = _with_files(context, hub, spaces, path.parent, force=force)
            code = 4 if missing else code
        text, said = (
            adopt.manifest_of(spaces, _prices(hub)),
            f"{counted(len(spaces), 'Space')}; see `hfspace plan`",
        )
    if out == "-":
        context.echo(text.removeprefix(adopt.SCHEMA_LINE).rstrip("\n"))
        return code
    schema = path.with_name("spaces.schema.json")
    schema_text = json.dumps(json_schema(), indent=2) + "\n"  # a package that is broken shows before a write
    try:
        write_atomically(path, text)
        if not schema.exists():
            # The first line of the manifest names it.
            write_atomically(schema, schema_text)
    except OSError as error:
        raise UsageError(f"{plain(out)} can't be written: {error.strerror}.") from None
    context.note(f"Wrote {plain(out)}: {said}.")
    return code


def _with_files(
    context: Context, hub: HubClient, spaces: list[Found], base: Path, *, force: bool
) -> tuple[list[Found], int]:
    """The Spaces with their files in folders below `base`, and how many could not be read. What stands in the
    way of one is told before anything is written. Raises UsageError."""
    names = Counter(one.state.id.partition("/")[2].lower() for one in spaces)
    prepared: list[Pull | HubError] = []
    for one in spaces:
        owner, _, name = one.state.id.partition("/")
        folder = base / (name if names[name.lower()] == 1 else f"{owner}/{name}")
        try:
            prepared.append(prepare(hub, one.state, folder, force=force))
        except HubError as error:
            prepared.append(error)
    adopted = []
    for one, pull in zip(spaces, prepared, strict=True):
        if isinstance(pull, HubError):
            adopted.append(replace(one, problem=f"its files could not be read: {pull.message}"))
            continue
        done = pull.write()
        context.debug(f"{one.state.id}: {counted(len(done.new) + len(done.replaced), 'file')} written")
        place = f"./{pull.folder.relative_to(base).as_posix()}" if pull.writing.names else ""
        adopted.append(replace(one, folder=place))
    return adopted, sum(isinstance(one, HubError) for one in prepared)


def _found(hub: HubClient, names: tuple[str, ...]) -> list[Found]:
    """Every Space that the names stand for, with all that a manifest can say of it."""
    states: dict[str, SpaceState] = {}
    for name in names:
        if "/" in name or name.endswith(".hf.space"):
            state = hub.space(find_space(hub, name))
            states[state.id] = state
        else:
            states |= {state.id: state for state in hub.list_spaces(author=name)}
    exact = _exact_visibilities(hub, states)
    with ThreadPoolExecutor(max_workers=_THREADS) as pool:
        waiting = [
            pool.submit(copy_context().run, _read, hub, state, exact.get(state.id))
            for state in states.values()
        ]
        return [one.result() for one in waiting]


def _read(hub: HubClient, state: SpaceState, visibility: str | None) -> Found:
    # A listing may lack volumes; pruning them needs them read.
    names = {"variables", "secrets"} if hub.has_token else set()
    spec = SpaceSpec.model_validate({"prune": names if state.is_static else names | {"volumes"}})
    try:
        return Found(state=read_details(state, spec, hub, Look(), visibility))
    except HubError as error:
        known = replace(state, visibility=visibility, visibility_exact=True) if visibility else state
        return Found(state=known, problem=f"not all of it could be read: {error.message}")


def _prices(hub: HubClient) -> dict[str, Decimal]:
    """USD per hour by hardware; nothing when the Hub does not tell."""
    try:
        return {name: flavor.usd_per_hour for name, flavor in hub.flavors().items()}
    except HubError:
        return {}


def _exact_visibilities(hub: HubClient, states: dict[str, SpaceState]) -> dict[str, str]:
    """private and protected look alike in a listing: the owner's settings tell, where they may be read."""
    owners = {space.split("/")[0] for space, state in states.items() if state.visibility == "private"}
    account = hub.whoami() if owners else None
    names: dict[str, str] = {}
    for owner in sorted(owners if account is not None else ()):
        try:
            names |= hub.visibilities(owner, is_org=account is None or owner != account.name)
        except HubError:
            continue
    return {space: visibility for space, visibility in names.items() if space in states}
