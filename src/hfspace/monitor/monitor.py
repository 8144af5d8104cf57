"""ExperimentMonitor: what a training script uses to record a run on a Trackio Space."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import shlex
import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Self

from hfspace.errors import UsageError
from hfspace.live.trackio.port import STATUSES, Tracker
from hfspace.model import Json
from hfspace.monitor import spool as spools
from hfspace.monitor.connection import Target, connect, disconnect
from hfspace.monitor.pipeline import Complaints, Item, Pace, Pipeline, say_lost
from hfspace.monitor.records import Header, new_spool_id
from hfspace.monitor.sender import Sender
from hfspace.monitor.values import clean_parameters, snapshot
from hfspace.report.cells import counted
from hfspace.text import plain

log = logging.getLogger("hfspace.monitor")

_LONGEST_WAIT = 2.0
"""Seconds for which log() waits for the writer, once, when `most_queued` entries are waiting for the disk."""


class ExperimentMonitor:
    """Records one training run. Never blocks, slows or ends the training; docs/experiments.md.

    `name` is the experiment's exact name: one that exists is continued, else it is made. `space` is
    owner/name (default TRACKIO_SPACE_ID), `url` an app's address instead, `project` a project of official
    trackio, `id` pins one of several experiments of one name. `config` is logged as parameters.

    What is logged goes to a spool file in `spool_dir` (default HFSPACE_SPOOL_DIR, else the user's state
    directory) first, and from there to the app every `flush_every` seconds. Leaving the block waits at most
    `flush_timeout` seconds for the app; the log says what is left, and which command sends it. The file is
    deleted when everything was sent. `most_queued` bounds the entries in memory: `log()` waits for the disk
    when more come at once; when that hangs they are dropped, and counted. With `enabled=False` (all ranks but
    the first) it does nothing.

    Raises UsageError for a name that no app can hold, before anything starts; after that, nothing.
    """

    def __init__(
        self,
        name: str,
        *,
        space: str | None = None,
        project: str | None = None,
        config: Mapping[str, Any] | None = None,
        description: str = "",
        spool_dir: str | os.PathLike[str] | None = None,
        tracker: Tracker | None = None,
        flush_every: float = 2.0,
        flush_timeout: float = 30.0,
        most_queued: int = 10_000,
        retry_pauses: tuple[float, float] = (1.0, 60.0),
        token: str | None = None,
        url: str | None = None,
        backend: str = "auto",
        id: str | None = None,
        enabled: bool = True,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._env = dict(os.environ) if env is None else env
        self.name = _checked(name)
        self._target = Target(
            space=space or (None if url else self._env.get("TRACKIO_SPACE_ID") or None),
            url=url,
            project=project,
            backend=backend,
        )
        self._description, self._id, self._token = " ".join(str(description or "").split()), id, token
        self._folder = Path(spool_dir) if spool_dir is not None else None
        self._tracker = tracker
        self._pace = Pace(
            flush_every=max(0.01, flush_every),
            first_pause=retry_pauses[0],
            longest_pause=retry_pauses[1],
            most_queued=most_queued,
        )
        self._flush_timeout = flush_timeout
        self._queue: SimpleQueue[Item] = SimpleQueue()
        self._complaints = Complaints()
        self._pipeline: Pipeline | None = None
        self._pid = os.getpid()
        self._open = enabled
        self._dropped = 0
        self._stuck = False
        if config is not None:
            self.log_config(config)

    @property
    def spool(self) -> Path | None:
        """The spool file, from the start of the run on. It may be gone after the end."""
        return self._pipeline.spool.path if self._pipeline else None

    @property
    def unsent(self) -> int:
        """How many entries in the spool are not known to have arrived."""
        return self._pipeline.spool.left if self._pipeline else 0

    # ------------------------------------------------------------ logging

    def log(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Record metrics at a step. Returns at once; numbers of numpy and torch are taken as they are now.

        What is neither number nor text is left out, with one warning for each name.
        """
        # A forked child has no threads and shares the file: only the process that began the run records it.
        if not self._open or os.getpid() != self._pid:
            return
        try:
            if self._queue.qsize() >= self._pace.most_queued and not self._has_room():
                self._dropped += 1
                return
            self._queue.put(("metrics", snapshot(metrics), step, time.time()))
        except Exception as error:  # noqa: BLE001 - a wrong argument must not end a training of days
            self._complaints.once("log", f"log() got something that is no mapping ({type(error).__name__}).")

    def log_config(self, config: Mapping[str, Any]) -> None:
        """Record parameters, added to those there are. What JSON can't hold is recorded as text."""
        self._put("parameters", config)

    def _has_room(self) -> bool:
        """After a flood of entries: wait for the writer, but for a disk that hangs only once."""
        if self._pipeline is None or self._stuck:
            return False
        deadline = time.monotonic() + _LONGEST_WAIT
        while self._queue.qsize() >= self._pace.most_queued:
            if time.monotonic() >= deadline:
                self._stuck = True
                return False
            time.sleep(0.001)
        return True

    def _put(self, kind: Any, body: Any) -> None:
        if not self._open or os.getpid() != self._pid:
            return
        try:
            sendable: Json = clean_parameters(body) if kind == "parameters" else body
            if sendable:
                self._queue.put((kind, sendable, None, time.time()))
        except Exception as error:  # noqa: BLE001 - as in log()
            self._complaints.once(kind, f"Parameters could not be recorded ({type(error).__name__}).")

    # ------------------------------------------------------------ start and end

    def start(self) -> Self:
        """Begin; what was logged before is part of the run. Does not wait for the app.

        Without a `with` block, call `finish`; else the end of the interpreter is the end of the run: failed
        after an unhandled exception, paused otherwise."""
        if not self._open or self._pipeline is not None:
            return self
        try:
            self._begin()
        except Exception as error:  # noqa: BLE001 - no memory or no thread left: the training may go on
            self._open = False
            log.error("%s", plain(f"'{self.name}' is not recorded ({type(error).__name__})."))
            if self._pipeline is not None:
                self._pipeline.spool.close()
        return self

    def _begin(self) -> None:
        if self._target.space is None and self._target.url is None and self._tracker is None:
            log.warning("No Space is named (space=, or TRACKIO_SPACE_ID): the run is kept in its spool only.")
        made = self._made_spool()
        if made is None:
            self._open = False
            return
        keep_open = self._tracker is not None
        sender = Sender(
            made,
            self._connect,
            project=self._target.project,
            disconnect=(lambda tracker: None) if keep_open else disconnect,
            on_loss=say_lost,
        )
        self._pipeline = Pipeline(made, sender, self._pace, self._queue)
        self._put("status", "running")
        self._pipeline.start()
        atexit.register(self._finish_at_exit)

    def finish(self, status: str = "completed") -> None:
        """End the run: completed, failed or paused. Waits at most `flush_timeout` seconds."""
        pipeline = self._pipeline
        if pipeline is None or not self._open or os.getpid() != self._pid:
            return
        atexit.unregister(self._finish_at_exit)
        self._put("status", status if status in STATUSES else "failed")
        self._open = False
        left = pipeline.spool.left
        try:
            left = pipeline.finish(self._flush_timeout)
        except Exception as error:  # noqa: BLE001 - the end of a training is no place to fail either
            log.warning(
                "%s", plain(f"The end of '{self.name}' could not be recorded ({type(error).__name__}).")
            )
        finally:
            self._say_left(left)

    def _finish_at_exit(self) -> None:
        self.finish(outcome_at_exit())

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.finish(outcome(kind))

    def callback(self) -> Any:
        """A transformers.TrainerCallback that logs to this monitor. UsageError without transformers."""
        from hfspace.monitor.trainer import make_callback

        return make_callback(self)

    def _connect(self) -> Tracker:
        if self._tracker is not None:
            return self._tracker
        if self._target.space is None and self._target.url is None:
            raise UsageError("No Space is named.", hint="Name it when you sync: --space owner/name.")
        return connect(self._target, token=self._token, env=self._env)

    def _made_spool(self) -> spools.Spool | None:
        """In the folder asked for, else in a temporary one: a full home must not cost the run's record."""
        header = Header(
            spool=new_spool_id(),
            name=self.name,
            created=datetime.now(UTC).isoformat(timespec="microseconds"),
            space=self._target.space,
            url=self._target.url,
            project=self._target.project,
            backend=self._target.backend,
            description=self._description,
            id=self._id,
        )
        folder = self._folder or spools.default_folder(self._env)
        for place in (folder, Path(tempfile.gettempdir()) / "hfspace-spool"):
            try:
                return spools.create(place, header)
            except OSError as error:
                log.warning("%s", plain(f"No spool can be made in {place} ({error.strerror or error})."))
        log.error("%s", plain(f"'{self.name}' is not recorded: there is no place for its spool."))
        return None

    def _say_left(self, left: int) -> None:
        with contextlib.suppress(Exception):
            if self._dropped:
                what = counted(self._dropped, "entry", "entries")
                log.warning("%s", plain(f"'{self.name}': {what} dropped, too many waited for the disk."))
            if left and self.spool is not None:
                command = f"hfspace experiments sync {shlex.quote(str(self.spool))}"
                what = counted(left, "entry was", "entries were")
                log.warning("%s", plain(f"'{self.name}': {what} not sent yet. Send with: {command}"))


def outcome(kind: type[BaseException] | None) -> str:
    """How a block ended: without an exception, by an interruption (Ctrl-C, exit), or by an error."""
    if kind is None:
        return "completed"
    return "paused" if issubclass(kind, KeyboardInterrupt | SystemExit) else "failed"


def outcome_at_exit() -> str:
    """How the interpreter is ending, for a run that nobody ended."""
    kind = getattr(sys, "last_type", None)
    return outcome(kind) if kind is not None else "paused"


def _checked(name: str) -> str:
    trimmed = name.strip() if isinstance(name, str) else ""
    if not trimmed or not trimmed.isprintable():
        raise UsageError(
            f"{name!r} can't be the name of an experiment.",
            hint="A name has at least one character, and no line breaks or control characters.",
        )
    return trimmed
