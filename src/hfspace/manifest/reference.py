"""What every key of a manifest means, read from the models that validate it: for `explain` and the docs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from hfspace.errors import UsageError
from hfspace.manifest import extensions
from hfspace.manifest.group_models import GroupSpec
from hfspace.manifest.keys import Duration, Key, Model, OneOf, fields, of, parts
from hfspace.manifest.models import Policy, SpaceSpec
from hfspace.manifest.wording import nearest

_TOP = {
    "version": Key(text="The version of the manifest's language.", values="1", example="1"),
    "timezone": Key(
        text="The zone of every time in the manifest.", values="a name such as Europe/Paris", example="UTC"
    ),
    "defaults": Key(text="What goes under every Space that can hold it.", values="keys of a Space"),
    "policy": Key(text="Guardrails of the whole manifest.", values="map"),
    "groups": Key(text="Spend limits of resource groups, by organisation/group.", values="map by group"),
    "spaces": Key(text="The declared Spaces, by owner/name.", values="map by Space"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyEntry:
    """One key: its path, what it takes, and the keys below it."""

    path: str
    key: Key
    values: str
    model: type[Model] | None = None
    many: bool = False  # the model describes each item of a map or list
    required: bool = False

    @property
    def children(self) -> tuple[str, ...]:
        return tuple(fields(self.model)) if self.model else ()


def entries(model: type[Model], path: str) -> Iterator[KeyEntry]:
    """Every key of a model, in the order of the documentation."""
    for name, field in fields(model).items():
        key = of(field)
        below, many = parts(model)[name]
        yield KeyEntry(
            path=f"{path}.{name}",
            key=key,
            values=key.values or _values(field.annotation, field.metadata),
            model=below,
            many=many is not None,
            required=field.is_required(),
        )


def _brought(path: str) -> Iterator[KeyEntry]:
    """The keys of a Space that installed packages bring. Raises ExtensionError."""
    for name, facet in extensions.installed().items():
        text = extensions.meaning(facet)
        key = Key(text=text, ignorable=True, prunable=False)
        yield KeyEntry(path=f"{path}.{name}", key=key, values=_values(facet.type, ()))


def entry(path: str) -> KeyEntry:
    """The key at a path such as spaces.sleep_time; a Space's id, or the name of an item, may stand in it.

    Raises UsageError with the nearest name for one that there is not."""
    head, *rest = [part for part in path.strip().strip(".").split(".") if part] or [""]
    if head not in _TOP and (head in SpaceSpec.model_fields or extensions.find(head) is not None):
        head, rest = "spaces", [head, *rest]
    if head not in _TOP:
        raise _unknown(path, head, (*_TOP, *SpaceSpec.model_fields))
    many = head in {"groups", "spaces"}
    current = KeyEntry(
        path=head, key=_TOP[head], values=_TOP[head].values, model=_models().get(head), many=many
    )
    for index, name in enumerate(rest):
        known = {one.path.rpartition(".")[2]: one for one in _own(current)}
        if name not in known and current.model is SpaceSpec:
            known |= {one.path.rpartition(".")[2]: one for one in _brought(current.path)}
        if name in known:
            current = known[name]
        elif current.many and index < len(rest) - 1:
            continue
        else:
            raise _unknown(path, name, tuple(known))
    return current


def below(one: KeyEntry) -> Iterator[KeyEntry]:
    """The keys below a key; below a Space's also those of installed packages. Raises ExtensionError."""
    yield from _own(one)
    if one.model is SpaceSpec:
        yield from _brought(one.path)


def _own(one: KeyEntry) -> Iterator[KeyEntry]:
    if one.model is not None:
        yield from entries(one.model, one.path)


def table(model: type[Model]) -> str:
    """The keys of a model as a Markdown table."""
    rows = [
        f"| `{one.path.rpartition('.')[2]}` | {one.values} | {one.key.text} |" for one in entries(model, "")
    ]
    return "\n".join(["| key | value | meaning |", "| --- | --- | --- |", *rows])


def _models() -> Mapping[str, type[Model]]:
    return {"defaults": SpaceSpec, "policy": Policy, "groups": GroupSpec, "spaces": SpaceSpec}


def _unknown(path: str, name: str, known: tuple[str, ...]) -> UsageError:
    hint = nearest(name, known) if known else "It has no keys below it."
    return UsageError(f"There is no key '{path}'.", hint=hint)


def _values(annotation: Any, metadata: Any) -> str:
    """What a type takes, in words."""
    origin = get_origin(annotation)
    parts = [part for part in get_args(annotation) if part is not NoneType]
    if annotation == Duration:
        return "90s, 30m, 1h, 2d, seconds, never"
    if origin in {Union, UnionType}:
        return " or ".join(_values(part, metadata) for part in parts)
    if origin is Annotated:
        one_of = next((part for part in parts if isinstance(part, OneOf)), None)
        return ", ".join(one_of.names()) if one_of else _values(parts[0], metadata)
    if origin is Literal:
        return ", ".join(str(part) for part in parts)
    if origin in {tuple, frozenset}:
        return f"list of {_values(parts[0], metadata)}"
    words = {bool: "true, false", int: "a count", str: "text", float: "a number"}
    named = getattr(annotation, "__name__", "")
    return words.get(annotation) or (
        "a number" if named == "Decimal" else "anything" if annotation is Any else "map"
    )
