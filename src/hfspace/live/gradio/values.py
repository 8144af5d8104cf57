"""Values against JSON Schema, and the request bodies that a declared payload stands for."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from hfspace.live.gradio.components import LONGEST, choice_list, short
from hfspace.model import Json, ServedParameter
from hfspace.text import plain

SCHEMA_SECONDS = 3.0
"""Of work, for one value against one schema."""
_PROCESS_SECONDS = 60.0
_LOOPING = frozenset({"$ref", "$dynamicRef", "$recursiveRef", "pattern", "patternProperties"})
"""Keywords with which a small schema can cost any amount of time."""


def value_problem(value: Json, parameter: ServedParameter) -> str:
    """Why `value` does not fit the parameter, in a few words; "" when it fits or nobody can say."""
    if parameter.component == "file" and isinstance(value, str):
        return ""  # a path or a URL: uploaded when it is called
    return _first_problem(value, parameter.schema)


def answer_problem(value: Json, schema: Mapping[str, Any]) -> str:
    """Why an answer does not satisfy `expect`; "" when it does."""
    return _first_problem(value, schema)


def schema_problem(schema: Mapping[str, Any]) -> str:
    """Why this is no JSON Schema; "" when it is one."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError

    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        return plain(error.message, LONGEST)
    return ""


def http_body(payload: str, example: Json) -> Json:
    """The JSON body for an HTTP route. A mapping is the body itself; a list goes below `data`; with the
    payload form inputs, anything else is the value of `inputs`."""
    if isinstance(example, Mapping):
        return dict(example)
    if payload == "inputs":
        only = isinstance(example, list) and len(example) == 1
        return {"inputs": example[0] if only else example}
    return {"data": list(example) if isinstance(example, list | tuple) else [example]}


def _first_problem(value: Json, schema: Mapping[str, Any]) -> str:
    """As `problem_here`; a schema with references or patterns is somebody's program, and gets a deadline."""
    if not _may_loop(schema):
        return problem_here(value, schema)
    try:
        child = subprocess.run(
            [sys.executable, "-I", "-m", "hfspace.live.gradio.judge"],
            input=json.dumps([value, schema]).encode(),
            capture_output=True,
            timeout=_PROCESS_SECONDS,
        )
        if child.returncode != -signal.SIGPROF:
            return str(json.loads(child.stdout))
    except subprocess.TimeoutExpired:
        pass
    except (ValueError, TypeError, RecursionError):
        return "the schema could not be checked."
    return f"the schema could not be checked within {SCHEMA_SECONDS:g} s."


def _may_loop(schema: object) -> bool:
    todo = [schema]
    while todo:
        item = todo.pop()
        if isinstance(item, Mapping):
            if not _LOOPING.isdisjoint(item):
                return True
            todo += item.values()
        elif isinstance(item, list | tuple):
            todo += item
    return False


def problem_here(value: Json, schema: Mapping[str, Any]) -> str:
    """Why `value` does not satisfy `schema`, in a sentence; "" when it does. Nothing is ever fetched: a
    reference that leads out of the schema is a problem."""
    from jsonschema import Draft202012Validator
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    try:
        # The registry of its own is what keeps jsonschema from fetching.
        validator = Draft202012Validator(dict(schema), registry=Registry())
        errors = sorted(validator.iter_errors(value), key=lambda item: list(map(str, item.path)))
    except Unresolvable as astray:
        return f"the schema refers to {plain(astray.ref, LONGEST)}, which is not in it."
    except RecursionError:
        return "the schema refers to itself without end."
    except Exception:  # noqa: BLE001 - the schema is the app's: a broken one must not stop a check
        return ""
    if not errors:
        return ""
    error = errors[0]
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)
    return f"{_sentence(error)}{' at ' + where.lstrip('.') if where else ''}."


def _sentence(error: Any) -> str:
    value = short(error.instance)
    if error.validator == "enum":
        return f"{value} is not one of {choice_list(error.validator_value)}"
    if error.validator == "type":
        return f"{value} is not {_article(str(error.validator_value))}"
    if error.validator in {"minimum", "maximum"}:
        side = "below" if error.validator == "minimum" else "above"
        return f"{value} is {side} {error.validator_value}"
    return plain(error.message, LONGEST)


def _article(kind: str) -> str:
    return f"{'an' if kind[:1] in 'aeiou' else 'a'} {kind}"


def json_or_text(text: str) -> Json:
    """`text` read as JSON, where it is that."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def positional(example: Json) -> list[Json] | None:
    """The values of an example in order, with its `data` wrapper taken off; None when they have names."""
    if isinstance(example, Mapping):
        inner = example.get("data") if len(example) == 1 else None
        return list(inner) if isinstance(inner, list) else None
    return list(example) if isinstance(example, list | tuple) else [example]


def call_values(example: Json) -> Json:
    """What an example stands for in a call of a Gradio function: a list, or a mapping of names."""
    if example is None:
        return []
    values = positional(example)
    return dict(example) if values is None else values
