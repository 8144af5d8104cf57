"""The text of changed files: one below the other, side by side, and nothing of it active."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from hfspace.model import FileDiff
from hfspace.report.file_diffs import side_by_side, title, unified

LINES = st.lists(st.sampled_from(["a", "b", "c", ""]), max_size=30).map("\n".join)


def diff(before: str | None, after: str | None, **values: object) -> FileDiff:
    sizes = {
        "before_size": None if before is None else len(before),
        "after_size": None if after is None else len(after),
    }
    return FileDiff(space="acme/x", path="app.py", before=before, after=after, **{**sizes, **values})  # type: ignore[arg-type]


def test_a_changed_file_below_each_other() -> None:
    assert unified(diff("a\nb\nc\n", "a\nB\nc\n")) == ["@@ -1,3 +1,3 @@", " a", "-b", "+B", " c"]


def test_a_new_and_a_deleted_file() -> None:
    assert title(diff(None, "a\n", added=1)) == "app.py  new, +1 −0"
    assert unified(diff(None, "a\n")) == ["@@ -0,0 +1 @@", "+a"]
    assert title(diff("a\n", None, removed=1)) == "app.py  deleted, +0 −1"
    assert [(one.left, one.right) for one in side_by_side(diff("a\n", None))] == [("a", None)]


def test_what_is_not_shown_is_told_by_its_sizes() -> None:
    hidden = FileDiff(space="a/b", path="w.bin", before_size=10, after_size=2000, why="binary")
    assert title(hidden) == "w.bin  10 B → 2.0 kB (binary)"
    assert unified(hidden) == []
    assert side_by_side(hidden) == []


def test_nothing_in_a_file_is_active() -> None:
    lines = unified(diff("", "\x1b[31mred\x07\u202e" + "x" * 1000))
    assert "\x1b" not in lines[1]
    assert len(lines[1]) < 500


@settings(max_examples=60, deadline=None)
@given(LINES, LINES)
def test_both_sides_hold_all_lines_that_differ(before: str, after: str) -> None:
    pairs = side_by_side(diff(before, after))
    changed = [one for one in pairs if one.kind == "changed"]
    old, new = before.splitlines(), after.splitlines()
    for one in pairs:
        assert one.kind == "gap" or one.left == (old[one.left_number - 1] if one.left_number else None)
        assert one.kind == "gap" or one.right == (new[one.right_number - 1] if one.right_number else None)
    assert bool(changed) == (old != new)
    kept = [line for number, line in enumerate(old, 1) if number not in {one.left_number for one in changed}]
    assert kept == [
        line for number, line in enumerate(new, 1) if number not in {one.right_number for one in changed}
    ]
