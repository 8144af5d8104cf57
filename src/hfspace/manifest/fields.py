"""From the plain value of a key to its model: shorthands, types, unknown keys; problems at their place."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from hfspace.errors import ExtensionError, Problem
from hfspace.manifest import extensions
from hfspace.manifest.models import (
    CreateSpec,
    EndpointSpec,
    ExperimentSpec,
    OnErrorSpec,
    SecretSpec,
    SpaceSpec,
    TrackioSpec,
    VariableSpec,
    VolumeSpec,
)
from hfspace.manifest.values import normalise_id, parse_duration
from hfspace.manifest.wording import PART_EXAMPLES, explained, nearest, sentence
from hfspace.manifest.written import Place
from hfspace.manifest.yaml_tree import short
from hfspace.model import Source

M = TypeVar("M", bound=BaseModel)
_PARTS: dict[str, type[BaseModel]] = {
    "create": CreateSpec,
    "endpoint": EndpointSpec,
    "trackio": TrackioSpec,
    "on_error": OnErrorSpec,
}
_REFERENCE = re.compile(r"\$\{(\w+)[^}]*\}")


class Fields:
    """Builds the parts of a Space, and collects what does not fit."""

    def __init__(self, lines: Mapping[str, Sequence[str]]) -> None:
        self.places: dict[Place, Source] = {}
        self.problems: list[Problem] = []
        self.texts: dict[Place, str] = {}
        self.references: dict[Place, str] = {}
        self._lines = lines

    def field(self, key: str, item: Any, at: Place) -> Any:
        """What a key of a Space stands for; None, and a problem, when it can't be built."""
        if key == "create" and (item is None or item is True):
            return CreateSpec()
        if not self.given(item, at):
            return None
        if key not in SpaceSpec.model_fields:
            return self._extension(key, item, at)
        match key:
            case "sleep_time":
                return self._duration(item, at)
            case "variables":
                return self._map(item, at, self._variable)
            case "secrets":
                return self._map(item, at, self._secret)
            case "experiments":
                return self._map(item, at, self._experiment)
            case "volumes":
                return self._list(item, at, lambda one, place: self._part(VolumeSpec, one, place, "a volume"))
            case "prune" | "ignore":
                items = self._list(item, at, self._word)
                return None if items is None else frozenset(items)
            case "depends_on":
                return self._list(item, at, self._space_id)
            case _ if key in _PARTS and not (key == "on_error" and isinstance(item, str)):
                return self._part(_PARTS[key], item, at, f"'{key}'")
            case _:
                return item

    def model(
        self, model: type[M], fields: Mapping[str, Any], at: Place, *, partial: bool = False
    ) -> M | None:
        """The model of `fields`; with `partial`, what is missing may still come from elsewhere."""
        try:
            return model.model_validate(self._as_text(model, fields, at))
        except ValidationError as error:
            for one in error.errors(include_url=False):
                place = (*at, *(str(part) for part in one["loc"]))
                if partial and one["type"] == "missing":
                    continue
                if one["type"] != "missing":
                    place = self._written_place(place, at)
                written = self.references.get(place, self.texts.get(place))
                self.complain(place, *explained(one, _named(place), written))
            return None

    def _written_place(self, place: Place, at: Place) -> Place:
        """`place`, or the part of it that is written down: a short form has no keys of its own."""
        while place not in self.places and len(place) > len(at) + 1:
            place = place[:-1]
        return place

    def known(self, model: type[BaseModel], key: str, at: Place, what: str) -> bool:
        if key in model.model_fields:
            return True
        try:
            if model is SpaceSpec and extensions.find(key) is not None:
                return True
        except ExtensionError as error:
            self.complain(at, error.message, error.hint)
            return False
        hint = nearest(key, tuple(model.model_fields))
        self.complain(at, f"{what} has no key '{short(key)}'", hint)
        return False

    def given(self, item: Any, at: Place, hint: str = "Give it one, or remove the line.") -> bool:
        if item is None:
            self.complain(at, f"'{short(at[-1])}' has no value", hint)
        return item is not None

    def complain(self, at: Place, message: str, hint: str, *, hide: bool = False) -> None:
        """A problem at the place of `at`, or of its nearest ancestor that is written down."""
        source, path = None, at
        while path and source is None:
            source, path = self.places.get(path), path[:-1]
        if source is None:
            self.problems.append(Problem(file="manifest", message=message, hint=hint))
            return
        lines = self._lines.get(source.file, ())
        text = lines[source.line - 1] if 0 < source.line <= len(lines) else ""
        self.problems.append(
            Problem(
                file=source.file,
                line=source.line,
                column=source.column,
                message=message,
                hint=hint,
                source_line="" if hide else text,
            )
        )

    def _extension(self, key: str, item: Any, at: Place) -> Any:
        """The value of a key that another package brings."""
        try:
            return extensions.validated(extensions.find(key), item)
        except ValidationError as error:
            for one in error.errors(include_url=False):
                place = self._written_place((*at, *(str(part) for part in one["loc"])), at)
                written = self.references.get(place, self.texts.get(place))
                self.complain(place, *explained(one, _named(place), written))
        except ExtensionError as error:
            self.complain(at, error.message, error.hint)
        return None

    def _duration(self, item: Any, at: Place) -> int | None:
        try:
            if isinstance(item, bool) or not isinstance(item, int | str):
                raise ValueError("a duration is 90s, 30m, 1h, 2d, a number of seconds, or never")
            return parse_duration(item)
        except ValueError as error:
            self.complain(at, f"{self._shown(item, at)} is no sleep time", sentence(error))
            return None

    def _variable(self, item: Any, at: Place) -> VariableSpec | None:
        if not isinstance(item, dict):
            text = self._text(item, at)
            return None if text is None else VariableSpec(value=text)
        fields = dict(item)
        if "value" in fields:
            fields["value"] = self._text(fields["value"], (*at, "value"))
            if fields["value"] is None:
                return None
        return self._part(VariableSpec, fields, at, "a variable")

    def _text(self, item: Any, at: Place) -> str | None:
        """A variable is text: numbers keep the way they are written, anything else must be quoted."""
        if isinstance(item, str):
            return item
        number = isinstance(item, int | float)
        if number and (not isinstance(item, bool) or at in self.references):
            return self.texts.get(at, str(item))
        if not self.given(item, at, 'Write "" for the empty text.'):
            return None
        text = self.texts.get(at)
        hint = f'Write "{short(text)}".' if text else "Write it as one text, and let the app take it apart."
        self.complain(at, f"'{short(at[-1])}' must be text, not {self._shown(item, at)}", hint)
        return None

    def _secret(self, item: Any, at: Place) -> SecretSpec | None:
        key = short(at[-1])
        if isinstance(item, dict):
            return self._part(SecretSpec, item, at, "a secret")
        if not self.given(item, at, "Write {env: NAME} or {file: path}."):
            return None
        reference = _REFERENCE.fullmatch(item) if isinstance(item, str) else None
        if reference:
            message = f"the secret '{key}' can't be a ${{…}}: only its source is written here"
            self.complain(at, message, f"Write {{env: {reference[1]}}}.", hide=True)
            return None
        hint = "Write {env: NAME} or {file: path}; and change that value: it is no secret any more."
        self.complain(at, f"the secret '{key}' is written into the manifest", hint, hide=True)
        return None

    def _experiment(self, item: Any, at: Place) -> ExperimentSpec | None:
        return self._part(ExperimentSpec, {} if item is None else item, at, "an experiment")

    def _word(self, item: Any, at: Place) -> str | None:
        """A word of a list; which words there are is known to the model."""
        if isinstance(item, dict | list) or item is None:
            message = f"{self._shown(item, at)} in '{at[-2]}' must be a word"
            self.complain(at, message, "Write one word after each '- '.")
            return None
        return str(item)

    def _space_id(self, item: Any, at: Place) -> str | None:
        try:
            return normalise_id(str(item))
        except ValueError as error:
            self.complain(at, f"{self._shown(item, at)} is not a Space", sentence(error))
            return None

    def _map(self, item: Any, at: Place, one: Callable[[Any, Place], Any]) -> dict[str, Any] | None:
        if not isinstance(item, dict):
            message = f"'{at[-1]}' must be a map, not {self._shown(item, at)}"
            form = "NAME: {env: NAME}" if at[-1] == "secrets" else "KEY: value"
            self.complain(at, message, f"Write one '{form}' in each line below it.")
            return None
        built = {key: one(value, (*at, key)) for key, value in item.items()}
        return {key: value for key, value in built.items() if value is not None}

    def _list(self, item: Any, at: Place, one: Callable[[Any, Place], Any]) -> tuple[Any, ...] | None:
        if not isinstance(item, list):
            hint = "Write one '- item' in each line below it."
            if isinstance(item, str) and item.startswith("-"):
                hint = "Put a space after each '-'."
            elif isinstance(item, str) and re.fullmatch(r"[\w./-]+", item):
                hint = f"Write [{short(item)}]."
            self.complain(at, f"'{at[-1]}' must be a list, not {self._shown(item, at)}", hint)
            return None
        built = [one(value, (*at, str(index))) for index, value in enumerate(item)]
        return tuple(value for value in built if value is not None)

    def _part(self, model: type[M], item: Any, at: Place, what: str) -> M | None:
        if not isinstance(item, dict):
            message = f"{what} must be a map, not {self._shown(item, at)}"
            self.complain(at, message, f"Write {PART_EXAMPLES[model.__name__]}.")
            return None
        fields = {key: value for key, value in item.items() if self.known(model, key, (*at, key), what)}
        # A misspelt key is why another one is missing: one problem, not two.
        partial = len(fields) < len(item) or at[0] == "defaults"
        return self.model(model, fields, at, partial=partial)

    def _as_text(self, model: type[BaseModel], fields: Mapping[str, Any], at: Place) -> dict[str, Any]:
        """An unquoted ${NAME} that happens to be a number is the text where text is wanted."""
        found = dict(fields)
        for key, item in fields.items():
            place = (*at, key)
            wanted = model.model_fields[key].annotation if key in model.model_fields else None
            text = wanted is str or str in get_args(wanted)
            if text and place in self.references and isinstance(item, bool | int | float):
                found[key] = self.texts[place]
        return found

    def _shown(self, item: Any, at: Place) -> str:
        """How a value is written, for a message: the reference, not what it stands for."""
        if isinstance(item, dict | list):
            return "a map" if isinstance(item, dict) else "a list"
        written = self.references.get(at, self.texts.get(at))
        return "this" if written is None else f"'{short(written)}'"


def _named(place: Place) -> str:
    """The last key of a path that is a name: an item of a list is called by the list."""
    return next((key for key in reversed(place) if not key.isdigit()), place[-1])
