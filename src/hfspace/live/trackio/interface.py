"""The Gradio Trackio app behind the port: every write is read back, since its ✅ is no evidence."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from hfspace.errors import DataLoss, TrackioRejected, TrackioUnavailable
from hfspace.live.trackio import interface_text as text
from hfspace.live.trackio.base import TrackerBase
from hfspace.live.trackio.interface_create import InterfaceCreates
from hfspace.live.trackio.interface_reads import InterfaceReads
from hfspace.live.trackio.media import refuse
from hfspace.live.trackio.port import Experiment, LogEntry, Series
from hfspace.live.trackio.queue_client import QueueClient
from hfspace.live.trackio.spacing import PROCESS, Spacing
from hfspace.live.trackio.values import (
    checked_name,
    checked_status,
    differing,
    metrics_of,
    one_line,
    parameters_of,
)
from hfspace.manifest.trackers import HOLDS
from hfspace.model import Json


class InterfaceTracker(TrackerBase):
    """One Gradio Trackio app. `spacing` is shared by all its clients."""

    kind = "interface"
    holds = HOLDS["interface"]
    _refusals: ClassVar = {
        "delete experiments": ("The Gradio Trackio app can't delete experiments.", ""),
        "keep pictures": ("The Gradio Trackio app holds no pictures.", "Official trackio does."),
        "keep artifacts": ("The Gradio Trackio app holds no artifacts.", "Official trackio does."),
    }

    def __init__(self, client: QueueClient, *, spacing: Spacing = PROCESS) -> None:
        self._client = client
        self._reads = InterfaceReads(client)
        self._creates = InterfaceCreates(client, self._reads, spacing)

    # ------------------------------------------------------------ reads

    def list(self, project: str | None = None) -> tuple[Experiment, ...]:
        _no_project(project)
        return self._reads.each(self._reads.names())

    def named(self, names: Iterable[str], ids: Iterable[str] = ()) -> tuple[Experiment, ...]:
        """Those with one of these exact names or ids; reads the details of no others."""
        return self._reads.named(names, ids)

    def show(self, ref: str, project: str | None = None) -> Experiment:
        _no_project(project)
        return self._reads.one(ref)

    def plot(self, ref: str, metric: str, project: str | None = None) -> Series:
        one = self.show(ref, project)
        return Series(experiment=one.name, metric=metric, points=self._reads.points(one, metric))

    # ------------------------------------------------------------ writes

    def create(
        self,
        name: str,
        *,
        description: str = "",
        parameters: Mapping[str, Json] | None = None,
        project: str | None = None,
    ) -> Experiment:
        _no_project(project)
        target = parameters_of(parameters or {})
        one = self._creates.create(checked_name(name), description)
        return self.log_parameters(one.id, target) if target else one

    def ensure(
        self,
        name: str,
        *,
        description: str = "",
        parameters: Mapping[str, Json] | None = None,
        project: str | None = None,
    ) -> Experiment:
        """The experiment of this name, created when there is none."""
        _no_project(project)
        target = parameters_of(parameters or {})
        one = self._creates.ensure(checked_name(name), description)
        return self.log_parameters(one.id, target) if target else one

    def update_status(self, ref: str, status: str, project: str | None = None) -> Experiment:
        checked_status(status)
        one = self.show(ref, project)
        if one.status != status:
            # The app answers ✅ for an id that it does not have, and does nothing.
            text.accepted(self._client.write("update_status", one.id, status))
            one = self._reads.again(one)
        if one.status != status:
            raise TrackioRejected(
                f"The app says that '{one_line(one.name)}' is {status} now, and reads {one.status}."
            )
        return one

    def log_parameters(
        self, ref: str, parameters: Mapping[str, Json], project: str | None = None
    ) -> Experiment:
        target = parameters_of(parameters)
        one = self.show(ref, project)
        missing = differing(target, one.parameters)
        if missing:
            text.accepted(self._client.write("log_parameters", one.id, json.dumps(missing)))
            one = self._reads.again(one)
        if left := differing(target, one.parameters):
            raise TrackioRejected(
                f"The app took the parameters of '{one_line(one.name)}', and reads otherwise: "
                f"{one_line(', '.join(left))}."
            )
        return one

    def log_metrics(self, ref: str, entries: Sequence[LogEntry], project: str | None = None) -> None:
        """One call per entry, since the app takes no more. A lost answer is resolved by the app's count; the
        error for what was not logged says how many were."""
        bodies = [(json.dumps(metrics_of(entry)), entry.step) for entry in entries]
        if not bodies:
            return
        refuse(entries)
        known = self.show(ref, project)
        for done, (body, step) in enumerate(bodies):
            try:
                text.accepted(
                    self._client.write("log_metrics", known.id, body, "" if step is None else str(step))
                )
            except TrackioUnavailable as error:
                if not self._has_arrived(known, error, done, entries[done]):
                    raise _partly(error, done, len(bodies)) from None
        now = self._reads.again(known)
        if now.metrics < known.metrics + len(bodies):
            raise DataLoss(
                f"{len(bodies)} entries were logged for '{one_line(known.name)}', and its count went from "
                f"{known.metrics} to {now.metrics}.",
                hint="The app may have restarted: it keeps experiments in memory.",
            )

    def simulate(self, ref: str, project: str | None = None) -> Experiment:
        """Writes invented metrics. The later generation does, and then raises: the count decides."""
        known = self.show(ref, project)
        refusal: TrackioRejected | None = None
        try:
            text.accepted(self._client.write("simulate", known.id))
        except TrackioRejected as error:
            refusal = error
        now = self._reads.again(known)
        if now.metrics <= known.metrics:
            raise refusal or TrackioRejected(f"Nothing was added to '{one_line(known.name)}'.")
        return now

    def demo(self) -> Experiment:
        """Creates an experiment with invented metrics, and names it itself."""
        return self._creates.demo()

    def _has_arrived(self, known: Experiment, error: TrackioUnavailable, done: int, entry: LogEntry) -> bool:
        """True when one more entry is there, and it is this one: a count alone may be somebody else's."""
        try:
            now = self._reads.again(known)
        except TrackioUnavailable:
            raise _partly(error, done, done + 1) from None
        latest = json.dumps([dict(now.latest), now.latest_step], sort_keys=True)
        return now.metrics > known.metrics + done and latest == json.dumps(
            [metrics_of(entry), entry.step], sort_keys=True
        )


def _no_project(project: str | None) -> None:
    if project is not None:
        raise TrackioRejected("The Gradio Trackio app has no projects.", hint="Leave the project out.")


def _partly(error: TrackioUnavailable, done: int, count: int) -> TrackioUnavailable:
    return TrackioUnavailable(f"{done} of {count} entries were logged: {error.message}", hint=error.hint)
