"""What is read of a Space's repository: its card, its files, and who changed them."""

from __future__ import annotations

from dataclasses import replace

from hfspace.folder.difference import difference
from hfspace.live.access import allowed
from hfspace.live.history import history
from hfspace.live.ports import HubReader
from hfspace.manifest.models import SpaceSpec
from hfspace.model import LocalInputs, SpaceState


def with_card(state: SpaceState, hub: HubReader) -> SpaceState:
    """`state` with its card: a request only where no listing has told it. Raises HubError."""
    details = state.details or hub.space(state.id).details
    return replace(state, card=details.card if details else None)


def with_files(state: SpaceState, spec: SpaceSpec, hub: HubReader, inputs: LocalInputs) -> SpaceState:
    """`state` with the hashes of its files; where they differ from those here, with its newest commits too.
    What this token may not read is unknown. Raises HubError."""
    repository, folder = hub.repository(state.id), inputs.trees.get(state.id)
    commit = state.sha or "main"
    tree = allowed(lambda: repository.tree(commit))
    state = replace(state, tree=tree)
    if folder is None or tree is None or spec.files is None:
        return state
    if not difference(folder, tree, prune=spec.files.prune):
        return state
    return replace(state, history=allowed(lambda: history(repository, commit)))
