"""Tables of Spaces: they fit the terminal, and nothing in a cell is active there or in a spreadsheet."""

from __future__ import annotations

import csv
from dataclasses import replace
from decimal import Decimal

from hfspace.model import NEVER, Details, Flavor, SpaceState
from hfspace.report.spaces import list_csv, list_lines, status_lines, to_json, totals
from hfspace.text import clip, width
from tests.unit.builders import live, secret

FLAVORS = {
    name: Flavor(name=name, pretty_name=name, usd_per_hour=Decimal(usd))
    for name, usd in {"cpu-basic": "0", "t4-small": "0.40", "a10g-small": "1.00"}.items()
}


def awake(name: str, flavor: str, **values: object) -> SpaceState:
    return replace(live(name), hardware=flavor, hardware_current=flavor, **values)  # type: ignore[arg-type]


def test_a_table_is_as_wide_as_the_terminal_whatever_is_in_it() -> None:
    states = [awake("a" * 90, "t4-small"), awake("ok", "cpu-basic")]
    drift = {state.id: "! BUILD_ERROR: " + "no matching distribution " * 9 + "模型" for state in states}
    lines = list(status_lines(states, FLAVORS, drift, columns=80))[:-1]
    assert len(lines) == 3
    assert max(map(width, lines)) <= 80
    assert all("…" in line for line in lines[1:])


def test_what_goes_to_a_file_is_not_cut() -> None:
    state = awake("a" * 90, "t4-small")
    assert any("a" * 90 in line for line in list_lines([state], FLAVORS))


def test_rows_after_the_first_thousand_are_streamed() -> None:
    read: list[str] = []

    def states():  # type: ignore[no-untyped-def]
        for number in range(3000):
            read.append(str(number))
            yield awake(f"s{number}", "cpu-basic")

    lines = list_lines(states(), FLAVORS)
    next(lines), next(lines)
    assert len(read) == 1000
    assert len(list(lines)) == 3000  # and the sum


def test_the_sum_tells_what_sleeps_and_what_never_does() -> None:
    states = [
        awake("a", "t4-small", stage="SLEEPING", sleep_time=3600),
        awake("b", "a10g-small", stage="RUNNING", sleep_time=NEVER),
        awake("c", "cpu-basic", stage="RUNNING", sleep_time=NEVER),
    ]
    assert totals(states, FLAVORS) == (
        "3 Spaces, $1.00 per hour now; $0.40 more if those that sleep wake up; "
        "1 runs on paid hardware and never sleeps: $1.00 per hour."
    )


def test_a_cell_that_a_spreadsheet_would_run_is_text() -> None:
    state = replace(awake("x", "cpu-basic"), details=Details(tags=('=HYPERLINK("http://x")', "b,c")))
    head, row = csv.reader(list_csv([state], FLAVORS))
    assert row[head.index("tags")].startswith("'=HYPERLINK")


def test_json_shows_no_fingerprint_of_a_secret() -> None:
    state = replace(live("x"), secrets={"KEY": replace(secret(), fingerprint="scrypt-mark")})
    assert to_json(state, FLAVORS)["secrets"] == {"KEY": {"description": None}}


def test_wide_characters_are_cut_at_their_columns() -> None:
    assert clip("模型模型", 5) == "模型…"
    assert clip("abc", 3) == "abc"
