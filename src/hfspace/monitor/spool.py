"""The spool: one file per run that holds what is to be sent, and how far sending has come.

Records and marks are only ever appended, each as one line, so that a crash at any point costs at most the
line that was being written. Whoever writes or sends holds a lock on the file.
"""

from __future__ import annotations

import contextlib
import os
import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from hfspace.files import try_lock
from hfspace.monitor.filestore import FileStore
from hfspace.monitor.records import (
    Header,
    Mark,
    Pending,
    Record,
    SpoolBusy,
    SpoolError,
    header_line,
    mark_line,
    read_header,
    read_line,
    record_line,
)

KEPT = ".kept"
_LONGEST_HEADER = 1 << 20
_MOST_LEFT = 200


def default_folder(env: Mapping[str, str]) -> Path:
    """HFSPACE_SPOOL_DIR, else hfspace/spool below the user's state directory."""
    if named := env.get("HFSPACE_SPOOL_DIR"):
        return Path(named).expanduser()
    return Path(env.get("XDG_STATE_HOME") or "~/.local/state").expanduser() / "hfspace" / "spool"


def create(folder: Path, header: Header) -> Spool:
    """A new spool file in `folder`, readable by its owner only. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    slug = re.sub(r"[^A-Za-z0-9._-]+", "-", header.name).strip("-.")[:60] or "run"
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    path = folder / f"{slug}-{stamp}-{header.spool[:8]}.jsonl"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
    file = os.fdopen(descriptor, "ab", buffering=0)
    while not try_lock(file):  # somebody looks for spools that were left behind, and lets go at once
        time.sleep(0.001)
    line = header_line(header, path)
    file.write(line)
    os.fsync(file.fileno())
    return Spool(path, file, header, len(line))


def left_behind(folder: Path) -> list[Header]:
    """Of the spools in `folder` that nobody has open: their runs ended without having sent everything."""
    headers: list[Header] = []
    for path in sorted(folder.glob("*.jsonl"))[:_MOST_LEFT]:
        with contextlib.suppress(OSError, SpoolError), path.open("r+b", buffering=0) as file:
            if try_lock(file):
                headers.append(read_header(file.readline(_LONGEST_HEADER), str(path)))
    return headers


def open_spool(path: Path) -> Spool:
    """An existing spool, to be sent. Raises SpoolError, and SpoolBusy while somebody else has it."""
    try:
        file = path.open("r+b", buffering=0)
    except FileNotFoundError:
        raise SpoolError(f"There is no spool file {path}.") from None
    except OSError as error:
        raise SpoolError(f"{path} can't be opened ({error.strerror or type(error).__name__}).") from None
    try:
        if not try_lock(file):
            raise SpoolBusy(
                f"{path} is in use: its run is going on, or another sync is sending it.",
                hint="Try again when that has ended.",
            )
        first = file.readline(_LONGEST_HEADER)
        header = read_header(first, str(path))
        _end_torn_line(file)
        spool = Spool(path, file, header, len(first))
        spool.recover()
    except BaseException:
        file.close()
        raise
    return spool


class Spool:
    """A locked spool file. `append` and the marks may be called from different threads.

    `sent` is the number of the last record that was sent, `metrics_sent` how many of those were metrics,
    `last` the number of the last record in the file, `damaged` how many lines could not be read. `not_held`
    names what the app does not hold: it stays here. `files` are the run's pictures and artifacts.
    """

    def __init__(self, path: Path, file: IO[bytes], header: Header, start: int) -> None:
        self.path = path
        self.header = header
        self.last = 0
        self.sent = 0
        self.metrics_sent = 0
        self.damaged = 0
        self.experiment: str | None = None
        self.base = 0
        self.pending: Pending | None = None
        self.status: str | None = None
        self.not_held: list[str] = []
        self.files = FileStore(path.with_suffix(".files"))
        self._file = file
        self._start = self._offset = start
        self._torn = False
        self._lock = threading.RLock()  # a signal handler may log, or end the run, in the middle of log()

    @property
    def left(self) -> int:
        """How many records are not known to have been sent."""
        return self.last - self.sent

    def append(self, records: Sequence[Record]) -> None:
        """Write records, numbered on from the last one; not yet forced to the disk. Raises OSError."""
        if not records:
            return
        with self._lock:
            first = self.last + 1
            self.last += len(records)
            lines = [record_line(item, n) for n, item in enumerate(records, start=first)]
            try:
                self._write(b"".join(lines))
            except BaseException:
                if self.last == first + len(records) - 1:
                    self.last = first - 1
                raise
            last = records[-1]
            if last.kind == "status":
                self.status = str(last.body)

    def force(self) -> None:
        """Have the disk take what was written. Raises OSError."""
        os.fsync(self._file.fileno())

    def batch(self, limit: int) -> list[Record]:
        """The next records to send: up to `limit` metrics in a row, or one record of another kind."""
        records: list[Record] = []
        for record in self._records(self._offset):
            if records and (record.kind != "metrics" or records[0].kind != "metrics"):
                break
            records.append(record)
            if len(records) == limit:
                break
        return records

    def mark_experiment(self, experiment: str, base: int) -> None:
        """The records go to this experiment, which had `base` entries before the first of them.

        Another experiment than before (the app forgot the old one) gets everything from the start."""
        if experiment == self.experiment:
            return
        again = self.experiment is not None
        self.experiment, self.base, self.pending = experiment, base, None
        if again:
            self.sent = self.metrics_sent = 0
            self._offset = self._start
        self._mark(Mark(experiment=experiment, base=base, sent=self.sent))

    def mark_sending(self, records: Sequence[Record], base: int) -> None:
        """Said before metrics are sent to an app that can't tell a repeated entry."""
        self.pending = Pending(first=records[0].n, last=records[-1].n, base=base)
        self._mark(Mark(pending=self.pending))

    def mark_sent(self, records: Sequence[Record]) -> None:
        """All records up to the last of these were sent."""
        if records:
            self.sent, self._offset = records[-1].n, records[-1].end
            self.metrics_sent += sum(record.kind == "metrics" for record in records)
        self.pending = None
        self._mark(Mark(sent=self.sent))

    def mark_not_held(self, name: str) -> None:
        """Something of this name was not sent, since the app can't hold it."""
        if name not in self.not_held:
            self.not_held.append(name)
            self._mark(Mark(not_held=name))

    def start_over(self) -> None:
        """Everything is to be sent, to another app than before."""
        self.sent = self.metrics_sent = self.base = 0
        self.experiment = self.pending = None
        self.not_held, self._offset = [], self._start

    def rewind(self, metrics: int) -> None:
        """Only the first `metrics` metrics have arrived: what follows is to be sent again."""
        self.sent, self.metrics_sent, self._offset = 0, 0, self._start
        if metrics:
            for record in self._records(self._offset):
                self.metrics_sent += record.kind == "metrics"
                self.sent, self._offset = record.n, record.end
                if self.metrics_sent == metrics:
                    break
        self.pending = None
        self._mark(Mark(sent=self.sent))

    def recover(self) -> None:
        """Read from the file how far sending had come."""
        for item in self._lines(self._start):
            if isinstance(item, Record):
                self.last = max(self.last, item.n)
                self.status = str(item.body) if item.kind == "status" else self.status
            elif isinstance(item, Mark):
                self._take(item)
            else:
                self.damaged += 1
        sent, self.sent = self.sent, 0
        for record in self._records(self._offset):
            if record.n > sent:
                break
            self.metrics_sent += record.kind == "metrics"
            self.sent, self._offset = record.n, record.end

    def close(self) -> None:
        """Let go of the file and its lock."""
        self._file.close()

    def remove(self) -> None:
        """Delete the file: everything in it was sent. What the app does not hold is kept, under `kept`."""
        if self.not_held:
            self.path.replace(self.kept)
        else:
            self.path.unlink(missing_ok=True)
            self.files.remove()
        self.close()

    @property
    def kept(self) -> Path:
        """The file's name when all was sent but what the app does not hold: another app may hold it."""
        return self.path.with_suffix(KEPT)

    def _take(self, mark: Mark) -> None:
        if mark.not_held is not None:
            self.not_held.append(mark.not_held)
            return
        if mark.pending is not None:
            self.pending = mark.pending
            return
        if mark.experiment is not None:
            self.experiment, self.base = mark.experiment, mark.base
        self.sent, self.pending = mark.sent or 0, None

    def _mark(self, mark: Mark) -> None:
        with self._lock:
            self._write(mark_line(mark))
        self.force()

    def _write(self, data: bytes) -> None:
        # After a write that failed half-way (a full disk) the next one starts on a line of its own.
        rest = b"\n" + data if self._torn else data
        self._torn = True
        while rest:
            rest = rest[self._file.write(rest) :]
        self._torn = False

    def _records(self, offset: int) -> Iterator[Record]:
        """Records from `offset` on. One that was written twice, since writing failed half-way, comes once."""
        last = 0
        for item in self._lines(offset):
            if isinstance(item, Record) and item.n > last:
                last = item.n
                yield item

    def _lines(self, offset: int) -> Iterator[Record | Mark | None]:
        """Every complete line from `offset` on."""
        with self.path.open("rb") as file:
            file.seek(offset)
            while (line := file.readline()).endswith(b"\n"):
                yield read_line(line, file.tell())


def _end_torn_line(file: IO[bytes]) -> None:
    """A crash may have left half a line: end it, so that what is appended starts on a line of its own."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 1))
    if file.read(1) != b"\n":
        file.write(b"\n")
    file.seek(0, os.SEEK_END)
