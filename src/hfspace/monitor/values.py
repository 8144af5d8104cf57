"""What was logged, as JSON can hold it: numbers of numpy and torch, things that are no JSON, tokens."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from hfspace.model import Json
from hfspace.text import HUB_TOKEN

LONGEST_TEXT = 10_000
LARGEST = 2**63 - 1
_LARGEST_FLOAT = 10**308
_DEEPEST = 12
_MOST_ITEMS = 10_000
_EXACT = frozenset({float, int, bool, str, type(None)})


def clean_metrics(metrics: Mapping[Any, Any]) -> tuple[dict[str, Json], dict[str, Any]]:
    """The numbers and texts, as they can be sent, and the values that are neither. NaN and infinity stay: a
    training that diverges is worth recording, and both kinds of app take them. Cheap: this runs in the
    training thread.

    A tensor's value is taken now, since it may be overwritten in place before it is sent; for one on a GPU
    that waits for the GPU, as printing it would."""
    plain: dict[str, Json] = {}
    others: dict[str, Any] = {}
    for key, value in metrics.items():
        name = _name(key) if type(key) is str else _described(key)
        if type(value) is float:
            plain[name] = value
        elif (number := _metric(value if type(value) in _EXACT else _scalar(value))) is Unsendable:
            others[name] = value
        else:
            plain[name] = number
    return plain, others


def clean_parameters(parameters: Mapping[Any, Any]) -> dict[str, Json]:
    """All of it, in some form: what JSON can't hold becomes text (NaN is "nan", a path its text)."""
    return {_described(name): _parameter(value, 0) for name, value in parameters.items()}


def clean_step(step: Any) -> int | None:
    """A whole number, also from numpy or a float without a fraction; None when it is none."""
    step = step if type(step) is int else _scalar(step)
    if isinstance(step, bool) or step is None:
        return None
    if isinstance(step, float) and not step.is_integer():
        return None
    if not isinstance(step, int | float) or abs(step) > LARGEST:
        return None
    return int(step)


class Unsendable:
    """Stands for a value that has no JSON form."""


def _scalar(value: Any) -> Any:
    """The Python number in a numpy scalar or a tensor of one element."""
    if isinstance(value, bool | int | float | str):  # subclasses: enums, numpy.float64
        return _basic(value)
    try:
        number = value.item()
    except Exception:  # noqa: BLE001 - a foreign object may raise anything; it is left out, and said
        return Unsendable
    return number if type(number) in _EXACT else Unsendable


def _metric(value: Any) -> Any:
    if isinstance(value, str):
        return _text(value)
    return _bounded(value) if isinstance(value, int) else value


def _bounded(value: int) -> int | float:
    """A whole number that every app can keep: beyond 64 bits a float, beyond those infinity."""
    if abs(value) <= LARGEST:
        return value
    return float(value) if abs(value) < _LARGEST_FLOAT else math.inf if value > 0 else -math.inf


def _basic(value: Any) -> Any:
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return Unsendable


def _parameter(value: Any, depth: int) -> Json:
    if isinstance(value, bool | int | float | str | None):
        value = value if value is None else _basic(value)
        if isinstance(value, float) and not math.isfinite(value):
            return str(value)
        if isinstance(value, int) and abs(value) > _LARGEST_FLOAT:
            return hex(value)[:LONGEST_TEXT]
        return _text(value) if isinstance(value, str) else value
    if depth >= _DEEPEST:
        return _described(value)
    if isinstance(value, Mapping):
        pairs = list(value.items())[:_MOST_ITEMS]
        return {_described(name): _parameter(item, depth + 1) for name, item in pairs}
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value, key=str) if isinstance(value, set | frozenset) else value
        return [_parameter(item, depth + 1) for item in list(items)[:_MOST_ITEMS]]
    number = _scalar(value)
    return _described(value) if number is Unsendable else _parameter(number, depth)


def _described(value: Any) -> str:
    try:
        return _text(str(value))
    except Exception:  # noqa: BLE001 - a foreign __str__ may raise anything
        return f"<{type(value).__name__}>"


@lru_cache(maxsize=1024)
def _name(text: str) -> str:
    """A name of a metric, which comes again at each step."""
    return _text(text)


def _text(text: str) -> str:
    """Cut to 10,000 characters, without Hub tokens: a public Space shows its experiments to everybody."""
    text = HUB_TOKEN.sub("(token, not logged)", text)
    # JSON can spell half of a surrogate pair, but no app can store it.
    text = text.encode("utf-8", "replace").decode()
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}…"
