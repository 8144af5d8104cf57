"""Fingerprints recognise a value, and survive what people write into descriptions."""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hfspace.cli.main import run as hfspace
from hfspace.live.fingerprint import fingerprint, is_guessable, join, matches, split
from hfspace.localhub import LocalHub

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


def old_mark(value: str) -> str:
    """A mark of the first version, as it lies on Hubs."""

    def text(data: bytes) -> str:
        return urlsafe_b64encode(data).decode().rstrip("=")

    digest = hashlib.scrypt(value.encode(), salt=SALT, n=2**14, r=8, p=1, dklen=16)
    return f"[hfspace:v1:{text(SALT)}:{text(digest)}]"


def test_a_mark_of_the_first_version_is_still_recognised_with_and_without_a_key() -> None:
    assert matches("value", old_mark("value"))
    assert matches("value", old_mark("value"), "a key")
    assert matches("other", old_mark("value")) is False


def test_a_guess_costs_four_times_what_it_did(monkeypatch: pytest.MonkeyPatch) -> None:
    costs: list[int] = []

    def scrypt(data: bytes, *, n: int, **settings: int) -> bytes:
        costs.append(n)
        return bytes(16)

    monkeypatch.setattr(hashlib, "scrypt", scrypt)
    matches("a guess", old_mark("a guess"))
    fingerprint("a guess", SALT)
    assert costs == [2**14, 2**14, 2**16]


def test_with_a_key_nobody_without_it_can_guess() -> None:
    mark = fingerprint("1234", SALT, "a key")
    assert matches("1234", mark, "a key")
    assert matches("1234", mark, "another key") is False
    assert matches("1234", mark) is None
    assert matches("1234", mark.replace(":k2:", ":v2:")) is False


@pytest.mark.parametrize("value", ["1234", "hunter2", "aaaaaaaaaaaaaaaa", "20261125", ""])
def test_a_value_that_can_be_guessed(value: str) -> None:
    assert is_guessable(value)


@pytest.mark.parametrize(
    "value", ["Xk3-vQ9pLm2", "8f14e45fceea167a5a36dedd4bea2543", "correct horse battery"]
)
def test_a_value_that_can_not(value: str) -> None:
    assert not is_guessable(value)


def test_a_mark_that_is_not_at_the_end_is_no_mark_and_is_not_shown() -> None:
    mark = fingerprint("v", SALT)
    assert split(f"{mark} and more") == (" and more", None)
    assert split(f"{mark} {mark}") == (None, mark)


SPACES = "version: 1\nspaces: {acme/x: {secrets: {PIN: {env: PIN_SOURCE}}}}\n"


@pytest.fixture
def planned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):  # type: ignore[no-untyped-def]
    """What a plan says of a four-digit secret that the Hub has with this description."""

    def plan(description: str, **env: str) -> dict[str, object]:
        (tmp_path / "spaces.yaml").write_text(SPACES)
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("PIN_SOURCE", "1234")
        for name, item in env.items():
            monkeypatch.setenv(name, item)
        seed = {"spaces": {"acme/x": {"secrets": {"PIN": {"value": "1234", "description": description}}}}}
        with LocalHub(seed=seed) as hub:
            monkeypatch.setenv("HF_ENDPOINT", hub.url)
            monkeypatch.setenv("HF_TOKEN", "hf_local_write")
            hfspace(["plan", "--format", "json"])
            text = capsys.readouterr().out
            hfspace(["show", "acme/x", "--format", "json"])
            assert "[hfspace:" not in text + capsys.readouterr().out, "the mark is shown nowhere"
        assert "1234" not in text
        return json.loads(text)

    return plan


def test_a_plan_rewrites_no_secret_because_of_an_old_mark_and_warns_of_a_short_one(planned) -> None:  # type: ignore[no-untyped-def]
    plan = planned(old_mark("1234"))
    assert plan["changes"] == []
    assert ["could guess it" in check["message"] for check in plan["checks"]] == [True]


def test_with_a_key_nothing_is_to_warn_of(planned) -> None:  # type: ignore[no-untyped-def]
    plan = planned(fingerprint("1234", SALT, "k"), HFSPACE_FINGERPRINT_KEY="k")
    assert (plan["changes"], plan["checks"]) == ([], [])


def test_a_keyed_mark_is_not_compared_without_the_key(planned) -> None:  # type: ignore[no-untyped-def]
    plan = planned(fingerprint("1234", SALT, "k"))
    assert plan["changes"] == []
    assert any("not compared" in check["message"] for check in plan["checks"])
