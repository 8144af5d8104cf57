"""Marks on a Space that restart nothing: tags of its repository whose names are ours."""

from __future__ import annotations

from contextlib import suppress

from hfspace.errors import Conflict, NotVisible
from hfspace.live.ports import HubReader, HubWriter
from hfspace.model import MARK


def read_marks(space: str, hub: HubReader) -> tuple[str, ...]:
    """Our tags of a Space, sorted. Raises HubError."""
    refs = hub.get(space, "refs")
    tags = refs.get("tags") if isinstance(refs, dict) else None
    names = (tag.get("name") for tag in tags or () if isinstance(tag, dict))
    return tuple(sorted(name for name in names if isinstance(name, str) and name.startswith(MARK)))


def set_mark(space: str, mark: str, hub: HubWriter) -> None:
    """Put a mark on a Space; one that is there stays. Raises HubError."""
    with suppress(Conflict):
        hub.send("POST", space, "tag/main", {"tag": mark})


def remove_mark(space: str, mark: str, hub: HubWriter) -> None:
    """Take a mark from a Space, if it is there. Raises HubError."""
    with suppress(NotVisible):
        hub.send("DELETE", space, f"tag/{mark}")
