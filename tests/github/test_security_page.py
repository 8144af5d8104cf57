"""Every promise of docs/security.md names a test that is there."""

from __future__ import annotations

import re

from tests.github.runner import ROOT


def test_each_threat_names_a_test_that_exists() -> None:
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    rows = page.split("## The threats")[1].split("\n## ")[0]
    named = re.findall(r"\| `([\w/.]+)::(\w+)` \|$", rows, re.MULTILINE)
    assert len(named) == sum(line.startswith("| ") for line in rows.splitlines()) - 2 > 15
    for file, test in named:
        text = (ROOT / "tests" / file).read_text(encoding="utf-8")
        assert re.search(rf"^def {test}\(", text, re.MULTILINE), f"{file}::{test}"
