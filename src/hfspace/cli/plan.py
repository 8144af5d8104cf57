"""hfspace plan: the difference, its price, and what stands in the way."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

import click

from hfspace.cli.base import base_option
from hfspace.cli.context import Context, hfspace_command
from hfspace.model import Plan
from hfspace.planner.counts import UNKNOWN, exit_code
from hfspace.report.rendering import FORMATS, render


@hfspace_command(
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
    "--target", "targets", multiple=True, metavar="ADDRESS", help="Only these addresses; globs, repeatable."
)
@click.option("--shard", metavar="I/N", help="Only this share of the Spaces (see hfspace shards).")
@click.option("--check-endpoints", is_flag=True, help="Compare declared endpoints with what the apps serve.")
@click.option("--wake", is_flag=True, help="Wake sleeping Spaces to read their experiments; may cost money.")
@click.option("--unmanaged", is_flag=True, help="List what the owners have and nobody declared.")
@base_option
@click.option("--strict", is_flag=True, help="A warning counts as an error.")
@click.option("--allow-unknown", is_flag=True, help="Exit 0, not 4, over what could not be read or compared.")
@click.option(
    "--force", is_flag=True, help="Let a plan pass that touches more than policy.max_change_percent."
)
def command(
    context: Context,
    out: Path | None,
    form: str,
    detailed_exitcode: bool,
    targets: tuple[str, ...],
    shard: str | None,
    check_endpoints: bool,
    wake: bool,
    unmanaged: bool,
    base: Path | None,
    strict: bool,
    allow_unknown: bool,
    force: bool,
) -> int:
    """Show what would change, and the bill. Changes nothing."""
    from hfspace.cli.session import open_session

    session = open_session(
        context, endpoints=check_endpoints, wake=wake, unmanaged=unmanaged, shard=shard, base=base
    )
    made = session.plan(targets)
    if out is not None:
        from hfspace.planner.saved import save

        save(made, out)
        command = ["hfspace", "apply", *context.manifest_options, *(["--force"] if force else []), str(out)]
        command += ["--allow-delete"] if made.deletes else []
        context.note(f"Saved to {out}. Apply it with: {shlex.join(command)}")
    options = [part for target in targets for part in ("--target", target)]
    options += ["--shard", shard] if shard else []
    context.echo(rendered(made, form, context, options=options))
    if strict and any(check.severity == "warning" for check in made.checks):
        return 1
    code = exit_code(made, force=force, allow_unknown=allow_unknown)
    return 2 if code in {0, UNKNOWN} and detailed_exitcode and made.changes else code


def rendered(
    made: Plan, form: str, context: Context, *, applying: bool = False, options: Sequence[str] = ()
) -> str:
    """The plan in one of FORMATS. `applying`: it is about to be applied, and needs no next step."""
    return render(
        made,
        form,
        color=context.color,
        verbose=context.verbose,
        automation=applying or "CI" in context.env,
        columns=context.columns,
        command=shlex.join(["hfspace", "apply", *context.manifest_options, *options]),
    )
