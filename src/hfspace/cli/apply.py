"""hfspace apply: plan, show, ask, do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import click

from hfspace.applier.audit import AuditLog
from hfspace.cli.context import Context, hfspace_command
from hfspace.cli.inputs import allow_unknown_option, parse_timeout
from hfspace.cli.plan import rendered
from hfspace.cli.session import carry_out, open_session
from hfspace.errors import AuditLogIncomplete, UsageError
from hfspace.files import append_private, is_open_to_others
from hfspace.model import ApplyResult, ApprovedPlan, Plan
from hfspace.planner.counts import exit_code
from hfspace.planner.saved import load
from hfspace.report.apply_text import render, to_json
from hfspace.session import Session
from hfspace.text import json_text


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyOptions:
    """What is applied, how, under which leave, and where it is written down."""

    plan_file: Path | None
    yes: bool
    targets: tuple[str, ...]
    shard: str | None
    parallelism: int
    no_wait: bool
    wake: bool
    no_verify: bool
    timeout: str
    allow_delete: bool
    force: bool
    strict: bool
    allow_unknown: bool
    audit_log: Path | None
    form: str


@hfspace_command(
    ApplyOptions,
    name="apply",
    epilog="\b\nExamples:\n  hfspace apply\n  hfspace apply --yes --audit-log apply.ndjson\n"
    "  hfspace apply --target acme/whisper.hardware\n"
    "  hfspace plan --out plan.json && hfspace apply plan.json",
)
@click.argument("plan_file", required=False, metavar="[PLAN.json]", type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--target",
    "targets",
    multiple=True,
    metavar="ADDRESS",
    help="Only these addresses; globs, labels (team=speech), repeatable.",
)
@click.option("--shard", metavar="I/N", help="Only this share of the Spaces (see hfspace shards).")
@click.option(
    "--parallelism", type=click.IntRange(1, 64), default=8, show_default=True, help="Spaces at once."
)
@click.option("--no-wait", is_flag=True, help="Do not wait for Spaces to come up.")
@click.option("--wake", is_flag=True, help="Wake sleeping Spaces to read their experiments; may cost money.")
@click.option("--no-verify", is_flag=True, help="Do not verify declared endpoints after a restart.")
@click.option(
    "--timeout", default="15m", show_default=True, metavar="DURATION", help="Give up waiting after this."
)
@click.option("--allow-delete", is_flag=True, help="Let `state: absent` delete Spaces.")
@click.option("--force", is_flag=True, help="Touch more Spaces than policy.max_change_percent allows.")
@click.option("--strict", is_flag=True, help="A warning counts as an error: nothing is done.")
@allow_unknown_option
@click.option(
    "--audit-log", type=click.Path(dir_okay=False, path_type=Path), help="Append what is done, as NDJSON."
)
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the result."
)
def command(context: Context, options: ApplyOptions) -> int:
    """Make the Hub what the manifest says. Shows the plan and asks before the first change."""
    if options.plan_file is not None and (options.targets or options.shard):
        raise UsageError(
            "A saved plan is applied as it is.", hint="Give --target or --shard to `hfspace plan`."
        )
    saved = load(options.plan_file) if options.plan_file is not None else None
    session = open_session(
        context,
        wake=options.wake,
        shard=options.shard,
        timeout=parse_timeout(options.timeout),
        only=saved.declared if saved is not None and saved.is_whole else None,
    )
    plan = session.confirm(saved) if saved is not None else session.plan(options.targets, to_apply=True)
    _show_plan(context, options, plan)
    approved = plan.approve(allow_delete=options.allow_delete, force=options.force, strict=options.strict)
    if plan.is_empty:
        code = exit_code(plan, allow_unknown=options.allow_unknown)
        if options.form == "json":
            context.echo(_text(context, options, ApplyResult(outcomes=()), code))
        return code
    if not options.yes and not context.confirm("\nDo you want to make these changes?"):
        raise UsageError("Nothing was changed.")
    return _apply(context, options, session, approved)


def _apply(context: Context, options: ApplyOptions, session: Session, approved: ApprovedPlan) -> int:
    """The exit code: what was done and what failed decides it, also where nobody reads the result."""
    settings = replace(
        context.apply_options,
        wait=not options.no_wait,
        verify=not options.no_verify,
        parallelism=options.parallelism,
    )
    with ExitStack() as stack:
        audit = (
            stack.enter_context(_audit(context, options.audit_log, approved.plan))
            if options.audit_log
            else None
        )
        result = carry_out(context, session, approved, settings, *([audit] if audit else []))
    code = result.exit_code or exit_code(approved.plan, allow_unknown=options.allow_unknown)
    is_written = context.conclude(_text(context, options, result, code))
    if audit is not None and audit.missing:
        raise AuditLogIncomplete(str(options.audit_log), audit.missing)
    if not is_written:
        return 3 if any(outcome.applied for outcome in result.outcomes) else 1
    return code


def _show_plan(context: Context, options: ApplyOptions, plan: Plan) -> None:
    text = rendered(plan, "text", context, applying=True)
    if options.form == "json":
        context.note(text)
    elif not context.conclude(text):
        raise UsageError("Nothing was changed: the plan could not be shown.")


def _text(context: Context, options: ApplyOptions, result: ApplyResult, code: int) -> str:
    """The result, with the exit code that the command ends with."""
    return (
        json_text({**to_json(result), "exit_code": code})
        if options.form == "json"
        else render(result, color=context.color)
    )


@contextmanager
def _audit(context: Context, path: Path, plan: Plan) -> Iterator[AuditLog]:
    """The audit log, opened before the first write: one that can't be written stops the apply in time."""
    try:
        # For its owner only: it holds the values of variables.
        file = append_private(path)
    except OSError as error:
        raise UsageError(f"--audit-log {path} can't be written: {error.strerror}.") from None
    if is_open_to_others(file):
        context.warn(f"{path} may be read by others, and holds the values of variables: chmod 600 {path}")
    with file:
        yield AuditLog(file, plan, lambda: datetime.now(UTC))
