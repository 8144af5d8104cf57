"""Known secrets are cut out of text, of JSON and of values, and nothing else is."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from hfspace.model import Action, Change
from hfspace.redaction import KnownSecrets

SECRET = 'canary"SECRET value/0123'
PEM = "-----BEGIN CANARY-----\ncanaryLINE0123456789\n-----END CANARY-----"


@pytest.mark.parametrize("value", [SECRET, PEM])
def test_each_form_of_a_secret_is_cut_out_of_text(value: str) -> None:
    from urllib.parse import quote

    secrets = KnownSecrets([value])
    for form in (value, " ".join(value.split()), json.dumps(value), quote(value, safe="")):
        assert "canary" not in secrets.redact(f"before {form} after")


def test_a_secret_that_was_cut_in_the_middle_is_cut_out_too() -> None:
    text = KnownSecrets([SECRET]).redact('it says: canary"SECRET va…, and canary… is a word')
    assert text == "it says: …, and canary… is a word"


def test_json_stays_json_where_a_secret_looks_like_a_part_of_it() -> None:
    document = {"valid": True, "sleep_time": 3600, "text": "true or 3600", "note": SECRET}
    text = KnownSecrets(["true", "3600", SECRET]).redact(json.dumps(document, indent=2))
    assert json.loads(text) == {"valid": True, "sleep_time": 3600, "text": "… or …", "note": "…"}


def test_each_line_of_json_lines_stays_json() -> None:
    text = KnownSecrets(["3600"]).redact('{"value": 3600}\n{"value": "3600"}')
    assert [json.loads(line) for line in text.splitlines()] == [{"value": 3600}, {"value": "…"}]


def test_what_only_begins_like_json_is_text() -> None:
    assert KnownSecrets([SECRET]).redact(f"[1/3] failed: {SECRET}") == "[1/3] failed: …"


def test_a_number_is_no_part_of_a_longer_one() -> None:
    assert KnownSecrets(["1234"]).redact("0.1234 $12345 pin 1234. (1234)") == "0.1234 $12345 pin …. (…)"


def test_a_change_keeps_its_names_and_numbers() -> None:
    change = Change(
        address="acme/true.variables.KEY",
        space="acme/true",
        facet="variables",
        key="KEY",
        action=Action.UPDATE,
        before={"value": "true", "size": 3600},
        after=SECRET,
        usd_per_hour_after=Decimal("3600"),
        note="update to true",
    )
    safe = KnownSecrets(["true", "3600", "update", "variables", SECRET]).redact_data(change)
    assert (safe.address, safe.facet, safe.action) == (change.address, "variables", Action.UPDATE)
    assert safe.usd_per_hour_after == Decimal("3600")
    assert safe.before == {"value": "…", "size": 3600}
    assert (safe.after, safe.note) == ("…", "… to …")


def test_what_holds_no_secret_is_the_same_object() -> None:
    change = Change(address="a/b", space="a/b", facet="sdk", action=Action.CREATE, after={"value": "x"})
    assert KnownSecrets([SECRET]).redact_data(change) is change


def test_a_file_loses_the_values_and_keeps_the_rest() -> None:
    secrets = KnownSecrets([SECRET, "3600"])
    assert secrets.redact_file(b'{"a": 3600, "b": "3600 s"}') == '{"a": 3600, "b": "… s"}'.encode()
    assert (
        secrets.redact_file(b"\xff\x00" + SECRET.encode() + b"\x01") == b"\xff\x00" + "…".encode() + b"\x01"
    )
    assert secrets.redact_file(b"\xff\x00\x01") == b"\xff\x00\x01"


def test_all_texts_of_what_an_app_told_are_redacted_and_nothing_else_moves() -> None:
    told = Change(
        address=f"a {SECRET}", space="a", facet="f", action=Action.UPDATE, before={SECRET: [1, SECRET]}
    )
    clean = KnownSecrets([SECRET]).redact_all(told)
    assert (clean.address, clean.before, clean.action) == ("a …", {"…": [1, "…"]}, Action.UPDATE)
    assert KnownSecrets([]).redact_all(told) is told
