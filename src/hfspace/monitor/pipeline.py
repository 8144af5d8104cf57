"""From the training thread to the app: a queue, a thread that writes the spool, a thread that sends it."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from typing import Any, Literal

from hfspace.errors import HfspaceError
from hfspace.monitor.records import Record, RecordKind, record_line
from hfspace.monitor.sender import Lost, Sender
from hfspace.monitor.spool import Spool
from hfspace.monitor.values import clean_metrics, clean_step
from hfspace.report.cells import counted
from hfspace.text import plain

log = logging.getLogger("hfspace.monitor")

_GATHER = 0.1
"""Seconds for which the writer lets entries come together. A killed process loses no more than that."""
_ROUND = 2_000
_LAST_ATTEMPTS = 3
_MOST_COMPLAINTS = 20

Item = tuple[RecordKind | Literal["stop"], Any, Any, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Seconds. `first_pause` and `longest_pause` bound the wait after a failure, which doubles."""

    flush_every: float = 2.0
    first_pause: float = 1.0
    longest_pause: float = 60.0
    most_queued: int = 10_000


class Complaints:
    """Says each thing once, so that a log of a million steps stays readable."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    def once(self, about: str, text: str) -> None:
        if about not in self._said and len(self._said) < _MOST_COMPLAINTS:
            self._said.add(about)
            log.warning("%s", plain(text))


class Pipeline:
    """Two daemon threads over one spool. `put` belongs to the training thread and never blocks."""

    def __init__(self, spool: Spool, sender: Sender, pace: Pace, queue: SimpleQueue[Item]) -> None:
        self.spool = spool
        self.queue = queue
        self.complaints = Complaints()
        self._sender = sender
        self._pace = pace
        self._hurry = threading.Event()
        self._closing = threading.Event()
        self._deadline = 0.0
        self._unwritten: list[Record] = []
        self._threads = [
            threading.Thread(target=target, name=f"hfspace-{name}", daemon=True)
            for name, target in (("spool", self._write_loop), ("send", self._send_loop))
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def finish(self, timeout: float) -> int:
        """Write all, send what can be sent in `timeout` seconds. How many records are left."""
        self._deadline = time.monotonic() + timeout
        self.queue.put(("stop", None, None, 0.0))
        self._hurry.set()
        writer, sender = self._threads
        writer.join(max(0.0, self._deadline - time.monotonic()))
        self._closing.set()
        sender.join(max(0.0, self._deadline - time.monotonic()))
        return self.spool.left + len(self._unwritten)

    # ------------------------------------------------------------ writing

    def _write_loop(self) -> None:
        dirty, stopped = False, False
        forced = time.monotonic()
        while not stopped:
            items = self._gathered()
            stopped = any(item[0] == "stop" for item in items)
            self._unwritten.extend(self._records(items))
            dirty = self._written() or dirty
            if dirty and (stopped or time.monotonic() - forced >= self._pace.flush_every):
                dirty, forced = self._forced(), time.monotonic()

    def _gathered(self) -> list[Item]:
        """What was logged in a short while; empty when nothing was."""
        items: list[Item] = []
        with contextlib.suppress(Empty):
            items.append(self.queue.get(timeout=self._pace.flush_every))
            if self.queue.qsize() < _ROUND:
                self._hurry.wait(_GATHER)
            while len(items) < _ROUND:
                items.append(self.queue.get_nowait())
        return items

    def _records(self, items: Iterable[Item]) -> list[Record]:
        made: list[Record] = []
        for item in items:
            if item[0] == "stop":
                continue
            try:
                record = self._record(*item)
                if record is not None:
                    record_line(record)  # what can't be written must not hold up what can
                    made.append(record)
            except Exception as error:  # noqa: BLE001 - a foreign object may raise anything
                self.complaints.once("record", f"An entry can't be recorded ({type(error).__name__}).")
        return made

    def _record(self, kind: Any, body: Any, step: Any, at: float) -> Record | None:
        when = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
        if kind != "metrics":
            return Record(n=0, kind=kind, body=body, time=when)
        kept, left_out = clean_metrics(body)
        for name in left_out:
            self.complaints.once(
                f"value {name}",
                f"Metric '{name}' had a value that is no number or text; such values are left out.",
            )
        if not kept:
            return None
        number = clean_step(step)
        if number is None and step is not None:
            self.complaints.once("step", "A step that is no whole number was left out.")
        return Record(n=0, kind="metrics", body=kept, step=number, time=when)

    def _written(self) -> bool:
        """Append to the spool; what the disk does not take is kept for the next round."""
        if not self._unwritten:
            return False
        try:
            self.spool.append(self._unwritten)
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or type(error).__name__
            self.complaints.once("disk", f"The spool {self.spool.path} can't be written ({why}).")
            self._hurry.wait(self._pace.first_pause)
            return False
        self._unwritten = []
        return True

    def _forced(self) -> bool:
        """Have the disk take it. True when that failed, and is to be tried again."""
        try:
            self.spool.force()
        except (OSError, ValueError):
            return True
        return False

    # ------------------------------------------------------------ sending

    def _send_loop(self) -> None:
        failures = 0
        while True:
            self._closing.wait(self._pause(failures))
            closing = self._closing.is_set()
            error = self._round()
            self._say(error, failures)
            failures = failures + 1 if error is not None else 0
            if closing:
                given_up = failures >= _LAST_ATTEMPTS or time.monotonic() >= self._deadline
                if given_up or not self.spool.left:
                    break
                if failures:
                    time.sleep(min(self._pace.first_pause, max(0.0, self._deadline - time.monotonic())))
        self._end()

    def _pause(self, failures: int) -> float:
        if not failures:
            return self._pace.flush_every
        return float(min(self._pace.first_pause * 2 ** min(failures - 1, 20), self._pace.longest_pause))

    def _round(self) -> Exception | None:
        """Send until nothing is left. What went wrong, if anything did: nothing may end this thread."""
        try:
            while self._sender.send_some():
                if self._closing.is_set() and time.monotonic() >= self._deadline:
                    break
        except Exception as error:  # noqa: BLE001 - the training must not hear of it
            return error
        return None

    def _say(self, error: Exception | None, failures: int) -> None:
        if error is None and failures:
            log.info("%s", plain(f"'{self.spool.header.name}': sending again."))
        elif error is not None and not failures:
            # The text of a foreign exception may hold what must not be in a log; the kind is enough.
            what, hint = f"{type(error).__name__}.", ""
            if isinstance(error, HfspaceError):
                what, hint = error.message, error.hint
            kept = f"It is kept in {self.spool.path} and sent later."
            text = f"'{self.spool.header.name}' can't be sent now: {what[:300]} {kept} {hint}"
            log.warning("%s", plain(text.rstrip()))

    def _end(self) -> None:
        with contextlib.suppress(Exception):
            self._sender.close()
        if self._threads[0].is_alive():
            return  # the disk hangs; the writer still needs the file
        with contextlib.suppress(OSError):
            if self.spool.left or self._unwritten:
                self.spool.close()
            else:
                self.spool.remove()


def say_lost(lost: Lost) -> None:
    """The app forgot what it had been sent."""
    log.warning(
        "%s",
        plain(
            f"The app no longer has {counted(lost.entries, 'entry', 'entries')} of '{lost.name}' "
            "(a Space without persistence forgets at a restart); they are sent again."
        ),
    )
