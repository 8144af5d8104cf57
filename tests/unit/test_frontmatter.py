"""The front matter of a README: what is ours is set, and every other byte stays."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from huggingface_hub import RepoCard
from hypothesis import given, settings
from hypothesis import strategies as st

from hfspace.frontmatter import LARGEST, FrontMatterError, edit, read

README = """\
---
# what people see
title: "Whisper"   # quoted on purpose
emoji: 🎤
sdk: gradio
sdk_version: 6.30.0
models:   # ours
- openai/whisper-tiny
- openai/whisper-base
# and the rest
custom_headers:
  cross-origin-embedder-policy: require-corp
pinned: false
---

# Whisper

---
A line of dashes above.
"""


def test_it_reads_as_the_client_does() -> None:
    assert read(README.encode()) == RepoCard(README, ignore_metadata_errors=True).data.to_dict()
    assert read(b"") == read(b"# Hello\n") == read(b"---\n---\n") == read(b"---\n# nothing\n---\n") == {}


def test_only_the_owned_values_change() -> None:
    owned = {"sdk_version": "6.31.0", "models": ["a/b"], "pinned": True, "app_port": 7860}
    after = edit(README.encode(), owned).decode()
    assert after == (
        README.replace("6.30.0", '"6.31.0"')
        .replace("- openai/whisper-tiny\n- openai/whisper-base", "- a/b")
        .replace("pinned: false\n", "pinned: true\napp_port: 7860\n")
    )
    assert edit(after.encode(), owned).decode() == after


@pytest.mark.parametrize(
    ("before", "owned", "after"),
    [
        ("", {"sdk": "static"}, "---\nsdk: static\n---\n"),
        ("# Hi\r\n", {"sdk": "static"}, "---\r\nsdk: static\r\n---\r\n\r\n# Hi\r\n"),
        ("\ufeff# Hi\n", {"sdk": "static"}, "\ufeff---\nsdk: static\n---\n\n# Hi\n"),
        ("\ufeff---\nsdk: gradio\n---", {"sdk": "static"}, "\ufeff---\nsdk: static\n---"),
        ("---\n---\nHi", {"sdk": "static"}, "---\nsdk: static\n---\nHi"),
        ("---\n# nothing yet\n---\n", {"a": 1}, "---\n# nothing yet\na: 1\n---\n"),
        ("---\r\na: 1\r\n---\r\n", {"a": 2, "b": [1]}, "---\r\na: 2\r\nb: [1]\r\n---\r\n"),
        ("\n\n---\na: 1\n---\n", {"a": 2}, "\n\n---\na: 2\n---\n"),
        ("---\n{a: 1}\n---\n", {"a": 2, "b": None}, "---\n{a: 2, b: null}\n---\n"),
        ("---\n{}\n---\n", {"b": {}}, "---\n{b: {}}\n---\n"),
        ("---\na:\nb: 1\n---\n", {"a": "x"}, "---\na: x\nb: 1\n---\n"),
        ("---\na: # why\n---\n", {"a": "x"}, "---\na: x # why\n---\n"),
        ("---\na: |\n  one\n  ---\n\nb: 1\n---\n", {"a": "x"}, "---\na: x\n\nb: 1\n---\n"),
        ("---\nb: |+\n  one\n\n---\n", {"a": "x"}, "---\nb: |+\n  one\n\na: x\n---\n"),
        ("---\na:  # why\n  - 1\nb: 2\n---\n", {"a": "x"}, "---\na: x  # why\nb: 2\n---\n"),
        ("---\na:  # why\n  - 1\nb: 2\n---\n", {"a": []}, "---\na: []  # why\nb: 2\n---\n"),
        ("---\na: [1,\n  2]\n---\n", {"a": [3]}, "---\na: [3]\n---\n"),
        ("---\n  a: 1\n---\n", {"b": 2}, "---\n  a: 1\n  b: 2\n---\n"),
        ("---\npinned: yes\n---\n", {"pinned": True}, "---\npinned: true\n---\n"),
        ("---\ntitle: on\n---\n", {"title": "on"}, '---\ntitle: "on"\n---\n'),
        (
            "---\npython_version: 3.10\n---\n",
            {"python_version": "3.10"},
            '---\npython_version: "3.10"\n---\n',
        ),
        ("---\nwhen: 2026-01-02\n---\n", {"a": 1}, "---\nwhen: 2026-01-02\na: 1\n---\n"),
        ("----\nno matter\n", {"a": 1}, "---\na: 1\n---\n\n----\nno matter\n"),
    ],
)
def test_unusual_layouts(before: str, owned: dict[str, Any], after: str) -> None:
    assert edit(before.encode(), owned).decode() == after
    assert edit(after.encode(), owned).decode() == after
    values = read(after.encode())
    assert {key: values[key] for key in owned} == owned


@pytest.mark.parametrize(
    "text",
    [
        README,
        README.replace("\n", "\r\n"),
        "---\na: yes\n'b': \"1\"\nc: &x [1]\nd: *x\n---\n",
    ],
)
def test_an_equal_value_leaves_the_bytes_as_they_are(text: str) -> None:
    values = {key: value for key, value in read(text.encode()).items() if value not in ("yes", True)}
    assert edit(text.encode(), values) == text.encode()
    assert edit(text.encode(), {}) == text.encode()


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        (b"---\ntitle: caf\xe9\n---\n", "not UTF-8", 2),
        ("---\nsdk: gradio\n", "no line --- that ends it", 1),
        ("--- \nsdk: gradio\n---\n", "has blanks behind it", 1),
        ("---\nsdk: gradio\nsdk: docker\n---\n", "has sdk twice", 3),
        ("---\n\na: [1\n---\n", "is not YAML", 4),
        ("---\njust text\n---\n", "not a map", 2),
        ("---\n- a\n---\n", "not a map", 2),
        ("---\na: !!python/name:os.system x\n---\n", "tag that is not allowed", 2),
        ("---\na: !!binary aGk=\n---\n", "tag that is not allowed", 2),
        ("---\n? [a]\n: b\n---\n", "a key that is no text", 2),
        ("---\na: &x [*x]\n---\n", "too many values", 2),
        ("---\na: " + "[" * 2000 + "\n---\n", "nested more than", 2),
        ("---\na: \x00\n---\n", "zero byte", 2),
        ("---\na: 1\n--- b\nc: 1\n---\n", "is not YAML", 4),
        ("---\na: " + "x" * LARGEST + "\n---\n", "larger than 256 KiB", 1),
        ("---\n" + "".join(f"a{n}: 1\n" for n in range(10_001)) + "---\n", "too many values", 5001),
    ],
)
def test_what_can_not_be_read_is_a_sentence_with_its_line(text: str | bytes, message: str, line: int) -> None:
    for do in (read, lambda readme: edit(readme, {"z": 1})):
        with pytest.raises(FrontMatterError) as caught:
            do(text if isinstance(text, bytes) else text.encode())
        assert message in caught.value.message
        assert caught.value.line == line


def test_aliases_that_multiply_are_refused() -> None:
    levels = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9))
    with pytest.raises(FrontMatterError, match="too many values"):
        read(f"---\na0: &a0 [1]\n{levels}---\n".encode())


@pytest.mark.parametrize(
    ("text", "owned"),
    [
        ("---\na: &x foo\nb: *x\n---\n", {"b": "bar"}),
        ("---\na: &x foo\nb: *x\n---\n", {"a": "bar", "b": "bar"}),
        ("---\na: 1\n...\n---\n", {"b": 2}),
        ("---\nbase: &base {sdk: gradio}\n<<: *base\n---\n", {"base": {}}),
    ],
)
def test_what_would_change_more_is_refused(text: str, owned: dict[str, Any]) -> None:
    with pytest.raises(FrontMatterError, match="without changing more"):
        edit(text.encode(), owned)


# ------------------------------------------------------------ laws

NAMES = st.from_regex(r"[a-z][a-z_]{0,8}", fullmatch=True) | st.sampled_from(["on", "a b", "é", "1", "a: #"])
TRAPS = ("yes", "1:30", "010", "0x1F", "2026-01-02", "- a", "---", "#", "a: b", "~", "1_0", "\u2028", "\x85")
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**12), 10**12),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    st.sampled_from(TRAPS),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=5,
)
MATTERS = st.dictionaries(NAMES, VALUES, max_size=5)
COMMENT = "# a comment\n"
BODIES = st.sampled_from(
    ["", "\n# Hello\n", "text without an end", "---\n---\n", "\n---\na: 1\n---\n", "é\n"]
)


@st.composite
def readmes(draw: st.DrawFn) -> tuple[str, str]:
    """A README as some tool or person would have written it: its front matter, and the text below."""
    matter, flow = draw(MATTERS), draw(st.sampled_from([None, False, True]))
    mark, end = draw(st.sampled_from(["", "\ufeff"])), draw(st.sampled_from(["\n", "\r\n"]))
    if not matter:
        return mark, "# Hello\n\n---\nmore\n".replace("\n", end)
    text = yaml.safe_dump(matter, allow_unicode=True, default_flow_style=flow, sort_keys=False)
    if not flow:
        comment = draw(st.sampled_from(["", COMMENT, f"\n{COMMENT}\n"]))
        text = comment + text + comment
    return f"{mark}---\n{text}---\n".replace("\n", end), draw(BODIES).replace("\n", end)


@settings(deadline=None)
@given(readmes(), st.dictionaries(NAMES, VALUES, min_size=1, max_size=3))
def test_edit_sets_what_is_owned_and_keeps_the_rest(parts: tuple[str, str], owned: dict[str, Any]) -> None:
    head, body = parts
    readme = (head + body).encode()
    after = edit(readme, owned)
    assert _text(read(after)) == _text({**read(readme), **owned})
    assert edit(after, owned) == after
    text = after.decode()
    assert text.endswith(body)
    assert text.startswith("\ufeff") == head.startswith("\ufeff")
    assert text.count("\r\n") == (text.count("\n") if "\r\n" in head + body else 0)
    assert text.count(COMMENT.strip()) == head.count(COMMENT.strip())
    kept = {key: value for key, value in read(readme).items() if key not in owned}
    assert _text({key: read(after)[key] for key in kept}) == _text(kept)


def _text(values: Any) -> str:
    return json.dumps(values, sort_keys=True)
