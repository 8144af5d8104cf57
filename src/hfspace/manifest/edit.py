"""Minimal edits of a manifest's text: one value or key changes, every other byte and comment stays."""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

from hfspace.errors import UsageError

_PLAIN = re.compile(r"[A-Za-z/][\w./-]*")
_MISREAD = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "none"})
Path = tuple[str, ...]


def set_value(text: str, path: Path, value: str | int | float | bool) -> str:
    """`text` with the scalar at `path` replaced, or the missing keys added. Raises UsageError when the place
    is no map, or is shared through an anchor."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    node, depth = _deepest(root, path)
    written = _written(value)
    if depth == len(path):
        if not isinstance(node, yaml.ScalarNode):
            raise UsageError(f"{'.'.join(path)} is not a single value, and can't be edited here.")
        return _checked(
            text, text[: node.start_mark.index] + written + text[node.end_mark.index :], path, value
        )
    if not isinstance(node, yaml.MappingNode):
        raise UsageError(f"{'.'.join(path[:depth])} is not a map, and can't be edited here.")
    return _checked(text, _inserted(text, node, path[depth:], written), path, value)


def rename_key(text: str, path: Path, new_key: str) -> str:
    """`text` with the key at `path` written as `new_key`. Raises UsageError when there is no such key."""
    parent, depth = _deepest(yaml.compose(text, Loader=yaml.SafeLoader), path[:-1])
    if depth == len(path) - 1 and isinstance(parent, yaml.MappingNode):
        for key, _ in parent.value:
            if key.value == path[-1]:
                return text[: key.start_mark.index] + _written(new_key) + text[key.end_mark.index :]
    raise UsageError(f"{'.'.join(path)} is not in the manifest.")


def _deepest(node: Any, path: Path) -> tuple[Any, int]:
    """The node of the longest part of `path` that is written down, and how long that part is."""
    for depth, name in enumerate(path):
        following = None
        if isinstance(node, yaml.MappingNode):
            following = next((value for key, value in node.value if key.value == name), None)
        if following is None:
            return node, depth
        node = following
    return node, len(path)


def _inserted(text: str, node: Any, keys: Path, written: str) -> str:
    """The missing keys behind the last one of a map, in the map's own style."""
    if node.flow_style:
        inner = "".join(f"{_written(key)}: {{" for key in keys[:-1])
        entry = f"{inner}{_written(keys[-1])}: {written}{'}' * (len(keys) - 1)}"
        end = node.end_mark.index - 1
        comma = ", " if node.value else ""
        before = text[:end].rstrip()
        return f"{before}{comma}{entry}{text[end:]}"
    first, _ = node.value[0]
    indent = first.start_mark.column
    lines = [f"{' ' * (indent + 2 * step)}{_written(key)}:" for step, key in enumerate(keys)]
    block = "\n".join([*lines[:-1], f"{lines[-1]} {written}"])
    start = first.start_mark.index - indent
    return f"{text[:start]}{block}\n{text[start:]}"


def _checked(before: str, after: str, path: Path, value: Any) -> str:
    """`after`, if it reads as `before` with just that value: an alias would change in two places."""
    wanted: Any = yaml.safe_load(before)
    place = wanted
    for name in path[:-1]:
        if not isinstance(place.get(name), dict):
            place[name] = {}
        place = place[name]
    place[path[-1]] = value
    if yaml.safe_load(after) != wanted:
        raise UsageError(f"{'.'.join(path)} can't be edited without changing more.", hint="Edit it by hand.")
    return after


def _written(value: Any) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _MISREAD:
        return value
    return json.dumps(value, ensure_ascii=False)
