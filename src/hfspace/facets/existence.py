"""Whether the Space is there: `create` when it is missing, `state: absent` to delete it, `sdk` to check it.

A create carries every setting in its one request (docs/hub-api.md section 8). Removing a Space from the
manifest never deletes it.
"""

from __future__ import annotations

from hfspace.facets.base import Facet
from hfspace.facets.desired import EXISTENCE, Desired, description, marker, restart_marker, sealed
from hfspace.live.ports import NewSpace, Ports
from hfspace.model import (
    RESTART_VARIABLE,
    Action,
    Change,
    Check,
    CreateSource,
    Json,
    SpaceState,
    Subject,
    Variable,
)


class Existence(Facet):
    name = EXISTENCE
    # What a create request holds. Dev mode, a pause and what an app serves come after it.
    carries = frozenset(
        {"visibility", "hardware", "sleep_time", "variables", "secrets", "volumes", "restart"}
    )

    def compare(self, desired: Desired, state: SpaceState) -> list[Change | Check]:
        if state.id.lower() != desired.id.lower():
            renamed = f"was renamed: the Hub answers with {state.id}."
            return [desired.refuse(renamed, f"Write {state.id} in the manifest.")]
        if desired.spec.state == "absent":
            return [_delete(desired, state)]
        if desired.spec.sdk and state.sdk and desired.spec.sdk != state.sdk and not _becomes(desired):
            return [_other_sdk(desired, state.sdk)]
        return []

    def compare_missing(self, desired: Desired) -> list[Change | Check]:
        if desired.unreadable:
            return [desired.refuse(f"could not be read: {desired.unreadable}", "Run again.")]
        if desired.spec.state == "absent":
            return []
        if desired.source and (wrong := _source_check(desired, desired.source)):
            return [wrong]
        if desired.is_created:
            return [_create(desired), *_without_files(desired)]
        return [
            desired.refuse(
                "does not exist, or this token can't see it.",
                "Check the id and the token, or add `create: {}` to let apply create it.",
            )
        ]

    def value(self, state: SpaceState, key: str | None) -> object:
        return state.id

    def apply(self, change: Change, desired: Desired, ports: Ports) -> None:
        if change.action is Action.DELETE:
            ports.hub.delete(desired.id)
        else:
            ports.hub.create(_new_space(desired, ports))


def _source_check(desired: Desired, source: CreateSource) -> Check | None:
    """Why the Space can't be created from its source; told before a Space that costs money is left behind."""
    if source.problem:
        return desired.check(EXISTENCE, "error", source.problem, hint=source.hint, at="create")
    wanted = desired.spec.sdk
    if wanted and source.sdk and wanted != source.sdk:
        return desired.check(
            EXISTENCE,
            "error",
            f"sdk is {wanted}, and what it is to be created from is {source.sdk}.",
            hint=f"Write sdk: {source.sdk}, or leave it out.",
            at="sdk",
        )
    return None


def _without_files(desired: Desired) -> list[Check]:
    spec = desired.spec
    empty = spec.create is not None and not (spec.create.template or spec.create.duplicate_from)
    if not empty or spec.files or not spec.is_up or desired.sdk == "static":
        return []
    return [
        desired.check(
            "state",
            "warning",
            "is created without files, and nothing runs until its app is pushed.",
            hint="Push the app then, or create it from a template or from another Space.",
        )
    ]


def _create(desired: Desired) -> Change:
    price = desired.price(desired.initial_hardware) if desired.spec.state != "paused" else None
    return Change(
        address=desired.id,
        space=desired.id,
        facet=EXISTENCE,
        subject=Subject.SPACE,
        action=Action.CREATE,
        after=_settings(desired),
        effects=("bills",) if price else (),
        flavor=desired.initial_hardware,
        source=desired.manifest.source("spaces", desired.id),
    )


def _settings(desired: Desired) -> dict[str, Json]:
    """What the Space will be created with, for a person to read. Secrets by name only."""
    spec = desired.spec
    create = spec.create
    settings: dict[str, Json] = {
        "template": create.template if create else None,
        "duplicate_from": create.duplicate_from if create else None,
        "sdk": spec.sdk,
        # What nobody declares is public, and that is said before it is so.
        "visibility": spec.visibility or (desired.source and desired.source.visibility) or "public",
        "hardware": spec.hardware,
        "sleep_time": spec.sleep_time,
        "variables": {key: item.value for key, item in sorted((spec.variables or {}).items())} or None,
        "secrets": [key for key in sorted(spec.secrets or {}) if not desired.unset_secret(key)] or None,
        "volumes": [f"{item.source} at {item.mount_path}" for item in spec.volumes or ()] or None,
        "restart": restart_marker(desired),
    }
    return {key: value for key, value in settings.items() if value is not None}


def _delete(desired: Desired, state: SpaceState) -> Change | Check:
    if desired.spec.protect:
        return desired.refuse("is protected and will not be deleted.", "Remove `protect` or `state: absent`.")
    return Change(
        address=desired.id,
        space=desired.id,
        facet=EXISTENCE,
        subject=Subject.SPACE,
        action=Action.DELETE,
        before={"sdk": state.sdk, "hardware": state.hardware, "visibility": state.visibility},
        effects=("stops",),
        source=desired.manifest.source("spaces", desired.id, "state"),
    )


def _becomes(desired: Desired) -> bool:
    """Whether the README that is to be written says the declared sdk."""
    folder = desired.inputs.trees.get(desired.id)
    return folder is not None and folder.sdk == desired.spec.sdk and "files" not in desired.spec.ignore


def _other_sdk(desired: Desired, live: str) -> Check:
    return desired.check(
        EXISTENCE,
        "error",
        f"sdk is {live}, not {desired.spec.sdk}.",
        hint="The sdk is part of the Space's README.md: change it there, or correct the manifest.",
        at="sdk",
    )


def _new_space(desired: Desired, ports: Ports) -> NewSpace:
    spec = desired.spec
    variables = {
        key: Variable(value=item.value, description=description(item.description))
        for key, item in (spec.variables or {}).items()
    }
    if (restart := restart_marker(desired)) is not None:
        variables[RESTART_VARIABLE] = marker(restart)
    sleep = spec.sleep_time if not desired.is_free(desired.initial_hardware) else None
    return NewSpace(
        id=desired.id,
        sdk=spec.sdk,
        visibility=spec.visibility,
        hardware=spec.hardware,
        sleep_time=sleep,
        variables=variables,
        secrets={
            key: sealed(desired, key, secret.description, ports)
            for key, secret in (spec.secrets or {}).items()
            if not desired.unset_secret(key)
        },
        volumes=tuple(item.volume() for item in spec.volumes or ()),
        template=spec.create.template if spec.create else None,
        duplicate_from=spec.create.duplicate_from if spec.create else None,
    )
