"""hfspace apply: plan, show, ask, do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click

from hfspace.applier.audit import AuditLog
from hfspace.applier.events import Event, Listener
from hfspace.applier.run import Options
from hfspace.cli.context import Context, hfspace_command
from hfspace.cli.plan import rendered
from hfspace.cli.progress import progress
from hfspace.cli.session import open_session, parse_timeout, stop_on_sigterm
from hfspace.errors import AuditLogIncomplete, UsageError
from hfspace.files import append_private
from hfspace.model import ApplyResult, ApprovedPlan, Plan
from hfspace.planner.counts import exit_code
from hfspace.planner.saved import load
from hfspace.report.apply_text import render, to_json
from hfspace.session import Session
from hfspace.text import json_text


@hfspace_command(
    name="apply",
    epilog="\b\nExamples:\n  hfspace apply\n  hfspace apply --yes --audit-log apply.ndjson\n"
    "  hfspace apply --target acme/whisper.hardware\n"
    "  hfspace plan --out plan.json && hfspace apply plan.json",
)
@click.argument("plan_file", required=False, metavar="[PLAN.json]", type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--target", "targets", multiple=True, metavar="ADDRESS", help="Only these addresses; globs, repeatable."
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
@click.option("--allow-unknown", is_flag=True, help="Exit 0, not 4, over what could not be read or compared.")
@click.option(
    "--audit-log", type=click.Path(dir_okay=False, path_type=Path), help="Append what is done, as NDJSON."
)
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the result."
)
def command(
    context: Context,
    plan_file: Path | None,
    yes: bool,
    targets: tuple[str, ...],
    shard: str | None,
    parallelism: int,
    no_wait: bool,
    wake: bool,
    no_verify: bool,
    timeout: str,
    allow_delete: bool,
    force: bool,
    strict: bool,
    allow_unknown: bool,
    audit_log: Path | None,
    form: str,
) -> int:
    """Make the Hub what the manifest says. Shows the plan and asks before the first change."""
    if plan_file is not None and (targets or shard):
        raise UsageError(
            "A saved plan is applied as it is.", hint="Give --target or --shard to `hfspace plan`."
        )
    saved = load(plan_file) if plan_file is not None else None
    session = open_session(
        context,
        wake=wake,
        shard=shard,
        timeout=parse_timeout(timeout),
        only=saved.declared if saved is not None and saved.is_whole else None,
    )
    made = session.confirm(saved) if saved is not None else session.plan(targets, to_apply=True)
    _show_plan(made, context, form)
    approved = made.approve(allow_delete=allow_delete, force=force, strict=strict)
    if made.is_empty:
        return _nothing_to_do(made, context, form, allow_unknown=allow_unknown)
    if not yes and not context.confirm("\nDo you want to make these changes?"):
        raise UsageError("Nothing was changed.")
    options = replace(context.apply_options, wait=not no_wait, verify=not no_verify, parallelism=parallelism)
    with ExitStack() as stack:
        audit = stack.enter_context(_audit(audit_log, made)) if audit_log else None
        result = execute(session, approved, context, options, audit=audit)
    _show(result, context, form)
    if audit is not None and audit.missing:
        raise AuditLogIncomplete(str(audit_log), audit.missing)
    return result.exit_code or exit_code(made, allow_unknown=allow_unknown)


def execute(
    session: Session,
    approved: ApprovedPlan,
    context: Context,
    options: Options,
    *,
    audit: AuditLog | None = None,
) -> ApplyResult:
    """Carry out a plan, with progress on stderr and the audit log if one was asked for."""
    changes = approved.plan.changes
    with ExitStack() as stack:
        spaces = len({change.space for change in changes})
        listeners: list[Listener] = [stack.enter_context(progress(context, spaces))]
        if audit is not None:
            listeners.append(audit)
        stack.enter_context(stop_on_sigterm(session.pace))
        return session.apply(approved, options=options, listener=_all(listeners))


def _all(listeners: list[Listener]) -> Listener:
    def tell(event: Event) -> None:
        for listener in listeners:
            listener(event)

    return tell


def _show_plan(made: Plan, context: Context, form: str) -> None:
    text = rendered(made, "text", context, applying=True)
    if form == "text":
        context.echo(text)
    else:
        context.note(text)


def _nothing_to_do(made: Plan, context: Context, form: str, *, allow_unknown: bool) -> int:
    if form == "json":
        _show(ApplyResult(outcomes=()), context, form)
    return exit_code(made, allow_unknown=allow_unknown)


def _show(result: ApplyResult, context: Context, form: str) -> None:
    if form == "json":
        context.echo(json_text(to_json(result)))
        return
    context.echo(render(result, color=context.color))


@contextmanager
def _audit(path: Path, made: Plan) -> Iterator[AuditLog]:
    """The audit log, opened before the first write: one that can't be written stops the apply in time."""
    try:
        # For its owner only: it holds the values of variables.
        file = append_private(path)
    except OSError as error:
        raise UsageError(f"--audit-log {path} can't be written: {error.strerror}.") from None
    with file:
        yield AuditLog(file, made, lambda: datetime.now(UTC))
