"""Sending spool files that a run has left behind. Killed at any point, it goes on from there next time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from hfspace.errors import (
    DataLoss,
    ExperimentNotFound,
    HfspaceError,
    HubUnreachable,
    RateLimited,
    TrackioUnavailable,
    UsageError,
)
from hfspace.live.trackio.port import Tracker
from hfspace.monitor.connection import RecordingTarget
from hfspace.monitor.records import Header, Record, SpoolBusy
from hfspace.monitor.sender import Lost, Sender
from hfspace.monitor.spool import KEPT, Spool, open_spool

_ATTEMPTS = 5
_FIRST_PAUSE = 1.0
_NOWHERE = RecordingTarget()
_MAY_PASS = (TrackioUnavailable, ExperimentNotFound, DataLoss, HubUnreachable, RateLimited)


@dataclass(frozen=True, slots=True, kw_only=True)
class Synced:
    """What became of one spool. `status` is how the run ended, None when it did not say; `removed` is True
    when the file was deleted."""

    path: Path
    name: str = ""
    target: RecordingTarget | None = None
    sent: int = 0
    left: int = 0
    damaged: int = 0
    status: str | None = None
    removed: bool = False
    error: HfspaceError | None = None

    @property
    def busy(self) -> bool:
        """True when somebody else has the file: its run is going on, or another sync."""
        return isinstance(self.error, SpoolBusy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """How a client is made for a target, and how time passes."""

    connect: Callable[[RecordingTarget], Tracker]
    notify: Callable[[str], None]
    sleep: Callable[[float], None] = time.sleep
    attempts: int = _ATTEMPTS


def sync(
    paths: Sequence[Path],
    doors: Doors,
    *,
    over: RecordingTarget = _NOWHERE,
    default: RecordingTarget = _NOWHERE,
    clean: bool = False,
    status: str | None = None,
) -> list[Synced]:
    """Send spools, the oldest run first. After one that fails, those of the same experiment wait.

    `over` says where to, instead of what the spools say; `default` where they say nothing. `clean` deletes a
    file when all of it was sent. `status` is set where a run did not say how it ended.
    """
    opened: list[tuple[Path, Spool | HfspaceError]] = []
    results: list[Synced] = []
    try:
        for path in dict.fromkeys(paths):
            opened.append((path, _opened(path)))
        opened.sort(key=lambda pair: pair[1].header.created if isinstance(pair[1], Spool) else "")
        failed: set[tuple[RecordingTarget, str]] = set()
        for path, spool in opened:
            if isinstance(spool, HfspaceError):
                results.append(Synced(path=path, error=spool))
                continue
            if status is not None and spool.status in (None, "running"):
                spool.append([Record(n=0, kind="status", body=status)])
            target = over.over(header_target(spool.header)).over(default)
            if path.suffix == KEPT and _is_elsewhere(over, spool.header):
                spool.start_over()
            results.append(_one(spool, doors, target, failed, clean=clean))
    finally:
        for _, spool in opened:
            if isinstance(spool, Spool):
                spool.close()
    return results


def header_target(header: Header) -> RecordingTarget:
    """Where the run wanted to send to."""
    return RecordingTarget(**{one.name: getattr(header, one.name) for one in fields(RecordingTarget)})


def _is_elsewhere(over: RecordingTarget, header: Header) -> bool:
    """True when another app is named than the one that the run was sent to."""
    named = (over.space, over.url)
    return named != (None, None) and named != (header.space, header.url)


def _opened(path: Path) -> Spool | HfspaceError:
    try:
        return open_spool(path)
    except HfspaceError as error:
        return error


def _one(
    spool: Spool,
    doors: Doors,
    target: RecordingTarget,
    failed: set[tuple[RecordingTarget, str]],
    *,
    clean: bool,
) -> Synced:
    which = (target, spool.header.name)
    before = spool.sent
    error: HfspaceError | None = None
    if which in failed:
        error = UsageError(
            "An earlier run of this experiment could not be sent; this one waits, to keep the order."
        )
    else:
        try:
            _send(spool, target, doors)
        except HfspaceError as problem:
            error = problem
            failed.add(which)
    done = clean and not spool.left and not spool.damaged
    if done:
        spool.remove()
    return Synced(
        path=spool.path,
        name=spool.header.name,
        target=target,
        sent=max(0, spool.sent - before),
        left=spool.left,
        damaged=spool.damaged,
        status=spool.status if spool.status != "running" else None,
        removed=done,
        error=error,
    )


def _send(spool: Spool, target: RecordingTarget, doors: Doors) -> None:
    """All of it. What may pass by itself is tried again, `attempts` times in a row at most."""
    if not spool.left:
        return
    if target.space is None and target.url is None:
        raise UsageError("The spool names no Space.", hint="Name it: --space owner/name.")

    doors.notify(f"'{spool.header.name}' goes to {target.space or target.url}.")

    def say(lost: Lost) -> None:
        doors.notify(f"The app no longer has {lost.entries} entries of '{lost.name}'; they are sent again.")

    sender = Sender(
        spool,
        lambda: doors.connect(target),
        project=target.project,
        on_loss=say,
        on_not_held=lambda name: doors.notify(f"This app can't hold the {name}: it stays in {spool.kept}."),
    )
    failures = 0
    try:
        while True:
            try:
                if not sender.send_some():
                    return
                failures = 0
            except _MAY_PASS as error:
                failures += 1
                if failures >= doors.attempts or _is_final(error, spool):
                    raise
                doors.notify(f"{error.message} Trying again.")
                doors.sleep(_FIRST_PAUSE * 2 ** (failures - 1))
    finally:
        sender.close()


def _is_final(error: HfspaceError, spool: Spool) -> bool:
    """An experiment that the app forgot is made anew by the next attempt; one that was pinned is not."""
    if isinstance(error, ExperimentNotFound):
        return spool.header.id is not None
    return isinstance(error, TrackioUnavailable) and error.not_trackio
