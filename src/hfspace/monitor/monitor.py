"""ExperimentMonitor: what a training script uses to record a run on a Trackio Space."""

from __future__ import annotations

import logging
import os
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import ContextDecorator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from hfspace.errors import UsageError
from hfspace.live.experiments.names import map_of, number_of, optional_texts
from hfspace.live.trackio.endpoints import chosen_names
from hfspace.live.trackio.port import STATUSES, Tracker
from hfspace.model import Json
from hfspace.monitor import spool as spools
from hfspace.monitor.arguments import experiment_name as checked_name
from hfspace.monitor.arguments import folder, pace
from hfspace.monitor.connection import RecordingTarget, connect, disconnect
from hfspace.monitor.entries import artifact_body, error_words, metrics_body, record, step_of
from hfspace.monitor.filestore import FileStore
from hfspace.monitor.messages import (
    Complaints,
    say_ending,
    say_kept,
    say_left,
    say_left_behind,
    say_lost,
    say_not_held,
)
from hfspace.monitor.process import ProcessEnd, after_fork, outcome
from hfspace.monitor.recording import Recording
from hfspace.monitor.records import Header, RecordKind, new_spool_id
from hfspace.monitor.sender import Sender
from hfspace.monitor.trainer import make_callback
from hfspace.monitor.values import clean_parameters
from hfspace.text import plain

log = logging.getLogger("hfspace.monitor")


class ExperimentMonitor(ContextDecorator):
    """Records one training run. Never ends the training, nor makes it wait for the network;
    docs/experiments.md.

    `name` (or `experiment_name`) is the experiment's exact name: one that exists is continued, else it is
    created. `space` is owner/name (default TRACKIO_SPACE_ID), `url` an app's address instead, `project` a
    project of official trackio, `id` pins one of several experiments of one name. `endpoints` are names of
    the Gradio app's endpoints that are not the usual ones. `artifacts` is the bucket or dataset (hf://…) that
    keeps artifacts where the app holds none. `config` is recorded as parameters when
    the run starts, and at the end of the process when nothing started it.

    The first `log` starts the run, as do `start`, a `with` block, and a call of a function that it decorates.
    `finish`, the end of the block or the end of the process ends it. An entry is in the spool file in
    `spool_dir` (default HFSPACE_SPOOL_DIR, else the user's state directory) when `log` returns, and goes from
    there to the app every `flush_every` seconds. Ending waits at most `flush_timeout` seconds for the app;
    the log says what is left, and which command sends it. The file is deleted when everything was sent.
    While the disk refuses to write, `most_queued` entries wait in memory; the log counts those beyond it.
    A sleeping Space is woken where its hardware is free; `wake=True` wakes any, False none.
    With `enabled=False` or `enable_tracking=False` (all ranks but the first) it does nothing.

    Raises UsageError for a name that no app can hold and for an argument of a wrong type, before anything
    starts; after that, nothing.
    """

    def __init__(
        self,
        name: str | None = None,
        *,
        experiment_name: str | None = None,
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
        endpoints: Mapping[Any, str] | None = None,
        artifacts: str | None = None,
        id: str | None = None,
        wake: bool | None = None,
        enabled: bool = True,
        enable_tracking: bool = True,
        env: Mapping[str, str] | None = None,
    ) -> None:
        optional_texts(space=space, project=project, token=token, url=url, backend=backend, id=id)
        optional_texts(description=description, artifacts=artifacts)
        self._env = dict(os.environ) if env is None else map_of(env, "env=")
        self.name = checked_name(name, experiment_name)
        self._target = RecordingTarget(
            space=space or (None if url else self._env.get("TRACKIO_SPACE_ID") or None),
            url=url,
            project=project,
            backend=backend,
            endpoints=None if endpoints is None else chosen_names(map_of(endpoints, "endpoints=")),
            artifacts=artifacts,
        )
        self._description, self._id, self._token = " ".join((description or "").split()), id, token
        self._wake = wake
        self._folder = folder(spool_dir)
        self._tracker = tracker
        self._pace = pace(flush_every, retry_pauses, most_queued)
        self._flush_timeout = number_of(flush_timeout, "flush_timeout=")
        self._config = None if config is None else map_of(config, "config=")
        self._complaints = Complaints()
        self._recording: Recording | None = None
        self._enabled = enabled and enable_tracking
        self._ended: str | None = None
        self._is_child = False
        self._status_at_exit = "completed"
        self._process_end = ProcessEnd(self._finish_at_exit)
        self._decorates = False
        self._lock = threading.RLock()
        after_fork(self._forked)
        if self._holds_config:
            self._process_end.watch()

    @property
    def spool(self) -> Path | None:
        """The spool file, from the start of the run on. It may be gone after the end."""
        return self._recording.spool.path if self._recording else None

    @property
    def unsent(self) -> int:
        """How many entries are not known to have arrived."""
        return self._recording.spool.left + self._recording.unwritten if self._recording else 0

    # ------------------------------------------------------------ logging

    def log(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Record metrics at a step: when it returns, they are in the spool file. Numbers of numpy and torch
        are taken as they are now.

        A Histogram, a Table or an Image of `hfspace.monitor`, or of trackio, is kept where the app holds it
        (official trackio). All else is left out, with one warning for each name.
        """
        if not self._enabled:
            return
        try:
            body = metrics_body(map_of(metrics, "What is logged"), self._complaints, self._files)
            self._append("metrics", body, step_of(step, self._complaints))
        except Exception as error:  # noqa: BLE001 - a wrong argument must not end a training of days
            self._complaints.once("log", f"log() was given what it can't record: {error_words(error)}.")

    def log_config(self, config: Mapping[str, Any]) -> None:
        """Record parameters, added to those there are. What JSON can't hold is recorded as text."""
        if not self._enabled:
            return
        try:
            self._append("parameters", clean_parameters(map_of(config, "A configuration")))
        except Exception as error:  # noqa: BLE001 - as in log()
            self._complaints.once("parameters", f"Parameters can't be recorded: {error_words(error)}.")

    def log_artifact(
        self,
        path: str | os.PathLike[str],
        name: str | None = None,
        *,
        type: str = "file",
        aliases: Sequence[str] = (),
    ) -> None:
        """Keep a file, or what is below a folder, as a version of the artifact `name` (the file's name).

        Waits until it is copied beside the spool. An app that holds no artifacts leaves it there: the log
        says so."""
        if not self._enabled:
            return
        try:
            body = artifact_body(Path(path), self._files(), name=name, type=type, aliases=aliases)
            self._append("artifact", body)
        except Exception as error:  # noqa: BLE001 - as in log()
            why = error_words(error)
            self._complaints.once(f"artifact {path}", f"{path} can't be kept as an artifact: {why}.")

    log_metrics = log
    log_parameters = log_config

    def _append(self, kind: RecordKind, body: Json, step: int | None = None) -> None:
        if not body:
            return
        recording = self._recording
        if recording is None or recording.is_ended:
            self.start()
            recording = self._recording
        if recording is not None:
            self._process_end.exit_code = None  # an exit that was caught: the run goes on
            recording.append(record(kind, body, step))

    def _files(self) -> FileStore:
        """Where the run keeps its files; starts it. Raises UsageError when there is no place for it."""
        self.start()
        if self._recording is None:
            raise UsageError("The run is not recorded.")
        return self._recording.spool.files

    # ------------------------------------------------------------ start and end

    @property
    def _holds_config(self) -> bool:
        """True while there is a configuration that no run has recorded; a decorator's run is a call."""
        is_fresh = self._recording is None and self._ended is None and not self._is_child
        return bool(self._config) and self._enabled and is_fresh and not self._decorates

    def start(self) -> Self:
        """Start the run, if it is not going on. Does not wait for the app.

        What is logged after the end continues the run, in a spool of its own."""
        if not self._enabled:
            return self
        with self._lock:
            if self._recording is not None and not self._recording.is_ended:
                return self
            try:
                self._begin()
            except Exception as error:  # noqa: BLE001 - no memory left: the training may go on
                self._enabled = False
                log.error("%s", plain(f"'{self.name}' is not recorded ({type(error).__name__})."))
        return self

    def _begin(self) -> None:
        if self._target.space is None and self._target.url is None and self._tracker is None:
            log.warning("No Space is named (space=, or TRACKIO_SPACE_ID): the run is kept in its spool only.")
        spool = self._new_spool()
        if spool is None:
            self._enabled = False
            return
        keep_open = self._tracker is not None
        sender = Sender(
            spool,
            self._connect,
            project=self._target.project,
            disconnect=(lambda tracker: None) if keep_open else disconnect,
            on_loss=say_lost,
            on_not_held=say_not_held,
        )
        recording = Recording(spool, sender, self._pace, self._complaints)
        if not self._is_child and self._ended is None:
            say_left_behind(spool.path.parent)
            if self._config:
                recording.append(record("parameters", clean_parameters(self._config)))
            recording.append(record("status", "running"))
        self._recording = recording
        if self._process_end.watch():
            recording.start()
        else:
            say_ending(self.name, spool.path)

    def finish(self, status: str = "completed") -> None:
        """End the run: completed, failed or paused. Waits at most `flush_timeout` seconds."""
        if self._holds_config:
            self.start()
        recording = self._recording
        if recording is None or recording.is_ended:
            return
        self._process_end.forget()
        if status not in STATUSES:
            self._complaints.once("status", f"'{status}' is no status: the run is recorded as failed.")
            status = "failed"
        self._ended = status
        if not self._is_child:
            recording.append(record("status", self._ended))
        left = recording.spool.left
        try:
            left = recording.finish(self._flush_timeout)
        except Exception as error:  # noqa: BLE001 - the end of a training is no place to fail either
            log.warning(
                "%s", plain(f"The end of '{self.name}' could not be recorded ({type(error).__name__}).")
            )
        finally:
            say_kept(recording.spool)
            say_left(
                self.name,
                recording.spool.path,
                unsent=left - recording.unwritten,
                lost=recording.dropped + recording.unwritten,
            )

    def _finish_at_exit(self) -> None:
        self.finish(self._process_end.status(self._ended or self._status_at_exit))

    def _forked(self) -> None:
        """In a forked child: what it logs goes to a spool of its own, and it ends nothing of its parent's."""
        if self._recording is not None:
            self._recording.abandon()
        self._process_end.forget()
        self._recording = None
        self._is_child, self._lock = True, threading.RLock()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.finish(outcome(kind, error))

    def __call__(self, function: Any) -> Any:
        if not callable(function):
            raise UsageError(f"A monitor decorates a function, not {type(function).__name__}.")
        self._decorates = True
        return super().__call__(function)

    def callback(self) -> Any:
        """A transformers.TrainerCallback that logs to this monitor. UsageError without transformers."""
        return make_callback(self)

    def end_unknown_as(self, status: str) -> None:
        """The status of a run that the end of the process ends: completed, unless this says otherwise."""
        self._status_at_exit = status

    def _connect(self) -> Tracker:
        if self._tracker is not None:
            return self._tracker
        if self._target.space is None and self._target.url is None:
            raise UsageError("No Space is named.", hint="Name it when you sync: --space owner/name.")
        return connect(self._target, token=self._token, env=self._env, wake=self._wake)

    def _new_spool(self) -> spools.Spool | None:
        """In the folder asked for, else in a temporary one: a full home must not cost the run's record."""
        header = Header(
            spool=new_spool_id(),
            name=self.name,
            created=datetime.now(UTC).isoformat(timespec="microseconds"),
            **asdict(self._target),
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
