"""How a key of the manifest is declared: once, beside its type, for everything that must know of it.

The loader, the JSON Schema, the tables of docs/manifest.md, `hfspace explain` and the rules read it there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, ClassVar, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, Strict, WithJsonSchema, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticKnownError, core_schema

from hfspace.manifest.values import normalise_id, parse_duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """What a key means beyond its type.

    `static`: whether a static Space can hold it. `not_in_defaults`: why it can't be said of every Space, ""
    if it can. `prunable` and `ignorable`: whether `prune` and `ignore` may name it. `values`: what it takes,
    where the type does not say it well. `as_written`: a number is the text that stands in the file.
    """

    text: str
    example: str = ""
    values: str = ""
    static: bool = True
    not_in_defaults: str = ""
    prunable: bool = False
    ignorable: bool = False
    as_written: bool = False


def key(
    text: str, *, default: Any = None, default_factory: Any = None, alias: str | None = None, **meaning: Any
) -> Any:
    """A field of a model with its meaning. `default=...`: required; `alias`: as people write it."""
    info: Any = Field(default_factory=default_factory, description=text) if default_factory else None
    info = info or Field(default, description=text, alias=alias)
    info.metadata.append(Key(text=text, **meaning))
    return info


def of(field: FieldInfo) -> Key:
    """The Key of a field; an empty one when it was declared without."""
    return next((one for one in field.metadata if isinstance(one, Key)), Key(text=field.description or ""))


def fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields of a model by the name that people write: `from` is no name in Python, and has an alias."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def keys(model: type[BaseModel]) -> dict[str, Key]:
    """Every key of a model, in the order of the documentation."""
    return {name: of(field) for name, field in fields(model).items()}


class Model(BaseModel):
    """`noun`: what one of many is called. `short`: the key that a plain value stands for. `blank`: what is
    written for a map without keys."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, populate_by_name=True, defer_build=True
    )
    noun: ClassVar[str] = ""
    short: ClassVar[str] = ""
    blank: ClassVar[tuple[Any, ...]] = ()

    @model_validator(mode="before")
    @classmethod
    def _in_full(cls, value: Any) -> Any:
        if any(value is one for one in cls.blank):
            return {}
        return {cls.short: value} if cls.short and not isinstance(value, Mapping | cls) else value


@cache
def parts(model: type[Model]) -> dict[str, tuple[type[Model] | None, type | None]]:
    """Of each key of a model, the model of what it holds, and dict or tuple where it holds many of them."""
    return {name: _part(field.annotation) for name, field in fields(model).items()}


def _part(annotation: Any) -> tuple[type[Model] | None, type | None]:
    if isinstance(annotation, type) and issubclass(annotation, Model):
        return annotation, None
    origin = get_origin(annotation)
    for inner in get_args(annotation):
        model, many = _part(inner)
        if model:
            return model, many or (tuple if origin is tuple else dict if origin is Mapping else None)
    return None, None


def example(model: type[BaseModel]) -> str:
    """How a map of these keys is written: those that are required, else the first."""
    known = fields(model)
    names = [name for name, field in known.items() if field.is_required()] or list(known)[:1]
    return "{" + ", ".join(f"{name}: {of(known[name]).example}" for name in names) + "}"


def example_at(model: type[Model], path: Sequence[int | str]) -> str:
    """How the value at a path below a model is written."""
    current: type[Model] | None = model
    text, inside = "", False
    for name in path:
        if current is not None and name in fields(current):
            text = of(fields(current)[str(name)]).example
            current, many = parts(current)[str(name)]
            inside = many is not None
        elif current is not None and inside:
            text, inside = example(current), False
        elif isinstance(name, int):
            text = text.strip("[]")
    return text


@dataclass(frozen=True, slots=True)
class OneOf:
    """For text that is one of `names`, which may be known only once all models are."""

    names: Callable[[], tuple[str, ...]]

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        return core_schema.no_info_plain_validator_function(self._checked)

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        return {"enum": list(self.names()), "type": "string"}

    def _checked(self, value: Any) -> str:
        names = self.names()
        if value not in names:
            raise PydanticKnownError("literal_error", {"expected": ", ".join(f"'{name}'" for name in names)})
        return str(value)


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
