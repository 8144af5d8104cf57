"""hfspace plan: the difference, its price, and what stands in the way."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from hfspace.cli.base import base_option
from hfspace.cli.context import Context, hfspace_command
from hfspace.cli.inputs import allow_unknown_option, parse_time
from hfspace.cli.session import open_session
from hfspace.errors import UsageError
from hfspace.model import Plan
from hfspace.planner.counts import UNKNOWN, exit_code
from hfspace.planner.saved import save
from hfspace.report.rendering import FORMATS, render


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOptions:
    """What is looked at, where the plan goes, and what decides the exit code."""

    out: Path | None
    form: str
    detailed_exitcode: bool
    targets: tuple[str, ...]
    shard: str | None
    check_endpoints: bool
    wake: bool
    unmanaged: bool
    base: Path | None
    strict: bool
    allow_unknown: bool
    force: bool
    at: str | None
    cost: bool
    diff: bool


@hfspace_command(
    PlanOptions,
    name="plan",
    epilog="\b\nExamples:\n  hfspace plan\n  hfspace plan --target 'acme/*' --detailed-exitcode\n"
    "  hfspace plan --out plan.json && hfspace apply plan.json",
)
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Save the plan, to be applied as it is."
)
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="text", help="Form of the plan on stdout."
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 when changes are pending.")
@click.option(
    "--target",
    "targets",
    multiple=True,
    metavar="ADDRESS",
    help="Only these addresses; globs, labels (team=speech), repeatable.",
)
@click.option("--shard", metavar="I/N", help="Only this share of the Spaces (see hfspace shards).")
@click.option(
    "--at", metavar="TIME", help="The plan of another time: 2026-12-01T18:00 in the manifest's timezone."
)
@click.option("--check-endpoints", is_flag=True, help="Compare declared endpoints with what the apps serve.")
@click.option("--diff", is_flag=True, help="Show the text of the files that change (--format html does).")
@click.option("--wake", is_flag=True, help="Wake sleeping Spaces to read their experiments; may cost money.")
@click.option("--unmanaged", is_flag=True, help="List what the owners have and nobody declared.")
@base_option
@click.option("--strict", is_flag=True, help="A warning counts as an error.")
@allow_unknown_option
@click.option(
    "--force", is_flag=True, help="Let a plan pass that touches more than policy.max_change_percent."
)
@click.option("--cost", is_flag=True, help="Read what the Hub billed this month, and show it.")
def command(context: Context, options: PlanOptions) -> int:
    """Show what would change, and the bill. Changes nothing."""
    session = open_session(
        context,
        endpoints=options.check_endpoints,
        wake=options.wake,
        unmanaged=options.unmanaged,
        shard=options.shard,
        base=options.base,
        cached=True,
    )
    if options.at is not None:
        if options.out is not None:
            raise UsageError("A plan of another time can't be applied, so it is not saved.", hint="Give one.")
        session.at = parse_time(options.at, session.manifest.timezone, "--at")
    session.costs = options.cost
    plan = session.plan(options.targets, diffs=options.diff or options.form == "html")
    if options.out is not None:
        save(plan, options.out)
        context.note(f"Saved to {options.out}. Apply it with: {_apply_command(context, options, plan)}")
    narrowing = [part for target in options.targets for part in ("--target", target)]
    narrowing += ["--shard", options.shard] if options.shard else []
    is_written = context.conclude(rendered(plan, options.form, context, options=narrowing))
    if not is_written or (options.strict and any(check.severity == "warning" for check in plan.checks)):
        return 1
    code = exit_code(plan, force=options.force, allow_unknown=options.allow_unknown)
    return 2 if code in {0, UNKNOWN} and options.detailed_exitcode and plan.changes else code


def _apply_command(context: Context, options: PlanOptions, plan: Plan) -> str:
    """The command that applies the plan that was saved."""
    command = ["hfspace", "apply", *context.manifest_options]
    command += ["--force"] if options.force else []
    command += [str(options.out)]
    command += ["--allow-delete"] if plan.deletes else []
    return shlex.join(command)


def rendered(
    plan: Plan, form: str, context: Context, *, applying: bool = False, options: Sequence[str] = ()
) -> str:
    """The plan in one of FORMATS. `applying`: it is about to be applied, and needs no next step."""
    return render(
        plan,
        form,
        color=context.color,
        verbose=context.verbose,
        automation=applying or "CI" in context.env,
        columns=context.columns,
        command=shlex.join(["hfspace", "apply", *context.manifest_options, *options]),
    )
