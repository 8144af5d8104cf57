"""From plain values to models: shorthands, unknown keys with the nearest known one, types, with places."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from hfspace.errors import Problem
from hfspace.manifest.models import (
    CreateSpec,
    EndpointSpec,
    ExperimentSpec,
    Policy,
    SecretSpec,
    SpaceSpec,
    TrackioSpec,
    VariableSpec,
    VolumeSpec,
)
from hfspace.manifest.values import normalise_id, parse_duration
from hfspace.model import Source

M = TypeVar("M", bound=BaseModel)
Place = tuple[str, ...]
TOP = ("version", "defaults", "policy", "spaces")
_NOT_FOR_STATIC = ("hardware", "sleep_time", "state", "on_error", "restart", "dev_mode", "volumes", "trackio")
_PARTS: dict[str, type[BaseModel]] = {
    "create": CreateSpec,
    "endpoint": EndpointSpec,
    "trackio": TrackioSpec,
}


def check_keys(
    value: Iterable[str],
    known: Iterable[str],
    file: str,
    what: str,
    place: Callable[[str], tuple[int, int]],
    complain: Callable[[str, tuple[int, int], str, str], None],
) -> None:
    """Complain about each key that `what` does not have, with the nearest one that it has."""
    names = tuple(known)
    for key in value:
        if key not in names:
            complain(file, place(key), f"{what} has no key '{key}'", nearest(key, names))


def nearest(word: str, known: Sequence[str]) -> str:
    near = get_close_matches(word, known, n=1, cutoff=0.6)
    return f"Did you mean '{near[0]}'?" if near else f"Known keys: {', '.join(sorted(known))}."


class Builder:
    """Builds models from merged values, and collects what does not fit, each at its place."""

    def __init__(
        self, places: Mapping[Place, Source], texts: Mapping[Place, str], lines: Mapping[str, Sequence[str]]
    ) -> None:
        self.places = dict(places)
        self.problems: list[Problem] = []
        self._texts = dict(texts)
        self._lines = lines

    def policy(self, value: Mapping[str, Any]) -> Policy | None:
        known = {
            key: item for key, item in value.items() if self._known(Policy, key, ("policy", key), "policy")
        }
        if isinstance(known.get("max_monthly_usd"), int | float) and not isinstance(
            known["max_monthly_usd"], bool
        ):
            known["max_monthly_usd"] = _decimal(known["max_monthly_usd"])
        if isinstance(known.get("max_change_percent"), int) and not isinstance(
            known["max_change_percent"], bool
        ):
            known["max_change_percent"] = float(known["max_change_percent"])
        if isinstance(known.get("allowed_hardware"), list):
            known["allowed_hardware"] = tuple(known["allowed_hardware"])
        return self._model(Policy, known, ("policy",))

    def space(self, space: str, own: Mapping[str, Any], defaults: Mapping[str, Any]) -> SpaceSpec | None:
        at = ("spaces", space)
        count = len(self.problems)
        value = self._with_defaults(space, own, defaults)
        fields: dict[str, Any] = {}
        for key, item in value.items():
            if not self._known(SpaceSpec, key, (*at, key), "a Space"):
                continue
            built = self._field(key, item, (*at, key))
            if built is not None:
                fields[key] = built
        built_space = self._model(SpaceSpec, fields, at)
        return built_space if len(self.problems) == count else None

    def _with_defaults(
        self, space: str, own: Mapping[str, Any], defaults: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Defaults under what the Space says, where it can hold them; their places are taken over."""
        from hfspace.manifest.loader import _deep

        static = own.get("sdk", defaults.get("sdk")) == "static"
        usable = {
            key: value
            for key, value in defaults.items()
            if key != "create"
            and not (static and key in _NOT_FOR_STATIC)
            and not (own.get("state") == "absent" and key not in own)
        }
        for key, place in list(self.places.items()):
            if key[:1] == ("defaults",) and len(key) > 1 and key[1] in usable:
                self.places.setdefault(("spaces", space, *key[1:]), place)
                if key in self._texts:
                    self._texts.setdefault(("spaces", space, *key[1:]), self._texts[key])
        merged: dict[str, Any] = _deep(usable, dict(own))
        if self._fixed_sleep(own, merged):
            merged.pop("sleep_time")
        return merged

    def _fixed_sleep(self, own: Mapping[str, Any], merged: Mapping[str, Any]) -> bool:
        """A default sleep time does not fit free hardware; one that the Space itself declares is an error."""
        return (
            "sleep_time" in merged
            and "sleep_time" not in own
            and merged.get("hardware") in {"cpu-basic", "zero-a10g"}
        )

    def _field(self, key: str, item: Any, at: Place) -> Any:
        if item is None:
            if key == "create":
                return CreateSpec()
            self._complain(at, f"'{key}' has no value", "Give it one, or remove the line.")
            return None
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
                found = self._list(item, at, self._word)
                return None if found is None else frozenset(found)
            case "depends_on":
                return self._list(item, at, self._space_id)
            case "create" if item is True:
                return CreateSpec()
            case "create" | "endpoint" | "trackio":
                return self._part(_PARTS[key], item, at, f"'{key}'")
            case _:
                return item

    def _duration(self, item: Any, at: Place) -> int | None:
        try:
            if isinstance(item, bool) or not isinstance(item, int | str):
                raise ValueError("a duration is 90s, 30m, 1h, 2d, a number of seconds, or never")
            return parse_duration(item)
        except ValueError as error:
            self._complain(at, f"'{self._texts.get(at, item)}' is no sleep time", f"{error}.".capitalize())
            return None

    def _variable(self, item: Any, at: Place) -> VariableSpec | None:
        if isinstance(item, dict):
            fields = dict(item)
            if "value" in fields:
                fields["value"] = self._text(fields["value"], (*at, "value"))
                if fields["value"] is None:
                    return None
            return self._part(VariableSpec, fields, at, "a variable")
        text = self._text(item, at)
        return None if text is None else VariableSpec(value=text)

    def _text(self, item: Any, at: Place) -> str | None:
        """A variable is text: numbers keep the way they are written, anything else must be quoted."""
        if isinstance(item, str):
            return item
        if isinstance(item, int | float) and not isinstance(item, bool):
            return self._texts.get(at, str(item))
        written = self._texts.get(at)
        hint = f'Write "{written}".' if written else "Quote it."
        self._complain(at, f"'{at[-1]}' must be text", hint)
        return None

    def _secret(self, item: Any, at: Place) -> SecretSpec | None:
        if not isinstance(item, dict):
            self._complain(
                at,
                f"the secret '{at[-1]}' is written into the manifest",
                "Write {env: NAME} or {file: path}; and change that value: it is no secret any more.",
                hide=True,
            )
            return None
        return self._part(SecretSpec, item, at, "a secret")

    def _experiment(self, item: Any, at: Place) -> ExperimentSpec | None:
        return self._part(ExperimentSpec, item or {}, at, "an experiment")

    def _word(self, item: Any, at: Place) -> str | None:
        if isinstance(item, str):
            return item
        self._complain(at, "must be text", "")
        return None

    def _space_id(self, item: Any, at: Place) -> str | None:
        try:
            return normalise_id(str(item))
        except ValueError as error:
            self._complain(at, f"'{item}' is not a Space", f"{error}.".capitalize())
            return None

    def _map(self, item: Any, at: Place, one: Callable[[Any, Place], Any]) -> dict[str, Any] | None:
        if not isinstance(item, dict):
            self._complain(at, f"'{at[-1]}' must be a map", "Write one 'KEY: value' in each line.")
            return None
        built = {key: one(value, (*at, key)) for key, value in item.items()}
        return {key: value for key, value in built.items() if value is not None}

    def _list(self, item: Any, at: Place, one: Callable[[Any, Place], Any]) -> tuple[Any, ...] | None:
        if not isinstance(item, list):
            self._complain(at, f"'{at[-1]}' must be a list", "Write [a, b], or one '- a' in each line.")
            return None
        built = [one(value, (*at, str(index))) for index, value in enumerate(item)]
        return tuple(value for value in built if value is not None)

    def _part(self, model: type[M], item: Any, at: Place, what: str) -> M | None:
        if not isinstance(item, dict):
            self._complain(at, f"{what} must be a map", f"Known keys: {', '.join(model.model_fields)}.")
            return None
        known = {key: value for key, value in item.items() if self._known(model, key, (*at, key), what)}
        return self._model(model, known, at)

    def _known(self, model: type[BaseModel], key: str, at: Place, what: str) -> bool:
        if key in model.model_fields:
            return True
        self._complain(at, f"{what} has no key '{key}'", nearest(key, tuple(model.model_fields)))
        return False

    def _model(self, model: type[M], fields: Mapping[str, Any], at: Place) -> M | None:
        try:
            return model.model_validate(dict(fields))
        except ValidationError as error:
            for one in error.errors(include_url=False):
                place = (*at, *(str(part) for part in one["loc"]))
                self._complain(place, *_explained(one, place, self._texts.get(place)))
            return None

    def _complain(self, at: Place, message: str, hint: str, *, hide: bool = False) -> None:
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


def _explained(error: Any, place: Place, written: str | None) -> tuple[str, str]:
    """What pydantic found, in the words of somebody who writes YAML."""
    key, kind, context = place[-1], error["type"], error.get("ctx", {})
    got = f"'{written}'" if written is not None else "this"
    if kind == "literal_error":
        allowed = context["expected"].replace(" or ", ", ").replace("'", "")
        options = tuple(part.strip() for part in allowed.split(","))
        near = get_close_matches(str(written), options, n=1, cutoff=0.6)
        guess = f"Did you mean '{near[0]}'? " if near else ""
        return f"'{key}' can't be {got}", f"{guess}It is one of: {', '.join(options)}."
    if kind == "missing":
        return f"'{key}' is missing", ""
    expected = {
        "string_type": "text",
        "int_type": "a whole number",
        "float_type": "a number",
        "bool_type": "true or false",
        "decimal_type": "a number",
        "tuple_type": "a list",
        "dict_type": "a map",
        "mapping_type": "a map",
    }.get(kind)
    if expected:
        quote = f' Quote it: "{written}".' if expected == "text" and written is not None else ""
        return f"'{key}' must be {expected}, not {got}", quote.strip()
    return f"'{key}': {error['msg'][0].lower()}{error['msg'][1:]}", ""


def _decimal(value: float) -> Any:
    from decimal import Decimal

    return Decimal(str(value))
