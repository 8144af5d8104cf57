"""Several Trackio apps, read again and again, each in a thread of its own: one that fails or hangs is shown
as such and holds up no other."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import TracebackType

from hfspace.errors import HfspaceError, NotSupported, TrackioRejected
from hfspace.live.trackio.budget import Budget
from hfspace.live.trackio.port import Experiment, Series, Tracker

_MOST_METRICS = 3
"""Series that are read of an experiment where no metric is asked for: loss, else the first it names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What is read of each app. No `metrics`: loss, or what there is. `most` experiments have their series
    read: those that run first, then the newest."""

    metrics: tuple[str, ...] = ()
    status: str | None = None
    most: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Curves:
    """One experiment and the series that were read of it."""

    experiment: Experiment
    series: tuple[Series, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AppView:
    """One app as it was at `read_at` (None: not read yet); `problem` says why it is not newer, `hint` what
    helps. `hidden` experiments are beyond the limit."""

    place: str
    kind: str | None = None
    experiments: tuple[Curves, ...] = ()
    hidden: int = 0
    read_at: datetime | None = None
    problem: str = ""
    hint: str = ""


@dataclass(slots=True, kw_only=True)
class App:
    """Where an app is, how its client is made, and its newest view. Read by one thread; `budget` bounds each
    reading; `began` is when the one that goes on began (time.monotonic), None between two."""

    place: str
    connect: Callable[[], Tracker]
    budget: Budget
    disconnect: Callable[[Tracker], None]
    project: str | None = None
    view: AppView = field(init=False)
    began: float | None = None
    _tracker: Tracker | None = None
    _known: dict[str, Curves] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.view = AppView(place=self.place)

    def read(self, selection: Selection, stop: threading.Event) -> None:
        """Make the view new, or say in it why that failed; what was read before stays."""
        self.began = time.monotonic()
        self.budget.restart()
        try:
            self.view = self._read(selection, stop)
        except HfspaceError as error:
            self.close()  # the next reading asks the Hub again where the app is
            self.view = replace(self.view, problem=error.message, hint=error.hint)
        self.began = None

    def close(self) -> None:
        tracker, self._tracker = self._tracker, None
        if tracker is not None:
            self.disconnect(tracker)

    def _read(self, selection: Selection, stop: threading.Event) -> AppView:
        if self._tracker is None:
            self._tracker = self.connect()
        tracker = self._tracker
        experiments = [one for one in tracker.list(self.project) if selection.status in (None, one.status)]
        experiments.sort(key=lambda one: one.created or "", reverse=True)
        experiments.sort(key=lambda one: one.status != "running")
        chosen = experiments[: selection.most]
        curves: dict[str, Curves] = {}
        for one in chosen:
            if stop.is_set():
                return self.view
            known = self._known.get(one.id)
            # What was logged since would show in the count or the last entry.
            curves[one.id] = known if known and known.experiment == one else _curves(tracker, one, selection)
        self._known = curves
        return AppView(
            place=self.place,
            kind=tracker.kind,
            experiments=tuple(curves.values()),
            hidden=len(experiments) - len(chosen),
            read_at=datetime.now(UTC),
        )


class Overview:
    """Reads apps every `interval` seconds while the block runs. One that takes more than `timeout` seconds
    counts as not answering."""

    def __init__(self, apps: Sequence[App], selection: Selection, *, interval: float, timeout: float) -> None:
        self._apps = apps
        self._selection = selection
        self._interval = interval
        self._timeout = timeout
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._follow, args=(app,), daemon=True) for app in apps]
        # A queue, since its `get` is the wait that a Ctrl-C can end at any moment; joining a thread is not.
        self._reports: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._pending: set[str] = set()

    def __enter__(self) -> Overview:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End reading, within about a second; an app that hangs is left alone."""
        self._stop.set()
        end = time.monotonic() + 1.0
        for app, thread in zip(self._apps, self._threads, strict=True):
            if thread.ident is not None:
                thread.join(max(0.0, end - time.monotonic()))
            if not thread.is_alive():
                app.close()

    @property
    def views(self) -> tuple[AppView, ...]:
        """The newest view of each app, in the order given."""
        return tuple(self._current(app) for app in self._apps)

    def begin_round(self) -> None:
        self._pending = {app.place for app in self._apps}

    def wait(self, seconds: float) -> bool:
        """True as soon as each app was read, or failed, since the round began; False after `seconds`."""
        end = time.monotonic() + seconds
        while self._pending:
            try:
                self._pending.discard(self._reports.get(timeout=max(0.0, end - time.monotonic())))
            except queue.Empty:
                return False
        return True

    def _follow(self, app: App) -> None:
        while not self._stop.is_set():
            app.read(self._selection, self._stop)
            self._reports.put(app.place)
            self._stop.wait(self._interval)

    def _current(self, app: App) -> AppView:
        passed = time.monotonic() - (app.began or time.monotonic())
        if passed >= self._timeout:
            return replace(app.view, problem=f"It has not answered for {passed:.0f} s.", hint="")
        return app.view


def _curves(tracker: Tracker, one: Experiment, selection: Selection) -> Curves:
    if not one.metrics:
        return Curves(experiment=one)
    names = selection.metrics or _some(tuple(one.latest) or tracker.metric_names(one.id, one.project))
    return Curves(experiment=one, series=tuple(_series(tracker, one, name) for name in names))


def _some(names: tuple[str, ...]) -> tuple[str, ...]:
    return ("loss",) if "loss" in names else names[:_MOST_METRICS]


def _series(tracker: Tracker, one: Experiment, metric: str) -> Series:
    """The series; empty where the app has none of this name."""
    try:
        return tracker.plot(one.id, metric, one.project)
    except (NotSupported, TrackioRejected):
        return Series(experiment=one.name, metric=metric)
