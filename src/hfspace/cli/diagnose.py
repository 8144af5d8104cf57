"""hfspace diagnose: why a Space can't be called, and which endpoint and payload work."""

from __future__ import annotations

from typing import Any

import click

from hfspace.cli.context import Context, hfspace_command
from hfspace.errors import HfspaceError, UsageError
from hfspace.text import json_text

THREADS = 8


@hfspace_command(
    name="diagnose",
    epilog="\b\nExamples:\n  hfspace diagnose acme/whisper-demo\n"
    "  hfspace diagnose https://acme-whisper-demo.hf.space/api/predict -v\n"
    "  hfspace diagnose --all\n  hfspace diagnose acme/whisper-demo --invoke\n"
    "  hfspace diagnose acme/whisper-demo --fix\n\n"
    "Exit code: 0 healthy, 2 a problem was found, 1 could not find out.",
)
@click.argument("targets", nargs=-1, metavar="[ID|URL]...")
@click.option("--all", "every", is_flag=True, help="Every Space of the manifest.")
@click.option(
    "--wake", is_flag=True, help="Wake a sleeping Space and wait until it runs; this may cost money."
)
@click.option("--invoke", is_flag=True, help="Really call the declared endpoint with its example.")
@click.option("--fix", "mend", is_flag=True, help="Write what was found into the manifest.")
@click.option("--yes", is_flag=True, help="With --fix: do not ask.")
@click.option("--zero-gpu", is_flag=True, help="Send the token to a public Space too, for its ZeroGPU quota.")
@click.option("--timeout", default="10s", show_default=True, help="How long one request may take.")
@click.option("--invoke-timeout", default="60s", show_default=True, help="How long a call may take.")
@click.option("--wake-timeout", default="5m", show_default=True, help="How long a Space may take to wake.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form on stdout.")
def command(context: Context, **options: Any) -> int:
    """Say why a Space can't be called, and what works.

    Asks the Hub first; a Space that does not run is explained without touching it. Runs no function of the
    app unless --invoke.
    """
    from hfspace.report.diagnosis import render, to_json

    manifest = _manifest(context, options)
    chosen = _targets(options, manifest)
    found = _examine_all(context, chosen, manifest, options)
    if options["form"] == "json":
        context.echo(json_text(to_json(found)))
    else:
        for item in found:
            context.echo(render(item, verbose=context.verbose, sources=_sources(manifest, item)))
    if options["mend"]:
        _mend(context, found, manifest, yes=options["yes"])
    codes = {item.exit_code for item in found}
    return 2 if 2 in codes else max(codes, default=0)


def _manifest(context: Context, options: dict[str, Any]) -> Any:
    """The manifest: needed for --all and --fix, used when it is there, not missed otherwise."""
    from pathlib import Path

    needed = options["every"] or options["mend"] or bool(context.files)
    if not needed and not any(Path(name).exists() for name in context.manifest_files):
        return None
    return context.load_manifest()


def _targets(options: dict[str, Any], manifest: Any) -> tuple[str, ...]:
    targets: tuple[str, ...] = tuple(options["targets"])
    if options["every"]:
        if targets:
            raise UsageError("Give the Spaces, or --all, not both.")
        targets = tuple(name for name, spec in manifest.spaces.items() if spec.state != "absent")
        if not targets:
            raise UsageError("The manifest declares no Space.")
    if not targets:
        raise UsageError("Nothing to diagnose.", hint="Name a Space or a URL, or pass --all.")
    return targets


def _examine_all(
    context: Context, targets: tuple[str, ...], manifest: Any, options: dict[str, Any]
) -> list[Any]:
    from concurrent.futures import ThreadPoolExecutor

    from hfspace.cli.session import parse_timeout
    from hfspace.diagnosis.run import Options, examine
    from hfspace.diagnosis.simple import declared
    from hfspace.diagnosis.target import read_target

    hub = context.hub()
    chosen = Options(
        wake=options["wake"],
        invoke=options["invoke"],
        zero_gpu=options["zero_gpu"],
        timeout=parse_timeout(options["timeout"]),
        invoke_timeout=parse_timeout(options["invoke_timeout"]),
        wake_timeout=parse_timeout(options["wake_timeout"]),
        notify=context.note,
    )
    for text in targets:
        read_target(text, hub.endpoint)  # a typing error is told before anything is asked

    def one(text: str) -> Any:
        spec = declared(manifest, text) if manifest is not None else None
        if options["invoke"] and spec is None:
            context.warn(f"{text}: --invoke needs an endpoint in the manifest; not called.")
        return examine(text, hub, endpoint=spec, options=chosen)

    if len(targets) == 1:
        return [one(targets[0])]
    with ThreadPoolExecutor(max_workers=min(THREADS, len(targets))) as pool:
        return list(pool.map(one, targets))


def _sources(manifest: Any, found: Any) -> Any:
    from hfspace.diagnosis.fix import sources_of

    return (
        sources_of(manifest, found.space) if manifest is not None and found.space in manifest.spaces else {}
    )


def _mend(context: Context, found: list[Any], manifest: Any, *, yes: bool) -> None:
    """Show each edit, ask, write. What can't be edited is said."""
    from hfspace.diagnosis.fix import edits, write

    for item in found:
        try:
            planned, refused = edits(item, manifest)
        except HfspaceError as error:
            context.warn(str(error))
            continue
        for reason in refused:
            context.warn(reason)
        if not planned:
            context.note(f"{item.space or item.target}: nothing to write into the manifest.")
        for edit in planned:
            click.echo(edit.diff, err=True)
            if not yes and not context.confirm(f"Write this into {edit.file}?"):
                context.note("Not written.")
                continue
            write(edit)
            context.note(f"Written: {edit.file}")
