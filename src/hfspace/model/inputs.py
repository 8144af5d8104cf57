"""What is read on this side, once, and given to everything that compares: no layer reads it a second time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hfspace.model.files import LocalTree


class SecretValue:
    """A value that no repr, str or format shows; `reveal()` is called only by what sends it, and
    `reveal_key()` by what makes its fingerprint."""

    __slots__ = ("_key", "_value")

    def __init__(self, value: str, key: str = "") -> None:
        self._value, self._key = value, key

    def reveal(self) -> str:
        return self._value

    def reveal_key(self) -> str:
        return self._key

    def __repr__(self) -> str:
        return "SecretValue(***)"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalInputs:
    """`secrets` are values by (space, key), `unset_secrets` says why there is none for the others. `now` is
    in seconds since 1970; None where age is no reason. `at_rest` is when an earlier look of this process last
    saw a Space that was not on its way up, in the same seconds. `trees` are the folders of Spaces that
    declare their files."""

    secrets: Mapping[tuple[str, str], SecretValue] = field(default_factory=dict)
    unset_secrets: Mapping[tuple[str, str], str] = field(default_factory=dict)
    now: float | None = None
    at_rest: Mapping[str, float] = field(default_factory=dict)
    trees: Mapping[str, LocalTree] = field(default_factory=dict)
