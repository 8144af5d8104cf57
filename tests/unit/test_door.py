"""Whatever is printed, by hfspace or by a library, on stdout or stderr: no command, no escape, no secret."""

from __future__ import annotations

import io
import os
import subprocess
import sys

import click
import pytest
from rich.console import Console
from rich.control import Control

from hfspace.cli.door import Door, harmless, screen
from hfspace.redaction import KnownSecrets

SECRET = "canarySECRET0123"


@pytest.mark.parametrize(
    "line", ["::error::x", " \t::add-mask::x", "\u2003::error::x", "x ##[add-mask]x", "##[error]x"]
)
def test_a_line_that_a_runner_would_obey_is_defused(line: str) -> None:
    for text in (harmless(line), harmless(f"first\n{line}").split("\n")[1]):
        assert text != line
        assert "##[" not in text
        assert not text.lstrip().startswith("::")


@pytest.mark.parametrize("text", ["\x1b[2J", "\x1b[8mhidden", "\x1b]0;title\x07", "a\rb", "\x9b2J", "\b\b"])
def test_what_moves_a_cursor_is_spelled_out(text: str) -> None:
    assert not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in harmless(text))


def test_our_colours_line_ends_and_words_of_any_language_stay() -> None:
    text = f"{click.style('bold', bold=True, fg='bright_red')} a::b\tc\r\nd 👩‍💻 é\n"
    assert harmless(text) == text


def test_a_command_in_pieces_is_none() -> None:
    out = io.StringIO()
    stream = Door(out, KnownSecrets())
    for part in (":", ":error::", "x\n", " ", ":", ":stop\n"):
        stream.write(part)
        stream.flush()
    assert not [line for line in out.getvalue().splitlines() if line.lstrip().startswith("::")]


def test_a_question_without_a_line_end_is_seen_before_it_is_answered() -> None:
    out = io.StringIO()
    stream = Door(out, KnownSecrets())
    stream.write("Only 'yes' is accepted: ")
    stream.flush()
    assert out.getvalue() == "Only 'yes' is accepted: "


LIBRARY = """
import logging, os, sys, warnings
from hfspace.live.hub import HubClient
text = "::error::forged \\x1b[2J ##[add-mask]x " + os.environ["HF_TOKEN"]
def whoami(self):
    print(text)
    print(text, file=sys.stderr)
    logging.getLogger("a.library").error(text)
    warnings.warn("first\\n" + text)
HubClient.whoami = whoami
from hfspace.cli.main import main
main(["doctor"])
"""


def test_what_libraries_print_goes_through_the_same_door() -> None:
    env = {**os.environ, "HF_TOKEN": SECRET, "HF_ENDPOINT": "http://127.0.0.1:9", "PYTHONWARNINGS": "always"}
    done = subprocess.run(
        [sys.executable, "-c", LIBRARY], env=env, capture_output=True, text=True, timeout=120
    )
    assert "forged" in done.stdout
    assert done.stderr.count("forged") >= 3
    text = done.stdout + done.stderr
    assert SECRET not in text
    assert "\x1b" not in text
    assert "##[" not in text
    assert not [line for line in text.splitlines() if line.lstrip().startswith("::")]


def test_a_live_view_moves_the_cursor_and_shows_no_secret() -> None:
    out = io.StringIO()
    stream = screen(Door(out, KnownSecrets([SECRET])))
    Console(file=stream, force_terminal=True, color_system=None).control(Control.clear())
    Console(file=stream, force_terminal=True, color_system=None).print(f"acme/x: {SECRET}")
    assert "\x1b[2J" in out.getvalue()
    assert SECRET not in out.getvalue()
    assert "acme/x: " in out.getvalue()
