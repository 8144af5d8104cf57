"""Backends of experiments: ours, and those that other packages bring (docs/trackio.md), which are looked for
only where a manifest or a person names one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from hfspace.errors import UsageError
from hfspace.manifest.plugins import entry_point

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "hfspace.trackers"
Ability = Literal["description", "status", "projects", "delete"]
"""What not every backend can hold or do."""

HOLDS: Mapping[str, tuple[Ability, ...]] = {
    "interface": ("description", "status"),
    "trackio": ("projects", "delete"),
}
"""Our backends, the Gradio app and official trackio, with what each can hold or do beyond names and
parameters. `auto` means one of them."""


def plugin(name: str) -> EntryPoint:
    """The entry point of the backend `name`. Raises UsageError when no installed package brings it,
    ExtensionError when several do."""
    point = entry_point(GROUP, name)
    if point is None:
        raise UsageError(
            f"'{name}' is no backend of experiments.",
            hint=f"It is auto, {', '.join(HOLDS)}, or one that an installed package brings.",
        )
    return point
