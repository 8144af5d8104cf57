"""hfspace fmt: an order, every comment, and never another meaning."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hfspace.cli.main import run
from hfspace.manifest.layout import formatted

MESSY = """# top
spaces:


  acme/b:
    # why it is paid
    hardware: t4-small   # the cheap one
    variables:
      Z: 1
      A: 2
    sdk: gradio
  # about a
  acme/a: {hardware: t4-small, sdk: gradio}
  acme/c:
    state: running
    variables:
      TEXT: |
        first

        last
    visibility: private

policy:
  max_deletes: 0
  max_monthly_usd: 5
# the version
version: 1
"""
TIDY = """# top
# the version
version: 1
policy:
  max_monthly_usd: 5
  max_deletes: 0
spaces:

  acme/b:
    sdk: gradio
    # why it is paid
    hardware: t4-small   # the cheap one
    variables:
      Z: 1
      A: 2
  # about a
  acme/a: {hardware: t4-small, sdk: gradio}
  acme/c:
    visibility: private
    state: running
    variables:
      TEXT: |
        first

        last
"""


ALIASES = (
    "version: 1\nspaces:\n  a/b:\n    variables: &v {A: b}\n    sdk: gradio\ndefaults: {variables: *v}\n"
)


def test_keys_are_put_in_order_and_comments_go_with_them() -> None:
    made = formatted(MESSY)
    assert yaml.safe_load(made) == yaml.safe_load(MESSY)
    assert made == TIDY, made
    assert formatted(made) == made


def test_blanks_that_mean_something_stay() -> None:
    text = "version: 1\nspaces:\n  a/b:\n    variables:\n      T: |+\n        x  \n\n\n      U: y  \n"
    assert formatted(text) == text.replace("U: y  ", "U: y")


def test_a_byte_order_mark_goes() -> None:
    assert formatted("\ufeffversion: 1\r\nspaces: {}\r\n\r\n") == "version: 1\r\nspaces: {}\r\n"


def test_maps_that_merge_stay_as_they_are() -> None:
    text = "version: 1\nspaces:\n  a/b: &x\n    sdk: gradio\n  a/c:\n    hardware: t4-small\n    <<: *x\n"
    assert formatted(text) == text


@pytest.mark.parametrize("text", ["a: [", "a: &x [*x]\n", "[" * 5000, ALIASES])
def test_what_can_not_be_read_is_left_alone(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("spaces.yaml").write_text(text)
    assert run(["fmt"]) == 1
    assert "can't be laid out" in capsys.readouterr().err
    assert Path("spaces.yaml").read_text() == text


def test_check_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("spaces.yaml").write_text(MESSY)
    assert run(["fmt", "--check"]) == 1
    assert capsys.readouterr().out == "spaces.yaml\n"
    assert Path("spaces.yaml").read_text() == MESSY
    assert run(["fmt"]) == 0
    assert run(["fmt", "--check"]) == 0
    assert Path("spaces.yaml").read_text() == TIDY


def test_an_alias_bomb_is_laid_out_in_no_time() -> None:
    lines = ["a0: &a0 [x]  ", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30))]
    assert formatted("\n".join(lines)).startswith("a0: &a0 [x]\n")


LINES = st.lists(
    st.sampled_from(
        ["    hardware: t4-small", "    sdk: gradio  ", "    # note", "", "    state: paused", "  acme/y:",
         "    variables: {A: b}", "# top", "    restart: |", "      text  ", "  # two"]
    ),
    max_size=14,
)  # fmt: skip


@given(LINES)
def test_it_never_changes_what_a_file_says_or_drops_a_comment(lines: list[str]) -> None:
    text = "\n".join(["spaces:", "  acme/x:", *lines, "version: 1"]) + "\n"
    try:
        made = formatted(text)
    except ValueError:
        return
    assert yaml.safe_load(made) == yaml.safe_load(text)
    assert sorted(line.strip() for line in made.splitlines() if line.strip()) == sorted(
        line.strip() for line in text.splitlines() if line.strip()
    )
    assert formatted(made) == made


def test_line_ends_of_windows_are_kept() -> None:
    assert formatted("spaces: {}\r\nversion: 1  \r\n") == "version: 1\r\nspaces: {}\r\n"
