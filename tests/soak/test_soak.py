"""Random hostile answers of Hub, app and Trackio: each command ends in time, in little memory, in words."""

from __future__ import annotations

import re
from collections import Counter
from itertools import count
from pathlib import Path

import pytest

from tests.soak.runs import SECRET, SPARE, TOKEN, Ended, patience, run

PEAK_MIB = 300
CODES = {0, 1, 2, 3, 4}


def faults(ended: Ended) -> list[str]:
    """What is wrong with a run; nothing, if all is well."""
    wrong = [
        (ended.code < 0, "did not end in its time"),
        (
            ended.own_seconds > ended.deadline + SPARE,
            f"{ended.own_seconds:.1f} s, {ended.deadline:.0f} allowed",
        ),
        (ended.code >= 0 and ended.code not in CODES, f"exit code {ended.code}"),
        (ended.peak_mib > PEAK_MIB, f"{ended.peak_mib:.0f} MiB"),
        ("Traceback" in ended.text or "this is a bug" in ended.text, "a traceback"),
        (SECRET in ended.text or TOKEN in ended.text, "a secret"),
        (bool(re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", ended.text)), "an escape"),
        (bool(re.search(r"^\s*::|##\[", ended.text, re.MULTILINE)), "a command of a CI log"),
        (not ended.text.strip(), "not a word"),
    ]
    return [why for is_so, why in wrong if is_so]


def soak(answers: int, first: int, folder: Path) -> None:
    """Runs until so many hostile answers were served, each kind of them counted."""
    served: Counter[str] = Counter()
    bad: list[str] = []
    runs: list[Ended] = []
    for number in count(first):
        ended = run(number, folder, patience(folder))
        runs.append(ended)
        served += ended.served
        if found := faults(ended):
            bad.append(f"{ended.name} ({', '.join(ended.served)}): {', '.join(found)}\n{ended.text[-600:]}")
        if served.total() >= answers:
            break
    slowest = max(runs, key=lambda one: one.seconds)
    largest = max(runs, key=lambda one: one.peak_mib)
    spare = max(runs, key=lambda one: one.own_seconds - one.deadline)
    print(f"\n{served.total()} hostile answers in {len(runs)} runs: {dict(served.most_common())}")
    print(
        f"slowest {slowest.name} {slowest.seconds:.1f} s, nearest to its deadline of {spare.deadline:.0f} s "
        f"{spare.name} {spare.own_seconds:.1f} s, largest {largest.name} {largest.peak_mib:.0f} MiB"
    )
    assert not bad, "\n\n".join(bad)


@pytest.mark.timeout(600)
def test_a_few_hostile_answers(tmp_path: Path) -> None:
    soak(20, 1, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_a_thousand_hostile_answers(tmp_path: Path) -> None:
    soak(1000, 1000, tmp_path)
