"""From plain values to models: shorthands, unknown keys with the nearest known one, types, with places."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar, get_args

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
from hfspace.manifest.wording import explained, nearest
from hfspace.manifest.written import Written, deep
from hfspace.manifest.yaml_tree import short
from hfspace.model import Source

M = TypeVar("M", bound=BaseModel)
Place = tuple[str, ...]
TOP = ("version", "defaults", "policy", "spaces")
NOT_FOR_ALL = {
    "create": "What may be created is said for each Space: write it there.",
    "protect": "It would not reach a Space that is marked absent: write it under the Spaces it is meant for.",
    "depends_on": "A Space would depend on itself: write it under the Spaces it is meant for.",
    "experiments": "Each Space has experiments of its own: write them there.",
}
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
            complain(file, place(key), f"{what} has no key '{short(key)}'", nearest(key, names))


class Builder:
    """Builds models from merged values, and collects what does not fit, each at its place."""

    def __init__(self, lines: Mapping[str, Sequence[str]]) -> None:
        self.places: dict[Place, Source] = {}
        self.problems: list[Problem] = []
        self._texts: dict[Place, str] = {}
        self._references: dict[Place, str] = {}
        self._lines = lines

    def policy(self, written: Written) -> Policy | None:
        self._take(("policy",), written)
        known = {
            key: item
            for key, item in written.values.items()
            if self._known(Policy, key, ("policy", key), "policy") and self._given(item, ("policy", key))
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

    def defaults(self, written: Written) -> None:
        """Complain about defaults that fit no Space, or that must not be said of all of them."""
        self._take(("defaults",), written)
        fields: dict[str, Any] = {}
        for key, item in written.values.items():
            at = ("defaults", key)
            if key in NOT_FOR_ALL:
                self._complain(at, f"defaults can't hold '{key}'", NOT_FOR_ALL[key])
            elif key == "state" and item == "absent":
                hint = "It would delete all of them: write it under the one that is to go."
                self._complain(at, "defaults can't make every Space absent", hint)
            elif self._known(SpaceSpec, key, at, "a Space"):
                built = self._field(key, item, at)
                if built is not None:
                    fields[key] = built
        self._model(SpaceSpec, self._as_text(SpaceSpec, fields, ("defaults",)), ("defaults",))

    def space(self, space: str, own: Written, defaults: Written) -> SpaceSpec | None:
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
        built_space = self._model(SpaceSpec, self._as_text(SpaceSpec, fields, at), at)
        return built_space if len(self.problems) == count else None

    def _take(self, at: Place, written: Written) -> None:
        for key, place in written.places.items():
            self.places[(*at, *key)] = place
        for key, text in written.texts.items():
            self._texts[(*at, *key)] = text
        for key, text in written.references.items():
            self._references[(*at, *key)] = text

    def _with_defaults(self, space: str, own: Written, defaults: Written) -> dict[str, Any]:
        """Defaults under what the Space says, where it can hold them; their places are taken over."""
        at, values = ("spaces", space), own.values
        static = values.get("sdk", defaults.values.get("sdk")) == "static"
        usable = {
            key: value
            for key, value in defaults.values.items()
            if key not in NOT_FOR_ALL
            and not (static and key in _NOT_FOR_STATIC)
            and not (values.get("state") == "absent" and key not in values)
            and not (key == "state" and value == "absent")
        }
        self._take(at, own)
        for key, place in defaults.places.items():
            if key and key[0] in usable and key not in own.places:
                self.places[(*at, *key)] = place
                for texts, found in ((self._texts, defaults.texts), (self._references, defaults.references)):
                    if key in found:
                        texts[(*at, *key)] = found[key]
        merged: dict[str, Any] = deep(usable, dict(values))
        if self._fixed_sleep(values, merged):
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
        if item is None and key == "create":
            return CreateSpec()
        if not self._given(item, at):
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
            self._complain(at, f"{self._shown(at)} is no sleep time", f"{error}.".capitalize())
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
        hint = f'Write "{short(written)}".' if written else 'Quote it; "" is the empty text.'
        self._complain(at, f"'{short(at[-1])}' must be text", hint)
        return None

    def _secret(self, item: Any, at: Place) -> SecretSpec | None:
        if not isinstance(item, dict):
            if not self._given(item, at):
                return None
            self._complain(
                at,
                f"the secret '{short(at[-1])}' is written into the manifest",
                "Write {env: NAME} or {file: path}; and change that value: it is no secret any more.",
                hide=True,
            )
            return None
        return self._part(SecretSpec, item, at, "a secret")

    def _experiment(self, item: Any, at: Place) -> ExperimentSpec | None:
        return self._part(ExperimentSpec, {} if item is None else item, at, "an experiment")

    def _word(self, item: Any, at: Place) -> str | None:
        if isinstance(item, str):
            return item
        self._complain(at, f"{self._shown(at)} in '{at[-2]}' must be text", "Write a word.")
        return None

    def _space_id(self, item: Any, at: Place) -> str | None:
        try:
            return normalise_id(str(item))
        except ValueError as error:
            self._complain(at, f"{self._shown(at)} is not a Space", f"{error}.".capitalize())
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
        return self._model(model, self._as_text(model, known, at), at)

    def _as_text(self, model: type[BaseModel], fields: Mapping[str, Any], at: Place) -> dict[str, Any]:
        """An unquoted ${NAME} that happens to be a number is the text where text is wanted."""
        found = dict(fields)
        for key, item in fields.items():
            place = (*at, key)
            wanted = model.model_fields[key].annotation
            text = wanted is str or str in get_args(wanted)
            if text and place in self._references and isinstance(item, bool | int | float):
                found[key] = self._texts[place]
        return found

    def _given(self, item: Any, at: Place) -> bool:
        if item is None:
            self._complain(at, f"'{short(at[-1])}' has no value", "Give it one, or remove the line.")
        return item is not None

    def _shown(self, at: Place) -> str:
        """How a value is written, for a message: the reference, not what it stands for."""
        written = self._references.get(at, self._texts.get(at))
        return "this" if written is None else f"'{short(written)}'"

    def _known(self, model: type[BaseModel], key: str, at: Place, what: str) -> bool:
        if key in model.model_fields:
            return True
        self._complain(at, f"{what} has no key '{short(key)}'", nearest(key, tuple(model.model_fields)))
        return False

    def _model(self, model: type[M], fields: Mapping[str, Any], at: Place) -> M | None:
        try:
            return model.model_validate(dict(fields))
        except ValidationError as error:
            for one in error.errors(include_url=False):
                place = (*at, *(str(part) for part in one["loc"]))
                if at[0] == "defaults" and one["type"] == "missing":
                    continue  # the Space may add it
                written = self._references.get(place, self._texts.get(place))
                key = _named(place)
                self._complain(place, *explained(one, key, written))
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


def _decimal(value: float) -> Any:
    from decimal import Decimal

    return Decimal(str(value))


def _named(place: Place) -> str:
    """The last key of a path that is a name: an item of a list is called by the list."""
    return next((key for key in reversed(place) if not key.isdigit()), place[-1])
