"""What all parts of one apply share: its settings, its doors, and what it tells."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace

from hfspace import facets
from hfspace.applier.events import Event, Kind, Listener
from hfspace.errors import Interrupted, NotVisible
from hfspace.facets import Desired
from hfspace.live.limiter import Pace
from hfspace.live.ports import Ports
from hfspace.live.visibility import ExactVisibility
from hfspace.manifest.models import Manifest
from hfspace.model import UNKNOWN, Change, Check, LocalInputs, Snapshot, SpaceState
from hfspace.observer import Look, read_space
from hfspace.planner import order
from hfspace.planner.hours import left_alone
from hfspace.planner.plan import compare, desired_space, is_targeted


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`settle_seconds`: how long a Space may show no movement before that counts as 'none will come'.
    `lost_answers`: how often a write to one Space may stay unanswered before the Space is given up.
    `restarts`: how often one run restarts a Space that fails again (on_error: restart)."""

    wait: bool = True
    verify: bool = True
    parallelism: int = 8
    poll_seconds: float = 2.0
    settle_seconds: float = 10.0
    rounds: int = 12
    lost_answers: int = 5
    restarts: int = 2
    log_lines: int = 20
    log_seconds: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One apply. `targets` are address patterns; () means everything. `expected` are fingerprints that a
    saved plan was made against: a Space that reads otherwise is stale. `keeps_paused`: what wakes is
    paused again, targets or not. `at_rest_soon`: Spaces whose writes are done, and which are waited for."""

    manifest: Manifest
    snapshot: Snapshot
    ports: Ports
    look: Look
    pace: Pace
    inputs: LocalInputs = field(default_factory=LocalInputs)
    options: Options = field(default_factory=Options)
    targets: tuple[str, ...] = ()
    expected: dict[str, str] | None = None
    keeps_paused: bool = False
    listener: Listener = lambda event: None
    lock: threading.Lock = field(default_factory=threading.Lock)
    at_rest_soon: set[str] = field(default_factory=set)

    def tell(self, kind: Kind, space: str, **values: object) -> None:
        with self.lock:
            self.listener(Event(kind=kind, space=space, **values))  # type: ignore[arg-type]

    def sending(self, space: str, done: int, size: int) -> None:
        """Large files are on their way: `done` bytes of `size`."""
        self.tell(Kind.SENDING, space, done=done, size=size)

    def check_stop(self) -> None:
        """Raises Interrupted when the run was asked to stop: called before every write."""
        if self.pace.stopped:
            raise Interrupted("Interrupted.")

    @property
    def exact(self) -> ExactVisibility:
        return self.ports.exact or ExactVisibility(self.ports.hub, self.snapshot.account)

    def waiting(self, space: str, begins: bool) -> None:
        """A Space that is only waited for holds back no other."""
        with self.lock:
            (self.at_rest_soon.add if begins else self.at_rest_soon.discard)(space)

    def holds(self, change: Change, state: SpaceState | None) -> bool:
        """Whether `state`, which shows no difference, shows that `change` was made: what it does not tell is
        unknown, and unknown is not made."""
        if state is None or change.creates_space or change.power or change.in_app:
            return True
        return facets.by(change).value(state, change.key) is not UNKNOWN

    def desired(self, space: str) -> Desired:
        """One Space as it is declared; whether it could be read for the plan is no matter any more."""
        return replace(desired_space(space, self.manifest, self.snapshot, self.inputs), unreadable="")

    def read(
        self, space: str, *, endpoints: bool = False, rest: SpaceState | None = None
    ) -> SpaceState | None:
        """The Space as it is now; None when it is not there. `rest`: what its runtime has just told."""
        look = replace(self.look, endpoints=endpoints)
        try:
            return read_space(space, self.manifest.spaces[space], self.ports.hub, look, self.exact, rest)
        except NotVisible:
            return None

    def todo(self, space: str, state: SpaceState | None) -> list[Change]:
        """What is still to do, in order: the same comparison as in a plan."""
        ignored = left_alone(self.manifest.spaces[space], state, self.manifest.as_of)
        changes = [item for item in self._compare(space, state) if isinstance(item, Change)]
        return sorted((item for item in changes if item.facet not in ignored), key=order.key)

    def problems(self, space: str, state: SpaceState | None) -> list[Check]:
        """What keeps the Space from being as declared: the errors that a plan would show now."""
        checks = [item for item in self._compare(space, state) if isinstance(item, Check)]
        return [item for item in checks if item.severity == "error"]

    def _compare(self, space: str, state: SpaceState | None) -> list[Change | Check]:
        differences = compare(self.desired(space), state)
        return [item for item in differences if self._is_targeted(item)]

    def _is_targeted(self, item: Change | Check) -> bool:
        kept = self.keeps_paused and isinstance(item, Change) and item.pauses
        return kept or not self.targets or is_targeted(item, self.targets)
