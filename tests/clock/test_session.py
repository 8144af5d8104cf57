"""One time for all of a run: plans, saved plans and what is applied agree about which window holds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hfspace.applier.watch import Auto, Memory, Patience, tick
from hfspace.cli.main import run
from hfspace.errors import PlanRefused, StalePlanError
from hfspace.live.hub import connect
from hfspace.localhub import LocalHub
from hfspace.manifest.loader import load
from hfspace.planner.saved import load as load_plan
from hfspace.planner.saved import save
from hfspace.session import Session, open_session

OFFICE = """version: 1
timezone: Europe/Paris
spaces:
  acme/x:
    state: paused
    when: [{during: "Mon-Fri 08:00-19:00", set: {state: running}}]
"""
BEFORE, AFTER = (datetime(2026, 11, 25, 17, 59, 59, tzinfo=UTC), datetime(2026, 11, 25, 18, tzinfo=UTC))


@pytest.fixture
def hub() -> Iterator[LocalHub]:
    with LocalHub(seed={"spaces": {"acme/x": {"stage": "PAUSED"}}}, clock="manual") as hub:
        yield hub


def session_at(hub: LocalHub, now: datetime) -> Session:
    session = open_session(
        manifest=load([("spaces.yaml", OFFICE)], env={}), hub=connect(hub.url, hub.token), env={}
    )
    session.clock = now.timestamp
    return session


def test_a_plan_is_refused_from_the_second_on_at_which_its_hours_end(hub: LocalHub, tmp_path: Path) -> None:
    plan = session_at(hub, BEFORE).plan()
    assert plan.valid_until == "2026-11-25T18:00:00Z"
    save(plan, tmp_path / "plan.json")
    saved = load_plan(tmp_path / "plan.json")
    assert saved == plan
    assert session_at(hub, BEFORE).confirm(saved).changes == plan.changes
    with pytest.raises(StalePlanError, match="the hours of the manifest asked for it until"):
        session_at(hub, AFTER).confirm(saved)


def test_what_was_shown_and_answered_too_late_is_not_applied(hub: LocalHub) -> None:
    session = session_at(hub, BEFORE)
    approved = session.plan().approve()
    session.clock = AFTER.timestamp
    with pytest.raises(StalePlanError, match="2026-11-25T18:00:00Z"):
        session.apply(approved)
    assert hub.writes() == []


def test_the_run_knows_one_time_from_its_first_read_on(hub: LocalHub) -> None:
    session, times = session_at(hub, BEFORE), iter([BEFORE.timestamp(), *[AFTER.timestamp()] * 9])
    session.clock = lambda: next(times)
    assert [change.after for change in session.plan().changes] == ["RUNNING"]


def test_the_plan_of_another_time_is_only_looked_at(hub: LocalHub) -> None:
    session = session_at(hub, AFTER)
    session.at = datetime(2026, 11, 26, 12, tzinfo=UTC)
    plan = session.plan()
    assert ([change.after for change in plan.changes], plan.at) == (["RUNNING"], "2026-11-26T12:00:00Z")
    with pytest.raises(PlanRefused):
        plan.approve()


@pytest.fixture
def here(hub: LocalHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with the manifest, and the Hub in the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    monkeypatch.setenv("HF_TOKEN", hub.token)
    Path("spaces.yaml").write_text(OFFICE)


@pytest.mark.usefixtures("here")
def test_plan_at_a_time_of_the_manifests_zone(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["plan", "--at", "2026-12-01T18:59"]) == 0
    out = capsys.readouterr().out
    assert "~ state PAUSED → RUNNING  (inside Mon-Fri 08:00-19:00, until Tue 19:00)" in out
    assert (
        "The plan of Tue 2026-12-01 18:59 (Europe/Paris), from what is live now: it can't be applied." in out
    )
    assert "To make these changes" not in out
    assert run(["plan", "--at", "2026-12-01T19:00"]) == 0
    assert "No changes" in capsys.readouterr().out


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--at", "noon"), "--at noon is not a time"),
        (("--at", "yesterday"), "--at yesterday is not a time: a time is written as 2026-12-01T09:00."),
        (("--at", "2026-02-30T12:00"), "--at 2026-02-30T12:00 is not a time: there is no day 2026-02-30."),
        (("--at", "2026-13-01T12:00"), "is not a time: there is no day 2026-13-01."),
        (("--at", "9999-12-31T23:59"), "is not a time: a year is 1970 to 2999"),
        (("--at", "0001-01-01T00:00Z"), "is not a time: a year is 1970 to 2999"),
        (("--at", "2026-12-01T12:00+25:00"), "leave out what follows the minutes"),
        (("--at", "2026-12-01T12:00", "--out", "plan.json"), "can't be applied, so it is not saved"),
    ],
)
def test_a_time_that_is_none(capsys: pytest.CaptureFixture[str], words: tuple[str, ...], says: str) -> None:
    assert run(["plan", *words]) == 1
    assert says in capsys.readouterr().err


def test_the_loop_plans_again_when_an_hour_ends_before_its_first_write(hub: LocalHub) -> None:
    session = session_at(hub, BEFORE)
    times = iter([BEFORE.timestamp()] * 2)
    session.clock = lambda: next(times, AFTER.timestamp())
    done = tick(session.plan, session.apply, Auto.ALL, Patience(now=session.clock), Memory())
    assert (done.ok, done.plan and done.plan.changes) == (True, ())
    assert hub.writes() == []
