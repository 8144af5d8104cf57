"""Volumes: the Hub replaces the list as a whole, so undeclared ones are sent again, unless pruned."""

from __future__ import annotations

from dataclasses import replace

from hfspace.facets.base import NOTHING, Facet, Need
from hfspace.facets.desired import Desired, restarts_now
from hfspace.live.ports import Ports
from hfspace.manifest.models import SpaceSpec
from hfspace.model import Action, Change, Check, Json, SpaceState, Volume


class Volumes(Facet):
    name = "volumes"
    restarts = True

    def needs(self, spec: SpaceSpec, state: SpaceState) -> frozenset[Need]:
        declared = spec.volumes is not None or self.name in spec.prune
        return frozenset({Need.RUNTIME}) if declared and state.volumes is None else NOTHING

    def compare(self, desired: Desired, state: SpaceState) -> list[Change | Check]:
        spec, live = desired.spec, state.volumes
        exact = "volumes" in spec.prune
        if spec.volumes is None and not exact:
            return []
        if live is None:
            return [_check(desired, "the Hub does not tell which volumes are mounted.", "Run again.")]
        masked = [item.mount_path for item in live if item.source is None]
        wanted = merged(desired, live)
        if _by_path(wanted) == _by_path(_with_defaults(live)):
            return []
        if masked and not exact:
            return [
                _check(
                    desired,
                    f"the source of {', '.join(sorted(masked))} is hidden from this token.",
                    "The list is sent whole: use a token that sees it, or drop it: `prune: [volumes]`.",
                )
            ]
        return [
            desired.change(
                self.name,
                Action.UPDATE,
                before=[_shown(item) for item in live] or None,
                after=[_shown(item) for item in wanted] or None,
                effects=restarts_now(state),
            )
        ]

    def show(self, value: Json) -> str:
        return ", ".join(map(_place, value)) if isinstance(value, list) and value else super().show(value)

    def apply(self, change: Change, desired: Desired, ports: Ports) -> None:
        live = desired.live.volumes if desired.live else None
        if live is None:
            live = ports.hub.runtime(SpaceState(id=desired.id)).volumes or ()
        ports.hub.set_volumes(desired.id, merged(desired, live))


def merged(desired: Desired, live: tuple[Volume, ...]) -> tuple[Volume, ...]:
    """The list to send: the declared ones, and unless `prune` makes it exact those mounted elsewhere."""
    declared = tuple(item.volume() for item in desired.spec.volumes or ())
    if "volumes" in desired.spec.prune:
        return declared
    paths = {item.mount_path for item in declared}
    return (*declared, *(item for item in _with_defaults(live) if item.mount_path not in paths))


def _with_defaults(live: tuple[Volume, ...]) -> tuple[Volume, ...]:
    """Repositories are always read-only, buckets writable unless told (docs/hub-api.md section 7)."""
    return tuple(replace(item, read_only=item.type != "bucket" or bool(item.read_only)) for item in live)


def _by_path(volumes: tuple[Volume, ...]) -> dict[str, Volume]:
    return {item.mount_path: item for item in volumes}


def _shown(volume: Volume) -> Json:
    revision = f"@{volume.revision}" if volume.revision else ""
    path = f"/{volume.path}" if volume.path else ""
    source = f"hf://{volume.type}s/{volume.source or '(not visible)'}{revision}{path}"
    return {"source": source, "mount_path": volume.mount_path, "read_only": bool(volume.read_only)}


def _place(volume: Json) -> str:
    if not isinstance(volume, dict):
        return str(volume)
    mode = ", read-only" if volume.get("read_only") else ""
    return f"{volume.get('source')} at {volume.get('mount_path')}{mode}"


def _check(desired: Desired, message: str, hint: str) -> Check:
    return desired.check("volumes", "error", message, hint=hint)
