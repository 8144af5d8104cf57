"""Variables: a map by key. Unchanged entries are never posted (a post restarts the Space), and a name that
becomes a secret is deleted here first, since a Space with one name as both dies of it (hub-api 1.6)."""

from __future__ import annotations

from dataclasses import dataclass

from hfspace.facets.base import Desired, restarts_now
from hfspace.live.ports import Ports
from hfspace.model import RESTART_VARIABLE, Action, Change, Check, Effect, Json, SpaceState, Variable


@dataclass(frozen=True)
class Variables:
    name: str = "variables"
    restarts: bool = True
    carries: frozenset[str] = frozenset()

    def compare(self, desired: Desired, state: SpaceState) -> list[Change | Check]:
        spec, live = desired.spec, state.variables
        wanted = spec.variables or {}
        if not wanted and "variables" not in spec.prune and not spec.secrets:
            return []
        if live is None:
            return [_unreadable(desired)] if wanted or "variables" in spec.prune else []
        found: list[Change | Check] = []
        for key in sorted(wanted):
            item, has = wanted[key], live.get(key)
            kept = has.description if has and item.description is None else item.description
            after = Variable(value=item.value, description=kept)
            if has != after:
                found.append(self._set(desired, key, has, after, restarts_now(state)))
        return found + [
            self._delete(desired, key, live[key], restarts_now(state)) for key in self._gone(desired, state)
        ]

    def _gone(self, desired: Desired, state: SpaceState) -> list[str]:
        spec, live = desired.spec, state.variables or {}
        moving = set(spec.secrets or {}) - set(spec.variables or {})
        pruned = set(live) - set(spec.variables or {}) if "variables" in spec.prune else set()
        return sorted((pruned | (moving & set(live))) - {RESTART_VARIABLE})

    def _set(
        self, desired: Desired, key: str, has: Variable | None, after: Variable, effects: tuple[Effect, ...]
    ) -> Change:
        same_value = has is not None and has.value == after.value
        return desired.change(
            self.name,
            Action.UPDATE if has else Action.CREATE,
            key=key,
            before=_shown(has, same_value) if has else None,
            after=_shown(after, same_value),
            effects=effects,
            note="description" if same_value else "",
        )

    def _delete(self, desired: Desired, key: str, has: Variable, effects: tuple[Effect, ...]) -> Change:
        moves = key in (desired.spec.secrets or {})
        return desired.change(
            self.name,
            Action.DELETE,
            key=key,
            before=has.value,
            effects=effects,
            note="becomes a secret" if moves else "",
        )

    def apply(self, change: Change, desired: Desired, ports: Ports) -> None:
        key = str(change.key)
        if change.action is Action.DELETE:
            ports.hub.delete_variable(desired.id, key)
            return
        item = (desired.spec.variables or {})[key]
        # Whether the Hub keeps a description that an update leaves out is not known: it is always sent.
        description = item.description
        if description is None and change.action is Action.UPDATE:
            live = ports.hub.variables(desired.id).get(key)
            description = live.description if live else None
        ports.hub.set_variable(desired.id, key, Variable(value=item.value, description=description))


def _shown(variable: Variable, with_description: bool) -> Json:
    if with_description:
        return {"value": variable.value, "description": variable.description}
    return variable.value


def _unreadable(desired: Desired) -> Check:
    return desired.check(
        "variables",
        "warning",
        "can't be read with this token: shown as unknown, nothing is planned from it.",
        hint="Use a token with write access to the Space.",
    )
