"""What a plan says about experiments: differences that apply closes, errors for what it never could."""

from __future__ import annotations

from typing import Any

import pytest

from hfspace.live.trackio.values import run_id
from hfspace.manifest.models import CreateSpec, SecretSpec, SpaceSpec, VariableSpec
from hfspace.manifest.trackio_models import ExperimentSpec, TrackioSpec
from hfspace.model import Action, LiveExperiment, LiveExperiments, Plan
from tests.unit.builders import checks, live, planned, secret, told, variable

KEPT = {"variables": {"TRACKIO_DATASET_REPO": variable("acme/d")}, "secrets": {"HF_TOKEN": secret()}}


def spec(backend: str = "auto", project: str | None = None, **experiments: Any) -> SpaceSpec:
    return SpaceSpec(
        trackio=TrackioSpec(backend=backend, project=project),  # type: ignore[arg-type]
        experiments={key.replace("__", "/"): ExperimentSpec(**value) for key, value in experiments.items()},
    )


def item(key: str, ref: str = "exp_1", **values: Any) -> LiveExperiment:
    return LiveExperiment(key=key, id=ref, **{"status": "running", "description": "", **values})


def run(key: str, ref: str = "r1", **values: Any) -> LiveExperiment:
    return LiveExperiment(key=key, id=ref, **values)


def on_interface(wanted: SpaceSpec, *items: LiveExperiment, **values: Any) -> Plan:
    found = LiveExperiments(backend="interface", items=items)
    return planned(wanted, live(experiments=found, **{**KEPT, **values}))


def on_trackio(wanted: SpaceSpec, *items: LiveExperiment) -> Plan:
    return planned(wanted, live(experiments=LiveExperiments(backend="trackio", items=items)))


def test_missing_ones_are_created_and_present_ones_left_alone() -> None:
    wanted = spec(a={"description": "d", "status": "completed", "parameters": {"lr": 2e-5}}, b={})

    made = on_interface(wanted, item("b", parameters={"theirs": 1}))

    assert told(made) == [
        "experiments.a create None -> "
        "{'description': 'd', 'status': 'completed', 'parameters': {'lr': 2e-05}}"
    ]
    assert checks(made) == []


def test_status_and_owned_parameters_are_brought_in_line() -> None:
    wanted = spec(a={"status": "failed", "parameters": {"lr": 0.1, "bs": 8, "same": [1, {"x": None}]}})

    made = on_interface(wanted, item("a", parameters={"lr": 0.2, "same": [1, {"x": None}], "theirs": 3}))

    assert told(made) == [
        "experiments.a update {'status': 'running', 'parameters': {'lr': 0.2}} -> "
        "{'status': 'failed', 'parameters': {'lr': 0.1, 'bs': 8}}"
    ]


@pytest.mark.parametrize(
    ("wanted", "has", "differs"),
    [
        (True, 1, True),
        (1, True, True),
        (0, False, True),
        (1, 1.0, False),
        ([True], [1], True),
        ({"a": 1}, {"a": 1, "b": 2}, True),
        ("1", 1, True),
        (None, 0, True),
        (0.1, float("nan"), True),
        ((1, 2), [1, 2], False),
    ],
)
def test_values_are_compared_as_json(wanted: object, has: object, differs: bool) -> None:
    made = on_interface(spec(a={"parameters": {"x": wanted}}), item("a", parameters={"x": has}))

    assert bool(made.changes) is differs


def test_what_the_gradio_app_cannot_hold_is_an_error_and_no_change() -> None:
    wanted = spec(a={"description": "new"}, b={"project": "p"}, c={"id": "exp_9"})
    made = on_interface(
        wanted.model_copy(update={"prune": frozenset({"experiments"})}), item("a", description="old")
    )

    assert made.is_empty
    assert checks(made) == [
        "error experiments: its description differs, and the Gradio app can't edit one.",
        "error experiments: the Gradio Trackio app has no projects.",
        "error experiments: no experiment has the id exp_9.",
        "error experiments: the Gradio Trackio app can't delete experiments.",
    ]
    assert all(check.hint for check in made.checks)


def test_what_official_trackio_cannot_hold_is_an_error_and_no_change() -> None:
    wanted = spec(p__a={"status": "running", "description": "d"}, c={}, p__d={"parameters": {"x": "NaN"}})

    made = on_trackio(wanted)

    assert made.is_empty
    assert sorted(checks(made)) == [
        "error experiments: official trackio keeps no description of a run.",
        "error experiments: official trackio keeps no status of a run.",
        "error experiments: official trackio keeps runs in projects, and none is named.",
        "error experiments: official trackio reads the text of 'x' back as no number.",
    ]


def test_two_of_one_name_are_refused_until_one_is_pinned() -> None:
    twins = (item("a", "exp_1"), item("a", "exp_2", status="failed"))

    refused = on_interface(spec(a={"status": "running"}), *twins)
    pinned = on_interface(spec(a={"status": "running", "id": "exp_2"}), *twins)

    assert checks(refused) == ["error experiments: 2 live experiments have this name: exp_1, exp_2."]
    assert told(pinned) == ["experiments.a update {'status': 'failed'} -> {'status': 'running'}"]


def test_a_pinned_id_of_another_name_is_an_error() -> None:
    made = on_interface(spec(a={"id": "exp_1"}), item("b", "exp_1"))

    assert checks(made) == ["error experiments: the experiment exp_1 is called 'b'."]


def test_a_renamed_run_is_not_declared_again() -> None:
    made = on_trackio(spec(p__a={}), run("p/b", run_id("p", "a")))

    assert made.is_empty
    assert checks(made) == ["error experiments: the run was renamed: it is 'p/b' now."]


def test_prune_deletes_other_runs_of_the_declared_projects() -> None:
    wanted = spec(p__a={}).model_copy(update={"prune": frozenset({"experiments"})})

    made = on_trackio(wanted, run("p/a", "1"), run("p/old", "2"))

    assert [(change.address, change.action, change.before) for change in made.changes] == [
        ("acme/x.experiments.p/old", Action.DELETE, {"id": "2"})
    ]


def test_deletes_in_the_app_come_after_everything_that_restarts_it() -> None:
    wanted = spec(p__a={}).model_copy(
        update={"prune": frozenset({"experiments"}), "variables": {"V": VariableSpec(value="1")}}
    )
    found = LiveExperiments(backend="trackio", items=(run("p/old"),))

    made = planned(wanted, live(experiments=found))

    assert [change.facet for change in made.changes] == ["variables", "experiments", "experiments"]


@pytest.mark.parametrize(
    ("stage", "message"),
    [
        ("SLEEPING", "not read: sleeping."),
        ("BUILDING", "not read: building."),
        ("RUNNING_BUILDING", "not read: running building."),
        ("PAUSED", "not read: paused."),
    ],
)
def test_a_space_that_does_not_run_is_not_read(stage: str, message: str) -> None:
    made = planned(spec(a={}), live(stage=stage))

    assert made.is_empty
    assert checks(made) == [f"warning experiments: {message}"]
    assert ("--wake" in made.checks[0].hint) is (stage == "SLEEPING")


def test_a_space_that_is_declared_paused_is_no_reason_to_warn() -> None:
    made = planned(spec(a={}).model_copy(update={"state": "paused"}), live(stage="PAUSED"))

    assert checks(made) == []


def test_an_app_that_is_not_ready_is_unknown_and_another_app_is_an_error() -> None:
    away = live(experiments=LiveExperiments(backend="", problem="it is not ready"))
    other = live(experiments=LiveExperiments(backend="unsupported", problem="it is no Trackio"))

    assert checks(planned(spec(a={}), away)) == ["unknown experiments: not read: it is not ready"]
    assert checks(planned(spec(a={}), other)) == ["error experiments: not read: it is no Trackio"]


def test_a_forgetful_app_is_warned_about() -> None:
    bare = on_interface(spec(a={}), item("a"), variables={}, secrets={})
    half = on_interface(spec(a={}), item("a"), secrets={})
    unknown = on_interface(spec(a={}), item("a"), variables=None, secrets=None)
    declared = SpaceSpec(
        experiments={"a": ExperimentSpec()},
        secrets={"HF_TOKEN": SecretSpec(env="T")},
        variables={"TRACKIO_DATASET_REPO": VariableSpec(value="acme/d")},
    )

    message = "warning experiments: a restart forgets everything: the Space has no"
    assert checks(bare) == [f"{message} HF_TOKEN and no TRACKIO_DATASET_REPO."]
    assert checks(half) == [f"{message} HF_TOKEN."]
    assert checks(unknown) == []
    assert not [
        text
        for text in checks(on_interface(declared, item("a"), variables={}, secrets={}))
        if message in text
    ]
    assert checks(on_trackio(spec(p__a={}), run("p/a"))) == []


def test_a_new_space_shows_its_experiments_as_creates() -> None:
    wanted = spec(a={"status": "completed"}, b={}).model_copy(
        update={"sdk": "gradio", "create": CreateSpec()}
    )

    made = planned(wanted, None)

    assert [(change.address, str(change.action)) for change in made.changes] == [
        ("acme/x", "create"),
        ("acme/x.experiments.a", "create"),
        ("acme/x.experiments.b", "create"),
    ]


def test_a_new_space_with_a_pinned_backend_is_held_to_it() -> None:
    wanted = spec("trackio", "p", a={"status": "completed"}).model_copy(
        update={"sdk": "gradio", "create": CreateSpec()}
    )

    assert checks(planned(wanted, None)) == ["error experiments: official trackio keeps no status of a run."]


def test_nothing_declared_asks_nothing() -> None:
    assert checks(planned(SpaceSpec(), live(stage="SLEEPING"))) == []
    assert checks(planned(SpaceSpec(experiments={}), live(stage="SLEEPING"))) == []


def test_the_loop_deletes_no_runs_by_itself_and_fills_no_space_that_it_may_not_create() -> None:
    from hfspace.applier.watch import Auto, Memory, Patience, tick
    from hfspace.model import ApplyResult, ApprovedPlan

    done: list[Plan] = []

    def carry_out(approved: ApprovedPlan) -> ApplyResult:
        done.append(approved.plan)
        return ApplyResult(outcomes=())

    pruned = spec(p__a={}).model_copy(update={"prune": frozenset({"experiments"})})
    patience = Patience(now=lambda: 0.0)
    tick(lambda: on_trackio(pruned, run("p/old")), carry_out, Auto.SETTINGS, patience, Memory())
    new = spec(a={}).model_copy(update={"sdk": "gradio", "create": CreateSpec()})
    left = tick(lambda: planned(new, None), carry_out, Auto.SETTINGS, patience, Memory())

    assert [[change.address for change in made.changes] for made in done] == [["acme/x.experiments.p/a"]]
    assert len(left.left) == 2


def test_live_names_reach_no_terminal_as_they_are() -> None:
    from hfspace.report.plan_text import render

    hostile = "\x1b[2J\x1b]0;owned\x07\nStatus: completed\u202e"
    made = on_interface(spec(a={"id": "exp_1"}), item(hostile, "exp_1"))
    text = render(made, color=False, verbose=1, automation=False)

    assert "owned" in text
    assert not any(char in text for char in "\x1b\x07\u202e")
    assert not any(line.startswith("Status:") for line in text.splitlines())
