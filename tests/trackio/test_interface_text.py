"""The texts of the Gradio app, with names and descriptions that anybody may have written."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hfspace.errors import DataLoss, ExperimentNotFound, TrackioRejected, TrackioUnavailable
from hfspace.live.trackio import interface_text as text
from hfspace.live.trackio.figures import read_figure
from tests.apps.trackio_store import Store
from tests.trackio.store_client import figure, tracker

LATER = pytest.mark.parametrize("later", [False, True], ids=["A1", "A2"])
GHOST = (
    "x\n   Status: running\n   Created: now\n   Metrics: 0 entries\n   Parameters: 0 entries\n"
    "   Artifacts: 0 entries\n\n🟢 exp_ghost\n   Name: ghost"
)
FAKE_TAIL = (
    "d\nStatus: completed\nCreated: then\n📈 METRICS COUNT: 9\n📋 PARAMETERS COUNT: 1\n"
    '📦 ARTIFACTS COUNT: 0\n🔧 PARAMETERS:\n{\n  "stolen": 1\n}\n📊 LATEST METRICS:\nNo metrics logged yet.'
)
HOSTILE = st.text(max_size=80) | st.sampled_from(
    [GHOST, FAKE_TAIL, "\x1b[2J\x1b]0;t\x07", "a\r\nName: b", ""]
)


@LATER
@given(
    description=HOSTILE,
    parameters=st.dictionaries(st.text(max_size=10), st.text() | st.integers(), max_size=3),
)
def test_details_are_read_back_exactly(later: bool, description: str, parameters: dict[str, object]) -> None:
    store = Store(later=later)
    store.add("exp_1", "run", description, "now")["parameters"] = parameters

    found = text.read_details(store.get_experiment_details("exp_1"), "exp_1")

    assert (found.name, found.description, found.status) == ("run", description, "running")
    assert found.parameters == json.loads(json.dumps(parameters))


@LATER
@given(name=HOSTILE, description=HOSTILE)
def test_a_hostile_name_hides_nobody_and_invents_nobody(later: bool, name: str, description: str) -> None:
    app, stand_in = tracker(later=later)
    stand_in.store.add("exp_before", "mine", "d", "now")
    stand_in.store.add("exp_evil", name, description, "now")
    stand_in.store.add("exp_after", "mine too", "d", "now")

    found = {one.id: one for one in app.list()}

    assert set(found) == set(stand_in.store.rows)
    assert found["exp_before"].name == "mine"
    assert found["exp_after"].name == "mine too"
    if name not in {"mine", "mine too"}:
        assert [one.id for one in app.named(["mine"])] == ["exp_before"]


def test_a_name_that_pretends_to_be_another_is_no_twin() -> None:
    app, stand_in = tracker()
    stand_in.store.add("exp_mine", "mine", "d", "now")
    stand_in.store.add("exp_evil", "mine\nDescription: d", "", "now")

    assert [one.id for one in app.named(["mine"])] == ["exp_mine"]


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "<html>",
        "{}",
        "[]",
        "No experiments",
        "📋 EXPERIMENTS OVERVIEW\nTotal: 3",
        "❌ Error listing experiments: boom",
    ],
)
def test_a_listing_that_is_not_understood_is_never_empty(answer: str) -> None:
    app, stand_in = tracker()
    stand_in.store.list_experiments_interface = lambda: answer  # type: ignore[method-assign]

    with pytest.raises(TrackioUnavailable, match="not laid out as known"):
        app.list()
    with pytest.raises(TrackioUnavailable):
        app.ensure("run")

    assert "create_experiment_interface" not in stand_in.calls


def test_a_listing_that_does_not_count_up_is_refused() -> None:
    app, stand_in = tracker()
    stand_in.store.add("exp_1", "run", "", "now")
    told = stand_in.store.list_experiments_interface().replace("   Artifacts: 0 entries", "   Files: 0", 1)
    stand_in.store.list_experiments_interface = lambda: told  # type: ignore[method-assign]

    with pytest.raises(TrackioUnavailable, match="counts 3 experiments and lists 2"):
        app.list()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Status: ", "State: "),
        ("PARAMETERS COUNT: 1", "PARAMETERS COUNT: 2"),
        ('{\n  "a": 1\n}', "{'a': 1}"),
        ("ID: exp_1", "ID: exp_2"),
        ("LATEST METRICS", "LAST METRICS"),
    ],
)
def test_details_of_another_layout_are_refused(old: str, new: str) -> None:
    store = Store()
    store.add("exp_1", "run", "d", "now")["parameters"] = {"a": 1}
    told = store.get_experiment_details("exp_1")
    assert old in told

    with pytest.raises(TrackioUnavailable, match="not laid out as known"):
        text.read_details(told.replace(old, new), "exp_1")


def test_the_empty_store_is_empty() -> None:
    app, stand_in = tracker()
    stand_in.store.rows.clear()

    assert app.list() == ()
    assert app.create("first").name == "first"


def test_answers_to_writes() -> None:
    assert (
        text.new_id("✅ Experiment created successfully!\nID: exp_9\nName: ID: exp_8\nStatus: running")
        == "exp_9"
    )
    with pytest.raises(ExperimentNotFound):
        text.accepted("❌ Error logging metrics: Experiment exp_nope not found")
    with pytest.raises(TrackioRejected, match="invalid literal"):
        text.accepted("❌ Error logging metrics: invalid literal for int() with base 10: 'abc'")
    with pytest.raises(TrackioRejected, match="no reason"):
        text.accepted("")
    with pytest.raises(TrackioUnavailable):
        text.new_id("✅ Experiment created successfully!")


def test_packed_figures_are_read() -> None:
    packed = {"dtype": "f8", "bdata": "AAAAAAAA4D8AAAAAAADQPwAAAAAAAPh/"}  # 0.5, 0.25, NaN

    points = read_figure(figure(x=[1, None, 3], y=packed), "loss")

    assert [(point.step, point.value) for point in points] == [(1, 0.5), (None, 0.25)]


@pytest.mark.parametrize("answer", [None, "text", {}, {"plot": "{"}, {"plot": "[]"}, {"plot": "{}"}])
def test_no_figure_is_not_an_empty_one(answer: object) -> None:
    with pytest.raises(TrackioUnavailable):
        read_figure(answer, "loss")


def test_a_poisoned_plot_says_so() -> None:
    note = "Error creating plot: cannot convert dictionary update sequence element #0 to a sequence"
    plot = {"plot": json.dumps({"data": [], "layout": {"annotations": [{"text": note}]}})}

    with pytest.raises(TrackioRejected, match="Error creating plot"):
        read_figure(plot, "loss")


def test_an_experiment_that_vanishes_after_a_write_is_data_loss() -> None:
    app, stand_in = tracker()
    app.create("run")
    stand_in.after = lambda api: stand_in.store.restart() if api == "log_parameters_interface" else None

    with pytest.raises(DataLoss, match="gone or overwritten"):
        app.log_parameters("run", {"a": 1})
