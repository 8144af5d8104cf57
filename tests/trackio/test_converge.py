"""Apply with experiments against the local Hub, on a stepped clock: what is written when, and what a crash,
a lost answer or a restart leaves behind. The app is the Gradio one's store, which every restart empties."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from hfspace.errors import TrackioUnavailable
from hfspace.live.experiments.client import TrackioClient
from hfspace.live.experiments.reader import read_experiments
from hfspace.live.trackio.interface import InterfaceTracker
from hfspace.live.trackio.spacing import Spacing
from hfspace.localhub import LocalHub
from hfspace.manifest.models import SpaceSpec
from hfspace.model import LiveExperiments, ServedApp, SpaceState
from tests.apps.trackio_store import Store
from tests.trackio.runner import OPTIONS, SPACE, AppRunner, hub_for, problems
from tests.trackio.store_client import Clock, StoreClient, client_over

FIVE = {f"run-{number}": {"parameters": {"lr": 0.1 * number}, "status": "completed"} for number in range(5)}


@dataclass
class StoreApps:
    """Stands in for AppReaders: one app for all Spaces. `silent`: so many reads find it not ready."""

    hub: LocalHub
    clock: Clock = field(default_factory=Clock)
    silent: int = 0
    woken: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store = Store(now=self.clock.server)
        self.stand_in = StoreClient(self.store, self.clock)
        self.spacing = Spacing(clock=self.clock, sleep=self.clock.sleep)
        self.restarts = 0

    def served(self, state: SpaceState, spec: SpaceSpec) -> ServedApp:
        raise AssertionError("not asked for")

    def wake(self, state: SpaceState) -> SpaceState:
        self.woken.append(state.id)
        self.hub.set_space(state.id, stage="RUNNING")
        return replace(state, stage="RUNNING")

    def experiments(self, state: SpaceState, spec: SpaceSpec) -> LiveExperiments:
        if self.silent:
            self.silent -= 1
            raise TrackioUnavailable("the app is not ready.")
        return read_experiments(self.tracker(state.id, spec), spec)

    def tracker(self, space: str, spec: SpaceSpec) -> TrackioClient:
        restarts = self.hub.space(space)["restarts"]
        if restarts != self.restarts:  # a restart empties the memory
            self.restarts = restarts
            self.store.restart()
        return client_over(InterfaceTracker(self.stand_in, spacing=self.spacing), space)  # type: ignore[arg-type]

    def names(self) -> list[str]:
        return sorted(row["name"] for row in self.store.rows.values() if not row["name"].startswith("petite"))


class Runner(AppRunner):
    def __init__(self, hub: LocalHub, apps: StoreApps, **space: Any) -> None:
        super().__init__(hub, {"version": 1, "spaces": {SPACE: space}})
        self.apps = apps  # type: ignore[assignment]
        self.look = replace(self.look, apps=apps)


@pytest.fixture
def hub() -> Iterator[LocalHub]:
    with hub_for("http://app", variables={"A": "1"}) as hub:
        yield hub


@pytest.fixture
def apps(hub: LocalHub) -> StoreApps:
    return StoreApps(hub)


def test_five_are_created_and_the_second_plan_is_empty(hub: LocalHub, apps: StoreApps) -> None:
    runner = Runner(hub, apps, experiments=FIVE)

    assert problems(runner.apply()) == []

    assert apps.names() == sorted(FIVE)
    assert runner.plan().is_empty
    assert hub.space(SPACE)["restarts"] == 0


def test_experiments_come_after_every_restart(hub: LocalHub, apps: StoreApps) -> None:
    runner = Runner(hub, apps, experiments=FIVE, variables={"A": "2", "B": "3"}, restart="now")

    result = runner.apply()

    assert problems(result) == []
    facets = [change.facet for change in result.outcomes[0].applied]
    assert facets[-5:] == ["experiments"] * 5
    assert "experiments" not in facets[:-5]
    assert apps.names() == sorted(FIVE)
    assert runner.plan().is_empty


def test_without_waiting_they_are_left_for_the_next_run(hub: LocalHub, apps: StoreApps) -> None:
    runner = Runner(hub, apps, experiments=FIVE, variables={"A": "2"})

    result = runner.apply(options=replace(OPTIONS, wait=False))

    assert apps.names() == []
    assert result.exit_code == 3
    assert "when it runs again" in problems(result)[0]
    hub.advance(120)
    assert problems(runner.apply()) == []
    assert apps.names() == sorted(FIVE)


def test_an_app_that_answers_late_is_waited_for(hub: LocalHub, apps: StoreApps) -> None:
    runner = Runner(hub, apps, experiments=FIVE, variables={"A": "2"})
    snapshot = runner.snapshot()
    from hfspace.applier.executor import apply
    from hfspace.planner.plan import plan

    made = plan(runner.manifest, snapshot)
    apps.silent = 6

    result = apply(made.approve(), runner.run(snapshot))

    assert problems(result) == []
    assert apps.names() == sorted(FIVE)


def test_an_app_that_never_answers_is_told_after_the_settings_are_done(
    hub: LocalHub, apps: StoreApps
) -> None:
    apps.silent = 10**6
    runner = Runner(hub, apps, experiments=FIVE, variables={"A": "2"})
    assert [check.severity for check in runner.plan().checks] == ["unknown"]

    result = runner.apply()

    assert result.exit_code == 3
    assert problems(result) == [f"{SPACE} runs, but its experiments: not read: the app is not ready."]
    assert hub.space(SPACE)["variables"]["A"]["value"] == "2"


def test_a_restart_that_forgot_everything_is_planned_again(hub: LocalHub, apps: StoreApps) -> None:
    runner = Runner(hub, apps, experiments=FIVE)
    runner.apply()
    apps.store.restart()

    made = runner.plan()

    assert [str(change.action) for change in made.changes] == ["create"] * 5
    assert "a restart forgets everything" in made.checks[0].message


class Killed(BaseException):
    """Nothing may catch this, as nothing catches kill -9."""


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize(
    "api",
    [
        "create_experiment_interface",
        "get_experiment_details",
        "list_experiments_interface",
        "log_parameters_interface",
        "update_experiment_status_interface",
    ],
)
def test_killed_anywhere_the_rerun_creates_no_second(
    hub: LocalHub, apps: StoreApps, api: str, moment: str, number: int
) -> None:
    runner = Runner(hub, apps, experiments=FIVE)
    seen = 0

    def kill(called: str) -> None:
        nonlocal seen
        seen += called == api
        if seen == number:
            raise Killed

    setattr(apps.stand_in, moment, kill)
    with pytest.raises(Killed):
        runner.apply()
    setattr(apps.stand_in, moment, lambda called: None)

    again = Runner(hub, apps, experiments=FIVE)
    assert problems(again.apply()) == []

    assert apps.names() == sorted(FIVE)
    assert again.plan().is_empty


@pytest.mark.parametrize("carried_out", [True, False])
def test_a_lost_answer_is_resolved_by_reading(hub: LocalHub, apps: StoreApps, carried_out: bool) -> None:
    apps.stand_in.lose("create_experiment_interface", carried_out=carried_out)
    runner = Runner(hub, apps, experiments=FIVE)

    first = runner.apply()
    runner.apply()

    assert bool(problems(first)) is not carried_out
    assert apps.names() == sorted(FIVE)
    assert runner.plan().is_empty


def test_an_experiment_lost_during_apply_is_reported_as_data_loss(hub: LocalHub, apps: StoreApps) -> None:
    runner = Runner(hub, apps, experiments={"only": {"status": "completed"}})

    def overwrite(api: str) -> None:
        if api == "update_experiment_status_interface":
            ref = next(ref for ref, row in apps.store.rows.items() if row["name"] == "only")
            apps.store.add(ref, "theirs", "", "now")

    apps.stand_in.after = overwrite
    result = runner.apply()

    assert "gone or overwritten" in problems(result)[0]
    assert result.exit_code in {1, 3}


def test_one_that_vanishes_after_all_writes_is_not_silently_made_again(
    hub: LocalHub, apps: StoreApps
) -> None:
    runner = Runner(hub, apps, experiments={"only": {}})
    creates = 0

    def forget(api: str) -> None:
        nonlocal creates
        creates += api == "create_experiment_interface"
        if creates and apps.stand_in.calls[-2:] == ["get_experiment_details", "list_experiments_interface"]:
            apps.store.restart()

    apps.stand_in.before = forget
    result = runner.apply()

    assert "was created and read back, and is gone" in problems(result)[0]
    assert creates == 1


def test_a_sleeping_space_is_not_touched_by_plan_or_apply(hub: LocalHub, apps: StoreApps) -> None:
    hub.set_space(SPACE, stage="SLEEPING")
    runner = Runner(hub, apps, experiments=FIVE)

    made = runner.plan()
    runner.apply()

    assert made.is_empty
    assert [check.message for check in made.checks] == ["not read: sleeping."]
    assert apps.stand_in.calls == []
    assert hub.space(SPACE)["stage"] == "SLEEPING"


def test_wake_reads_a_sleeping_space(hub: LocalHub, apps: StoreApps) -> None:
    hub.set_space(SPACE, stage="SLEEPING")
    runner = Runner(hub, apps, experiments=FIVE)
    runner.look = replace(runner.look, wake=True)

    made = runner.plan()

    assert apps.woken == [SPACE]
    assert len(made.changes) == 5


def test_targets_and_ignore_are_respected(hub: LocalHub, apps: StoreApps) -> None:
    runner = Runner(hub, apps, experiments=FIVE)
    runner.apply(targets=(f"{SPACE}.experiments.run-1",))
    assert apps.names() == ["run-1"]

    ignoring = Runner(hub, apps, experiments=FIVE, ignore=["experiments"])
    assert len(ignoring.plan().ignored) == 4
    ignoring.apply()
    assert apps.names() == ["run-1"]


def test_what_training_logs_makes_no_saved_plan_stale(hub: LocalHub, apps: StoreApps) -> None:
    runner = Runner(hub, apps, experiments={"run": {"parameters": {"lr": 1}}})
    runner.apply()
    before = runner.plan().snapshot

    with apps.tracker(SPACE, runner.manifest.spaces[SPACE]) as client:
        client.log_parameters("run", {"theirs": 1})
        client.simulate("run")
    assert runner.plan().snapshot == before

    with apps.tracker(SPACE, runner.manifest.spaces[SPACE]) as client:
        client.log_parameters("run", {"lr": 2})
    assert runner.plan().snapshot != before


@pytest.mark.parametrize("calls", [4, 5, 6, 8, 20, 30])
def test_an_app_that_dies_between_two_calls_says_what_was_done(
    hub: LocalHub, apps: StoreApps, calls: int
) -> None:
    runner = Runner(hub, apps, experiments=FIVE)
    made = runner.plan()
    apps.stand_in.calls.clear()

    def die(api: str) -> None:
        if len(apps.stand_in.calls) > calls:
            raise TrackioUnavailable("app refuses connections.")

    apps.stand_in.before = die
    result = runner.apply()
    written = len(apps.names())

    assert len(made.changes) == 5
    assert "refuses connections" in problems(result)[0]
    assert result.exit_code == 3
    assert len(result.outcomes[0].applied) == written

    apps.stand_in.before = lambda api: None
    assert problems(runner.apply()) == []
    assert apps.names() == sorted(FIVE)
    assert runner.plan().is_empty


def test_what_a_plan_could_not_show_is_told_and_a_saved_plan_leaves_it(
    hub: LocalHub, apps: StoreApps
) -> None:
    hub.set_space(SPACE, stage="PAUSED")
    runner = Runner(hub, apps, experiments=FIVE, state="running")
    made = runner.plan()
    assert [change.facet for change in made.changes] == ["state"]

    saved = runner.apply(expected=dict(made.snapshot))
    assert problems(saved) == []
    assert apps.names() == []
    hub.set_space(SPACE, stage="PAUSED")
    runner.events.clear()
    assert problems(runner.apply()) == []

    assert apps.names() == sorted(FIVE)
    told = [event.text for event in runner.events if event.kind == "replanned"]
    assert told == ["the plan could not show 5 of its experiments"]


def test_one_that_was_there_and_is_gone_is_data_loss_and_not_made_again(
    hub: LocalHub, apps: StoreApps
) -> None:
    """Somebody who creates in the same second takes another's place; the app tells nobody."""
    Runner(hub, apps, experiments={"old": {}}).apply()
    runner = Runner(hub, apps, experiments={"old": {}, "new": {"status": "completed"}})

    def replace_it(api: str) -> None:
        if api == "update_experiment_status_interface":
            ref = next(ref for ref, row in apps.store.rows.items() if row["name"] == "old")
            apps.store.add(ref, "theirs", "", "now")

    apps.stand_in.after = replace_it
    result = runner.apply()

    assert problems(result) == [f"{SPACE}.experiments.old was there when this run began, and is gone."]
    assert result.exit_code == 3
    assert apps.names() == ["new", "theirs"]


def test_what_our_own_restart_loses_is_told_and_made_again(hub: LocalHub, apps: StoreApps) -> None:
    Runner(hub, apps, experiments=FIVE).apply()
    runner = Runner(hub, apps, experiments=FIVE, variables={"A": "2"})
    assert "a restart forgets everything" in runner.plan().checks[0].message

    assert problems(runner.apply()) == []

    assert apps.names() == sorted(FIVE)
    told = [event.text for event in runner.events if event.kind == "replanned"]
    assert told == ["the restart lost 5 of its experiments, with all that was in them"]
