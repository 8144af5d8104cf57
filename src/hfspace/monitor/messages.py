"""What a run says of itself: in the log, once each, with the command that sends what is left."""

from __future__ import annotations

import contextlib
import logging
from pathlib import Path

from hfspace.monitor.records import Header, send_command
from hfspace.monitor.sender import Lost
from hfspace.monitor.spool import Spool, left_behind
from hfspace.report.cells import counted
from hfspace.text import plain

log = logging.getLogger("hfspace.monitor")

_MOST_COMPLAINTS = 20
_MOST_NAMES = 3


class Complaints:
    """Says each thing once, so that a log of a million steps stays readable."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    def once(self, about: str, text: str) -> None:
        if about not in self._said and len(self._said) < _MOST_COMPLAINTS:
            self._said.add(about)
            log.warning("%s", plain(text))


def say_left_behind(folder: Path) -> None:
    """What earlier processes have not sent."""
    headers: list[Header] = []
    with contextlib.suppress(OSError):
        headers = left_behind(folder)
    if not headers:
        return
    names = list(dict.fromkeys(header.name for header in headers))
    some = ", ".join(f"'{name}'" for name in names[:_MOST_NAMES])
    more = ", …" if len(names) > _MOST_NAMES else ""
    what = counted(len(headers), "earlier run has", "earlier runs have")
    log.warning(
        "%s", plain(f"{what} not been sent in full ({some}{more}). Send with: {send_command(folder)}")
    )


def say_left(name: str, spool: Path, *, unsent: int, lost: int) -> None:
    """What a run has not sent when it ends, and what the disk did not take."""
    with contextlib.suppress(Exception):
        if lost:
            what = counted(lost, "entry", "entries")
            log.error("%s", plain(f"'{name}': {what} LOST, the disk took no more."))
        if unsent > 0:
            what = counted(unsent, "entry was", "entries were")
            log.warning("%s", plain(f"'{name}': {what} not sent yet. Send with: {send_command(spool)}"))


def say_ending(name: str, spool: Path) -> None:
    """The run began when its process was ending already, so that nothing is sent."""
    log.warning("%s", plain(f"'{name}': the process is ending. Send with: {send_command(spool)}"))


def say_lost(lost: Lost) -> None:
    """The app forgot what it had been sent."""
    log.warning(
        "%s",
        plain(
            f"The app no longer has {counted(lost.entries, 'entry', 'entries')} of '{lost.name}' "
            "(a Space without persistence forgets at a restart); they are sent again."
        ),
    )


def say_not_held(name: str) -> None:
    log.warning("%s", plain(f"This app can't hold the {name}: it is kept beside the spool."))


def say_kept(spool: Spool) -> None:
    """Where that is what the app did not hold, when all else was sent."""
    if spool.not_held and spool.kept.exists():
        names = ", ".join(spool.not_held[:_MOST_NAMES])
        more = ", …" if len(spool.not_held) > _MOST_NAMES else ""
        command = f"{send_command(spool.kept)} --space OWNER/NAME --project NAME"
        what = f"'{spool.header.name}': kept for an official Trackio: {names}{more}."
        log.warning("%s", plain(f"{what} Send with: {command}"))
