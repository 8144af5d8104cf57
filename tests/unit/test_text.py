from __future__ import annotations

import json

import pytest

from hfspace import text
from hfspace.redaction import KnownSecrets


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("a\x1b[31mred", "a\\x1b[31mred"),
        ("two\nlines\r\tx", "two\\nlines\\r\\tx"),
        ("user\u202egpj.exe", "user\\u202egpj.exe"),
        ("zero\u200bwidth\x9b0m\ud800", "zero\\u200bwidth\\x9b0m\\ud800"),
        ("e\u0301té 日本", "e\u0301té 日本"),
    ],
)
def test_what_a_terminal_acts_on_is_spelled_out(raw: str, shown: str) -> None:
    assert text.plain(raw) == shown
    assert text.plain(shown) == shown


def test_a_limit_is_a_limit() -> None:
    assert text.plain("x" * 50, 10) == "x" * 9 + "…"
    assert text.plain("x" * 10, 10) == "x" * 10


def test_a_sentence_is_one_line() -> None:
    assert text.one_line("  no\n space \x07 left ") == "no space \\x07 left"


def test_a_block_keeps_its_lines_and_tabs_and_nothing_else() -> None:
    assert text.block("a\tb\r\nc\x1b[2J\rd") == "a\tb\nc\\x1b[2J\\rd"


def test_a_line_that_a_ci_log_takes_for_a_command_is_defused() -> None:
    assert text.opening("::set-output name=x::y").startswith("\\::")
    assert text.opening("  ::add-mask::y").lstrip().startswith("\\")


def test_json_for_people_stays_json() -> None:
    document = {"a": "\x7f\u202e\ud800\U000e0001é"}
    shown = text.json_text(document)
    assert json.loads(shown) == document
    assert "\u202e" not in shown
    assert "é" in shown


@pytest.mark.parametrize(
    "token",
    ["hf_" + "a" * 34, "hf_" + "Ab3" * 10, "hf_canary12", "hf_oauth_eyJhbGciOi.J9-x_y", "hf_jwt_abcdefgh_-."],
)
def test_hub_tokens_of_every_kind_and_length_are_cut_out(token: str) -> None:
    assert KnownSecrets().redact(f"no access ({token}), see the log") == "no access (hf_…), see the log"
    assert KnownSecrets().redact(f"x_{token}") == "x_hf_…"


@pytest.mark.parametrize("word", ["hf_transfer", "hf_local_write", "hf_hub_download", "shelf_abcDEF1234"])
def test_words_are_no_tokens(word: str) -> None:
    assert KnownSecrets().redact(word) == word


def test_a_value_is_cut_out_in_every_form_it_may_come_back_in() -> None:
    value = 'pa ss/"w\nline two'
    echoed = (
        f"{value} {json.dumps(value)} pa%20ss/%22w pa%20ss%2F%22w%0Aline%20two {'pa ss/' + chr(34)}w line two"
    )
    shown = KnownSecrets([value, "abc"]).redact(echoed)
    assert "line two" not in shown
    assert "line%20two" not in shown
    assert KnownSecrets(["abc"]).redact("abc") == "abc"


def test_columns_of_wide_and_combining_characters() -> None:
    assert [text.width(one) for one in ("abc", "日本", "e\u0301", "🚀")] == [3, 4, 1, 2]
    assert text.clip("日本語", 5) == "日本…"
    assert text.clip("abc", 3) == "abc"
    assert text.width(text.pad("日本", 6)) == 6


def test_no_line_of_a_block_is_a_command_for_a_ci_log() -> None:
    shown = text.block("fine\n::error::forged\n  ##[group]x\n\x1b[2J::stop-commands::y\n")
    assert shown == "fine\n\\::error::forged\n\\  ##[group]x\n\\x1b[2J::stop-commands::y\n"
