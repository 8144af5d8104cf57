"""What missing Spaces are to be created from; asked only where something is to be created."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from hfspace.errors import HubError, NotVisible, Unauthorized
from hfspace.live.ports import HubReader
from hfspace.manifest.models import Manifest
from hfspace.model import CreateSource, SpaceState


def read_sources(
    manifest: Manifest, missing: Iterable[str], seen: Mapping[str, SpaceState], hub: HubReader
) -> dict[str, CreateSource]:
    """The sources of the `missing` Spaces that declare one, by the id of the missing one. Each is read once;
    one that can't be read has a problem."""
    creates = {
        space: spec.create
        for space in sorted(missing)
        if (spec := manifest.spaces[space]).create and spec.state != "absent"
    }
    from_template = {space: create.template for space, create in creates.items() if create.template}
    copies = {space: create.duplicate_from for space, create in creates.items() if create.duplicate_from}
    templates = _templates(hub, frozenset(from_template.values()))
    originals = {name: _live(name, seen, hub) for name in sorted(set(copies.values()) - creates.keys())}
    return {space: templates[name] for space, name in from_template.items()} | {
        space: originals[name] if name in originals else _created_before(manifest, space, name)
        for space, name in copies.items()
    }


def _templates(hub: HubReader, names: frozenset[str]) -> dict[str, CreateSource]:
    if not names:
        return {}
    try:
        listed = hub.templates()
    except HubError as error:
        problem = f"its template could not be checked: {error.message}"
        return dict.fromkeys(names, CreateSource(problem=problem, hint=error.hint))
    return {name: listed.get(name) or _unlisted(name, listed) for name in names}


def _unlisted(name: str, listed: Iterable[str]) -> CreateSource:
    near = get_close_matches(name, listed, n=1)
    hint = f"Did you mean {near[0]}?" if near else f"The Hub lists: {', '.join(sorted(listed))}."
    return CreateSource(problem=f"its template {name} is none that the Hub lists.", hint=hint)


def _live(name: str, seen: Mapping[str, SpaceState], hub: HubReader) -> CreateSource:
    """A Space as a source: a copy is as visible as its original, unless it declares otherwise."""
    try:
        state = seen.get(name) or hub.space(name)
    except (NotVisible, Unauthorized):
        return CreateSource(
            problem=f"its source {name} does not exist, or this token can't see it.",
            hint="Check the id, and what the token may read.",
        )
    except HubError as error:
        return CreateSource(problem=f"its source {name} could not be read: {error.message}", hint=error.hint)
    return CreateSource(sdk=state.sdk, visibility=state.visibility)


def _created_before(manifest: Manifest, space: str, name: str) -> CreateSource:
    """A source that the same apply creates: it has to come first."""
    spec = manifest.spaces[name]
    if name not in manifest.spaces[space].depends_on:
        return CreateSource(
            problem=f"its source {name} does not exist yet, and may come after this one.",
            hint=f"Add depends_on: [{name}].",
        )
    return CreateSource(sdk=spec.sdk, visibility=spec.visibility)
