"""The calendar, `plan --at` and watch say the same of every time at which something begins or ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import hfspace
from hfspace.applier.watch import next_transition
from hfspace.live.hub import connect
from hfspace.localhub import LocalHub

MANIFEST = """
version: 1
timezone: Australia/Lord_Howe
spaces:
  acme/office:
    hardware: cpu-upgrade
    sleep_time: 30m
    state: paused
    when:
      - {from: 2027-04-04T01:15, until: 2027-04-04T12:00, set: {hardware: t4-small, state: running}}
      - {during: "Sat-Mon 01:30-02:30", set: {state: running}}
  acme/regular: {hardware: cpu-upgrade, state: running, restart: {every: "45 1 * * *"}}
"""
NOW = datetime(2027, 4, 2, 14, tzinfo=UTC)
"""Two days before the clocks there go back by half an hour."""


def test_they_agree_on_every_transition() -> None:
    manifest = hfspace.load([("spaces.yaml", MANIFEST)], env={})
    live = {"sdk": "gradio", "stage": "RUNNING", "hardware": "cpu-upgrade", "sleep_time": 1800}
    with LocalHub(seed={"spaces": dict.fromkeys(manifest.spaces, live)}, clock="manual") as hub:
        session = hfspace.open(manifest=manifest, hub=connect(hub.url, hub.token), env={})
        session.clock = NOW.timestamp
        calendar = session.calendar(7)
        spans = {one.space: one.spans for one in calendar.spaces}
        ticks = {tick for one in calendar.spaces for tick in one.restarts}
        turns = sorted({span.start for one in spans.values() for span in one[1:]} | ticks)
        assert len(turns) > 10
        for turn, following in pairwise(turns):
            session.at = turn
            plan = session.plan()
            assert next_transition(plan) == following.timestamp(), turn
            for space, listed in spans.items():
                span = next(one for one in listed if one.start <= turn < one.end)
                spec = session.effective.spaces[space]
                assert (spec.state, spec.hardware) == (span.state, span.hardware), (space, turn)
            session.at = following - timedelta(seconds=1)
            assert next_transition(session.plan()) == following.timestamp(), turn
