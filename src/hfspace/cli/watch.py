"""hfspace watch: the reconcile loop, with health and Prometheus metrics on loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from hfspace.applier.watch import Auto, Memory, Patience, Reporter, Tick, loop
from hfspace.applier.watch import tick as turn
from hfspace.cli.context import Context, hfspace_command
from hfspace.cli.inputs import allow_unknown_option, parse_timeout
from hfspace.cli.metrics import metrics
from hfspace.cli.session import carry_out, open_session, stop_on_sigterm
from hfspace.errors import Interrupted, ManifestError, UsageError
from hfspace.files import lock_file, try_lock
from hfspace.live.limiter import Pace
from hfspace.model import ApplyResult, ApprovedPlan, Plan
from hfspace.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchOptions:
    """How often, for how long, what may be done alone, and where the metrics are."""

    interval: str
    once: bool
    auto: str
    metrics_port: int | None
    timeout: str
    allow_unknown: bool


@hfspace_command(
    WatchOptions,
    name="watch",
    epilog="\b\nExamples:\n  hfspace watch --interval 10m\n  hfspace watch --auto wake --metrics-port 9464\n"
    "  hfspace watch --once --auto settings --log-format json",
)
@click.option("--interval", default="5m", show_default=True, metavar="DURATION", help="Between two turns.")
@click.option(
    "--once",
    is_flag=True,
    help="One turn; exit 0 in line, 1 failed, 2 changes are left, 4 something was not read.",
)
@click.option(
    "--auto",
    type=click.Choice([str(one) for one in Auto]),
    default="none",
    show_default=True,
    help="What may be done alone: nothing, waking, settings too, or all but deleting.",
)
@click.option(
    "--metrics-port", type=click.IntRange(0, 65535), help="Serve /healthz and /metrics on 127.0.0.1."
)
@click.option(
    "--timeout", default="15m", show_default=True, metavar="DURATION", help="Longest wait of one apply."
)
@allow_unknown_option
def command(context: Context, options: WatchOptions) -> int:
    """Plan, apply what --auto allows, report; again and again until Ctrl-C or SIGTERM."""
    seconds, longest = parse_timeout(options.interval, "--interval"), parse_timeout(options.timeout)
    pace = Pace()
    patience, memory = Patience(now=pace.now), Memory()
    at_rest: dict[str, float] = {}
    with ExitStack() as stack:
        stack.enter_context(_alone(context))
        reporters: list[Reporter] = [_log(context)]
        if options.metrics_port is not None:
            served = metrics(options.metrics_port, 3 * seconds, context.note)
            reporters.append(stack.enter_context(served).report)
        stack.enter_context(stop_on_sigterm(pace))

        def report(tick: Tick) -> None:
            for reporter in reporters:
                reporter(tick)

        try:
            last = loop(
                lambda: _turn(context, Auto(options.auto), longest, patience, memory, at_rest),
                report,
                pace,
                interval=seconds,
                once=options.once,
            )
        except (KeyboardInterrupt, Interrupted):
            context.note("Stopped.")
            return 130 if options.once else 0
    if not options.once:
        return 0
    unknown = last.plan is not None and last.plan.unknowns and not options.allow_unknown
    return 1 if not last.ok else 2 if last.left else 4 if unknown else 0


def _turn(
    context: Context,
    auto: Auto,
    longest: float,
    patience: Patience,
    memory: Memory,
    at_rest: dict[str, float],
) -> Tick:
    """One turn with everything read anew: the manifest, the secrets' sources, the Hub. `at_rest` is when the
    turns before saw each Space at rest."""
    opened: list[Session] = []

    def make_plan() -> Plan:
        opened.append(open_session(context, endpoints=True, timeout=longest))
        opened[-1].at_rest = at_rest
        return opened[-1].plan(to_apply=True)

    def apply(approved: ApprovedPlan) -> ApplyResult:
        return carry_out(context, opened[-1], approved, context.apply_options)

    return turn(make_plan, apply, auto, patience, memory)


def _log(context: Context) -> Reporter:

    def report(tick: Tick) -> None:
        line = summary(tick)
        if context.log_format == "json":
            context.echo(json.dumps({"time": datetime.now(UTC).isoformat(timespec="seconds"), **line}))
        else:
            context.echo(
                f"{datetime.now(UTC):%H:%M:%S} " + ", ".join(f"{key} {value}" for key, value in line.items())
            )

    return report


def summary(done: Tick) -> dict[str, object]:
    """One turn as a flat record."""
    if done.error is not None:
        error = done.error.message
        if isinstance(done.error, ManifestError):
            first = done.error.problems[0]
            error += f" {first.place}: {first.message}"
        return {"result": "failed", "error": error}
    line: dict[str, object] = {"result": "ok" if done.ok else "failed", "pending": len(done.left)}
    if done.result is not None:
        line["applied"] = sum(len(outcome.applied) for outcome in done.result.outcomes)
        line["failed_spaces"] = [outcome.space for outcome in done.result.outcomes if outcome.error]
    if done.by_hand:
        line["by_hand"] = [change.address for change in done.by_hand]
    if done.given_up:
        line["given_up"] = list(done.given_up)
    if done.plan is not None:
        line["checks_failed"] = len(done.plan.checks) - len(done.plan.unknowns)
        line["usd_per_hour"] = str(done.plan.cost.before_usd_per_hour)
        if done.plan.valid_until is not None:
            line["next"] = done.plan.valid_until
        if done.plan.held:
            line["held"] = list(done.plan.held)
    return line


@contextmanager
def _alone(context: Context) -> Iterator[None]:
    """One watch per manifest and Hub on a machine: a second one would undo and redo the first one's waits."""
    files = [str(Path(name).absolute()) for name in context.manifest_files]
    try:
        file = lock_file("watch", context.endpoint, *files)
    except OSError as error:
        raise UsageError(f"The lock of this watch can't be opened: {error.strerror}.") from None
    with file:
        if not try_lock(file):
            raise UsageError(
                "Another `hfspace watch` of this manifest is running here.", hint="Stop it first."
            )
        yield
