"""What the Gradio Trackio app keeps: its experiments, proved against its own count and read strictly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from hfspace.errors import DataLoss, ExperimentNotFound, TrackioUnavailable
from hfspace.live.trackio import interface_text as text
from hfspace.live.trackio.figures import read_figure
from hfspace.live.trackio.matches import the_one
from hfspace.live.trackio.port import Experiment, Point
from hfspace.live.trackio.queue_client import QueueClient
from hfspace.live.trackio.values import one_line

Names = Mapping[str, tuple[str, ...]]
"""Every id with the names that it is listed under."""


class InterfaceReads:
    """Reads of one app."""

    def __init__(self, client: QueueClient) -> None:
        self._client = client

    def names(self) -> Names:
        """All experiments. Raises TrackioUnavailable when they don't agree with the app's own count."""
        listing = text.read_listing(self._client.read("list"))
        names = dict(listing.names)
        if len(names) > listing.total:
            # Some name forges blocks; only an id that has details is one.
            refs = list(names)
            answers = self._client.read_all("show", [(ref,) for ref in refs])
            for ref, answer in zip(refs, answers, strict=True):
                if text.is_missing(answer, ref):
                    del names[ref]
        if len(names) != listing.total:
            raise TrackioUnavailable(
                f"{self._client.host} counts {listing.total} experiments and lists {len(names)}.",
                hint="Its layout may have changed; nothing was concluded from it.",
            )
        return names

    def each(self, names: Names) -> tuple[Experiment, ...]:
        """The details of these: a call for each."""
        answers = self._client.read_all("show", [(ref,) for ref in names])
        return tuple(
            text.read_details(answer, ref, its)
            for (ref, its), answer in zip(names.items(), answers, strict=True)
        )

    def details(self, ref: str, names: tuple[str, ...]) -> Experiment:
        return self.each({ref: names})[0]

    def named(self, names: Iterable[str], ids: Iterable[str] = ()) -> tuple[Experiment, ...]:
        """Those with one of these exact names or ids; reads the details of no others."""
        exact, refs = set(names), set(ids)
        chosen = {ref: its for ref, its in self.names().items() if ref in refs or exact & set(its)}
        return tuple(one for one in self.each(chosen) if one.name in exact or one.id in refs)

    def one(self, ref: str) -> Experiment:
        """The experiment with this id or exact name."""
        answer = self._client.read("show", ref)
        if not text.is_missing(answer, ref):
            return text.read_details(answer, ref)
        absent = f"{self._client.host} has no experiment with"
        return the_one(ref, self.named((ref,)), absent=absent)

    def again(self, known: Experiment) -> Experiment:
        """`known` after a write. Raises DataLoss when it is somebody else's by now."""
        try:
            now = self.details(known.id, (known.name,))
        except ExperimentNotFound:
            now = replace(known, name="")
        if now.name != known.name:
            raise DataLoss(
                f"'{one_line(known.name)}' ({known.id}) is gone or overwritten.",
                hint="The app restarted without its dataset, or somebody created in the same second.",
            )
        return now

    def intact(self, before: Names) -> Names:
        """The listing now. Raises DataLoss when one of `before` is gone or has another name."""
        after = self.names()
        lost = [ref for ref, names in before.items() if not set(names) & set(after.get(ref, ()))]
        if lost:
            named = ", ".join(f"'{one_line(before[ref][0])}' ({one_line(ref)})" for ref in lost[:3])
            more = f" and {len(lost) - 3} more" if len(lost) > 3 else ""
            raise DataLoss(
                f"Gone or overwritten on {self._client.host}: {named}{more}.",
                hint="The app restarted without its dataset, or somebody created in the same second.",
            )
        return after

    def points(self, one: Experiment, metric: str) -> tuple[Point, ...]:
        return read_figure(self._client.figure(one.id, metric), metric)
