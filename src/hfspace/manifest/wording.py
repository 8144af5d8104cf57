"""What is wrong with a value, in the words of somebody who writes YAML; and the nearest word."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from hfspace.manifest.yaml_tree import short

_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "decimal_type": "a number",
    "decimal_parsing": "a number",
    "finite_number": "a number",
    "tuple_type": "a list",
    "dict_type": "a map",
    "mapping_type": "a map",
}
_EXAMPLES = {
    "max_monthly_usd": "an amount such as 150",
    "max_deletes": "a count such as 0",
    "max_running": "a count such as 8",
    "max_change_percent": "a share such as 50",
    "allowed_hardware": "[cpu-basic, t4-small]",
    "parameters": "{name: value}",
    "expect": "a JSON Schema such as {type: string}",
}


def nearest(word: str, known: Sequence[str]) -> str:
    """The known word that `word` may be meant for, else all of them."""
    near = get_close_matches(word[:60].lower(), known, n=1, cutoff=0.6)
    return f"Did you mean '{near[0]}'?" if near else f"Known keys: {', '.join(sorted(known))}."


def explained(error: Any, key: str, written: str | None) -> tuple[str, str]:
    """Message and hint for one error of pydantic. `written` is how the value stands in the file."""
    kind, context = error["type"], error.get("ctx", {})
    got = f"'{short(written)}'" if written is not None else _kind(error.get("input"))
    if kind == "literal_error":
        return f"'{key}' can't be {got}", _options(context["expected"], written)
    if kind == "missing":
        return f"'{key}' is missing", "Add it."
    if kind in _EXPECTED:
        expected = _EXPECTED[kind]
        if expected == "text" and written is not None:
            return f"'{key}' must be text, not {got}", f'Quote it: "{short(written)}".'
        return f"'{key}' must be {expected}, not {got}", f"Write {_EXAMPLES.get(key, expected)}."
    limits = {"greater_than_equal": ("at least", "ge"), "less_than_equal": ("at most", "le")}
    if kind in limits:
        word, name = limits[kind]
        return (
            f"'{key}' must be {word} {context[name]:g}, not {got}",
            f"Write {_EXAMPLES.get(key, 'another')}.",
        )
    return f"'{key}' can't be {got}", f"{error['msg']}."


def _options(expected: str, written: str | None) -> str:
    options = tuple(part.strip() for part in expected.replace(" or ", ", ").replace("'", "").split(","))
    near = get_close_matches(str(written)[:60].lower(), options, n=1, cutoff=0.6)
    guess = f"Did you mean '{near[0]}'? " if near else ""
    return f"{guess}It is one of: {', '.join(options)}."


def _kind(value: object) -> str:
    """What something is that has no text of its own in the file."""
    if isinstance(value, dict):
        return "a map"
    return "a list" if isinstance(value, list | tuple) else "this"
