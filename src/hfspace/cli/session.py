"""From command-line options to a session, with the signals of the command line."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from hfspace.applier.events import Event, Listener
from hfspace.applier.run import Options
from hfspace.cli.base import under_base
from hfspace.cli.context import Context
from hfspace.cli.progress import progress
from hfspace.errors import UsageError
from hfspace.live.limiter import Pace
from hfspace.manifest.models import Manifest
from hfspace.manifest.sharding import shard as sharded
from hfspace.model import ApplyResult, ApprovedPlan, Check
from hfspace.session import Session
from hfspace.session import open_session as open_library_session

_MOST_SHARES = 1_000


def open_session(
    context: Context,
    *,
    endpoints: bool = False,
    wake: bool = False,
    unmanaged: bool = False,
    shard: str | None = None,
    timeout: float | None = None,
    only: Sequence[str] | None = None,
    base: Path | None = None,
    cached: bool = False,
) -> Session:
    """The session of one command. `only` are the Spaces of a saved plan, which may be a shard's; `base`
    is a checkout of the target branch, whose policy holds; `cached`: see the library. Raises
    ManifestError, UsageError, HubError."""
    manifest = context.load_manifest()
    checks: tuple[Check, ...] = ()
    if base is not None:
        manifest, checks = under_base(context, manifest, base)
    if shard:
        manifest = _sharded(manifest, shard)
    session = open_library_session(
        manifest=manifest,
        hub=context.hub(pace=Pace(timeout)),
        env=context.env,
        endpoints=endpoints,
        wake=wake,
        unmanaged=unmanaged,
        checks=checks,
        cached=cached,
        notify=context.note,
    )
    if only is not None:
        session.manifest = session.manifest.only(frozenset(only))
    return session


@contextmanager
def stop_on_sigterm(pace: Pace) -> Iterator[None]:
    """SIGTERM ends every wait of `pace` at once, and the command like Ctrl-C."""

    def stop(signum: int, frame: object) -> None:
        pace.stop()
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def carry_out(
    context: Context, session: Session, approved: ApprovedPlan, options: Options, *listeners: Listener
) -> ApplyResult:
    """Apply a plan, with progress on stderr; SIGTERM ends it like Ctrl-C."""
    spaces = len({change.space for change in approved.plan.changes})
    with progress(context, spaces) as display, stop_on_sigterm(session.pace):

        def tell(event: Event) -> None:
            for listener in (display, *listeners):
                listener(event)

        return session.apply(approved, options=options, listener=tell)


def _sharded(manifest: Manifest, text: str) -> Manifest:
    index, _, count = text.partition("/")
    numbers = re.fullmatch(r"[0-9]{1,4}/[0-9]{1,4}", text)
    if not (numbers and 1 <= int(index) <= int(count) <= _MOST_SHARES):
        raise UsageError(
            f"--shard {text} is not a shard.",
            hint=f"Write --shard 2/8 for the second of eight; there may be {_MOST_SHARES:,}.",
        )
    shard = sharded(manifest, int(index), int(count))
    # What belongs to no Space is the first share's.
    return shard if int(index) == 1 else replace(shard, groups={})
