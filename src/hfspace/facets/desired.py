"""One declared Space as facets compare it, and what several of them say alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from hfspace.errors import SecretSourceError
from hfspace.live import fingerprint
from hfspace.live.ports import Ports
from hfspace.manifest.models import Manifest, Moment, SpaceSpec
from hfspace.model import (
    FREE_HARDWARE,
    HELD,
    IDLE,
    Action,
    Change,
    Check,
    CreateSource,
    Effect,
    Flavor,
    LocalInputs,
    SecretValue,
    Severity,
    SpaceState,
    Subject,
    Variable,
)

EXISTENCE = "existence"
"""The facet that says what a Space as a whole is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """One declared Space with what a comparison may need to know beside it. Pure data. `unreadable`: why it
    could not be read. `live` is the Space as it was read before the first write, when changes are applied: a
    pause or a restart hides some of it. `planned` is the Space as the plan was made for it; `prices_of`: see
    Snapshot."""

    id: str
    spec: SpaceSpec
    manifest: Manifest
    flavors: Mapping[str, Flavor] = field(default_factory=dict)
    prices_of: str = ""
    inputs: LocalInputs = field(default_factory=LocalInputs)
    unreadable: str = ""
    live: SpaceState | None = None
    planned: SpaceState | None = None
    source: CreateSource | None = None

    @property
    def moment(self) -> Moment | None:
        """What the time makes of it, where it has hours."""
        return self.manifest.clock.get(self.id)

    @property
    def sdk(self) -> str | None:
        """What is declared, else that of the source which the Space is to be created from."""
        return self.spec.sdk or (self.source.sdk if self.source else None)

    @property
    def is_created(self) -> bool:
        """Whether the Space is created if it is missing."""
        return self.spec.create is not None and self.spec.state != "absent"

    @property
    def initial_hardware(self) -> str | None:
        """The hardware that the Space is created on."""
        return self.spec.hardware or (None if self.sdk == "static" else "cpu-basic")

    @property
    def initial(self) -> SpaceState:
        """The Space as it is once it is created, before any setting is made."""
        return SpaceState(
            id=self.id,
            sdk=self.sdk,
            stage="NO_APP_FILE",
            hardware=None if self.spec.hardware else self.initial_hardware,
            variables={},
            secrets={},
        )

    def secret(self, key: str) -> SecretValue | None:
        """The value of a declared secret; None where its source has none."""
        return self.inputs.secrets.get((self.id, key))

    def unset_secret(self, key: str) -> str | None:
        """Why a declared secret has no value; None for one that has."""
        return self.inputs.unset_secrets.get((self.id, key))

    def is_free(self, flavor: str | None) -> bool:
        """Free hardware has a fixed sleep time. Decided by price, so that new free flavors count too."""
        known = self.flavors.get(flavor or "")
        return known.usd_per_hour == 0 if known else flavor in FREE_HARDWARE

    def price(self, flavor: str | None) -> Decimal | None:
        """USD per hour, None for a flavor that the Hub does not list."""
        known = self.flavors.get(flavor or "")
        return (known.usd_per_hour * (0 if self.spec.free_hardware else 1)) if known else None

    def change(
        self,
        facet: str,
        action: Action,
        *,
        key: str | None = None,
        effects: Iterable[Effect] = (),
        **values: Any,
    ) -> Change:
        """A Change of this Space with its address and place filled in."""
        path = (facet, key) if key is not None else (facet,)
        return Change(
            address=".".join((self.id, *path)),
            space=self.id,
            facet=facet,
            key=key,
            action=action,
            effects=tuple(effects),
            source=self.manifest.source("spaces", self.id, *path),
            **values,
        )

    def check(
        self,
        facet: str,
        severity: Severity,
        message: str,
        *,
        key: str | None = None,
        hint: str = "",
        at: str = "",
        blocks: bool = True,
        needed_to_apply: bool = False,
    ) -> Check:
        """A Check of this Space; `at` names the manifest key it is about when that is not the facet."""
        path = (facet, key) if key is not None else (facet,)
        return Check(
            address=".".join((self.id, *path)),
            space=self.id,
            facet=facet,
            severity=severity,
            message=message,
            hint=hint,
            source=self.manifest.source("spaces", self.id, *((at,) if at else path)),
            blocks=blocks,
            needed_to_apply=needed_to_apply,
        )

    def refuse(self, message: str, hint: str) -> Check:
        """An error about the Space as a whole, which leaves nothing else to say of it."""
        return Check(
            address=self.id,
            space=self.id,
            facet=EXISTENCE,
            subject=Subject.SPACE,
            severity="error",
            message=message,
            hint=hint,
            source=self.manifest.source("spaces", self.id),
        )


def collision(desired: Desired, facet: str, key: str, *, other: str) -> Check:
    """A name that the Space has as a kind that is left alone, and that is declared as another kind."""
    return desired.check(
        facet,
        "error",
        f"{key}: there is a {other.removesuffix('s')} of this name, and `ignore: [{other}]` leaves it alone; "
        "with both, the Space would stop (CONFIG_ERROR).",
        key=key,
        hint=f"Use another name, or take {other} out of `ignore`.",
    )


def sealed(desired: Desired, key: str, own: str | None, ports: Ports) -> tuple[str, str]:
    """A secret's value, and its description `own` with the mark that tells later whether the value changed.
    Raises SecretSourceError where its source has no value."""
    source = desired.secret(key)
    if source is None:
        message = f"The source of secret {key} of {desired.id} has no value."
        raise SecretSourceError(message, hint="Set it and run again.")
    value = source.reveal()
    mark = fingerprint.fingerprint(value, ports.random_bytes(16), source.reveal_key())
    return value, fingerprint.join(description(own), mark)


def marker(value: str) -> Variable:
    """What a restart leaves on the Space, so that the same one is not made again."""
    return Variable(value=value, description="hfspace: restart marker")


def restart_marker(desired: Desired) -> str | None:
    """What a Space that was restarted as declared has as its marker; None where nothing asks for a restart.
    Files that are to be built anew are told by their fingerprint: the commit alone builds as the Hub does."""
    restart, folder = desired.spec.restart, desired.inputs.trees.get(desired.id)
    if restart is None or not restart.follows_files:
        return restart.value if restart else None
    return f"files {folder.digest[:12]}" if folder and not folder.problems else None


def restarts_now(state: SpaceState) -> tuple[Effect, ...]:
    """The effect of a setting that restarts a Space: none where nothing runs that could be restarted."""
    return () if state.is_static or state.stage in HELD | IDLE else ("restart",)


def description(text: str | None) -> str | None:
    """A description as the Hub keeps it: without white space at its ends, and none when it is empty."""
    return (text or "").strip() or None
