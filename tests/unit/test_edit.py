"""Minimal edits: lists, maps and nested keys are written, and every other byte stays."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hfspace.errors import UsageError
from hfspace.manifest.edit import has_key, is_reference, remove_key, set_value

BASE = ("spaces", "acme/x", "endpoint")
TEXT = """\
version: 1
spaces:
  acme/x:
    endpoint:
      api_name: /predict  # kept
      example:
        # what they sent
        - a
        - b

      # about the payload
      payload: data
    state: running
"""


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        ((*BASE, "example"), ["x", 2, None], "      example: [x, 2, null]\n\n      # about the payload\n"),
        ((*BASE, "example"), "hi", "      example: hi\n\n      # about the payload\n"),
        ((*BASE, "params"), {"item": 7}, "      params: {item: 7}\n"),
        ((*BASE, "query", "q"), "a $b", '        q: "a $$b"\n'),
        ((*BASE, "payload"), "inputs", "      payload: inputs\n    state"),
    ],
)
def test_one_value_changes_and_the_rest_stays(path: tuple[str, ...], value: Any, line: str) -> None:
    after = set_value(TEXT, path, value)
    assert line in after
    kept = [
        one for one in TEXT.splitlines() if one.strip() not in {"example:", "# what they sent", "- a", "- b"}
    ]
    assert set(kept) - set(after.splitlines()) <= {"      payload: data"}


def test_a_space_without_a_body_gets_one() -> None:
    text = "version: 1\nspaces:\n  acme/x:\n  acme/y: {}\n"
    after = set_value(text, (*BASE, "path"), "/generate")
    assert after == "version: 1\nspaces:\n  acme/x: {endpoint: {path: /generate}}\n  acme/y: {}\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{path: /x, payload: inputs, example: [a]}", "{path: /x, example: [a]}"),
        ("{path: /x, payload: inputs}  # mine", "{path: /x}  # mine"),
        ("{payload: inputs, path: /x}", "{path: /x}"),
        (
            "\n  path: /x\n  payload: inputs  # gone\n  example:\n  - a  # stays",
            "\n  path: /x\n  example:\n  - a  # stays",
        ),
        ("\n  path: /x\n  payload:\n    - a\n    - b\n\n# below", "\n  path: /x\n\n# below"),
        ("\n  path: /x\n  payload: |\n    text\n  example: 1", "\n  path: /x\n  example: 1"),
    ],
)
def test_a_key_is_removed_with_its_value_and_nothing_else(before: str, after: str) -> None:
    assert remove_key(f"e: {before}\n", ("e", "payload")) == f"e: {after}\n"


@pytest.mark.parametrize(
    "text", ["e: {payload: a}", "e: {path: a}", "e: [1]", "e: {payload: &a x, path: *a}"]
)
def test_what_can_not_be_removed_alone_stays(text: str) -> None:
    with pytest.raises(UsageError):
        remove_key(text, ("e", "payload"))


def test_a_reference_to_the_environment_is_told_from_a_dollar() -> None:
    text = "e: {a: '${NAME}', b: '$${NAME}', c: '$$${NAME}', d: plain, f: {g: '${NAME:-x}'}}"

    assert [key for key in "abcdf" if is_reference(text, ("e", key))] == ["a", "c", "f"]
    assert not is_reference(text, ("e", "missing"))
    assert has_key(text, ("e", "f", "g"))
    assert not has_key(text, ("e", "f", "h"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 10**6) | st.floats(-1e30, 1e30) | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abcon", min_size=1), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(JSON, st.sampled_from(["example", "body", "expect"]))
def test_any_value_is_written_as_it_is_or_refused(value: Any, key: str) -> None:
    try:
        after = yaml.safe_load(set_value(TEXT, (*BASE, key), value))
    except (UsageError, yaml.YAMLError):
        # Characters that no YAML text may hold.
        assert any(not char.isprintable() for char in repr(value)) or "\\" in repr(value)
        return
    written = after["spaces"]["acme/x"]["endpoint"][key]
    assert repr(written).replace("$$", "$") == repr(value)
