"""docs/hub-api.md: every section that is cited is there, and what it says of hfspace is what the code has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hfspace.live import hub, transport
from hfspace.live.limiter import LONGEST_WAIT
from hfspace.localhub.seed_hub import Switches

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "hub-api.md").read_text()
SECTIONS = {int(number): text for number, text in re.findall(r"(?ms)^## (\d+)\. .*?\n(.*?)(?=^## |\Z)", PAGE)}
CITED = re.compile(r"hub-api\.md\s+(?:#\s+)?sections?\s+(\d+(?:(?:,| and)\s+\d+)*)")
SOURCES = sorted((ROOT / "src").rglob("*.py"))


def cited(text: str) -> list[int]:
    return [int(number) for match in CITED.findall(text) for number in re.findall(r"\d+", match)]


def test_every_section_that_the_code_cites_is_there() -> None:
    places = {path: cited(path.read_text()) for path in SOURCES}
    assert sum(map(len, places.values())) > 30
    assert {number for numbers in places.values() for number in numbers} <= SECTIONS.keys()


def test_no_citation_lacks_a_section() -> None:
    for path in SOURCES:
        text = path.read_text()
        assert len(CITED.findall(text)) == text.count("hub-api"), path


def test_the_sections_are_numbered_in_order() -> None:
    assert list(SECTIONS) == list(range(1, len(SECTIONS) + 1))


def test_every_row_says_how_sure_it_is_and_what_follows() -> None:
    words = set(re.findall(r"^\| (\w+) \|", PAGE.split("## 1.")[0], re.MULTILINE)) - {"word"}
    for number, text in SECTIONS.items():
        rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| ")][2:]
        assert rows, number
        for row in rows:
            assert len(row) == 3, row
            sure = {word.strip(" ,") for word in row[1].split(",")} - {"often"}
            assert number == 9 or sure <= words, row


def test_every_switch_of_the_local_hub_is_an_open_question_and_every_one_has_a_switch() -> None:
    assert set(re.findall(r"`(\w+)`", SECTIONS[9])) == set(Switches.model_fields)


@pytest.mark.parametrize(
    ("section", "text"),
    [
        (1, ", ".join(f"`{name}`" for name in hub.EXPAND)),
        (14, f"{transport.TIMEOUT_SECONDS:.0f} s per step and {transport.ANSWER_SECONDS:.0f} s per answer"),
        (14, f"{ {5: 'five'}[transport.ATTEMPTS] } attempts"),
        (14, f"at most {LONGEST_WAIT / 60:.0f} minutes"),
        (14, ", ".join(str(status) for status in (429, *sorted(transport._RETRIED)))),
    ],
)
def test_the_figures_are_those_of_the_code(section: int, text: str) -> None:
    assert text in SECTIONS[section]
