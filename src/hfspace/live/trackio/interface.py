"""The Gradio Trackio app behind the port: every write is read back, since its ✅ is no evidence, and every
create is alone in its second."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from hfspace.errors import (
    AmbiguousExperiment,
    DataLoss,
    ExperimentNotFound,
    NotSupported,
    TrackioError,
    TrackioRejected,
    TrackioUnavailable,
)
from hfspace.live.gradio.fetch import safe_host
from hfspace.live.trackio import interface_text as text
from hfspace.live.trackio.door import WORKERS, Door
from hfspace.live.trackio.figures import read_figure
from hfspace.live.trackio.port import Entry, Experiment, Kind, Point, Series
from hfspace.live.trackio.series import all_series
from hfspace.live.trackio.spacing import PROCESS, Spacing
from hfspace.live.trackio.values import (
    checked_name,
    checked_status,
    differing,
    metrics_of,
    one_line,
    parameters_of,
)
from hfspace.model import Json

_NO_PROJECTS = "The Gradio Trackio app has no projects"
_REFRESH = "refresh_experiment_dropdown"


class InterfaceTracker:
    """One Gradio Trackio app. `endpoints` are what it serves; `spacing` is shared by all its clients."""

    def __init__(
        self, door: Door, *, endpoints: frozenset[str] = frozenset(), spacing: Spacing = PROCESS
    ) -> None:
        self._door = door
        self._endpoints = endpoints
        self._spacing = spacing

    @property
    def kind(self) -> Kind:
        return "interface"

    @property
    def keyed(self) -> bool:
        return False

    def close(self) -> None:
        self._door.close()

    # ------------------------------------------------------------ reads

    def list(self, project: str | None = None) -> tuple[Experiment, ...]:
        self._no_project(project)
        return self._each(self._names())

    def named(self, names: Iterable[str], ids: Iterable[str] = ()) -> tuple[Experiment, ...]:
        """Those with one of these exact names or ids; reads the details of no others."""
        wanted, refs = set(names), set(ids)
        listed = self._names()
        chosen = {ref: its for ref, its in listed.items() if ref in refs or wanted & set(its)}
        return tuple(one for one in self._each(chosen) if one.name in wanted or one.id in refs)

    def show(self, ref: str, project: str | None = None) -> Experiment:
        self._no_project(project)
        answer = self._door.read("get_experiment_details", ref)
        if not text.is_missing(answer, ref):
            return text.read_details(answer, ref)
        found = self.named((ref,))
        if not found:
            raise ExperimentNotFound(
                f"{self._host} has no experiment with the id or exact name '{one_line(ref)}'.",
                hint="List them: hfspace experiments list",
            )
        if len(found) > 1:
            raise _ambiguous(ref, found)
        return found[0]

    def plot(self, ref: str, metric: str, project: str | None = None) -> Series:
        found = self.show(ref, project)
        return Series(experiment=found.name, metric=metric, points=self._points(found, metric))

    def metric_names(self, ref: str, project: str | None = None) -> tuple[str, ...]:
        return tuple(self.show(ref, project).latest)

    def compare(
        self, refs: Sequence[str], metric: str = "loss", project: str | None = None
    ) -> tuple[Series, ...]:
        return all_series(lambda ref: self.plot(ref, metric, project), refs, metric)

    # ------------------------------------------------------------ writes

    def create(
        self,
        name: str,
        *,
        description: str = "",
        parameters: Mapping[str, Json] | None = None,
        project: str | None = None,
    ) -> Experiment:
        self._no_project(project)
        checked_name(name)
        wanted = parameters_of(parameters or {})
        with self._spacing.turn(self._door.base):
            made = self._create(name, description, self._names())
        return self.log_parameters(made.id, wanted) if wanted else made

    def ensure(
        self,
        name: str,
        *,
        description: str = "",
        parameters: Mapping[str, Json] | None = None,
        project: str | None = None,
    ) -> Experiment:
        """The experiment of this name, created when there is none. Raises AmbiguousExperiment for several,
        also when somebody else created one at the same time."""
        self._no_project(project)
        checked_name(name)
        wanted = parameters_of(parameters or {})
        with self._spacing.turn(self._door.base):
            listed = self._names()
            twins = [self._details(ref, its) for ref, its in listed.items() if name in its]
            found = [one for one in twins if one.name == name]
            if len(found) > 1:
                raise _ambiguous(name, found)
            made = found[0] if found else self._create(name, description, listed)
        return self.log_parameters(made.id, wanted) if wanted else made

    def delete(self, ref: str, project: str | None = None) -> None:
        raise NotSupported("The Gradio Trackio app can't delete experiments.")

    def update_status(self, ref: str, status: str, project: str | None = None) -> Experiment:
        checked_status(status)
        found = self.show(ref, project)
        if found.status != status:
            # The app answers ✅ for an id that it does not have, and does nothing.
            text.accepted(self._door.write("update_experiment_status_interface", found.id, status))
            found = self._again(found)
        if found.status != status:
            raise TrackioRejected(
                f"The app says that '{one_line(found.name)}' is {status} now, and reads {found.status}."
            )
        return found

    def log_parameters(
        self, ref: str, parameters: Mapping[str, Json], project: str | None = None
    ) -> Experiment:
        wanted = parameters_of(parameters)
        found = self.show(ref, project)
        missing = differing(wanted, found.parameters)
        if missing:
            text.accepted(self._door.write("log_parameters_interface", found.id, json.dumps(missing)))
            found = self._again(found)
        if left := differing(wanted, found.parameters):
            raise TrackioRejected(
                f"The app took the parameters of '{one_line(found.name)}', and reads otherwise: "
                f"{one_line(', '.join(left))}."
            )
        return found

    def log_metrics(self, ref: str, entries: Sequence[Entry], project: str | None = None) -> None:
        """One call per entry, since the app takes no more. A lost answer is resolved by the app's count; the
        error for what was not logged says how many were."""
        bodies = [(json.dumps(metrics_of(entry)), entry.step) for entry in entries]
        if not bodies:
            return
        found = self.show(ref, project)
        for done, (body, step) in enumerate(bodies):
            try:
                answer = self._door.write(
                    "log_metrics_interface", found.id, body, "" if step is None else str(step)
                )
                text.accepted(answer)
            except TrackioUnavailable as error:
                if not self._has_arrived(found, error, done, entries[done]):
                    raise _partly(error, done, len(bodies)) from None
        now = self._again(found)
        if now.metrics < found.metrics + len(bodies):
            raise DataLoss(
                f"{len(bodies)} entries were logged for '{one_line(found.name)}', and its count went from "
                f"{found.metrics} to {now.metrics}.",
                hint="The app may have restarted: it keeps experiments in memory.",
            )

    def simulate(self, ref: str, project: str | None = None) -> Experiment:
        """Writes invented metrics. The later generation does, and then raises: the count decides."""
        found = self.show(ref, project)
        refusal: TrackioRejected | None = None
        try:
            text.accepted(self._door.write("simulate_training_data", found.id))
        except TrackioRejected as error:
            refusal = error
        now = self._again(found)
        if now.metrics <= found.metrics:
            raise refusal or TrackioRejected(f"Nothing was added to '{one_line(found.name)}'.")
        return now

    def demo(self) -> Experiment:
        """Creates an experiment with invented metrics, and names it itself."""
        with self._spacing.turn(self._door.base):
            before = self._names()
            self._spacing.wait(self._door.base, self._spacing.clock())
            refusal: TrackioRejected | None = None
            try:
                text.accepted(self._door.write("create_demo_experiment"))
            except TrackioRejected as error:
                refusal = error
            finally:
                self._spacing.made(self._door.base)
            after = self._intact(before)
            fresh = [ref for ref in after if ref not in before]
            if len(fresh) != 1:
                raise refusal or TrackioUnavailable(
                    f"The demo should have made one experiment, and {len(fresh)} are new."
                )
            return self._details(fresh[0], after[fresh[0]])

    # ------------------------------------------------------------ one create

    def _create(self, name: str, description: str, before: dict[str, tuple[str, ...]]) -> Experiment:
        """Create under the lock; `before` was listed just now. Never sent twice: after a lost answer the list
        is read."""
        self._spacing.wait(self._door.base, self._spacing.clock())
        try:
            ref = text.new_id(self._door.write("create_experiment_interface", name, description))
        except TrackioUnavailable as error:
            ref = self._lost_create(name, before, error)
        finally:
            self._spacing.made(self._door.base)
        if ref in before:
            raise DataLoss(
                f"The app gave '{one_line(name)}' the id {ref}, which was "
                f"'{one_line(before[ref][0])}': that experiment is overwritten.",
                hint="Somebody else created one in the same second; create the lost one again.",
            )
        try:
            return self._verified(ref, name, description, before)
        except TrackioError as error:
            error.partly = True
            raise

    def _verified(
        self, ref: str, name: str, description: str, before: Mapping[str, tuple[str, ...]]
    ) -> Experiment:
        """The new experiment, when it is what was asked for and the only new one of its name."""
        after = self._intact(before)
        made = self._details(ref, after.get(ref, ()))
        if (made.name, made.description) != (name, description):
            raise DataLoss(
                f"{ref} was created as '{one_line(name)}' and is '{one_line(made.name)}' now.",
                hint="Somebody else created one in the same second; run again.",
            )
        twins = [one for one, its in after.items() if one not in before and name in its]
        if len(twins) > 1:
            raise AmbiguousExperiment(
                f"Somebody else created '{one_line(name)}' at the same time: {', '.join(twins)}.",
                hint="Pin one with `id:`.",
            )
        return made

    def _lost_create(
        self, name: str, before: Mapping[str, tuple[str, ...]], error: TrackioUnavailable
    ) -> str:
        try:
            now = self._names()
        except TrackioUnavailable:
            unknown = TrackioUnavailable(
                f"Whether '{one_line(name)}' was created is not known: {error.message}",
                hint="Look before creating it again: hfspace experiments list",
            )
            unknown.partly = True
            raise unknown from None
        fresh = [ref for ref, names in now.items() if ref not in before and name in names]
        if not fresh:
            raise error
        if len(fresh) > 1:
            raise AmbiguousExperiment(f"{len(fresh)} new experiments are called '{one_line(name)}'.")
        return fresh[0]

    def _intact(self, before: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        """The listing now. Raises DataLoss when one of `before` is gone or has another name."""
        after = self._names()
        lost = [ref for ref, names in before.items() if not set(names) & set(after.get(ref, ()))]
        if lost:
            told = ", ".join(f"'{one_line(before[ref][0])}' ({one_line(ref)})" for ref in lost[:3])
            raise DataLoss(
                f"{len(lost)} experiments of {self._host} are gone or overwritten: {told}.",
                hint="The app restarted without its dataset, or somebody created in the same second.",
            )
        return after

    # ------------------------------------------------------------ how

    @property
    def _host(self) -> str:
        return safe_host(self._door.base)

    def _names(self) -> dict[str, tuple[str, ...]]:
        """Every id with the names it is listed under, proved against the app's own count."""
        listing = text.read_listing(self._door.read("list_experiments_interface"))
        names = dict(listing.names)
        if len(names) > listing.total:
            # Some name forges blocks; only an id that has details is one.
            for ref in list(names):
                if text.is_missing(self._door.read("get_experiment_details", ref), ref):
                    del names[ref]
        if len(names) != listing.total:
            raise TrackioUnavailable(
                f"{self._host} counts {listing.total} experiments and lists {len(names)}.",
                hint="Its layout may have changed; nothing was concluded from it.",
            )
        return names

    def _each(self, listed: Mapping[str, tuple[str, ...]]) -> tuple[Experiment, ...]:
        """The details of all, some at a time: each is a call of its own, and most of it is waiting."""
        if len(listed) <= 1:
            return tuple(self._details(ref, its) for ref, its in listed.items())
        with ThreadPoolExecutor(max_workers=min(WORKERS, len(listed))) as pool:
            return tuple(pool.map(self._details, listed.keys(), listed.values()))

    def _details(self, ref: str, names: tuple[str, ...]) -> Experiment:
        return text.read_details(self._door.read("get_experiment_details", ref), ref, names)

    def _again(self, known: Experiment) -> Experiment:
        """Read back after a write. Raises DataLoss when it is somebody else's by now."""
        try:
            now = self._details(known.id, (known.name,))
        except ExperimentNotFound:
            now = replace(known, name="")
        if now.name != known.name:
            raise DataLoss(
                f"'{one_line(known.name)}' ({known.id}) is gone or overwritten.",
                hint="The app restarted without its dataset, or somebody created in the same second.",
            )
        return now

    def _has_arrived(self, known: Experiment, error: TrackioUnavailable, done: int, entry: Entry) -> bool:
        """True when one more entry is there, and it is this one: a count alone may be somebody else's."""
        try:
            now = self._again(known)
        except TrackioUnavailable:
            raise _partly(error, done, done + 1) from None
        told = json.dumps([dict(now.latest), now.latest_step], sort_keys=True)
        return now.metrics > known.metrics + done and told == json.dumps(
            [metrics_of(entry), entry.step], sort_keys=True
        )

    def _points(self, found: Experiment, metric: str) -> tuple[Point, ...]:
        if _REFRESH in self._endpoints:
            # The later generation plots only experiments that its session has in its menu.
            self._door.call(_REFRESH)
        return read_figure(self._door.call("create_metrics_plot", found.id, metric), metric)

    def _no_project(self, project: str | None) -> None:
        if project is not None:
            raise TrackioRejected(f"{_NO_PROJECTS}.", hint="Leave the project out.")


def _ambiguous(ref: str, found: Sequence[Experiment]) -> AmbiguousExperiment:
    ids = ", ".join(one.id for one in found)
    return AmbiguousExperiment(
        f"{len(found)} experiments are called '{one_line(ref)}': {one_line(ids)}.", hint="Use an id."
    )


def _partly(error: TrackioUnavailable, done: int, count: int) -> TrackioUnavailable:
    return TrackioUnavailable(f"{done} of {count} entries were logged: {error.message}", hint=error.hint)
