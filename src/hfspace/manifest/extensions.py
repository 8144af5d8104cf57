"""Keys of a Space that other packages bring (docs/extending.md). Looked for only where a manifest has a key,
or a plan a facet, that is none of ours: what uses none pays nothing."""

from __future__ import annotations

from functools import cache
from typing import Any

from hfspace.errors import ExtensionError
from hfspace.manifest.plugins import entry_point, names, package

GROUP = "hfspace.facets"


@cache
def find(name: str) -> Any | None:
    """The facet that an installed package registers as `name`; None where none does.

    Raises ExtensionError when it can't be used."""
    point = entry_point(GROUP, name)
    if point is None:
        return None
    try:
        target = point.load()
        facet = target() if isinstance(target, type) else target
    except (Exception, SystemExit) as error:  # noqa: BLE001 - it is anybody's code
        raise _broken(name, package(point), f"can't be loaded: {type(error).__name__}: {error}") from None
    if getattr(facet, "name", None) != name or not hasattr(facet, "type"):
        raise _broken(name, package(point), f"is no facet of that name ({point.value})")
    return facet


def installed() -> dict[str, Any]:
    """The facets that installed packages bring, by key. Raises ExtensionError when one can't be used."""
    return {name: facet for name in names(GROUP) if (facet := find(name)) is not None}


def meaning(facet: Any) -> str:
    """What a facet says of its key: the first paragraph of its class's docstring."""
    own = (type(facet).__dict__.get("__doc__") or "").strip().partition("\n\n")[0]
    return " ".join(own.split()) or f"A key of {type(facet).__module__.partition('.')[0]}."


def validated(facet: Any, value: Any) -> Any:
    """`value` as the type of the facet's key has it. Raises pydantic's ValidationError, ExtensionError."""
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(facet.type).validate_python(value, strict=True)
    except ValidationError:
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001 - it is anybody's code
        text = f"can't check a value: {type(error).__name__}: {error}"
        raise _broken(facet.name, type(facet).__module__, text) from None


def _broken(name: str, package: str, what: str) -> ExtensionError:
    message = f"the key '{name}' is of {package}, which {what}"
    return ExtensionError(message, hint="Mend or uninstall that package, or remove the key.")
