"""From merged values to models: the policy, the defaults, and each Space with the defaults under it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from hfspace.manifest.fields import Fields
from hfspace.manifest.group_models import GroupSpec
from hfspace.manifest.keys import keys
from hfspace.manifest.models import Policy, SpaceSpec
from hfspace.manifest.wording import nearest
from hfspace.manifest.written import Place, Written, deep
from hfspace.manifest.yaml_tree import short
from hfspace.model import FREE_HARDWARE

_GROUP = re.compile(r"[\w.-]{1,96}/[^/\x00-\x1f]{1,200}")
TOP = ("version", "timezone", "defaults", "policy", "groups", "spaces")
_KEYS = keys(SpaceSpec)
NOT_FOR_ALL = {name: one.not_in_defaults for name, one in _KEYS.items() if one.not_in_defaults}


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


class Builder(Fields):
    """Builds models from merged values, and collects what does not fit, each at its place."""

    def policy(self, written: Written) -> Policy | None:
        self._take(("policy",), written)
        known = {
            key: item
            for key, item in written.values.items()
            if self.known(Policy, key, ("policy", key), "policy") and self.given(item, ("policy", key))
        }
        return self.model(Policy, known, ("policy",))

    def groups(self, written: Written) -> dict[str, GroupSpec]:
        """The resource groups, by owner/name."""
        self._take(("groups",), written)
        built: dict[str, GroupSpec] = {}
        for name, item in written.values.items():
            at = ("groups", name)
            if not _GROUP.fullmatch(name):
                hint = "Write the organisation and the group's name: acme/speech."
                self.complain(at, f"'{short(name)}' is no resource group", hint)
                continue
            fields = self._part(GroupSpec, item, at, "a resource group")
            group = self.model(GroupSpec, fields, at) if isinstance(fields, dict) else None
            if isinstance(fields, dict) and group is not None:
                built[name] = group
            elif fields is not None and not isinstance(fields, dict):
                self.complain(at, f"'{short(name)}' must be a map of limits", "Write {spaces: 50}, say.")
        return built

    def defaults(self, written: Written) -> None:
        """Complain about defaults that fit no Space, or that must not be said of all of them."""
        self._take(("defaults",), written)
        fields: dict[str, Any] = {}
        for key, item in written.values.items():
            at = ("defaults", key)
            if key in NOT_FOR_ALL:
                self.complain(at, f"defaults can't hold '{key}'", NOT_FOR_ALL[key])
            elif key == "state" and item == "absent":
                hint = "It would delete all of them: write it under the one that is to go."
                self.complain(at, "defaults can't make every Space absent", hint)
            elif self.known(SpaceSpec, key, at, "a Space"):
                built = self.field(key, item, at)
                if built is not None:
                    fields[key] = built
        self.model(SpaceSpec, fields, ("defaults",), partial=True)

    def space(self, space: str, own: Written, defaults: Written) -> SpaceSpec | None:
        """The Space with the defaults under it; None, and problems, when something does not fit."""
        at = ("spaces", space)
        count = len(self.problems)
        fields: dict[str, Any] = {}
        for key, item in self._with_defaults(space, own, defaults).items():
            if not self.known(SpaceSpec, key, (*at, key), "a Space"):
                continue
            built = self.field(key, item, (*at, key))
            if built is not None:
                fields[key] = built
        built_space = self.model(SpaceSpec, fields, at)
        return built_space if len(self.problems) == count else None

    def _take(self, at: Place, written: Written) -> None:
        for key, place in written.places.items():
            self.places[(*at, *key)] = place
        for key, text in written.texts.items():
            self.texts[(*at, *key)] = text
        for key, text in written.references.items():
            self.references[(*at, *key)] = text

    def _with_defaults(self, space: str, own: Written, defaults: Written) -> dict[str, Any]:
        """Defaults under what the Space says, where it can hold them; their places are taken over."""
        at, values = ("spaces", space), own.values
        static = values.get("sdk", defaults.values.get("sdk")) == "static"
        usable = {
            key: value
            for key, value in defaults.values.items()
            if key not in NOT_FOR_ALL
            and not (static and key in _KEYS and not _KEYS[key].static)
            and not (values.get("state") == "absent" and key not in values)
            and not (key == "state" and value == "absent")
        }
        self._take(at, own)
        for key, place in defaults.places.items():
            if key and key[0] in usable and key not in own.places:
                self.places[(*at, *key)] = place
                if key in defaults.texts:
                    self.texts[(*at, *key)] = defaults.texts[key]
                if key in defaults.references:
                    self.references[(*at, *key)] = defaults.references[key]
        merged: dict[str, Any] = deep(usable, dict(values))
        if _fixed_sleep(values, merged):
            merged.pop("sleep_time")
        return merged


def _fixed_sleep(own: Mapping[str, Any], merged: Mapping[str, Any]) -> bool:
    """A default sleep time does not fit free hardware; one that the Space itself declares is an error."""
    hardware = merged.get("hardware")
    return (
        "sleep_time" in merged
        and "sleep_time" not in own
        and isinstance(hardware, str)
        and hardware in FREE_HARDWARE
    )
