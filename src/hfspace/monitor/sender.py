"""Sends a spool to its experiment: in order, nothing lost, and as far as the app allows nothing twice.

On a `keyed` app an entry carries a key made of the spool and its number, so that sending it again changes
nothing. The other kind can only count: before metrics are sent, the count is read and written to the spool;
when the answer is lost, or the process dies, the count and the last entry tell how many of them arrived.
Where somebody else has logged to the same experiment meanwhile, the app's series are searched for ours; what
is not found is sent again, since an entry that is there twice is better than one that is lost.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import takewhile

from hfspace.errors import ExperimentNotFound, NotSupported, TrackioRejected
from hfspace.live.trackio.port import Experiment, Tracker
from hfspace.model import Json
from hfspace.monitor.connection import disconnect
from hfspace.monitor.lock import turn
from hfspace.monitor.payloads import Payloads, as_held
from hfspace.monitor.records import Record
from hfspace.monitor.spool import Spool

_KEYED_BATCH = 500
_COUNTED_BATCH = 25  # one request each on the Gradio app


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """The app no longer had what was sent to it; it is being sent again."""

    name: str
    entries: int


class Sender:
    """Sends one spool. Not for two threads at once.

    `connect` makes the client at the first use, and again after a failure; it may raise. `disconnect` ends
    one. `on_loss` hears when the app forgot entries, `on_not_held` of what it does not hold, once a name.
    """

    def __init__(
        self,
        spool: Spool,
        connect: Callable[[], Tracker],
        *,
        project: str | None = None,
        disconnect: Callable[[Tracker], None] = disconnect,
        on_loss: Callable[[Lost], None] | None = None,
        on_not_held: Callable[[str], None] | None = None,
    ) -> None:
        self._spool = spool
        self._connect = connect
        self._project = project
        self._disconnect = disconnect
        self._on_loss = on_loss or (lambda lost: None)
        self._payloads = Payloads(spool, project, on_not_held or (lambda name: None))
        self._tracker: Tracker | None = None
        self._live: Experiment | None = None

    def send_some(self) -> bool:
        """Send the next batch. True when more may be left.

        Raises TrackioError and HubError; calling again is always right, and goes on where it stopped."""
        if not self._spool.left:
            return False
        if self._tracker is None:
            self._tracker = self._connect()
        header = self._spool.header
        try:
            if self._tracker.keyed:
                return self._send(self._tracker)
            # Counting tells what arrived only while one process sends; and two must not both create.
            with turn(header.space, header.url, header.name):
                return self._send(self._tracker)
        except Exception:
            # The app may be another one after a restart, and may have forgotten the experiment: look again.
            self.close()
            raise

    def close(self) -> None:
        """Close the client, if there is one."""
        tracker, self._tracker, self._live = self._tracker, None, None
        if tracker is not None:
            self._disconnect(tracker)

    def _send(self, tracker: Tracker) -> bool:
        if self._live is None:
            self._live = self._ensured(tracker)
        # Looked up before the batch is read: a forgotten experiment has put the spool back to its start.
        batch = self._spool.batch(_KEYED_BATCH if tracker.keyed else _COUNTED_BATCH)
        if not batch:
            return False
        match batch[0].kind:
            case "metrics" if tracker.keyed:
                entries = self._payloads.entries(tracker, self._live, batch)
                tracker.log_metrics(self._live.id, entries, self._project)
            case "metrics":
                if not self._send_counted(tracker, batch, self._live.id):
                    return True
            case "parameters":
                tracker.log_parameters(self._live.id, batch[0].body, self._project)
            case "artifact":
                self._payloads.artifact(tracker, self._live, batch[0])
            case "status":
                self._set_status(tracker, str(batch[0].body))
        self._spool.mark_sent(batch)
        return bool(self._spool.left)

    def _send_counted(self, tracker: Tracker, batch: list[Record], experiment: str) -> bool:
        """False when the spool's position was put right instead, and the batch is to be read again."""
        live = tracker.show(experiment, self._project)
        if self._replaced(live):
            self._live = None
            return False
        if self._settled(tracker, live):
            return False
        entries = self._payloads.entries(tracker, live, batch)
        self._spool.mark_sending(batch, live.metrics)
        tracker.log_metrics(experiment, entries, self._project)
        return True

    def _settled(self, tracker: Tracker, live: Experiment) -> bool:
        """Bring the spool's position in line with what the app has. True when it was moved."""
        spool = self._spool
        arrived = spool.base + spool.metrics_sent
        if live.metrics < arrived:
            self._on_loss(Lost(name=spool.header.name, entries=arrived - live.metrics))
            spool.rewind(max(0, live.metrics - spool.base))
            return True
        pending = spool.pending
        if pending is None:
            return False
        tried = [record for record in spool.batch(_COUNTED_BATCH * 40) if record.n <= pending.last]
        more = live.metrics - pending.base
        spool.mark_sent(tried[: self._arrived(tracker, live, tried, more) if tried and more > 0 else 0])
        return True

    def _arrived(self, tracker: Tracker, live: Experiment, tried: list[Record], more: int) -> int:
        """How many of `tried` the app has, when it has `more` entries than before they were sent."""
        last = _comparable(live.latest, live.latest_step)
        for count in range(min(more, len(tried)), 0, -1):
            if _comparable(as_held(tried[count - 1].body), tried[count - 1].step) == last:
                return count
        metric = next((name for name, value in tried[0].body.items() if _is_number(value)), None)
        try:
            series = tracker.plot(live.id, metric, self._project) if metric else None
        except (NotSupported, TrackioRejected):
            series = None
        there = [(point.step, point.value) for point in series.points] if series else []
        ours = ((record.step, record.body.get(metric)) for record in tried)
        return sum(1 for _ in takewhile(there.__contains__, ours))

    def _set_status(self, tracker: Tracker, status: str) -> None:
        if self._live is None or self._live.status in (None, status):
            return
        try:
            self._live = tracker.update_status(self._live.id, status, self._project)
        except NotSupported:
            return

    def _ensured(self, tracker: Tracker) -> Experiment:
        """The experiment of the spool: the one used before, else the one of its name, else a new one."""
        spool, header = self._spool, self._spool.header
        if header.id is not None:
            live: Experiment | None = tracker.show(header.id, self._project)
        else:
            live = self._known(tracker)
        if live is None:
            live = self._made(tracker)
        if spool.experiment not in (None, live.id):
            self._on_loss(Lost(name=header.name, entries=spool.metrics_sent))
        spool.mark_experiment(live.id, live.metrics)
        if tracker.keyed and live.metrics < spool.metrics_sent:
            # The run was deleted and has the same id again; what is still there is not logged twice.
            self._on_loss(Lost(name=header.name, entries=spool.metrics_sent - live.metrics))
            spool.rewind(0)
        return live

    def _known(self, tracker: Tracker) -> Experiment | None:
        """The experiment that this spool has been sent to, while it is still that."""
        if self._spool.experiment is None:
            return None
        try:
            live = tracker.show(self._spool.experiment, self._project)
        except ExperimentNotFound:
            return None
        return None if self._replaced(live) else live

    def _made(self, tracker: Tracker) -> Experiment:
        """The one of this name, else a new one. A description is a parameter where the app has none."""
        header = self._spool.header
        if "description" in tracker.holds:
            return tracker.ensure(header.name, description=header.description, project=self._project)
        about = {"description": header.description} if header.description else {}
        return tracker.ensure(header.name, parameters=about, project=self._project)

    def _replaced(self, live: Experiment) -> bool:
        """The Gradio app makes ids of the second: another client's experiment may have taken ours over."""
        header = self._spool.header
        return header.id is None and live.name != header.name


def _comparable(metrics: Mapping[str, Json], step: int | None) -> str:
    """An entry as text that is equal for equal entries; NaN is not equal to itself."""
    return json.dumps([dict(metrics), step], sort_keys=True)


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
