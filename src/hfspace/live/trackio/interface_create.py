"""Creating on the Gradio Trackio app: alone in its second, never sent twice, read back."""

from __future__ import annotations

from hfspace.errors import (
    AmbiguousExperiment,
    DataLoss,
    TrackioError,
    TrackioRejected,
    TrackioUnavailable,
)
from hfspace.live.trackio import interface_text as text
from hfspace.live.trackio.interface_reads import InterfaceReads, Names
from hfspace.live.trackio.matches import ambiguous
from hfspace.live.trackio.port import Experiment
from hfspace.live.trackio.queue_client import QueueClient
from hfspace.live.trackio.spacing import Spacing
from hfspace.live.trackio.values import one_line


class InterfaceCreates:
    """Creates of one app; `spacing` is shared by all clients of the app."""

    def __init__(self, client: QueueClient, reads: InterfaceReads, spacing: Spacing) -> None:
        self._client = client
        self._reads = reads
        self._spacing = spacing

    def create(self, name: str, description: str) -> Experiment:
        """Another one, whether one of this name exists or not."""
        with self._spacing.turn(self._client.base):
            return self._create(name, description, self._reads.names())

    def ensure(self, name: str, description: str) -> Experiment:
        """The experiment of this name, created when there is none. Raises AmbiguousExperiment for several,
        also when somebody else created one at the same time."""
        with self._spacing.turn(self._client.base):
            listed = self._reads.names()
            twins = self._reads.each({ref: its for ref, its in listed.items() if name in its})
            matches = [one for one in twins if one.name == name]
            if len(matches) > 1:
                raise ambiguous(name, matches)
            return matches[0] if matches else self._create(name, description, listed)

    def demo(self) -> Experiment:
        """Creates an experiment with invented metrics, which the app names itself."""
        with self._spacing.turn(self._client.base):
            before = self._reads.names()
            self._spacing.wait(self._client.base, self._spacing.clock())
            refusal: TrackioRejected | None = None
            try:
                text.accepted(self._client.write("demo"))
            except TrackioRejected as error:
                refusal = error
            finally:
                self._spacing.made(self._client.base)
            after = self._reads.intact(before)
            fresh = [ref for ref in after if ref not in before]
            if len(fresh) != 1:
                raise refusal or TrackioUnavailable(
                    f"The demo should have made one experiment, and {len(fresh)} are new."
                )
            return self._reads.details(fresh[0], after[fresh[0]])

    def _create(self, name: str, description: str, before: Names) -> Experiment:
        """Create under the lock; `before` was listed just now. After a lost answer the list is read."""
        self._spacing.wait(self._client.base, self._spacing.clock())
        try:
            ref = text.new_id(self._client.write("create", name, description))
        except TrackioUnavailable as error:
            ref = self._lost_create(name, before, error)
        finally:
            self._spacing.made(self._client.base)
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

    def _verified(self, ref: str, name: str, description: str, before: Names) -> Experiment:
        """The new experiment, when it is what was asked for and the only new one of its name."""
        after = self._reads.intact(before)
        one = self._reads.details(ref, after.get(ref, ()))
        if (one.name, one.description) != (name, description):
            raise DataLoss(
                f"{ref} was created as '{one_line(name)}' and is '{one_line(one.name)}' now.",
                hint="Somebody else created one in the same second; run again.",
            )
        twins = [ref for ref, its in after.items() if ref not in before and name in its]
        if len(twins) > 1:
            raise AmbiguousExperiment(
                f"Somebody else created '{one_line(name)}' at the same time: {', '.join(twins)}.",
                hint="Pin one with `id:`.",
            )
        return one

    def _lost_create(self, name: str, before: Names, error: TrackioUnavailable) -> str:
        try:
            now = self._reads.names()
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
