"""One Space, from what it is to what is declared: read, compare, write, and again until nothing differs.

Level-based: every round starts from a fresh read, so that a lost answer, a crash or a second runner needs
no case of its own. A write whose answer is lost is resolved by that read.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hfspace import facets
from hfspace.applier import app_content, conflicts, waiting
from hfspace.applier.events import Kind
from hfspace.applier.ledger import Answer, Attempt, Ledger
from hfspace.applier.run import Run
from hfspace.applier.verdict import verdict
from hfspace.errors import (
    Conflict,
    DataLoss,
    HfspaceError,
    HubError,
    HubFault,
    HubUnreachable,
    NotVisible,
    Rejected,
    StalePlanError,
    TrackioError,
    WaitTimeout,
)
from hfspace.facets import Desired
from hfspace.model import FAILED, HELD, MOVING, Action, Change, Outcome, SpaceState, Status
from hfspace.planner.digest import digest

_UNANSWERED = (HubUnreachable, HubFault, Conflict)
_CONFIRM_READS = 10


def reconcile(run: Run, space: str, planned: tuple[Change, ...]) -> Outcome:
    """Bring one Space in line, in its own time. Never raises for what the Hub or an app does: the Outcome
    says it."""
    with run.pace.own_time():
        return SpaceRun(run=run, space=space, planned=planned).outcome()


@dataclass(slots=True)
class SpaceRun:
    """One Space in one apply. `state` and `todo` are as of the last read; None is a Space that is not there.
    `known` is what was read before the first write: a paused Space tells less."""

    run: Run
    space: str
    planned: tuple[Change, ...]
    ledger: Ledger = field(default_factory=Ledger)
    app: app_content.Seen = field(default_factory=app_content.Seen)
    state: SpaceState | None = None
    known: SpaceState | None = None
    todo: list[Change] = field(default_factory=list)
    rest: SpaceState | None = None
    stage: str | None = None

    def outcome(self) -> Outcome:
        started = self.run.pace.now()
        self.run.tell(Kind.STARTED, self.space)
        error: HfspaceError | None = None
        tail: tuple[str, ...] = ()
        try:
            self._converge()
            error, tail = verdict(self.run, self.space, self.state, waited=self._waited())
        except HfspaceError as caught:
            error = caught
        outcome = Outcome(
            space=self.space,
            status=Status.FAILED if error else Status.DONE,
            applied=tuple(self.ledger.applied),
            pending=self.ledger.pending(self.planned) if error else (),
            stage=self.stage,
            seconds=self.run.pace.now() - started,
            error=error.message if error else "",
            hint=error.hint if error else "",
            log_tail=tail,
            final=isinstance(error, Rejected),
        )
        self.run.tell(Kind.FINISHED, self.space, outcome=outcome, text=outcome.error)
        return outcome

    def _waited(self) -> bool:
        return self.ledger.movement is not None and self.ledger.movement.ended

    # ------------------------------------------------------------ rounds

    def _converge(self) -> None:
        """Rounds of read, compare and write until a read shows no difference."""
        self._read()
        self._check_plan_holds()
        self._keep_paused()
        for _ in range(self.run.options.rounds):
            self._check_there()
            self._confirm()
            self._leave_unseen()
            settings = [change for change in self.todo if not change.in_app]
            if self._settle_first(settings):
                self._settle()
            elif settings:
                if self._write(settings) and self._settle_first([]):
                    self._settle()
            elif self.ledger.moving and any(change.in_app for change in self.planned):
                kinds = sorted({change.facet for change in self.planned if change.in_app})
                raise HfspaceError(
                    f"{self.space} restarts, and its {', '.join(kinds)} are written when it runs again.",
                    hint="Run again without --no-wait.",
                )
            elif self.todo:
                self._write(self.todo)
            elif not (self._waited() and app_content.wait_for_app(self.run, self.space, self.state)):
                return
            self._read()
        raise HubFault(
            f"{self.space} still differs after {self.run.options.rounds} rounds.",
            hint="Somebody or something else changes it at the same time; look at `hfspace plan`.",
        )

    def _read(self) -> None:
        """The Space anew. One that has just come to rest has told its runtime already."""
        rest, self.rest = self.rest, None
        self.state = self.run.read(self.space, rest=rest)
        self.stage = self.state.stage if self.state else None
        self.todo = self.run.todo(self.space, self.state)

    def _check_plan_holds(self) -> None:
        """The first read decides: a saved plan must still hold, any other is made again."""
        run, state = self.run, self.state
        if run.expected is not None and (digest(state) if state else None) != run.expected.get(self.space):
            raise StalePlanError(f"{self.space} has moved since the plan was saved.", hint="Make a new plan.")
        self.known = state
        planned = {(change.address, change.action) for change in self.planned}
        unseen = [change for change in self.todo if (change.address, change.action) not in planned]
        if unseen and not any(change.creates_space or change.deletes_space for change in unseen):
            text = f"{len(unseen)} more to change than the plan showed"
            run.tell(Kind.REPLANNED, self.space, text=text)

    def _keep_paused(self) -> None:
        """Whether a change of hardware or secrets wakes a paused Space is not known (docs/hub-api.md
        section 9). One that was paused, and that nobody declares to run, is paused again if it does;
        --target or not."""
        run = self.run
        spec = run.manifest.spaces[self.space]
        if self.state is None or self.state.stage not in HELD or spec.state not in {None, "paused"}:
            return
        kept = spec.model_copy(update={"state": "paused"})
        manifest = replace(run.manifest, spaces={**run.manifest.spaces, self.space: kept})
        self.run = replace(run, manifest=manifest, keeps_paused=True)
        self.todo = self.run.todo(self.space, self.state)

    def _check_there(self) -> None:
        """A create or a delete that the plan did not show is never made, in no round; and a Space that is
        gone is not done."""
        planned = {change.action for change in self.planned if change.creates_space or change.deletes_space}
        unseen = [
            change
            for change in self.todo
            if (change.creates_space or change.deletes_space) and change.action not in planned
        ]
        gone = self.state is None and not self.todo
        if gone and self.run.manifest.spaces[self.space].state != "absent":
            raise conflicts.vanished(self.space)
        if unseen and unseen[0].creates_space:
            raise conflicts.vanished(self.space)
        if unseen:
            raise StalePlanError(
                f"{self.space} has come since the plan was shown.", hint="Run again to see the new plan."
            )

    def _leave_unseen(self) -> None:
        restarted = self.ledger.movement is not None
        self.todo = app_content.planned_only(
            self.run, self.space, self.state, self.todo, self.planned, self.app, restarted=restarted
        )

    # ------------------------------------------------------------ what became of the writes

    def _confirm(self) -> None:
        """Read again while a read shows something that this run has written, or perhaps: its answer was
        lost. Reads may lag behind writes. What the Hub took and what differs even then was changed by
        somebody else, or fails again and again; what may never have arrived stays in `todo`."""
        for _ in range(_CONFIRM_READS):
            self._resolve()
            if not any(self._repeats(change) for change in self.todo):
                break
            self._pause_reading("confirming the changes of")
            self._read()
        self._resolve()
        for change in self.todo:
            entry = self.ledger.attempts.get(change.address)
            if entry is None or not self._repeats(change):
                continue
            if entry.answer is Answer.REFUSED and entry.error is not None:
                self._failed(change, entry.error)
                raise entry.error
            if entry.answer is Answer.TAKEN:
                self._check_not_overwritten(change, entry)
        self._ask_again()

    def _resolve(self) -> None:
        """Open attempts that a read no longer shows as a difference are closed, if it shows that they hold:
        a lost one was made. What a read can't tell is unknown, and unknown is never made."""
        differing = {change.address for change in self.todo}
        for entry in self.ledger.open():
            change = entry.change
            if change.address in differing or not self.run.holds(change, self.state):
                continue
            if entry.answer is Answer.REFUSED:  # what was to go is gone: somebody else was first
                entry.answer = Answer.NONE
                continue
            if change.creates_space:
                self.ledger.begin_movement(SpaceState(id=self.space), self.run.pace.now())
            self.ledger.take(change, entry.before)
            self.run.tell(Kind.RESOLVED, self.space, change=change)

    def _ask_again(self) -> None:
        """A write that never arrived, as far as reads tell, or that they can't tell of, is made again."""
        differing = {change.address for change in self.todo}
        for entry in self.ledger.open():
            if entry.answer is Answer.REFUSED and entry.error is not None:
                raise entry.error
            entry.answer = Answer.TAKEN if entry.times else Answer.NONE
            if entry.change.address not in differing:
                self.todo.append(entry.change)

    def _check_not_overwritten(self, change: Change, entry: Attempt) -> None:
        if change.in_app and change.action is Action.CREATE:
            raise DataLoss(
                f"{change.address} was created and read back, and is gone.",
                hint="The app restarted, or somebody created one in the same second. Run again.",
            )
        if change.mends and self.stage in FAILED:
            if entry.times >= self.run.options.restarts:
                raise conflicts.fails_again(change, entry.times, self.ledger.came_up, self.stage)
            return
        raise conflicts.concurrent_change(change, entry.before, self.state)

    def _repeats(self, change: Change) -> bool:
        """Whether this was done already, or perhaps. To be paused once more after writes that may wake is no
        repetition."""
        entry = self.ledger.attempts.get(change.address)
        if entry is None:
            return False
        if change.action is Action.PAUSE and self.ledger.written_since_state:
            return entry.is_open
        return entry.is_open or entry.times > 0

    # ------------------------------------------------------------ writing

    def _write(self, todo: list[Change]) -> bool:
        """Apply `todo` in order; stops when an answer is lost, since only a read can tell what is left: then
        False."""
        # A paused Space tells less than it did before.
        live = self.state.with_earlier(self.known) if self.state and self.known else self.state
        desired = replace(self.run.desired(self.space), live=live)
        carried: frozenset[str] = frozenset()
        wrote = False
        for change in todo:
            if change.facet in carried:
                self._done(change)
                continue
            self.run.check_stop()
            if wrote and change.power and not self._still_needed(change):
                continue
            if self.state is not None and (change.restarts or self._may_wake(change)):
                self.ledger.begin_movement(self.state, self.run.pace.now())
                # What starts anew is not old, whatever its commit says.
                self.run = replace(self.run, inputs=replace(self.run.inputs, now=None))
            if not self._send(change, desired):
                return False
            wrote = True
            self.ledger.written_since_state = not change.power
            self._done(change)
            if change.creates_space or change.deletes_space:
                if change.creates_space:
                    born = SpaceState(id=self.space, sdk=desired.spec.sdk)
                    self.ledger.begin_movement(born, self.run.pace.now())
                return False
            carried |= facets.by(change).carries
        return True

    def _send(self, change: Change, desired: Desired) -> bool:
        """One write. False when only a read can tell what became of it; raises what the Hub refuses: a 4xx is
        final, unless it says that what was to go is gone."""
        try:
            facets.by(change).apply(change, desired, self.run.ports)
            return True
        except _UNANSWERED as error:
            self._lost(change, error)
        except (NotVisible, Rejected) as error:
            if not change.removes:
                if isinstance(error, NotVisible) and self.run.read(self.space) is None:
                    raise conflicts.vanished(self.space) from None
                self._failed(change, error)
                raise
            entry = self.ledger.attempt(change)
            entry.answer, entry.error = Answer.REFUSED, error
        except HfspaceError as error:
            if isinstance(error, TrackioError) and error.partly:
                self.ledger.applied.append(change)
            self._failed(change, error)
            raise
        return False

    def _failed(self, change: Change, error: HfspaceError) -> None:
        self.run.tell(Kind.FAILED, self.space, change=change, text=error.message)

    def _may_wake(self, change: Change) -> bool:
        """Whether `change` may start a Space that is to be paused, if only some reads later."""
        return self.run.is_kept_paused(self.space) and facets.by(change).restarts and not change.power

    def _done(self, change: Change) -> None:
        self.ledger.take(change, self.state)
        self.run.tell(Kind.APPLIED, self.space, change=change)

    def _lost(self, change: Change, error: HubError) -> None:
        ledger = self.ledger
        ledger.lost += 1
        if ledger.lost > self.run.options.lost_answers:
            self._failed(change, error)
            raise error
        entry = ledger.attempt(change)
        entry.answer, entry.before = Answer.LOST, self.state
        ledger.written_since_state = ledger.written_since_state or not change.power
        self.run.pace.sleep(min(0.5 * 2**ledger.lost, 8.0), f"waiting to read {self.space} again")

    def _still_needed(self, change: Change) -> bool:
        """Whether a pause or a restart is still called for after other writes, which may have woken the
        Space. Where one of them has restarted it, a read that lags may show the failure of before."""
        if self.state is None:
            return True
        looks = _CONFIRM_READS if self.ledger.moving and change.action is Action.RESTART else 1
        for look in range(looks):
            if look:
                self._pause_reading("confirming the changes of")
            now = self.run.ports.hub.runtime(self.state)
            same = (change.address, change.action)
            if same not in {(item.address, item.action) for item in self.run.todo(self.space, now)}:
                return False
        return True

    def _pause_reading(self, what: str) -> None:
        self.run.pace.sleep(min(self.run.options.poll_seconds, 1.0), f"{what} {self.space}")

    # ------------------------------------------------------------ waiting

    def _settle_first(self, settings: list[Change]) -> bool:
        """Whether it is time to wait for what the writes have set off. A Space that was paused and is on its
        way up again is let come to rest: a pause in between may be undone."""
        moving = self.ledger.moving
        if moving is None:
            return False
        kept = self.run.is_kept_paused(self.space)
        if settings:
            again = all(change.action is Action.PAUSE and self._was_done(change) for change in settings)
            return again and self.stage in MOVING
        return self.run.options.wait or kept

    def _was_done(self, change: Change) -> bool:
        entry = self.ledger.attempts.get(change.address)
        return entry is not None and entry.times > 0

    def _settle(self) -> None:
        moving = self.ledger.moving
        assert moving is not None
        moving.ended = True
        self.run.waiting(self.space, True)
        try:
            rest = waiting.settle(
                self.run, moving.before, moving.since, quiet=self.run.is_kept_paused(self.space)
            )
        except WaitTimeout:
            self._pause_anyway()
            raise
        finally:
            self.run.waiting(self.space, False)
        if all(
            change.restarts and not change.power and not change.creates_space
            for change in self.ledger.applied
        ):
            self.rest = rest
        self.stage = rest.stage
        self.ledger.came_up = self.ledger.came_up or rest.stage == "RUNNING"

    def _pause_anyway(self) -> None:
        """Time is up, and a Space that is to be paused is on its way up: it must not be left billing."""
        if self.run.is_kept_paused(self.space):
            try:
                self.run.ports.hub.pause(self.space)
            except HubError as error:
                self.run.tell(Kind.FAILED, self.space, text=error.message)
