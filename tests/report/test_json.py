"""JSON on stdout: every character of somebody else's is harmless, and the document reads back the same."""

from __future__ import annotations

import json

import pytest

from hfspace.text import json_text
from tests.report.plans import HOSTILE


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_escaped_and_reads_back(text: str) -> None:
    """Unescaped, a direction override turned the terminal round, and half a pair ended the command."""
    written = json_text({"value": text, "é": "🤗"})
    assert json.loads(written) == {"value": text, "é": "🤗"}
    written.encode()
    assert all(char.isprintable() or char == "\n" for char in written)
