"""Facets of other packages, each behind a guard: whatever one raises is a sentence that names it, and fails
its own Space only."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from hfspace.errors import ExtensionError, HfspaceError
from hfspace.facets.base import Facet, Need
from hfspace.facets.desired import Desired
from hfspace.live.ports import HubReader, Ports
from hfspace.manifest.extensions import find
from hfspace.manifest.models import SpaceSpec
from hfspace.model import Change, Check, Json, SpaceState

T = TypeVar("T")


@cache
def extension(name: str) -> Facet | None:
    """The facet that an installed package brings as `name`; None where none does. Raises ExtensionError."""
    facet = find(name)
    if facet is None:
        return None
    if not isinstance(facet, Facet):
        message = f"the key '{name}' is of {type(facet).__module__}, which is no hfspace.Facet"
        raise ExtensionError(message, hint="Mend or uninstall that package, or remove the key.")
    return _Guarded(facet)


class _Guarded(Facet):
    def __init__(self, facet: Facet) -> None:
        self._facet = facet
        self.name = facet.name  # type: ignore[misc]
        self.restarts = facet.restarts  # type: ignore[misc]
        self.carries = facet.carries  # type: ignore[misc]
        self.sensitive = facet.sensitive  # type: ignore[misc]

    def needs(self, spec: SpaceSpec, state: SpaceState) -> frozenset[Need]:
        return self._call("needs", lambda: self._facet.needs(spec, state))

    def read(self, spec: SpaceSpec, state: SpaceState, hub: HubReader) -> object:
        return self._call("read", lambda: self._facet.read(spec, state, hub))

    def compare(self, desired: Desired, state: SpaceState) -> list[Change | Check]:
        return self._items("compare", desired, lambda: self._facet.compare(desired, state))

    def compare_missing(self, desired: Desired) -> list[Change | Check]:
        return self._items("compare_missing", desired, lambda: self._facet.compare_missing(desired))

    def value(self, state: SpaceState, key: str | None) -> object:
        return self._call("value", lambda: self._facet.value(state, key))

    def show(self, value: Json) -> str:
        try:
            return str(self._facet.show(value))
        except Exception:  # noqa: BLE001 - it is anybody's code; a value can be shown without it
            return super().show(value)

    def verify(self, desired: Desired, state: SpaceState) -> Check | None:
        return self._call("verify", lambda: self._facet.verify(desired, state))

    def apply(self, change: Change, desired: Desired, ports: Ports) -> None:
        self._call("apply", lambda: self._facet.apply(change, desired, ports))

    def _call(self, what: str, call: Callable[[], T]) -> T:
        try:
            return call()
        except HfspaceError:
            raise
        except (Exception, SystemExit) as error:  # noqa: BLE001 - it is anybody's code
            failed = f"{self.name} of {type(self._facet).__module__} failed in {what}"
            message = f"{failed}: {type(error).__name__}: {error}"
            raise ExtensionError(message, hint="Tell its author.") from None

    def _items(
        self, what: str, desired: Desired, call: Callable[[], list[Change | Check]]
    ) -> list[Change | Check]:
        """What a comparison returns, if a plan can hold it; else the error that keeps the Space as it is."""
        try:
            return self._call(what, lambda: [_checked(item, self.name, desired) for item in call()])
        except HfspaceError as error:
            return [desired.check(self.name, "error", error.message, hint=error.hint)]


def _checked(item: Any, name: str, desired: Desired) -> Change | Check:
    if not isinstance(item, Change | Check) or (item.facet, item.space) != (name, desired.id):
        raise TypeError(f"{type(item).__name__} is no Change and no Check of {name}")
    if isinstance(item, Change):
        json.dumps([item.before, item.after], allow_nan=False)
    return item
