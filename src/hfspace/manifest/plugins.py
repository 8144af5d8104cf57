"""What installed packages bring, by entry points; looked for only where something names it."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

from hfspace.errors import ExtensionError


def entry_point(group: str, name: str) -> EntryPoint | None:
    """The entry point of this name; None where no installed package has it.

    Raises ExtensionError when several have it."""
    points = sorted(entry_points(group=group, name=name), key=package)
    packages = list(dict.fromkeys(map(package, points)))
    if len(packages) > 1:
        message = f"'{name}' is brought by several packages: {', '.join(packages)}."
        raise ExtensionError(message, hint="Uninstall all but one.")
    return points[0] if points else None


def names(group: str) -> tuple[str, ...]:
    """What installed packages bring to a group, by name."""
    return tuple(sorted({point.name for point in entry_points(group=group)}))


def package(point: EntryPoint) -> str:
    """Name and version of the package that an entry point belongs to."""
    return f"{point.dist.name} {point.dist.version}" if point.dist else point.value
