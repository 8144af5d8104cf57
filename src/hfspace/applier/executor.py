"""The executor: all Spaces of a plan, in the order that frees money and quota before it spends any."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from hfspace.applier.reconcile import reconcile
from hfspace.applier.run import Run
from hfspace.model import Action, ApplyResult, Change, Outcome, Plan, Status
from hfspace.planner import order
from hfspace.planner.policy import is_running


def apply(plan: Plan, run: Run) -> ApplyResult:
    """Carry out `plan`. Never raises for what the Hub does; KeyboardInterrupt stops it in good order:
    requests in flight end, nothing new begins, and the result says what was done."""
    by_space: dict[str, list[Change]] = {}
    for change in plan.changes:
        by_space.setdefault(change.space, []).append(change)
    refused = {check.space: check.message for check in plan.errors if check.space and check.facet != "policy"}
    work = _Work(run=run, by_space={space: tuple(changes) for space, changes in by_space.items()})
    for space, why in sorted(refused.items()):
        work.outcomes[space] = _untried(space, work.by_space.get(space, ()), f"not touched: {why}")
    phases = order.phases(
        {space: changes for space, changes in work.by_space.items() if space not in refused},
        {space: spec.depends_on for space, spec in run.manifest.spaces.items()},
    )
    with ThreadPoolExecutor(max_workers=max(run.options.parallelism, 1)) as pool:
        for phase in order.Phase:
            work.run_phase(pool, {space for space, its in phases.items() if its is phase}, phase)
    outcomes = tuple(work.outcomes[space] for space in sorted(work.outcomes))
    return ApplyResult(outcomes=outcomes, interrupted=work.interrupted)


@dataclass(slots=True)
class _Work:
    """The state of one apply; touched by the main thread only."""

    run: Run
    by_space: Mapping[str, tuple[Change, ...]]
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    interrupted: bool = False

    def run_phase(self, pool: ThreadPoolExecutor, spaces: set[str], phase: order.Phase) -> None:
        waiting, active = set(spaces), dict[Future[Outcome], str]()
        while waiting or active:
            try:
                self._start(pool, waiting, active, phase)
                self._collect(active)
            except KeyboardInterrupt:
                if self.interrupted:
                    os._exit(130)  # the second Ctrl-C: somebody means it
                self.interrupted = True
                self.run.pace.stop()

    def _start(
        self,
        pool: ThreadPoolExecutor,
        waiting: set[str],
        active: dict[Future[Outcome], str],
        phase: order.Phase,
    ) -> None:
        for space in sorted(waiting):
            verdict = self._ready(space, waiting, set(active.values()), phase)
            if isinstance(verdict, Outcome):
                self.outcomes[space] = verdict
                waiting.discard(space)
            elif verdict:
                active[pool.submit(reconcile, self.run, space, self.by_space[space])] = space
                waiting.discard(space)

    def _collect(self, active: dict[Future[Outcome], str]) -> None:
        done, _ = wait(active, timeout=0.2, return_when=FIRST_COMPLETED)
        for future in done:
            self.outcomes[active.pop(future)] = future.result()

    def _ready(self, space: str, waiting: set[str], active: set[str], phase: order.Phase) -> bool | Outcome:
        """True to start, False to wait, an Outcome when it will not be tried."""
        changes = self.by_space[space]
        if self.run.pace.stopped:
            return _untried(space, changes, "interrupted before it began")
        needs = self.run.manifest.spaces[space].depends_on
        for other in needs:
            outcome = self.outcomes.get(other)
            if outcome is not None and outcome.status is not Status.DONE:
                return _untried(space, changes, f"depends on {other}, which failed")
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
                if change.action is Action.PAUSE or (
                    change.action is Action.DELETE and change.facet == "existence"
                ):
                    up.discard(space)
                elif self._starts((change,)):
                    up.add(space)
        return len(up)

    def _starters(self) -> set[str]:
        return {space for space, changes in self.by_space.items() if self._starts(changes)}

    def _starts(self, changes: tuple[Change, ...]) -> bool:
        return any(
            "wakes" in change.effects or (change.action is Action.CREATE and change.facet == "existence")
            for change in changes
        )


def _untried(space: str, changes: tuple[Change, ...], why: str) -> Outcome:
    return Outcome(space=space, status=Status.NOT_TRIED, pending=changes, error=why)
