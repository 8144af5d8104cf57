"""Whether the Space runs: `running` is met by a sleeping Space too, since a visit wakes it.

Waking comes after every other setting, pausing before them (hfspace.planner.order).
"""

from __future__ import annotations

from datetime import datetime

from hfspace.facets.base import NOTHING, Facet, Need, known
from hfspace.facets.desired import Desired
from hfspace.live.ports import Ports
from hfspace.manifest.models import SpaceSpec
from hfspace.model import FAILED, STARTING, Action, Change, Check, SpaceState, Subject
from hfspace.text import rough_time, sentence

RESTART = "restart"
FACTORY = "factory-rebuild"
_DOWN = frozenset({"PAUSED", "STOPPED"})
_ASLEEP = "SLEEPING"
_LONG = 3600
"""Seconds of building or starting that are worth a word where the manifest says nothing of it."""


class State(Facet):
    name = "state"
    restarts = True

    def needs(self, spec: SpaceSpec, state: SpaceState) -> frozenset[Need]:
        """A listing may leave the stage out, the reason of a failure, and how old what it builds is."""
        if state.stage in STARTING:
            return NOTHING if state.details else frozenset({Need.DETAILS})
        unexplained = state.stage in FAILED and not state.error_message
        untold = state.stage is None and not state.is_static
        return frozenset({Need.RUNTIME}) if unexplained or untold else NOTHING

    def compare(self, desired: Desired, state: SpaceState) -> list[Change | Check]:
        wanted, stage = desired.spec.state, state.stage
        if stage is None:
            declared = wanted is not None
            unknown = desired.check(
                self.name, "unknown", "the Hub does not tell its stage.", hint="Run again."
            )
            return [unknown] if declared else []
        if wanted == "paused":
            return [] if stage == "PAUSED" else self._pause(desired, state)
        if stage in FAILED:
            return [self._failed(desired, state)]
        if stage in STARTING:
            return self._hanging(desired, state)
        if desired.spec.is_up and stage in _DOWN:
            return [self._start(desired, state, RESTART)]
        return [self._wake(desired, state)] if wanted == "awake" and stage == _ASLEEP else []

    def _pause(self, desired: Desired, state: SpaceState) -> list[Change | Check]:
        if state.is_static:
            return [
                desired.check(
                    self.name, "error", "a static Space can't be paused.", hint="Remove state: paused."
                )
            ]
        return [
            desired.change(
                self.name,
                Action.PAUSE,
                subject=Subject.STAGE,
                before=state.stage,
                after="PAUSED",
                effects=("stops",),
            )
        ]

    def _start(self, desired: Desired, state: SpaceState, how: str) -> Change:
        price = desired.price(desired.spec.hardware or state.hardware)
        was_down, asleep = state.stage in _DOWN, state.stage == _ASLEEP
        note = "factory rebuild" if how == FACTORY else "one visit wakes it" if asleep else ""
        return desired.change(
            self.name,
            Action.RESTART,
            subject=Subject.STAGE,
            before=state.stage,
            after="RUNNING",
            effects=("wakes" if asleep or was_down else "restart", *(("bills",) if price else ())),
            rebuild=how == FACTORY,
            note=note,
        )

    def _wake(self, desired: Desired, state: SpaceState) -> Change | Check:
        """A visit wakes it. To keep free hardware awake for ever is not what it is free for."""
        window = desired.moment.window if desired.moment else None
        inside = window is not None and window.settings.state == "awake"
        if not inside and desired.is_free(desired.spec.hardware or state.hardware):
            return desired.check(
                self.name,
                "error",
                "free hardware is kept awake only inside a window.",
                hint="Write `awake` into a window of `when`, or use `running`.",
            )
        return self._start(desired, state, RESTART)

    def _failed(self, desired: Desired, state: SpaceState) -> Change | Check:
        """RUNTIME_ERROR as on_error says; a broken build only a rebuild may mend; the rest nobody here."""
        mends = {"RUNTIME_ERROR": {RESTART, FACTORY}, "BUILD_ERROR": {FACTORY}}
        how = desired.spec.on_error.do
        if how in mends.get(state.stage or "", set()):
            return self._start(desired, state, how)
        if both := _untangled(desired, state):
            return desired.check(
                "stage",
                "warning",
                f"{state.stage}: {', '.join(both)} is a variable and a secret at once; the plan mends it.",
                hint="It starts again when that is done.",
            )
        text = f": {state.error_message}" if state.error_message else ""
        only = " Reported only (on_error: report)." if state.stage == "RUNTIME_ERROR" else ""
        message = sentence(f"{state.stage}{text}") + only
        return desired.check("stage", "warning", message, hint=_where(desired.id, state))

    def _hanging(self, desired: Desired, state: SpaceState) -> list[Change | Check]:
        """What has been on its way up for too long. The Hub does not tell since when: not before the commit
        that it builds, and not before a look that saw it at rest."""
        age, rule = _age(desired, state), desired.spec.on_error
        if age is None or age < (_LONG if rule.after is None else rule.after):
            return []
        if rule.after is not None and rule.do in {RESTART, FACTORY}:
            return [self._start(desired, state, rule.do)]
        build = " --build" if state.stage == "BUILDING" else ""
        return [
            desired.check(
                "stage",
                "warning",
                f"{state.stage} for up to {rough_time(age)}."
                if desired.id in desired.inputs.at_rest
                else f"{state.stage}, its commit is {rough_time(age)} old.",
                hint=f"See `hfspace logs {desired.id}{build}`.",
            )
        ]

    def value(self, state: SpaceState, key: str | None) -> object:
        return known(state.stage)

    def apply(self, change: Change, desired: Desired, ports: Ports) -> None:
        if change.action is Action.PAUSE:
            ports.hub.pause(desired.id)
        elif change.before == _ASLEEP:
            ports.visit(desired.live or ports.hub.space(desired.id))
        else:
            ports.hub.restart(desired.id, factory=change.rebuild)


def _age(desired: Desired, state: SpaceState) -> float | None:
    """Seconds for which the Space may have been on its way up; None where that is not known."""
    inputs, modified = desired.inputs, state.details.modified if state.details else None
    if inputs.now is None or modified is None:
        return None
    return inputs.now - max(datetime.fromisoformat(modified).timestamp(), inputs.at_rest.get(desired.id, 0.0))


def _untangled(desired: Desired, state: SpaceState) -> list[str]:
    """The names that are a variable and a secret at once, when this is what broke the Space and every one of
    them is declared as one of both, so that the other is removed."""
    both = sorted(set(state.variables or {}) & set(state.secrets or {}))
    ignored = desired.spec.ignore
    removed = set(desired.spec.variables or {}) if "secrets" not in ignored else set()
    removed |= set(desired.spec.secrets or {}) if "variables" not in ignored else set()
    return both if state.stage == "CONFIG_ERROR" and set(both) <= removed else []


def _where(space: str, state: SpaceState) -> str:
    """Where to look: what was never built has no log of a build."""
    if state.stage == "CONFIG_ERROR":
        return f"See its settings and its README: hfspace show {space}."
    if state.stage == "NO_APP_FILE":
        return "Push its files: there is nothing to run yet."
    return f"See `hfspace logs {space}{' --build' if state.stage == 'BUILD_ERROR' else ''}`."
