"""The Gradio Trackio app behind the port: nothing is lost, nothing is believed, nothing is sent twice."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from hfspace.errors import (
    AmbiguousExperiment,
    DataLoss,
    ExperimentNotFound,
    NotSupported,
    TrackioRejected,
    TrackioUnavailable,
)
from hfspace.live.trackio.interface import InterfaceTracker
from hfspace.live.trackio.port import LogEntry
from hfspace.live.trackio.spacing import SECONDS, Spacing
from tests.trackio.store_client import Clock, StoreClient, tracker

LATER = pytest.mark.parametrize("later", [False, True], ids=["A1", "A2"])
DEMO = {"petite-elle-l-aime-3", "petite-elle-l-aime-3-1"}


def names(stand_in: StoreClient) -> list[str]:
    return [row["name"] for row in stand_in.store.rows.values() if row["name"] not in DEMO]


@LATER
def test_ten_creates_in_a_row_are_ten_experiments(later: bool) -> None:
    app, stand_in = tracker(later=later)

    made = [app.create(f"run-{number}", description=f"d{number}") for number in range(10)]

    assert len({one.id for one in made}) == 10
    assert names(stand_in) == [f"run-{number}" for number in range(10)]
    assert app.show("run-3").description == "d3"


def test_threads_take_turns_on_one_app() -> None:
    clock = Clock()
    shared = Spacing(clock=clock, sleep=clock.sleep)
    app, stand_in = tracker(spacing=shared, clock=clock)
    other = InterfaceTracker(stand_in, spacing=shared)  # type: ignore[arg-type]

    def create(which: InterfaceTracker, name: str) -> None:
        which.create(name)

    threads = [
        threading.Thread(target=create, args=(app if number % 2 else other, f"r{number}"))
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert sorted(names(stand_in)) == [f"r{number}" for number in range(8)]


def test_the_first_create_waits_for_what_another_process_may_have_made_just_now() -> None:
    app, stand_in = tracker()
    just_made = stand_in.store.create_experiment_interface("theirs", "")
    ref = just_made.splitlines()[1].removeprefix("ID: ")
    before = stand_in.clock.seconds

    app.create("mine")

    assert stand_in.clock.seconds - before > SECONDS
    assert stand_in.store.rows[ref]["name"] == "theirs"


def test_a_create_whose_answer_is_lost_is_found_again_and_not_repeated() -> None:
    app, stand_in = tracker()
    stand_in.lose("create_experiment_interface", carried_out=True)

    made = app.create("once", description="d")

    assert made.name == "once"
    assert names(stand_in) == ["once"]
    assert stand_in.calls.count("create_experiment_interface") == 1


def test_a_create_that_never_arrived_is_an_error_and_not_repeated() -> None:
    app, stand_in = tracker()
    stand_in.lose("create_experiment_interface", carried_out=False)

    with pytest.raises(TrackioUnavailable, match="broke"):
        app.create("once")

    assert names(stand_in) == []
    assert stand_in.calls.count("create_experiment_interface") == 1


def overwriting(stand_in: StoreClient, api: str, name: str = "theirs") -> Callable[[str], None]:
    """Somebody else creates in the same second, right after our call of `api`."""
    done: list[bool] = []

    def create(called: str) -> None:
        if called == api and not done:
            done.append(True)
            stand_in.store.create_experiment_interface(name, "")

    return create


def test_an_experiment_overwritten_in_its_second_is_data_loss() -> None:
    app, stand_in = tracker()
    stand_in.after = overwriting(stand_in, "create_experiment_interface")

    with pytest.raises(DataLoss, match=r"'mine'.*'theirs'"):
        app.create("mine")


def test_overwriting_somebody_is_data_loss_too() -> None:
    app, stand_in = tracker()
    app.create("first")
    ref = next(ref for ref, row in stand_in.store.rows.items() if row["name"] == "first")
    told = f"✅ Experiment created successfully!\nID: {ref}\nName: second\nStatus: running"
    stand_in.store.create_experiment_interface = lambda name, description: told  # type: ignore[method-assign]
    with pytest.raises(DataLoss, match=r"'second'.*'first'"):
        app.create("second")


def test_a_restart_between_two_creates_is_told_as_data_loss() -> None:
    app, stand_in = tracker()
    app.create("first")

    def restart(api: str) -> None:
        if api == "create_experiment_interface":
            stand_in.store.rows.pop(
                next(ref for ref, row in stand_in.store.rows.items() if row["name"] == "first")
            )

    stand_in.before = restart
    with pytest.raises(DataLoss, match="'first'"):
        app.create("second")


def test_ensure_creates_once_and_then_finds() -> None:
    app, stand_in = tracker()

    first = app.ensure("run", description="d", parameters={"lr": 0.1})
    again = app.ensure("run", description="other", parameters={"lr": 0.1, "bs": 8})

    assert first.id == again.id
    assert again.parameters == {"lr": 0.1, "bs": 8}
    assert again.description == "d"
    assert names(stand_in) == ["run"]


def test_two_of_one_name_are_refused_unless_an_id_is_given() -> None:
    app, _ = tracker()
    first, second = app.create("twin"), app.create("twin")

    with pytest.raises(AmbiguousExperiment, match=f"{first.id}, {second.id}"):
        app.update_status("twin", "failed")
    with pytest.raises(AmbiguousExperiment):
        app.ensure("twin")

    assert app.update_status(second.id, "failed").id == second.id


def test_a_yes_is_no_evidence() -> None:
    app, stand_in = tracker()
    app.create("run")
    yes = "✅ Experiment x status updated to failed"
    stand_in.store.update_experiment_status_interface = lambda ref, status: yes  # type: ignore[method-assign]
    stand_in.store.log_parameters_interface = lambda ref, body: "✅ Parameters logged"  # type: ignore[method-assign]

    with pytest.raises(TrackioRejected, match="reads running"):
        app.update_status("run", "failed")
    with pytest.raises(TrackioRejected, match="reads otherwise: lr"):
        app.log_parameters("run", {"lr": 1})


def test_a_string_that_holds_an_error_is_an_error() -> None:
    app, stand_in = tracker()
    app.create("run")
    bad = "❌ Error logging parameters: disk full\x1b[31m"
    stand_in.store.log_parameters_interface = lambda ref, body: bad  # type: ignore[method-assign]

    with pytest.raises(TrackioRejected, match="disk full") as caught:
        app.log_parameters("run", {"lr": 1})

    assert "\x1b" not in str(caught.value)


def test_what_does_not_exist_is_not_found() -> None:
    app, _ = tracker()

    for call in (
        lambda: app.show("nope"),
        lambda: app.update_status("nope", "failed"),
        lambda: app.log_parameters("nope", {"a": 1}),
        lambda: app.log_metrics("nope", [LogEntry(metrics={"loss": 1.0})]),
        lambda: app.plot("nope", "loss"),
        lambda: app.simulate("nope"),
    ):
        with pytest.raises(ExperimentNotFound, match="nope"):
            call()


@pytest.mark.parametrize(
    "parameters", [{"a": float("nan")}, {"a": float("inf")}, {"a": object()}, [["a", 1]]]
)
def test_parameters_that_are_no_json_object_are_refused_before_anything_is_sent(parameters: object) -> None:
    app, stand_in = tracker()
    app.create("run")
    stand_in.calls.clear()

    with pytest.raises(TrackioRejected):
        app.log_parameters("run", parameters)  # type: ignore[arg-type]

    assert stand_in.calls == []


@pytest.mark.parametrize("name", ["", "  ", "two\nlines", "esc\x1b[2J", "sep\u2028"])
def test_names_that_could_forge_lines_are_refused(name: str) -> None:
    app, stand_in = tracker()

    with pytest.raises(TrackioRejected, match="name"):
        app.create(name)

    assert stand_in.calls == []


def test_bad_metrics_and_bad_status_are_refused() -> None:
    app, _ = tracker()
    app.create("run")

    with pytest.raises(TrackioRejected, match="JSON object"):
        app.log_metrics("run", [LogEntry(metrics=[1, 2])])  # type: ignore[arg-type]
    with pytest.raises(TrackioRejected, match="step"):
        app.log_metrics("run", [LogEntry(metrics={"a": 1}, step="1.5")])  # type: ignore[arg-type]
    with pytest.raises(TrackioRejected, match="archived"):
        app.update_status("run", "archived")
    with pytest.raises(TrackioRejected, match="projects"):
        app.show("run", project="p")
    for call, sentence in (
        (lambda: app.delete("run"), "The Gradio Trackio app can't delete experiments."),
        (lambda: app.upload_media("run", Path("x")), "The Gradio Trackio app holds no pictures. Official"),
        (
            lambda: app.upload_artifact("run", (), name="x", type="file"),
            "The Gradio Trackio app holds no artifacts. Official trackio does.",
        ),
    ):
        with pytest.raises(NotSupported) as caught:
            call()
        assert str(caught.value).startswith(sentence)


def test_metrics_are_counted_and_a_lost_answer_is_resolved_by_the_count() -> None:
    app, stand_in = tracker()
    app.create("run")
    stand_in.lose("log_metrics_interface", carried_out=True)

    app.log_metrics(
        "run", [LogEntry(metrics={"loss": 0.5}, step=1), LogEntry(metrics={"loss": float("nan")}, step=2)]
    )

    shown = app.show("run")
    assert shown.metrics == 2
    assert shown.latest_step == 2
    assert stand_in.calls.count("log_metrics_interface") == 2


def test_metrics_that_did_not_arrive_say_how_many_did() -> None:
    app, stand_in = tracker()
    app.create("run")
    app.log_metrics("run", [LogEntry(metrics={"loss": 0.5})])
    stand_in.lose("log_metrics_interface", carried_out=False)

    with pytest.raises(TrackioUnavailable, match="0 of 2 entries"):
        app.log_metrics("run", [LogEntry(metrics={"loss": 0.4}), LogEntry(metrics={"loss": 0.3})])


@LATER
def test_simulate_and_demo_write_also_where_they_raise(later: bool) -> None:
    app, stand_in = tracker(later=later)
    app.create("run")

    assert app.simulate("run").metrics == 20
    demo = app.demo()
    assert demo.metrics == 20
    assert demo.id in stand_in.store.rows


def test_plots_and_comparisons() -> None:
    app, _ = tracker()
    for name in ("a", "b", "c"):
        app.create(name)
    app.log_metrics("a", [LogEntry(metrics={"loss": 0.5}, step=1), LogEntry(metrics={"loss": 0.25}, step=2)])
    app.log_metrics("b", [LogEntry(metrics={"accuracy": 1}, step=1)])

    points = app.plot("a", "loss").points
    assert [(point.step, point.value) for point in points] == [(1, 0.5), (2, 0.25)]
    assert app.plot("c", "loss").points == ()
    with pytest.raises(TrackioRejected, match="accuracy"):
        app.plot("b", "loss")
    assert [len(one.points) for one in app.compare(["a", "b", "c"])] == [2, 0, 0]
    with pytest.raises(TrackioRejected, match="accuracy"):
        app.compare(["b"])
    with pytest.raises(ExperimentNotFound):
        app.compare(["a", "nope"])


def test_one_of_the_same_name_made_meanwhile_is_told() -> None:
    """Two applies at once: the app can't prevent it, and both must not think that all is well."""
    app, stand_in = tracker()

    def theirs(api: str) -> None:
        if api == "create_experiment_interface":
            stand_in.store.create_experiment_interface("run", "")
            stand_in.clock.sleep(1.5)

    stand_in.before = theirs
    with pytest.raises(AmbiguousExperiment, match="at the same time") as caught:
        app.ensure("run")

    assert caught.value.partly
