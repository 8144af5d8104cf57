"""hfspace diagnose: why a Space can't be called, and which endpoint and payload work."""

from __future__ import annotations

import json
import shlex
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import click

from hfspace.cli.context import Context, hfspace_command
from hfspace.cli.inputs import parse_timeout
from hfspace.diagnosis.connection import token_of
from hfspace.diagnosis.fix import Repair, repair, sources_of
from hfspace.diagnosis.run import DiagnosisOptions, examine
from hfspace.diagnosis.simple import app_auth, declared
from hfspace.diagnosis.target import read_target
from hfspace.diagnosis.trial import BODIES, can_be_tried, run_trial
from hfspace.diagnosis.verdicts import Diagnosis
from hfspace.errors import HfspaceError, UsageError
from hfspace.live.gradio.codes import Code
from hfspace.live.gradio.urls import SEED_PATHS
from hfspace.live.hub import HubClient
from hfspace.manifest.models import EndpointSpec, Manifest
from hfspace.manifest.rewrite import write
from hfspace.report.diagnosis import render, to_json
from hfspace.text import json_text

THREADS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagnoseOptions:
    """Which Spaces, how far they are tried, and what becomes of the finding."""

    targets: tuple[str, ...]
    every: bool
    wake: bool
    invoke: bool
    trial: bool
    mend: bool
    yes: bool
    url: str | None
    zero_gpu: bool
    no_check: bool
    timeout: str
    invoke_timeout: str
    wake_timeout: str
    form: str


@hfspace_command(
    DiagnoseOptions,
    name="diagnose",
    epilog="\b\nExamples:\n  hfspace diagnose acme/whisper-demo\n"
    "  hfspace diagnose https://acme-whisper-demo.hf.space/api/predict -v\n"
    "  hfspace diagnose --all\n  hfspace diagnose acme/whisper-demo --invoke\n"
    "  hfspace diagnose acme/whisper-demo --fix\n"
    "  hfspace diagnose acme/generator --invoke --try --fix\n\n"
    "Exit code: 0 healthy (also after --fix), 2 a problem was found, 1 could not find out.",
)
@click.argument("targets", nargs=-1, metavar="[ID|URL]...")
@click.option("--all", "every", is_flag=True, help="Every Space of the manifest.")
@click.option(
    "--wake", is_flag=True, help="Wake a sleeping Space and wait until it runs; this may cost money."
)
@click.option("--invoke", is_flag=True, help="Really call the declared endpoint with its example.")
@click.option(
    "--try",
    "trial",
    is_flag=True,
    help="With --invoke: call the usual five paths of an app that does not describe itself, after asking.",
)
@click.option(
    "--no-check", is_flag=True, help="With --invoke: send the example even where it does not seem to fit."
)
@click.option("--fix", "mend", is_flag=True, help="Write what was found into the manifest.")
@click.option("--yes", is_flag=True, help="With --fix and --try: do not ask.")
@click.option("--url", metavar="URL", help="The app's own host, asked instead of the Hub, without a token.")
@click.option("--zero-gpu", is_flag=True, help="Send the token to a public Space too, for its ZeroGPU quota.")
@click.option("--timeout", default="10s", show_default=True, help="How long one request may take.")
@click.option("--invoke-timeout", default="60s", show_default=True, help="How long a call may take.")
@click.option("--wake-timeout", default="5m", show_default=True, help="How long a Space may take to wake.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form on stdout.")
def command(context: Context, options: DiagnoseOptions) -> int:
    """Say why a Space can't be called, and what works.

    Asks the Hub first; a Space that does not run is explained without touching it. Runs no function of the
    app unless --invoke; but a declared GET route that the app does not describe is asked.
    """
    if options.trial and not options.invoke:
        raise UsageError("--try calls functions of the app.", hint="Say so: --invoke --try")
    if options.no_check and not options.invoke:
        raise UsageError("--no-check is about the call of --invoke.", hint="Say so: --invoke --no-check")
    manifest = _manifest(context, options)
    chosen = _targets(options, manifest)
    hub = context.hub()
    diagnoses = _examine_all(context, hub, chosen, manifest, options)
    if options.trial:
        diagnoses = [_try(context, hub, item, options) for item in diagnoses]
    if options.form == "json":
        context.echo(json_text(to_json(diagnoses)))
    else:
        for item in diagnoses:
            sources = _sources(manifest, item)
            context.echo(
                render(
                    item,
                    verbose=context.verbose,
                    sources=sources,
                    columns=context.columns,
                    manifest_options=context.manifest_options,
                )
            )
    healthy = _mend(context, diagnoses, manifest, yes=options.yes) if options.mend else set()
    codes = {item.exit_code for number, item in enumerate(diagnoses) if number not in healthy}
    return 2 if 2 in codes else max(codes, default=0)


def _manifest(context: Context, options: DiagnoseOptions) -> Any:
    """The manifest: needed for --all and --fix, used when it is there, not missed otherwise."""
    needed = options.every or options.mend or context.has_manifest
    return context.load_manifest() if needed else None


def _targets(options: DiagnoseOptions, manifest: Any) -> tuple[str, ...]:
    targets = options.targets
    if options.url and (options.every or len(targets) > 1):
        raise UsageError("--url is the host of one app.", hint="Name its Space, or none.")
    if options.url and not targets:
        return (options.url,)
    if options.every:
        if targets:
            raise UsageError("Give the Spaces, or --all, not both.")
        targets = tuple(name for name, spec in manifest.spaces.items() if spec.state != "absent")
        if not targets:
            raise UsageError("The manifest declares no Space.")
    if not targets:
        raise UsageError("Nothing to diagnose.", hint="Name a Space or a URL, or pass --all.")
    return targets


def _examine_all(
    context: Context, hub: HubClient, targets: tuple[str, ...], manifest: Any, options: DiagnoseOptions
) -> list[Any]:
    def known(space: str) -> EndpointSpec | None:
        return declared(manifest, space) if manifest is not None else None

    chosen = DiagnosisOptions(
        wake=options.wake,
        invoke=options.invoke,
        fitting=not options.no_check,
        zero_gpu=options.zero_gpu,
        # One password belongs to one app: with several it is sent to none.
        auth=app_auth(context.env) if len(targets) == 1 else None,
        timeout=parse_timeout(options.timeout),
        invoke_timeout=parse_timeout(options.invoke_timeout),
        wake_timeout=parse_timeout(options.wake_timeout),
        notify=context.note,
        manifest_options=tuple(context.manifest_options),
        ask_hub=options.url is None,
        declared=known,
    )
    for text in targets:
        read_target(text, hub.endpoint)  # a typing error is told before anything is asked

    def one(text: str) -> Any:
        spec = known(text)
        diagnosis = examine(options.url or text, hub, endpoint=spec, options=chosen)
        if spec is not None:
            diagnosis = replace(diagnosis, space=diagnosis.space or read_target(text, hub.endpoint).space)
        elif options.invoke and not options.trial and known(diagnosis.space or "") is None:
            context.warn(f"{text}: --invoke needs an endpoint in the manifest; not called.")
        return diagnosis

    if len(targets) == 1:
        return [one(targets[0])]
    with ThreadPoolExecutor(max_workers=min(THREADS, len(targets))) as pool:
        return list(pool.map(one, targets))


def _try(context: Context, hub: HubClient, diagnosis: Diagnosis, options: DiagnoseOptions) -> Diagnosis:
    """The diagnosis with the trial of the usual paths, where it makes sense and somebody agrees."""
    named = diagnosis.space or diagnosis.target
    if not can_be_tried(diagnosis):
        return diagnosis
    inputs, data = (json.dumps(body) for body in BODIES.values())
    context.note(f"{named}: {', '.join(SEED_PATHS)}: each POSTed {inputs}, then {data}, until one works.")
    if not options.yes and not context.confirm(f"Send these to {diagnosis.base}?"):
        context.note("Nothing was sent.")
        return diagnosis
    token = token_of(diagnosis, hub, zero_gpu=options.zero_gpu)
    again = ["hfspace", "diagnose", named, *context.manifest_options, "--invoke", "--try", "--fix"]
    advice = "" if options.mend else f"Write it into the manifest: {shlex.join(again)}"
    return run_trial(diagnosis, token, parse_timeout(options.invoke_timeout), advice)


def _sources(manifest: Any, diagnosis: Any) -> Any:
    return (
        sources_of(manifest, diagnosis.space)
        if manifest is not None and diagnosis.space in manifest.spaces
        else {}
    )


def _mend(context: Context, diagnoses: list[Diagnosis], manifest: Manifest, *, yes: bool) -> set[int]:
    """Show the edits, ask, write all or none. The positions of the diagnoses that are healthy after that."""
    healthy = set()
    for number, item in enumerate(diagnoses):
        named = item.space or item.target
        try:
            plan = repair(item, manifest)
        except HfspaceError as error:
            context.warn(" ".join(part for part in (error.message, error.hint) if part))
            continue
        if _mended(context, plan, named, yes=yes) and not plan.left and _can_be_mended(item):
            healthy.add(number)
    return healthy


def _mended(context: Context, plan: Repair, named: str, *, yes: bool) -> bool:
    """Whether the edits were written."""
    if plan.refused:
        context.warn(f"{named}: nothing was written: {' '.join(plan.refused)}")
        return False
    if not plan.edits:
        left = f" {' '.join(plan.left)}" if plan.left else ""
        context.note(f"{named}: nothing to write into the manifest.{left}")
        return False
    for edit in plan.edits:
        click.echo(edit.diff, err=True)
    for note in plan.notes:
        context.warn(f"{named}: {note}")
    files = " and ".join(str(edit.file) for edit in plan.edits)
    if not yes and not context.confirm(f"Write this into {files}?"):
        context.note("Not written.")
        return False
    write(plan.edits)
    left = f"; left to you: {' '.join(plan.left)}" if plan.left else ""
    context.note(f"{named}: written: {files}{left}")
    return True


def _can_be_mended(diagnosis: Diagnosis) -> bool:
    """Whether the declaration was all that was wrong."""
    return diagnosis.verdict.code in {Code.ENDPOINT_MISMATCH, Code.HEALTHY, Code.NOT_GRADIO}
