"""hfspace hold: the clock's hands off a Space in use; nothing restarts, and nothing is left behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import hfspace
from hfspace.cli.hold import HoldOptions, _until
from hfspace.errors import StalePlanError, UsageError
from hfspace.live.hold import hold, read_holds
from hfspace.live.hub import connect
from hfspace.live.marks import set_mark
from hfspace.localhub import LocalHub
from hfspace.session import Session

SPACE = "acme/demo"
NOW = datetime(2026, 11, 25, 19, 30, tzinfo=UTC)
MANIFEST = """
version: 1
spaces:
  acme/demo:
    hardware: t4-small
    sleep_time: 1h
    state: paused
    when: [{during: "Mon-Fri 08:00-19:00", set: {state: running}}]
    restart: {every: "0 19 * * *"}
"""


@pytest.fixture
def hub() -> Iterator[LocalHub]:
    seed = {
        "spaces": {SPACE: {"sdk": "gradio", "stage": "RUNNING", "hardware": "t4-small", "sleep_time": 3600}}
    }
    with LocalHub(seed=seed, clock="manual") as one:
        yield one


def session(hub: LocalHub, now: datetime, text: str = MANIFEST) -> Session:
    manifest = hfspace.load([("spaces.yaml", text)], env={})
    opened = hfspace.open(manifest=manifest, hub=connect(hub.url, hub.token), env={})
    opened.clock = now.timestamp
    return opened


def test_what_is_held_is_left_alone_until_its_time_and_then_nothing_is_left(hub: LocalHub) -> None:
    hold(SPACE, NOW + timedelta(hours=1), connect(hub.url, hub.token))
    assert hub.space(SPACE)["restarts"] == 0
    held = session(hub, NOW)
    plan = held.plan()
    assert (plan.changes, plan.held) == ((), {SPACE: "2026-11-25T20:30:00Z"})
    assert {change.facet for change in plan.ignored} == {"state"}
    after = session(hub, NOW + timedelta(hours=1))
    plan = after.plan()
    assert [change.address for change in plan.changes] == [f"{SPACE}.state", f"{SPACE}.hold"]
    assert not after.apply(plan.approve()).failed
    assert hub.space(SPACE)["stage"] == "PAUSED"
    assert hub.space(SPACE)["refs"] == {}
    assert not session(hub, NOW + timedelta(hours=1)).plan().changes


def test_a_hold_until_the_last_minute_of_all_is_one_without_an_end(hub: LocalHub) -> None:
    """In a zone ahead of UTC there is no such time."""
    set_mark(SPACE, "hfspace-hold-until-99991231T2359Z", connect(hub.url, hub.token))
    plan = session(hub, NOW, MANIFEST.replace("spaces:", "timezone: Asia/Tokyo\nspaces:")).plan()
    assert plan.held == {SPACE: ""}


def test_a_new_hold_takes_the_place_of_the_old_one_longer_or_shorter(hub: LocalHub) -> None:
    client = connect(hub.url, hub.token)
    for hours in (1, 3, 2):
        hold(SPACE, NOW + timedelta(hours=hours), client)
        assert len(read_holds(SPACE, client)) == 1
    hold(SPACE, NOW + timedelta(hours=2), client)
    assert read_holds(SPACE, client) == ("hfspace-hold-until-20261125T2130Z",)
    assert hub.space(SPACE)["restarts"] == 0


def test_tags_of_others_are_no_holds(hub: LocalHub) -> None:
    client = connect(hub.url, hub.token)
    client.send("POST", SPACE, "tag/main", {"tag": "v1.0"})
    hold(SPACE, NOW + timedelta(hours=1), client)
    plan = session(hub, NOW + timedelta(hours=2))
    assert not plan.apply(plan.plan().approve()).failed
    assert list(hub.space(SPACE)["refs"]) == ["v1.0"]


def test_a_hold_made_after_a_plan_makes_it_stale(hub: LocalHub) -> None:
    one = session(hub, NOW)
    saved = one.plan()
    hold(SPACE, NOW + timedelta(hours=1), connect(hub.url, hub.token))
    with pytest.raises(StalePlanError, match="changed on the Hub"):
        session(hub, NOW).confirm(saved)


def test_the_command(hub: LocalHub, tmp_path: Path) -> None:
    (tmp_path / "spaces.yaml").write_text(MANIFEST)
    env = {**os.environ, "HF_ENDPOINT": hub.url, "HF_TOKEN": hub.token}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "hfspace", *arguments]
        return subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=True)

    assert run("hold", SPACE).stdout == f"{SPACE} is not held.\n"
    assert run("hold", SPACE, "--for", "2h").stdout.startswith(f"{SPACE} is held until ")
    assert "held until" in run("status").stdout
    assert run("plan").stdout.count(f"{SPACE} is held until") == 1
    assert "its hours are left alone" in run("calendar").stdout
    document = json.loads(run("calendar", "--format", "json").stdout)
    assert document["spaces"][SPACE]["held_until"]
    assert run("hold", SPACE, "--release").stdout == f"{SPACE} is not held any more.\n"
    assert run("hold", SPACE, "--release").stdout == f"{SPACE} was not held.\n"
    assert hub.space(SPACE)["refs"] == {}


def until(**given: str) -> datetime:
    options = {"length": None, "until": None, **given}
    return _until(HoldOptions(space=SPACE, is_release=False, **options), "Europe/Paris", NOW)


def test_times_are_those_of_the_manifest() -> None:
    assert until(length="2h") == NOW + timedelta(hours=2)
    assert until(length="90s") == NOW + timedelta(minutes=2)
    assert until(until="21:00") == datetime(2026, 11, 25, 20, 0, tzinfo=UTC)
    assert until(until="20:15") == datetime(2026, 11, 26, 19, 15, tzinfo=UTC)  # it is 20:30 there
    assert until(until="2026-12-01T18:00") == datetime(2026, 12, 1, 17, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"length": "never"}, "--for never is not a duration"),
        ({"length": "90d"}, "31 days at most"),
        ({"until": "2020-01-01T10:00"}, "over already"),
        ({"until": "25:00"}, "00:00 to 23:59"),
        ({"until": "2026-02-30"}, "no day 2026-02-30"),
        ({"until": "tomorrow"}, "a time is written as"),
        ({"until": "0001-01-01T00:00"}, "a year is 1970 to 2999"),
        ({"until": "2026-12-01T18:00+01:00"}, "leave out what follows"),
    ],
)
def test_a_time_that_is_none_is_refused(given: dict[str, str], says: str) -> None:
    with pytest.raises(UsageError, match=says.replace("+", r"\+")):
        until(**given)
