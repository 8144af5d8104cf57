"""hfspace report, against a local Hub that bills."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hfspace.cli.main import run
from hfspace.localhub import LocalHub
from tests.report.html_page import Page


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalHub]:
    seed = {
        "accounts": {"acme": {"type": "org"}, "alice": {"orgs": {"acme": "admin"}}},
        "tokens": {
            "hf_admin": {"account": "alice"},
            "hf_fine": {"account": "alice", "role": "fineGrained", "spaces": ["acme"]},
        },
        "spaces": {
            "acme/x": {"hardware": "t4-small", "sleep_time": -1},
            "acme/stray": {"hardware": "cpu-basic"},
        },
    }
    monkeypatch.chdir(tmp_path)
    (tmp_path / "spaces.yaml").write_text(
        "version: 1\nspaces: {acme/x: {hardware: t4-small, sleep_time: 1h}}\n"
    )
    with LocalHub(seed=seed) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setenv("HF_TOKEN", "hf_admin")
        yield hub


def test_one_page_has_the_spaces_the_drift_and_the_money(hub: LocalHub, tmp_path: Path) -> None:
    assert run(["report", "--html", "fleet.html"]) == 0
    text = Page((tmp_path / "fleet.html").read_text()).text
    assert "2 Spaces: 1 to change, 1 not declared" in text
    assert "acme/x RUNNING 1 to change t4-small never" in text
    assert "sleep_time never → 1h" in text
    assert "acme/stray" in text


def test_usage_that_may_not_be_read_is_unknown_and_is_the_exit_code(
    hub: LocalHub, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_fine")
    assert run(["report", "--html", "-"]) == 4
    assert "What acme was billed is unknown: needs the Billing read permission." in capsys.readouterr().out
    assert run(["report", "--html", "-", "--allow-unknown"]) == 0


def test_a_file_that_can_not_be_written_is_an_error(
    hub: LocalHub, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["report", "--html", "no/such/folder/x.html"]) == 1
    assert "could not be written" in capsys.readouterr().err
