"""Variables: a map by key. Unchanged entries are never posted (a post restarts the Space), and a name that
becomes a secret is deleted here first, since a Space with one name as both dies of it
(docs/hub-api.md section 6)."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import replace

from hfspace.facets.base import NOTHING, Facet, Need
from hfspace.facets.desired import Desired, collision, description, restarts_now
from hfspace.live.ports import Ports
from hfspace.manifest.models import SpaceSpec
from hfspace.model import KEPT_VARIABLES, UNKNOWN, Action, Change, Check, Effect, Json, SpaceState, Variable


class Variables(Facet):
    name = "variables"
    restarts = True

    def needs(self, spec: SpaceSpec, state: SpaceState) -> frozenset[Need]:
        """The secrets too where a name is to be added: one name in both would kill the Space."""
        if not spec.variables and self.name not in spec.prune:
            return NOTHING
        added = state.variables is not None and bool(set(spec.variables or {}) - set(state.variables))
        both = spec.variables and (added or state.stage == "CONFIG_ERROR")
        return frozenset({Need.VARIABLES, Need.SECRETS} if both else {Need.VARIABLES})

    def compare(self, desired: Desired, state: SpaceState) -> list[Change | Check]:
        spec, live = desired.spec, state.variables
        wanted = spec.variables or {}
        if not wanted and "variables" not in spec.prune and not spec.secrets:
            return []
        if live is None:
            return [_unreadable(desired)] if wanted or "variables" in spec.prune else []
        differences: list[Change | Check] = []
        for key in sorted(wanted):
            after, has = _wanted(desired, key, live.get(key)), live.get(key)
            if has is not None and _same_description(has, after):
                if has.value == after.value:
                    continue
                if has.value == after.value.strip():
                    differences.append(_trimmed(desired, key))
                    continue
            if has is None and "secrets" in spec.ignore and key in (state.secrets or {}):
                differences.append(collision(desired, self.name, key, other="secrets"))
                continue
            differences.append(self._set(desired, key, has, after, restarts_now(state)))
        return differences + [
            self._delete(desired, key, live[key], restarts_now(state)) for key in self._gone(desired, state)
        ]

    def _gone(self, desired: Desired, state: SpaceState) -> list[str]:
        spec, live = desired.spec, state.variables or {}
        moving = set(spec.secrets or {}) - set(spec.variables or {})
        pruned = set(live) - set(spec.variables or {}) if "variables" in spec.prune else set()
        return sorted((pruned | (moving & set(live))) - KEPT_VARIABLES)

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
            note="not declared as a variable: the secret of this name replaces it" if moves else "",
            needed_by=f"{desired.id}.secrets.{key}" if moves else "",
        )

    def value(self, state: SpaceState, key: str | None) -> object:
        if state.variables is None:
            return UNKNOWN
        variable = state.variables.get(str(key))
        return variable.value if variable else None

    def show(self, value: Json) -> str:
        """A text in quotes; of a description that changes alone, that description."""
        text = value["description"] if isinstance(value, dict) else value
        return "none" if text is None else json.dumps(text, ensure_ascii=False)

    def is_stored(self, change: Change, state: SpaceState) -> bool:
        wrote = change.after["value"] if isinstance(change.after, dict) else change.after
        return super().is_stored(replace(change, after=wrote), state)

    def undeclared(self, spec: SpaceSpec, state: SpaceState) -> Collection[str]:
        return (state.variables or {}).keys() - (spec.variables or {}).keys() - KEPT_VARIABLES

    def apply(self, change: Change, desired: Desired, ports: Ports) -> None:
        key = str(change.key)
        if change.action is Action.DELETE:
            ports.hub.delete_variable(desired.id, key)
            return
        # Whether the Hub keeps a description that an update leaves out is not known: it is always sent, and
        # "" where it is to go.
        live = desired.live.variables if desired.live else None
        has = (ports.hub.variables(desired.id) if live is None else live).get(key)
        after = _wanted(desired, key, has)
        cleared = has is not None and has.description and after.description is None
        ports.hub.set_variable(desired.id, key, replace(after, description="") if cleared else after)


def _wanted(desired: Desired, key: str, has: Variable | None) -> Variable:
    """What the Hub is to hold; a description that is not declared stays as it is."""
    item = (desired.spec.variables or {})[key]
    own = item.description if item.description is not None else has.description if has else None
    return Variable(value=item.value, description=description(own))


def _same_description(has: Variable, after: Variable) -> bool:
    return description(has.description) == after.description


def _trimmed(desired: Desired, key: str) -> Check:
    """The Hub may trim values: written again and again, it would restart the Space each time."""
    return desired.check(
        "variables",
        "warning",
        f"{key}: the Hub holds it without the white space at its ends; it is not written again.",
        key=key,
        hint="Remove that white space from the manifest.",
    )


def _shown(variable: Variable, with_description: bool) -> Json:
    if with_description:
        return {"value": variable.value, "description": variable.description}
    return variable.value


def _unreadable(desired: Desired) -> Check:
    return desired.check(
        "variables",
        "unknown",
        "can't be read with this token: shown as unknown, nothing is planned from it.",
        hint="Use a token with write access to the Space.",
    )
