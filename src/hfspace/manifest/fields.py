"""From the plain value of a key to its model: shorthands, types, unknown keys; problems at their place."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, get_args

from pydantic import ValidationError

from hfspace.errors import ExtensionError, Problem
from hfspace.manifest import extensions
from hfspace.manifest.keys import Model, example, example_at, fields, of, parts
from hfspace.manifest.models import SecretSpec, SpaceSpec
from hfspace.manifest.wording import explained, nearest
from hfspace.manifest.written import Place, problem
from hfspace.manifest.yaml_tree import short
from hfspace.model import Source

M = TypeVar("M", bound=Model)
_REFERENCE = re.compile(r"\$\{(\w+)[^}]*\}")


class Fields:
    """Builds the parts of a Space, and collects what does not fit."""

    def __init__(self, lines: Mapping[str, Sequence[str]]) -> None:
        self.places: dict[Place, Source] = {}
        self.problems: list[Problem] = []
        self.texts: dict[Place, str] = {}
        self.references: dict[Place, str] = {}
        self._lines = lines
        self._misspelt: set[Place] = set()

    def field(self, key: str, item: Any, at: Place) -> Any:
        """What stands under a key of a Space, ready for the model; None, and a problem, when it can't be."""
        if key in parts(SpaceSpec):
            return self._ready(SpaceSpec, key, item, at)
        return self._extension(key, item, at) if self.given(item, at) else None

    def _ready(self, model: type[Model], key: str, item: Any, at: Place) -> Any:
        part, many = parts(model)[key]
        if part is None or (many and not isinstance(item, dict if many is dict else list)):
            nested = model is not SpaceSpec
            return self._value(model, key, item, at) if nested or self.given(item, at) else None
        if many is None:
            return self._part(part, item, at, f"'{key}'")
        pairs = item.items() if isinstance(item, dict) else enumerate(item)
        ready = {name: self._part(part, one, (*at, str(name)), part.noun) for name, one in pairs}
        kept = {name: one for name, one in ready.items() if one is not None}
        return kept if isinstance(item, dict) else list(kept.values())

    def _part(self, model: type[Model], item: Any, at: Place, what: str) -> Any:
        """A map of keys that the model has; what is short for one stays so."""
        if any(item is one for one in model.blank):
            return {}
        if model is SecretSpec and item is not None and not isinstance(item, dict):
            return self._secret(item, at)
        if model.short and not isinstance(item, dict):
            return {model.short: None} if item is None else self._value(model, model.short, item, at)
        if not self.given(item, at, f"Write {example(model)}, or remove the line."):
            return None
        if not isinstance(item, dict):
            return item
        known = {key: one for key, one in item.items() if self.known(model, key, (*at, key), what)}
        ready = {key: self._ready(model, key, one, (*at, key)) for key, one in known.items()}
        lost = {key for key, one in ready.items() if one is None and parts(model)[key][0] is not None}
        if lost or len(known) < len(item):
            self._misspelt.add(at)
        return {key: one for key, one in ready.items() if key not in lost}

    def _value(self, model: type[Model], key: str, item: Any, at: Place) -> Any:
        """A number where text is wanted is the text that stands in the file: a variable, or a ${NAME} that
        happens to be one."""
        if not isinstance(item, int | float):
            return item
        field = fields(model)[key]
        wants_text = field.annotation is str or str in get_args(field.annotation)
        as_written = of(field).as_written and not isinstance(item, bool)
        text = wants_text and (as_written or at in self.references)
        return self.texts.get(at, item) if text else item

    def model(
        self, model: type[M], fields: Mapping[str, Any], at: Place, *, partial: bool = False
    ) -> M | None:
        """The model of `fields`; with `partial`, what is missing may still come from elsewhere."""
        try:
            return model.model_validate(fields)
        except ValidationError as error:
            for one in error.errors(include_url=False):
                place = (*at, *(str(part) for part in one["loc"]))
                if one["type"] == "missing" and (partial or place[:-1] in self._misspelt):
                    continue  # a misspelt key is why another one is missing: one problem, not two
                self._explain(one, place, at, example_at(model, one["loc"]))
            return None

    def _explain(self, error: Any, place: Place, at: Place, example: str) -> None:
        place = place if error["type"] == "missing" else self._written_place(place, at)
        written = self.references.get(place, self.texts.get(place))
        self.complain(place, *explained(error, _named(place), written, example))

    def _written_place(self, place: Place, at: Place) -> Place:
        """`place`, or the part of it that is written down: a short form has no keys of its own."""
        while place not in self.places and len(place) > len(at) + 1:
            place = place[:-1]
        return place

    def known(self, model: type[Model], key: str, at: Place, what: str) -> bool:
        if key in parts(model):
            return True
        try:
            if model is SpaceSpec and extensions.find(key) is not None:
                return True
        except ExtensionError as error:
            self.complain(at, error.message.rstrip("."), error.hint)
            return False
        hint = nearest(key, tuple(fields(model)))
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
        self.problems.append(problem(source, message, hint, None if hide else self._lines))

    def _extension(self, key: str, item: Any, at: Place) -> Any:
        """The value of a key that another package brings."""
        try:
            return extensions.validated(extensions.find(key), item)
        except ValidationError as error:
            for one in error.errors(include_url=False):
                self._explain(one, (*at, *(str(part) for part in one["loc"])), at, "")
        except ExtensionError as error:
            self.complain(at, error.message.rstrip("."), error.hint)
        return None

    def _secret(self, item: Any, at: Place) -> None:
        """Complain about a secret that is written into the manifest, and show nothing of it."""
        key = short(at[-1])
        reference = _REFERENCE.fullmatch(item) if isinstance(item, str) else None
        if reference:
            message = f"the secret '{key}' can't be a ${{…}}: only its source is written here"
            self.complain(at, message, f"Write {{env: {reference[1]}}}.", hide=True)
        else:
            hint = "Write {env: NAME} or {file: path}; and change that value: it is no secret any more."
            self.complain(at, f"the secret '{key}' is written into the manifest", hint, hide=True)


def _named(place: Place) -> str:
    """The last key of a path that is a name: an item of a list is called by the list."""
    return next((key for key in reversed(place) if not key.isdigit()), place[-1])
