"""How a key of the manifest is declared: once, beside its type, for everything that must know of it.

The loader, the JSON Schema, the tables of docs/manifest.md, `hfspace explain` and the rules read it there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field, Strict, WithJsonSchema
from pydantic.fields import FieldInfo

from hfspace.manifest.values import normalise_id, parse_duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """What a key means beyond its type.

    `static`: whether a static Space can hold it. `not_in_defaults`: why it can't be said of every Space, ""
    if it can. `prunable` and `ignorable`: whether `prune` and `ignore` may name it. `values`: what it takes,
    where the type does not say it well.
    """

    text: str
    example: str = ""
    values: str = ""
    static: bool = True
    not_in_defaults: str = ""
    prunable: bool = False
    ignorable: bool = False


def key(text: str, *, default: Any = None, default_factory: Any = None, **meaning: Any) -> Any:
    """A field of a model with its meaning. `default=...` makes it required."""
    info: Any = Field(default_factory=default_factory, description=text) if default_factory else None
    info = info or Field(default, description=text)
    info.metadata.append(Key(text=text, **meaning))
    return info


def of(field: FieldInfo) -> Key:
    """The Key of a field; an empty one when it was declared without."""
    return next((one for one in field.metadata if isinstance(one, Key)), Key(text=field.description or ""))


def keys(model: type[BaseModel]) -> dict[str, Key]:
    """Every key of a model, in the order of the documentation."""
    return {name: of(field) for name, field in model.model_fields.items()}


def _duration(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError("a duration is 90s, 30m, 1h, 2d, a number of seconds, or never")
    return parse_duration(value)


def _space_id(value: Any) -> Any:
    return normalise_id(value) if isinstance(value, str) else value


_WRITTEN = {"type": "string", "pattern": r"^(never|-1|[0-9]+\s*[smhdSMHD]?|.*\$\{.*)$"}
Duration = Annotated[
    int, BeforeValidator(_duration), WithJsonSchema({"anyOf": [{"type": "integer"}, _WRITTEN]})
]
"""Seconds, from 90s, 30m, 1h, 2d, a whole number, or never (-1)."""

SpaceId = Annotated[str, BeforeValidator(_space_id)]
"""owner/name, from itself, a Space URL or a *.hf.space host."""

Unstrict = Strict(False)
"""For a list in the manifest that is a tuple or a set in the model."""
