"""hfspace experiments watch: the experiments of several Spaces, again and again."""

from __future__ import annotations

import secrets
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import click
from rich.console import Console
from rich.live import Live

from hfspace.cli.context import Context, hfspace_command
from hfspace.cli.door import screen
from hfspace.cli.inputs import parse_timeout
from hfspace.cli.loopback import serving
from hfspace.cli.trackio import MOST_BYTES, backend_option, declared_targets
from hfspace.errors import UsageError
from hfspace.live.trackio.budget import Budget
from hfspace.live.trackio.overview import App, AppView, Overview, Selection
from hfspace.live.trackio.port import STATUSES
from hfspace.manifest.values import normalise_id
from hfspace.monitor.connection import RecordingTarget, connect, disconnect
from hfspace.report import experiments_live as report
from hfspace.report.cells import POLICY

_TICK = 1.0
"""Seconds after which what has been read so far is shown."""
_WIDE = 10_000

Show = Callable[[Sequence[AppView]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentWatchOptions:
    """Which apps, what of them, how often, and where it is shown."""

    spaces: tuple[str, ...]
    urls: tuple[str, ...]
    project: str | None
    backend: str
    wake: bool
    metrics: tuple[str, ...]
    status: str | None
    most: int
    interval: str
    timeout: str
    once: bool
    html: bool
    port: int
    form: str


@hfspace_command(
    ExperimentWatchOptions,
    name="watch",
    epilog="\b\nExamples:\n"
    "  hfspace experiments watch                        all Trackio Spaces of the manifest\n"
    "  hfspace experiments watch acme/track acme/other --metric loss --metric accuracy\n"
    "  hfspace experiments watch --html                 a page in the browser\n"
    "  hfspace experiments watch --once --format json",
)
@click.argument("spaces", nargs=-1, metavar="[ID…]")
@click.option("--url", "urls", metavar="URL", multiple=True, help="An app that is no Space; repeatable.")
@click.option("--project", help="A project of official trackio.")
@backend_option
@click.option("--wake", is_flag=True, help="Wake sleeping Spaces; this may cost money.")
@click.option("--metric", "metrics", multiple=True, help="Repeatable. [loss, else what there is]")
@click.option("--status", type=click.Choice(STATUSES), help="Only experiments with this status.")
@click.option(
    "--most", type=click.IntRange(1, 500), default=20, show_default=True, help="Experiments of each app."
)
@click.option("--interval", default="5s", show_default=True, metavar="DURATION", help="Between two readings.")
@click.option(
    "--timeout",
    default="30s",
    show_default=True,
    metavar="DURATION",
    help="An app that takes longer is shown as not answering.",
)
@click.option(
    "--once", is_flag=True, help="Read once; exit 4 when an app could not be read, 1 when none could."
)
@click.option(
    "--html", is_flag=True, help="Serve a page on 127.0.0.1 that refreshes itself; with --once, print it."
)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Of the page. [any that is free]")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    help="Form on stdout; json is one document, in one line, for each reading.",
)
def watch_command(context: Context, options: ExperimentWatchOptions) -> int:
    """Show the experiments of Trackio Spaces, with curves, until Ctrl-C. An app that can't be read is shown
    as such, and read again. Each reading is a visit: a Space that is watched does not go to sleep."""
    if options.html and options.form == "json":
        raise UsageError("Give --html or --format json, not both.")
    interval = parse_timeout(options.interval, "--interval")
    timeout = parse_timeout(options.timeout)
    selection = Selection(metrics=options.metrics, status=options.status, most=options.most)
    apps = [_app(context, options, target, timeout) for target in _targets(context, options)]
    with (
        Overview(apps, selection, interval=interval, timeout=timeout) as overview,
        _output(context, options, interval) as show,
    ):
        if options.once:
            overview.begin_round()
            overview.wait(timeout)
            show(overview.views)
            return _exit_code(overview.views)
        _watch(overview, show, interval, live=_is_live(context, options))
    return 0


def _watch(overview: Overview, show: Show, interval: float, *, live: bool) -> None:
    """Show what is read, every `interval` seconds, for ever. With `live` also while it comes in."""
    while True:
        due = time.monotonic() + interval
        overview.begin_round()
        while not overview.wait(min(_TICK, interval)) and time.monotonic() < due:
            if live:
                show(overview.views)
        show(overview.views)
        time.sleep(max(0.0, due - time.monotonic()))


def _exit_code(views: Iterable[AppView]) -> int:
    unread = [view.read_at is None for view in views]
    return 1 if all(unread) else 4 if any(unread) else 0


# ------------------------------------------------------------------ which apps


def _targets(context: Context, options: ExperimentWatchOptions) -> list[RecordingTarget]:
    """The named apps, else TRACKIO_SPACE_ID, else the manifest's. What the manifest says of them holds where
    the options say nothing. Raises UsageError."""
    named = [_space(text) for text in options.spaces]
    if not named and not options.urls and (space := context.env.get("TRACKIO_SPACE_ID")):
        named = [_space(space)]
    declared = declared_targets(context, tolerant=bool(named or options.urls))
    chosen = RecordingTarget(project=options.project, backend=options.backend)
    spaces = dict.fromkeys(named if named or options.urls else declared)
    if not spaces and not options.urls:
        raise UsageError(
            "Which Trackio Spaces? None is named.",
            hint="Name them, set TRACKIO_SPACE_ID, or declare experiments in the manifest.",
        )
    return [
        *(chosen.over(declared.get(space, RecordingTarget(space=space))) for space in spaces),
        *(chosen.over(RecordingTarget(url=url)) for url in dict.fromkeys(options.urls)),
    ]


def _space(text: str) -> str:
    """As it is typed: a host is looked up when it is read, so that a Hub that is away does not end it."""
    try:
        return normalise_id(text)
    except ValueError as error:
        raise UsageError(f"'{text}' is not a Space: {error}.") from None


def _app(context: Context, options: ExperimentWatchOptions, target: RecordingTarget, timeout: float) -> App:
    token, budget = context.token(), Budget(timeout, MOST_BYTES)
    return App(
        place=target.url or str(target.space),
        connect=lambda: connect(
            target,
            token=token,
            endpoint=context.endpoint,
            timeout=timeout,
            wake=options.wake,
            budget=budget,
            env=context.env,
        ),
        budget=budget,
        disconnect=disconnect,
        project=target.project,
    )


# ------------------------------------------------------------------ where it is shown


def _is_live(context: Context, options: ExperimentWatchOptions) -> bool:
    """Whether what is shown replaces what was: in a terminal that can do so, and on the page."""
    terminal = sys.stdout.isatty() and not _terminal(context).is_dumb_terminal
    return options.html or (options.form == "text" and terminal)


@contextmanager
def _output(context: Context, options: ExperimentWatchOptions, interval: float) -> Iterator[Show]:
    if options.html and options.once:
        yield lambda views: context.echo(report.page(views, _now(), seconds=None).rstrip())
    elif options.html:
        with _served(context, options.port, interval) as show:
            yield show
    elif options.form == "json":
        yield lambda views: context.echo(report.to_json(views, _now()))
    elif options.once or not _is_live(context, options):
        yield lambda views: _print(context, views, options.once)
    else:
        with Live(console=_terminal(context), auto_refresh=False) as live:
            yield lambda views: live.update(report.screen(views, _now()), refresh=True)


def _terminal(context: Context) -> Console:
    return Console(file=screen(sys.stdout), no_color=not context.color, highlight=False)


def _print(context: Context, views: Sequence[AppView], once: bool) -> None:
    """The view as lines, under its time where others follow; not cut where they go to a file or a pipe."""
    lines = StringIO()
    console = Console(
        file=lines,
        width=context.columns or _WIDE,
        force_terminal=context.color,
        no_color=not context.color,
        highlight=False,
    )
    console.print(report.screen(views, _now()))
    if not once:
        context.echo(f"{_now():%Y-%m-%d %H:%M:%S} UTC")
    context.echo("\n".join(line.rstrip() for line in lines.getvalue().splitlines()) + ("" if once else "\n"))


@contextmanager
def _served(context: Context, port: int, interval: float) -> Iterator[Show]:
    """The page, at an address that only who sees this output knows: other users of the machine reach
    127.0.0.1 too, and a Space may be private."""
    path = f"/{secrets.token_urlsafe(16)}/"
    page = report.page((), _now(), seconds=interval)

    def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if not secrets.compare_digest(environ.get("PATH_INFO", "").encode(), path.encode()):
            start("404 Not Found", [("Content-Type", "text/plain")])
            return [b"not found\n"]
        start(
            "200 OK",
            [
                ("Content-Type", "text/html; charset=utf-8"),
                ("Content-Security-Policy", f"{POLICY}; frame-ancestors 'none'"),
                ("Cache-Control", "no-store"),
                ("Referrer-Policy", "no-referrer"),
                ("X-Content-Type-Options", "nosniff"),
            ],
        )
        return [context.secrets.redact(page).encode()]

    def show(views: Sequence[AppView]) -> None:
        nonlocal page
        page = report.page(views, _now(), seconds=interval)

    with serving(port, answer) as url:
        context.echo(f"{url}{path}")
        context.note("The page refreshes itself. Ctrl-C ends it.")
        sys.stdout.flush()
        yield show


def _now() -> datetime:
    return datetime.now(UTC)
