"""What is wrong with a value, in the words of somebody who writes YAML; and the nearest word."""

from __future__ import annotations

import re
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
    "is_instance_of": "a number",
    "decimal_type": "a number",
    "decimal_parsing": "a number",
    "finite_number": "a number",
    "tuple_type": "a list",
    "dict_type": "a map",
    "mapping_type": "a map",
    "model_type": "a map",
    "frozen_set_type": "a list",
    "list_type": "a list",
}
# What other tools, and the Hub itself, call it.
_SYNONYMS = {
    "private": "visibility: private",
    "public": "visibility: public",
    "env": "variables",
    "environment": "variables",
    "vars": "variables",
    "flavor": "hardware",
    "gpu": "hardware",
    "gc_timeout": "sleep_time",
    "gctimeout": "sleep_time",
    "timeout": "sleep_time",
    "stage": "state",
    "status": "state",
    "storage": "volumes",
    "mounts": "volumes",
    "needs": "depends_on",
    "mount": "mount_path",
    "delete": "state: absent",
    "duplicate": "create: {duplicate_from: owner/name}",
}


def nearest(word: str, known: Sequence[str]) -> str:
    """The known word that `word` may be meant for, else all of them."""
    synonym = _SYNONYMS.get(word.lower(), "")
    near = get_close_matches(word[:60].lower(), known, n=1, cutoff=0.65)
    if synonym.partition(":")[0] in known:
        guess = f"Did you mean '{synonym}'?"
    else:
        guess = f"Did you mean '{near[0]}'?" if near else f"Known keys: {', '.join(sorted(known))}."
    return guess + unusual(word)


def unusual(word: str) -> str:
    """Names the characters that may look like others, or like nothing: they are why two words differ."""
    odd = dict.fromkeys(f"U+{ord(char):04X}" for char in word[:60] if not char.isascii())
    return f" It holds {', '.join(list(odd)[:3])}." if odd else ""


def sentence(text: object) -> str:
    """A clause as a sentence; names in it keep their capitals."""
    words = str(text)
    return f"{words[:1].upper()}{words[1:]}."


def explained(error: Any, key: str, written: str | None, example: str) -> tuple[str, str]:
    """Message and hint for one error of pydantic. `written` is how the value stands in the file, `example`
    how a good one does."""
    kind, context = error["type"], error.get("ctx", {})
    if error.get("input") is None and kind != "missing":
        empty = 'Write "" for the empty text' if kind == "string_type" else "Give it one"
        return f"'{key}' has no value", f"{empty}, or remove the line."
    got = f"'{short(written)}'" if written is not None else _kind(error.get("input"))
    if kind == "literal_error":
        return f"'{key}' can't be {got}", _options(context["expected"], written)
    if kind == "value_error":
        return f"'{key}' can't be {got}", sentence(context["error"])
    if kind == "missing":
        return f"'{key}' is missing", f"Add '{key}: …'."
    limits = {"greater_than_equal": ("at least", "ge"), "less_than_equal": ("at most", "le")}
    if kind in limits:
        word, name = limits[kind]
        return f"'{key}' must be {word} {_number(context[name])}, not {got}", f"Write {example or 'another'}."
    if kind not in _EXPECTED:
        return f"'{key}' can't be {got}", f"{error['msg']}."
    expected = _EXPECTED[kind]
    such = f"{expected}, such as {example}" if example and kind != "bool_type" else expected
    if expected == "a list" and isinstance(error.get("input"), str) and written is not None:
        return f"'{key}' must be a list, not {got}", _as_list(written)
    quoted = isinstance(error.get("input"), str) and written is not None and "${" not in written
    if expected == "text" and written is not None:
        hint = f'Quote it: "{short(written)}".'
    elif quoted and (written in {"true", "false"} or str(written).isdigit()):
        hint = f"Write {short(str(written))}, without quotes."
    else:
        hint = f"Write {such}."
    return f"'{key}' must be {expected}, not {got}", hint


def _as_list(written: str) -> str:
    if written.startswith("-"):
        return "Put a space after each '-'."
    one_word = re.fullmatch(r"[\w./-]+", written)
    return f"Write [{short(written)}]." if one_word else "Write one '- item' in each line below it."


def _options(expected: str, written: str | None) -> str:
    options = tuple(part.strip() for part in expected.replace(" or ", ", ").replace("'", "").split(","))
    near = get_close_matches(str(written)[:60].lower(), options, n=1, cutoff=0.65)
    guess = f"Did you mean '{near[0]}'? " if near else ""
    return f"{guess}It is one of: {', '.join(options)}.{unusual(written or '')}"


def _kind(value: object) -> str:
    """What something is that has no text of its own in the file."""
    if isinstance(value, dict):
        return "a map"
    return "a list" if isinstance(value, list | tuple) else "this"


def _number(value: object) -> str:
    return str(value).removesuffix(".0")
