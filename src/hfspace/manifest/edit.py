"""Minimal edits of a manifest's text: one value or key changes, every other byte and comment stays."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import yaml

from hfspace.errors import UsageError

_PLAIN = re.compile(r"[A-Za-z/][\w./-]*|[0-9]+[smhd]")
_UNWRITABLE = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
_MISREAD = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "none"})
_REFERENCE = re.compile(r"(?<!\$)(?:\$\$)*\$\{")
_NULL = "tag:yaml.org,2002:null"
_GONE = object()
Path = tuple[str, ...]
Value = Any
"""What JSON can hold."""


def set_value(text: str, path: Path, value: Value) -> str:
    """`text` with the value at `path` replaced, or the missing keys added. A list or a map is written in one
    line. Raises UsageError when the place is no map, or is shared through an anchor."""
    value = _doubled(value)
    node, depth = _deepest(yaml.compose(text, Loader=yaml.SafeLoader), path)
    if depth == len(path):
        after = _replaced(text, node, as_yaml(value))
    elif isinstance(node, yaml.MappingNode):
        after = _inserted(text, node, path[depth:], as_yaml(value))
    elif isinstance(node, yaml.ScalarNode) and node.tag == _NULL:
        below = value
        for key in reversed(path[depth:]):
            below = {key: below}
        after = _replaced(text, node, as_yaml(below))
    else:
        raise UsageError(f"{'.'.join(path[:depth])} is not a map, and can't be edited here.")
    return _checked(text, after, path, value)


def rename_key(text: str, path: Path, new_key: str) -> str:
    """`text` with the key at `path` written as `new_key`. Raises UsageError when there is no such key."""
    parent, depth = _deepest(yaml.compose(text, Loader=yaml.SafeLoader), path[:-1])
    if depth == len(path) - 1 and isinstance(parent, yaml.MappingNode):
        for key, _ in parent.value:
            if key.value == path[-1]:
                return text[: key.start_mark.index] + as_yaml(new_key) + text[key.end_mark.index :]
    raise UsageError(f"{'.'.join(path)} is not in the manifest.")


def remove_key(text: str, path: Path) -> str:
    """`text` without the key at `path` and its value. Raises UsageError when there is no such key, or when it
    is the only one of its map."""
    parent, depth = _deepest(yaml.compose(text, Loader=yaml.SafeLoader), path[:-1])
    pairs = parent.value if depth == len(path) - 1 and isinstance(parent, yaml.MappingNode) else []
    at = next((index for index, (key, _) in enumerate(pairs) if key.value == path[-1]), None)
    if at is None or len(pairs) < 2:
        raise UsageError(f"{'.'.join(path)} can't be removed here.", hint="Edit it by hand.")
    key, value = pairs[at]
    start, end = key.start_mark.index, _end(value)
    if not parent.flow_style:
        start = text.rfind("\n", 0, start) + 1
        end = end if text[end - 1] == "\n" else (text + "\n").index("\n", end) + 1
    elif at + 1 < len(pairs):
        end = pairs[at + 1][0].start_mark.index
    else:
        start = _end(pairs[at - 1][1])
    after = text[:start] + text[end:]
    return _checked(text, after, path, _GONE)


def is_reference(text: str, path: Path) -> bool:
    """Whether what is written at `path` itself reads the environment."""
    node, depth = _deepest(yaml.compose(text, Loader=yaml.SafeLoader), path)
    return depth == len(path) and _REFERENCE.search(text[node.start_mark.index : _end(node)]) is not None


def has_key(text: str, path: Path) -> bool:
    """Whether `path` is written in `text`."""
    return _deepest(yaml.compose(text, Loader=yaml.SafeLoader), path)[1] == len(path)


def _replaced(text: str, node: Any, new: str) -> str:
    """A node's text replaced; a block list or map, which begins below its key, moves up into its line."""
    start, end = node.start_mark.index, _end(node)
    if isinstance(node, yaml.CollectionNode) and not node.flow_style:
        start = len(text[:start].rstrip())
        while text[start - 1] != ":":  # a comment between the key and its value
            start = len(text[: text.rindex("\n", 0, start)].rstrip())
    between = "" if text[start - 1] in " [{," else " "
    return f"{text[:start]}{between}{new}{text[end:]}"


def _end(node: Any) -> int:
    """Where a node's text ends. A block's own mark lies behind the comments that follow it."""
    while isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    end: int = node.end_mark.index
    return end


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


def _inserted(text: str, node: Any, keys: Path, new: str) -> str:
    """The missing keys behind the last one of a map, in the map's own style."""
    if node.flow_style:
        inner = "".join(f"{as_yaml(key)}: {{" for key in keys[:-1])
        entry = f"{inner}{as_yaml(keys[-1])}: {new}{'}' * (len(keys) - 1)}"
        end = node.end_mark.index - 1
        comma = ", " if node.value else ""
        before = text[:end].rstrip()
        return f"{before}{comma}{entry}{text[end:]}"
    first, _ = node.value[0]
    indent = first.start_mark.column
    lines = [f"{' ' * (indent + 2 * step)}{as_yaml(key)}:" for step, key in enumerate(keys)]
    block = "\n".join([*lines[:-1], f"{lines[-1]} {new}"])
    start = first.start_mark.index - indent
    return f"{text[:start]}{block}\n{text[start:]}"


def _checked(before: str, after: str, path: Path, value: Any) -> str:
    """`after`, if it reads as `before` with just that value, or without it where it is _GONE: an alias would
    change in two places. Raises UsageError."""
    document: Any = yaml.safe_load(before)
    place = document
    for name in path[:-1]:
        if not isinstance(place.get(name), dict):
            place[name] = {}
        place = place[name]
    if value is _GONE:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    try:
        same = yaml.safe_load(after) == document
    except yaml.YAMLError:  # an alias of what is no longer there
        same = False
    if not same:
        doing = "removed" if value is _GONE else "edited"
        raise UsageError(f"{'.'.join(path)} can't be {doing} without changing more.", hint="Edit it by hand.")
    return after


def as_yaml(value: Any) -> str:
    """A value in one line of YAML that reads back as the same."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{as_yaml(key)}: {as_yaml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(as_yaml(item) for item in value) + "]"
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _MISREAD:
        return value
    if isinstance(value, float):
        # YAML 1.1 reads 1e-05 as text.
        return re.sub(r"^(-?\d+)e", r"\1.0e", repr(value))
    text = json.dumps(value, ensure_ascii=False)
    return _UNWRITABLE.sub(lambda match: f"\\U{ord(match[0]):08x}", text) if isinstance(value, str) else text


def _doubled(value: Any) -> Any:
    """`value` as it is written: a dollar begins a reference in a manifest, and is written twice."""
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, Mapping):
        return {key: _doubled(item) for key, item in value.items()}
    return [_doubled(item) for item in value] if isinstance(value, list | tuple) else value
