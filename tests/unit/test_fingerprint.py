"""Fingerprints recognise a value, and survive what people write into descriptions."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from hfspace.live.fingerprint import fingerprint, join, matches, split

SALT = bytes(range(16))


@settings(max_examples=20, deadline=None)
@given(st.text(min_size=1, max_size=200), st.binary(min_size=16, max_size=16))
def test_a_value_matches_its_own_mark_and_no_other(value: str, salt: bytes) -> None:
    mark = fingerprint(value, salt)
    assert matches(value, mark)
    assert not matches(value + "x", mark)
    assert value not in mark or len(value) < 4


def test_two_salts_give_two_marks() -> None:
    assert fingerprint("a", SALT) != fingerprint("a", bytes(16))


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=80).filter(lambda text: text == text.strip() and "hfspace" not in text))
def test_a_description_comes_back_as_it_was(text: str) -> None:
    mark = fingerprint("v", SALT)
    own, found = split(join(text or None, mark))
    assert (own or "", found) == (text, mark)


def test_a_description_of_somebody_else_has_no_mark() -> None:
    assert split("set by hand") == ("set by hand", None)
    assert split(None) == (None, None)


def test_a_damaged_mark_matches_nothing() -> None:
    mark = fingerprint("v", SALT)
    assert not matches("v", mark[:-5] + "]")
    assert not matches("v", "")
