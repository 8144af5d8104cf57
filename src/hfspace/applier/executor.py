"""The executor: all Spaces of a plan, in the order that frees money and quota before it spends any."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from hfspace.applier import conflicts, groups
from hfspace.applier.run import Run
from hfspace.applier.space_run import reconcile
from hfspace.errors import HfspaceError, UsageError
from hfspace.live.visibility import ExactVisibility
from hfspace.model import ApplyResult, ApprovedPlan, Change, Outcome, Status
from hfspace.planner import order
from hfspace.planner.policy import is_running

_MOST_THREADS = 200
_LAG_SECONDS = 1.0


def apply(approved: ApprovedPlan, run: Run) -> ApplyResult:
    """Carry out a plan that was approved. Never raises for what the Hub does; KeyboardInterrupt stops it in
    good order: requests in flight end, nothing new begins, and the result says what was done."""
    if not isinstance(approved, ApprovedPlan):
        raise UsageError("Only an approved plan is applied.", hint="Approve it: plan.approve().")
    plan = approved.plan
    run = replace(run, ports=replace(run.ports, exact=_exact(run), sending=run.sending))
    limits = groups.of(plan.changes)
    by_space: dict[str, list[Change]] = {}
    for change in plan.changes:
        if change.space not in limits:
            by_space.setdefault(change.space, []).append(change)
    refused = {check.space: check.message for check in plan.errors if check.scope == "space" and check.blocks}
    work = _Work(run=run, by_space={space: tuple(changes) for space, changes in by_space.items()})
    work.outcomes |= groups.apply(limits, run)
    for space, why in sorted(refused.items()):
        work.outcomes[space] = _untried(
            space, work.by_space.get(space, ()), f"not touched: {why}", final=True
        )
    phases = order.phases(
        {space: changes for space, changes in work.by_space.items() if space not in refused},
        {space: spec.depends_on for space, spec in run.manifest.spaces.items()},
    )
    with ThreadPoolExecutor(max_workers=_threads(run, len(phases))) as pool:
        for phase in order.Phase:
            work.run_phase(pool, {space for space, its in phases.items() if its is phase}, phase)
        work.finish()
    work.confirm_visibilities()
    outcomes = tuple(work.outcomes[space] for space in sorted(work.outcomes))
    return ApplyResult(outcomes=outcomes, interrupted=work.interrupted)


@dataclass(slots=True)
class _Work:
    """The state of one apply; touched by the main thread only."""

    run: Run
    by_space: Mapping[str, tuple[Change, ...]]
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    active: dict[Future[Outcome], str] = field(default_factory=dict)
    interrupted: bool = False

    def run_phase(self, pool: ThreadPoolExecutor, spaces: set[str], phase: order.Phase) -> None:
        """Ends when the writes of `spaces` are done: one that is only waited for holds back no phase."""
        left = set(spaces)
        while left or self._writing():
            with self._interruptible():
                self._start(pool, left, phase)
                self._collect()

    def finish(self) -> None:
        while self.active:
            with self._interruptible():
                self._collect()

    def confirm_visibilities(self) -> None:
        """One scan per owner for all Spaces whose visibility was written: a single read can't tell."""
        exact = self.run.exact
        written = dict(exact.unconfirmed)
        try:
            wrong = exact.confirm(lambda: self.run.pace.sleep(_LAG_SECONDS, "confirming visibilities"))
        except HfspaceError as error:
            for space in written:
                self._fail(space, f"the visibility of {space} could not be confirmed: {error.message}")
            return
        for space, actual in wrong.items():
            said = (
                f"{space} was made {written[space]}, and is {actual} now: somebody else changed it meanwhile."
            )
            self._fail(space, said)

    def _fail(self, space: str, why: str) -> None:
        outcome = self.outcomes[space]
        if outcome.status is Status.DONE:
            self.outcomes[space] = replace(outcome, status=Status.FAILED, error=why, hint=conflicts.HINT)

    @contextmanager
    def _interruptible(self) -> Iterator[None]:
        try:
            yield
        except KeyboardInterrupt:
            if self.interrupted:
                os._exit(130)  # the second Ctrl-C: somebody means it
            self.interrupted = True
            self.run.pace.stop()

    def _writing(self) -> set[str]:
        at_work = set(self.active.values())
        return at_work if self.run.options.parallelism <= 1 else at_work - self.run.at_rest_soon

    def _start(self, pool: ThreadPoolExecutor, left: set[str], phase: order.Phase) -> None:
        for space in sorted(left):
            if len(self._writing()) >= max(self.run.options.parallelism, 1):
                return
            verdict = self._ready(space, left, set(self.active.values()), phase)
            if isinstance(verdict, Outcome):
                self.outcomes[space] = verdict
                left.discard(space)
            elif verdict:
                self.active[pool.submit(reconcile, self.run, space, self.by_space[space])] = space
                left.discard(space)

    def _collect(self) -> None:
        done, _ = wait(self.active, timeout=0.05, return_when=FIRST_COMPLETED)
        for future in done:
            self.outcomes[self.active.pop(future)] = future.result()

    def _ready(self, space: str, waiting: set[str], active: set[str], phase: order.Phase) -> bool | Outcome:
        """True to start, False to wait, an Outcome when it will not be tried."""
        changes = self.by_space[space]
        if self.run.pace.stopped:
            return _untried(space, changes, "interrupted before it began")
        needs = self.run.manifest.spaces[space].depends_on
        for other in needs:
            outcome = self.outcomes.get(other)
            if outcome is not None and outcome.status is not Status.DONE:
                return _untried(space, changes, f"depends on {other}, which failed", final=outcome.final)
        if any(other in waiting or other in active for other in needs):
            return False
        if phase is order.Phase.SPENDS and self._starts(changes):
            return self._fits(space, changes, active)
        return True

    def _fits(self, space: str, changes: tuple[Change, ...], active: set[str]) -> bool | Outcome:
        """Whether one more running Space is allowed; waits for nothing, since pauses were done before."""
        limit = self.run.manifest.policy.max_running
        if limit is None or self._running() + len(active & self._starters()) < limit:
            return True
        if active:
            return False
        why = f"policy.max_running is {limit}, and so many run already (a pause before it failed)"
        return _untried(space, changes, why)

    def _running(self) -> int:
        up = {space for space in self.run.manifest.spaces if is_running(self.run.snapshot, space)}
        for space, outcome in self.outcomes.items():
            for change in outcome.applied:
                if change.pauses or change.deletes_space:
                    up.discard(space)
                elif self._starts((change,)):
                    up.add(space)
        return len(up)

    def _starters(self) -> set[str]:
        return {space for space, changes in self.by_space.items() if self._starts(changes)}

    def _starts(self, changes: tuple[Change, ...]) -> bool:
        return any(change.starts for change in changes)


def _exact(run: Run) -> ExactVisibility:
    known = {
        space: state.visibility
        for space, state in run.snapshot.spaces.items()
        if state.visibility_exact and state.visibility not in {None, "public"}
    }
    return ExactVisibility(run.ports.hub, run.snapshot.account, known)


def _threads(run: Run, spaces: int) -> int:
    """Beside those that write, those that are waited for: a stuck Space takes no other's place. One at a time
    means one at a time."""
    parallel = max(run.options.parallelism, 1)
    return 1 if parallel == 1 else max(parallel, min(spaces, _MOST_THREADS))


def _untried(space: str, changes: tuple[Change, ...], why: str, *, final: bool = False) -> Outcome:
    return Outcome(space=space, status=Status.NOT_TRIED, pending=changes, error=why, final=final)
