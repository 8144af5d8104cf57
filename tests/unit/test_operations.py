"""A restart or a pause is judged by the stage that the Space is in."""

from __future__ import annotations

import pytest

from hfspace.applier.operations import pause_advice, restart_advice
from tests.unit.builders import live


@pytest.mark.parametrize("stage", ["BUILDING", "RUNNING_BUILDING", "APP_STARTING", "BUILD_ERROR"])
def test_what_a_restart_would_only_prolong_is_refused_and_a_factory_rebuild_is_not(stage: str) -> None:
    assert restart_advice(live(stage=stage), factory=False).refusal
    assert not restart_advice(live(stage=stage), factory=True).refusal


@pytest.mark.parametrize("stage", ["CONFIG_ERROR", "NO_APP_FILE", "DELETING"])
def test_what_no_restart_mends_is_refused(stage: str) -> None:
    assert restart_advice(live(stage=stage), factory=True).refusal


@pytest.mark.parametrize(
    ("stage", "word"), [("SLEEPING", "woken"), ("PAUSED", "started"), ("STOPPED", "stopped"), ("RUNNING", "")]
)
def test_a_restart_says_what_it_does_to_the_stage(stage: str, word: str) -> None:
    advice = restart_advice(live(stage=stage), factory=False)
    assert word in advice.effect
    assert not advice.refusal


def test_a_static_space_is_neither_restarted_nor_paused_not_even_by_force() -> None:
    static = live(sdk="static", stage="RUNNING")
    assert restart_advice(static, factory=True).final
    assert pause_advice(static).final


def test_a_pause_says_what_is_given_up() -> None:
    assert pause_advice(live(stage="PAUSED")).done
    assert "build is given up" in pause_advice(live(stage="BUILDING")).effect
    assert "no visit wakes it" in pause_advice(live(stage="SLEEPING")).effect
