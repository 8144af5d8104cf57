"""hfspace apply: plan, show, ask, do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click

from hfspace.applier.audit import AuditLog
from hfspace.applier.events import Event, Listener
from hfspace.applier.run import Options
from hfspace.cli.context import Context, hfspace_command
from hfspace.cli.session import Session, open_session, parse_timeout, stop_on_sigterm
from hfspace.errors import StalePlanError, UsageError
from hfspace.model import ApplyResult, ApprovedPlan, Plan, Snapshot
from hfspace.planner.counts import exit_code
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
    from hfspace.planner.plan import requiring_secrets

    saved = _load(plan_file)
    session = open_session(
        context,
        wake=wake,
        shard=shard,
        timeout=parse_timeout(timeout),
        only=saved.declared if saved else None,
    )
    if saved is not None:
        made, snapshot = _still_true(saved, session)
    else:
        made, snapshot = session.plan(targets)
    made = requiring_secrets(made, session.look.unset_secrets)
    _show_plan(made, context, form)
    approved = made.approve(allow_delete=allow_delete, force=force, strict=strict)
    if made.is_empty:
        return _nothing_to_do(made, context, form, allow_unknown=allow_unknown)
    if not yes and not context.confirm("\nDo you want to make these changes?"):
        raise UsageError("Nothing was changed.")
    options = Options(
        wait=not no_wait,
        verify=not no_verify,
        parallelism=parallelism,
        poll_seconds=float(context.env.get("HFSPACE_POLL_SECONDS", "2")),
        settle_seconds=float(context.env.get("HFSPACE_SETTLE_SECONDS", "10")),
    )
    expected = dict(made.snapshot) if saved else None
    if saved is not None:
        # What was reviewed and nothing else, also where the plan was made with --target or --shard.
        targets = tuple(change.address for change in made.changes)
    result = execute(
        session, approved, snapshot, options, targets=targets, expected=expected, audit_log=audit_log
    )
    _show(result, context, form)
    return result.exit_code or exit_code(made, allow_unknown=allow_unknown)


def execute(
    session: Session,
    approved: ApprovedPlan,
    snapshot: Snapshot,
    options: Options,
    *,
    targets: tuple[str, ...] = (),
    expected: dict[str, str] | None = None,
    audit_log: Path | None = None,
) -> ApplyResult:
    """Carry out a plan, with progress on stderr and the audit log if one was asked for."""
    from hfspace.applier.executor import apply
    from hfspace.applier.run import Run
    from hfspace.cli.progress import progress

    made = approved.plan
    with ExitStack() as stack:
        spaces = len({change.space for change in made.changes})
        listeners: list[Listener] = [stack.enter_context(progress(session.context, spaces))]
        if audit_log is not None:
            listeners.append(stack.enter_context(_audit(audit_log, made)))
        stack.enter_context(stop_on_sigterm(session.pace))
        run = Run(
            manifest=session.manifest,
            snapshot=snapshot,
            ports=session.ports(),
            look=session.look,
            pace=session.pace,
            options=options,
            targets=targets,
            expected=expected,
            listener=_all(listeners),
        )
        return apply(approved, run)


def _all(listeners: list[Listener]) -> Listener:
    def tell(event: Event) -> None:
        for listener in listeners:
            listener(event)

    return tell


def _load(plan_file: Path | None) -> Plan | None:
    if plan_file is None:
        return None
    from hfspace.planner.saved import load

    return load(plan_file)


def _still_true(saved: Plan, session: Session) -> tuple[Plan, Snapshot]:
    """The saved plan, if nothing that it rests on has moved. Raises StalePlanError naming what has."""
    from hfspace.planner.saved import why_stale

    fresh, snapshot = session.plan()
    moved = why_stale(saved, fresh)
    if moved:
        raise StalePlanError(
            "The saved plan no longer holds: " + "; ".join(moved) + ".",
            hint="Make a new one: hfspace plan --out …",
        )
    return saved, snapshot


def _show_plan(made: Plan, context: Context, form: str) -> None:
    from hfspace.cli.plan import rendered

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
        from hfspace.report.apply_text import to_json

        context.echo(json_text(to_json(result)))
        return
    from hfspace.report.apply_text import render

    context.echo(render(result, color=context.color))


@contextmanager
def _audit(path: Path, made: Plan) -> Iterator[AuditLog]:
    """The audit log, opened before the first write: one that can't be written stops the apply in time."""
    from datetime import UTC, datetime

    try:
        file = path.open("a", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--audit-log {path} can't be written: {error.strerror}.") from None
    with file:
        yield AuditLog(file, made, lambda: datetime.now(UTC))
