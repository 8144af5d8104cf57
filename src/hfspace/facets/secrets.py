"""Secrets: write-only on the Hub. A salted fingerprint in the secret's own description tells whether the
value of its source changed, so that an unchanged secret is never posted again (a post restarts the Space)."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from hfspace.facets.base import NOTHING, Facet, Need
from hfspace.facets.desired import Desired, collision, description, restarts_now, sealed
from hfspace.live.fingerprint import is_guessable
from hfspace.live.ports import Ports
from hfspace.manifest.models import SpaceSpec
from hfspace.model import UNKNOWN, Action, Change, Check, Effect, Secret, Severity, SpaceState


class Secrets(Facet):
    name = "secrets"
    restarts = True
    sensitive = True

    def needs(self, spec: SpaceSpec, state: SpaceState) -> frozenset[Need]:
        """The variables too where a name is to be added: one name in both would kill the Space."""
        if not spec.secrets and self.name not in spec.prune:
            return NOTHING
        added = state.secrets is not None and bool(set(spec.secrets or {}) - set(state.secrets))
        both = added or state.stage == "CONFIG_ERROR"
        return frozenset({Need.VARIABLES, Need.SECRETS} if both else {Need.SECRETS})

    def compare(self, desired: Desired, state: SpaceState) -> list[Change | Check]:
        spec, live = desired.spec, state.secrets
        wanted = spec.secrets or {}
        if wanted and state.is_static:
            return [_static(desired)]
        if live is None:
            unread = [_unreadable(desired)] if wanted or self.name in spec.prune else []
            return [*unread, *_guessable(desired)]
        differences: list[Change | Check] = [*_guessable(desired)]
        for key in sorted(wanted):
            if why := desired.unset_secret(key):
                differences += _unset(desired, key, live.get(key), why)
            elif key not in live and "variables" in spec.ignore and key in (state.variables or {}):
                differences.append(collision(desired, self.name, key, other="variables"))
            elif key in live and live[key].fingerprint and live[key].matches is None:
                differences.append(_keyed(desired, key))
            elif change := self._set(desired, key, live.get(key), restarts_now(state)):
                differences.append(change)
        return differences + [
            self._delete(desired, key, restarts_now(state)) for key in self._gone(desired, frozenset(live))
        ]

    def _set(
        self, desired: Desired, key: str, has: Secret | None, effects: tuple[Effect, ...]
    ) -> Change | None:
        own = (desired.spec.secrets or {})[key].description
        if has and has.matches and (own is None or description(own) == description(has.description)):
            return None
        if has is None or has.matches:
            note = "" if has is None else "description"
        else:
            note = (
                "" if has.fingerprint else "set by someone else: written once, to be recognised from then on"
            )
        return desired.change(
            self.name,
            Action.UPDATE if has else Action.CREATE,
            key=key,
            sensitive=True,
            effects=effects,
            note=note,
        )

    def _gone(self, desired: Desired, keys: frozenset[str]) -> list[str]:
        spec = desired.spec
        moving = set(spec.variables or {}) - set(spec.secrets or {})
        pruned = keys - set(spec.secrets or {}) if "secrets" in spec.prune else set()
        return sorted(pruned | (moving & keys))

    def _delete(self, desired: Desired, key: str, effects: tuple[Effect, ...]) -> Change:
        moves = key in (desired.spec.variables or {})
        return desired.change(
            self.name,
            Action.DELETE,
            key=key,
            sensitive=True,
            effects=effects,
            note="not declared as a secret: the variable of this name replaces it" if moves else "",
            needed_by=f"{desired.id}.variables.{key}" if moves else "",
        )

    def compare_missing(self, desired: Desired) -> list[Change | Check]:
        return [*_guessable(desired)] if desired.is_created else []

    def value(self, state: SpaceState, key: str | None) -> object:
        """Its fingerprint: all that is told of a value."""
        if state.secrets is None:
            return UNKNOWN
        secret = state.secrets.get(str(key))
        return (secret.fingerprint,) if secret else None

    def is_stored(self, change: Change, state: SpaceState) -> bool:
        secret = (state.secrets or {}).get(str(change.key))
        return bool(secret and secret.matches)

    def undeclared(self, spec: SpaceSpec, state: SpaceState) -> Collection[str]:
        return (state.secrets or {}).keys() - (spec.secrets or {}).keys()

    def apply(self, change: Change, desired: Desired, ports: Ports) -> None:
        key = str(change.key)
        if change.action is Action.DELETE:
            ports.hub.delete_secret(desired.id, key)
            return
        own = (desired.spec.secrets or {})[key].description
        if own is None and change.action is Action.UPDATE:
            live = desired.live.secrets if desired.live else None
            has = (ports.hub.secrets(desired.id) if live is None else live).get(key)
            own = has.description if has else None
        ports.hub.set_secret(desired.id, key, *sealed(desired, key, own, ports))


def _guessable(desired: Desired) -> Iterator[Check]:
    """A warning for each secret that its fingerprint would give away."""
    for key in sorted(desired.spec.secrets or {}):
        source = desired.secret(key)
        if source is not None and not source.reveal_key() and is_guessable(source.reveal()):
            yield desired.check(
                "secrets",
                "warning",
                "so short or plain that whoever may list the Space's secrets could guess it from its "
                "fingerprint.",
                key=key,
                hint="Use a long random value, or set HFSPACE_FINGERPRINT_KEY.",
            )


def _keyed(desired: Desired, key: str) -> Check:
    return desired.check(
        "secrets",
        "unknown",
        f"{key}: not compared (its fingerprint was made with a key, and there is none here)",
        key=key,
        hint="Set HFSPACE_FINGERPRINT_KEY where hfspace runs.",
    )


def _unset(desired: Desired, key: str, has: Secret | None, why: str) -> list[Check]:
    """Where a plan is made, the values of secrets are often not at hand: what the Hub has is then taken as it
    is. A secret that the Hub lacks can't be made without its value."""
    if (desired.spec.secrets or {})[key].optional:
        return []
    severity: Severity = "error" if has is None else "unknown"
    message = f"{key}: {why}" if has is None else f"{key}: not compared ({why} here)"
    hint = "Set it where hfspace runs, or write optional: true to leave it alone where it is not set."
    return [desired.check("secrets", severity, message, key=key, hint=hint, needed_to_apply=True)]


def _static(desired: Desired) -> Check:
    return desired.check(
        "secrets",
        "error",
        "it is a static Space, whose page could show them to everybody.",
        hint="Remove them; where they come from defaults, write `sdk: static` under the Space.",
    )


def _unreadable(desired: Desired) -> Check:
    return desired.check(
        "secrets",
        "unknown",
        "can't be listed with this token: shown as unknown, nothing is planned from it.",
        hint="Use a token with write access to the Space.",
    )
