"""A run while it goes on: its spool, written in the training thread, and a thread that sends it."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from dataclasses import dataclass

from hfspace.errors import HfspaceError
from hfspace.monitor.messages import Complaints
from hfspace.monitor.records import Record
from hfspace.monitor.sender import Sender
from hfspace.monitor.spool import Spool
from hfspace.text import plain

log = logging.getLogger("hfspace.monitor")

_LAST_ATTEMPTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingPace:
    """Seconds. `first_pause` and `longest_pause` bound the wait after a failure, which doubles."""

    flush_every: float = 2.0
    first_pause: float = 1.0
    longest_pause: float = 60.0
    most_queued: int = 10_000


class Recording:
    """One spool and the thread that sends it.

    `append` writes in the calling thread: when it returns, the file has the entry, and the end of the process
    can't take it away. What the disk refuses is kept in memory, `most_queued` entries at most, and written
    later; `dropped` counts what found no room, `unwritten` what still waits.
    """

    def __init__(self, spool: Spool, sender: Sender, pace: SendingPace, complaints: Complaints) -> None:
        self.spool = spool
        self.dropped = 0
        self._sender = sender
        self._pace = pace
        self._complaints = complaints
        self._closing = threading.Event()
        self._deadline = 0.0
        self._waiting: list[Record] = []
        self._waiting_lock = threading.RLock()
        self._dirty = False
        self._thread = threading.Thread(target=self._send_loop, name="hfspace-send", daemon=True)

    @property
    def unwritten(self) -> int:
        return len(self._waiting)

    @property
    def is_ended(self) -> bool:
        return self._closing.is_set()

    def start(self) -> None:
        """Begin to send. Without a thread to spare, everything is sent at the end."""
        try:
            self._thread.start()
        except RuntimeError:
            self._complaints.once("thread", "No thread can be started: what is logged is sent at the end.")

    def append(self, record: Record) -> None:
        if self._waiting:
            with self._waiting_lock:
                if len(self._waiting) >= self._pace.most_queued:
                    self.dropped += 1
                else:
                    self._waiting.append(record)
            return
        try:
            self.spool.append([record])
            self._dirty = True
        except (OSError, ValueError) as error:
            with self._waiting_lock:
                self._waiting.append(record)
            self._refused(error)

    def finish(self, timeout: float) -> int:
        """Write all, send what can be sent in `timeout` seconds. How many records are left."""
        self._deadline = time.monotonic() + timeout
        self._write_waiting()
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(max(0.0, self._deadline - time.monotonic()))
        else:
            self._send_loop()
        return self.spool.left + len(self._waiting)

    def abandon(self) -> None:
        """Let go of the file in a forked child: the run is the parent's, and so is its lock."""
        with contextlib.suppress(OSError):
            self.spool.close()

    # ------------------------------------------------------------ the disk

    def _write_waiting(self) -> None:
        if not self._waiting:
            return
        with self._waiting_lock:
            try:
                self.spool.append(self._waiting)
                self._waiting, self._dirty = [], True
            except (OSError, ValueError) as error:
                self._refused(error)

    def _refused(self, error: Exception) -> None:
        why = getattr(error, "strerror", None) or type(error).__name__
        self._complaints.once("disk", f"The spool {self.spool.path} can't be written ({why}).")

    def _force(self) -> None:
        """Have the disk take what was written; when it refuses, the next round tries again."""
        if not self._dirty:
            return
        self._dirty = False
        try:
            self.spool.force()
        except (OSError, ValueError):
            self._dirty = True

    # ------------------------------------------------------------ sending

    def _send_loop(self) -> None:
        failures = 0
        while True:
            self._closing.wait(self._pause(failures))
            closing = self._closing.is_set()
            self._write_waiting()
            self._force()
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
        with contextlib.suppress(OSError):
            if self.spool.left or self._waiting:
                self.spool.close()
            else:
                self.spool.remove()
