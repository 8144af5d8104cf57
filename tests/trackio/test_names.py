"""TrackioClient under the names that people know, and with what they pass by mistake."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from hfspace import ExperimentMonitor, TrackioClient
from hfspace.errors import UsageError
from tests.trackio.store_client import client_over, tracker


@pytest.fixture
def client() -> TrackioClient:
    backend, _ = tracker()
    return client_over(backend)


def test_an_experiment_under_the_names_of_the_endpoints(client: TrackioClient) -> None:
    one = client.create_experiment("my_experiment", "Test experiment")
    client.log_metrics(one.id, {"loss": 1.234, "accuracy": 0.85}, step=100)
    client.log_parameters(one.id, {"lr": 2e-5})
    client.update_experiment_status(one.id, "completed")
    found = client.get_experiment_details(one.id)
    assert (found.latest, found.latest_step) == ({"loss": 1.234, "accuracy": 0.85}, 100)
    assert (found.parameters, found.status) == ({"lr": 2e-5}, "completed")
    assert one.id in [item.id for item in client.list_experiments()]
    assert [point.value for point in client.create_metrics_plot(one.id).points] == [1.234]
    (series,) = client.create_experiment_comparison(one.id)
    assert series.experiment == "my_experiment"


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.log_metrics("x", "loss"),
        lambda client: client.log_metrics("x", 5, step=1),
        lambda client: client.log_metrics("x", [{"loss": 1}]),
        lambda client: client.log_metrics(5, {"loss": 1}),
        lambda client: client.create_experiment(5),
        lambda client: client.get_experiment_details(None),
        lambda client: client.update_experiment_status({}, "failed"),
        lambda client: client.show({}),
        lambda client: client.plot(5, "loss"),
        lambda client: client.plot("x", None),
        lambda client: client.compare("x1"),
        lambda client: client.compare(5),
        lambda client: client.create_experiment_comparison(5),
        lambda client: client.create("x", description=5),
        lambda client: client.upload_artifact("x", "file", name="x"),
        lambda client: client.upload_artifact("x", [5], name="x"),
        lambda client: TrackioClient.many("acme/track"),
        lambda client: TrackioClient.many(5),
        lambda client: TrackioClient("acme/track", timeout="x"),
        lambda client: TrackioClient("acme/track", backend=[]),
        lambda client: TrackioClient("acme/track", endpoints=5),
        lambda client: TrackioClient("acme/track", env=5),
        lambda client: TrackioClient("acme/track", 5),
        lambda client: TrackioClient(5),
    ],
)
def test_a_wrong_type_is_a_sentence(client: TrackioClient, call: Any) -> None:
    with pytest.raises(UsageError):
        call(client)


@pytest.mark.parametrize("kind", [TrackioClient, ExperimentMonitor])
def test_every_name_is_on_the_page_of_the_library(kind: type) -> None:
    page = (Path(__file__).parents[2] / "docs/python.md").read_text()
    names = [name for name in dir(kind) if not name.startswith("_")]
    assert [name for name in names if not re.search(rf"\b{name}\b", page)] == []
