"""hfspace savings, against a local Hub that bills."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hfspace.cli.main import run
from hfspace.localhub import LocalHub

MANIFEST = "version: 1\nspaces:\n  acme/x: {hardware: t4-small, sleep_time: never}  # kept\n  acme/y: {}\n"


def uptime(days: float, until: float, hardware: str) -> dict[str, Any]:
    now = datetime.now(UTC)
    start, stop = (now - timedelta(days=number) for number in (days, until))
    return {
        "started": f"{start:%Y-%m-%dT%H:%M:%SZ}",
        "stopped": f"{stop:%Y-%m-%dT%H:%M:%SZ}",
        "hardware": hardware,
    }


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalHub]:
    seed = {
        "accounts": {
            "acme": {"type": "org"},
            "alice": {"orgs": {"acme": "admin"}},
            "bob": {"orgs": {"acme": "write"}},
        },
        "tokens": {"hf_admin": {"account": "alice"}, "hf_bob": {"account": "bob"}},
        "spaces": {
            "acme/x": {"hardware": "t4-small", "sleep_time": -1, "uptime": [uptime(10, 0.001, "t4-small")]},
            "acme/y": {"hardware": "cpu-basic"},
            "acme/stray": {
                "hardware": "cpu-upgrade",
                "sleep_time": -1,
                "uptime": [uptime(20, 1, "cpu-upgrade")],
            },
        },
    }
    monkeypatch.chdir(tmp_path)
    (tmp_path / "spaces.yaml").write_text(MANIFEST)
    with LocalHub(seed=seed) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setenv("HF_TOKEN", "hf_admin")
        yield hub


def findings(capsys: pytest.CaptureFixture[str], *args: str, code: int = 0) -> dict[str, Any]:
    assert run(["savings", "--format", "json", *args]) == code
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def test_what_is_found_rests_on_what_the_hub_billed(
    hub: LocalHub, capsys: pytest.CaptureFixture[str]
) -> None:
    document = findings(capsys)
    stray, never = sorted(document["savings"], key=lambda item: item["space"])
    assert (stray["rule"], never["rule"]) == ("unmanaged", "no-sleep-time")
    assert "billed 240 h, $96.00, in 30 days" in never["evidence"]
    assert (stray["edits"], never["edits"]) == ({}, {"sleep_time": "30m"})
    assert document["billing_unknown"] == {}


def test_without_the_permission_amounts_are_ceilings_and_it_says_so(
    hub: LocalHub, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_bob")
    document = findings(capsys)
    assert document["billing_unknown"] == {"acme": "needs the Billing read permission"}
    assert {item["usd_per_month"] for item in document["savings"]} == {"292.00", "21.90"}
    assert run(["savings"]) == 0
    assert "What acme was billed is unknown: needs the Billing read permission." in capsys.readouterr().out


def test_the_edits_are_written_and_the_plan_shows_them(
    hub: LocalHub, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(["savings", "--write", "--yes"]) == 0
    assert (tmp_path / "spaces.yaml").read_text() == MANIFEST.replace("never", "30m")
    capsys.readouterr()
    assert run(["plan", "--format", "json"]) == 0
    (change,) = json.loads(capsys.readouterr().out)["changes"]
    assert (change["address"], change["after"]) == ("acme/x.sleep_time", 1800)
    assert run(["savings", "--write", "--yes"]) == 0
    assert "There is nothing to write." in capsys.readouterr().err


def test_nothing_is_written_unasked(
    hub: LocalHub, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(["savings", "--write", "--no-input"]) == 1
    assert (tmp_path / "spaces.yaml").read_text() == MANIFEST


def test_visits_of_your_own_records(
    hub: LocalHub, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    today = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    lines = [f"ACME/x,{today - timedelta(days=day):%Y-%m-%dT%H:%M:%SZ}" for day in range(1, 20)]
    (tmp_path / "visits.csv").write_text("\n".join(["space,time", *lines]))
    items = findings(capsys, "--visits", "visits.csv")["savings"]
    (hours,) = [item for item in items if item["space"] == "acme/x"]
    assert hours["rule"] == "awake-outside-hours"
    assert hours["edits"]["when"] == [{"during": "daily 12:00-13:00", "set": {"state": "running"}}]


@pytest.mark.parametrize("text", ["acme/x\n", "acme/x,yesterday\n", "\xff", "\0", "x" * 200_000])
def test_a_record_that_can_not_be_read_is_an_error_with_its_line(
    hub: LocalHub, capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str
) -> None:
    (tmp_path / "visits.csv").write_bytes(text.encode("latin-1"))
    assert run(["savings", "--visits", "visits.csv"]) == 1
    assert "visits.csv" in capsys.readouterr().err
    assert run(["savings", "--visits", "none.csv"]) == 1
