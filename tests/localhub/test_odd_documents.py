"""What is set or seeded is refused in a sentence, or it serves: never 200 and then 500."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from hfspace.localhub import LocalHub
from hfspace.localhub.seed import LocalHubError, SpacePatch, SpaceSeed

ODD: list[Any] = [
    None, True, 0, 5, -5, 1.5, 1e300, 10**400, "", "text", "\x00", "http://[", "ftp://127.0.0.1",
    [], [None], [5], ["text"], [[5, "RUNNING"]], [["x", "y"]], [[]], [{}], {}, {"A": 5}, {"A": None},
    {"A": [1]}, {"A": {"value": {}}}, {"A": {"value": "1", "updated": 5}}, {"build": "text"},
    {"tags": 5, "title": [], "models": {"a": 1}}, {"run": [5]}, [{"source": 5, "mountPath": "/"}],
    [{"source": "a/b", "mountPath": "/data"}],
    "fail", "crash", "eu", "static", "protected",
]  # fmt: skip
EXPAND = ("runtime", "cardData", "createdAt", "tags", "siblings", "models", "sdk", "lastModified")
PATHS = [
    "/api/spaces?sort=likes&" + "&".join(f"expand={name}" for name in EXPAND),
    "/api/spaces/acme/x?blobs=true",
    "/api/spaces/acme/x/runtime",
    "/api/spaces/acme/x/variables",
    "/api/spaces/acme/x/secrets",
    "/api/spaces/acme/x/logs/build",
    "/api/spaces/semantic-search?q=x&includeNonRunning=true",
    "/api/organizations/acme/settings/repositories",
    "/_local/spaces/acme/x",
]
SEED: dict[str, Any] = {"spaces": {"acme/x": {"variables": {"A": "1"}, "secrets": {"B": "2"}}}}


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    with httpx.Client(headers={"Authorization": "Bearer hf_local_write"}, timeout=30) as client:
        yield client


def failing(hub: LocalHub, http: httpx.Client) -> list[str]:
    """What ends in a 5xx: reads, a restart, and reads when it is long over."""
    asked = [("GET", path) for path in PATHS]
    later = [("POST", "/api/spaces/acme/x/restart")]
    answers = [http.request(method, hub.url + path) for method, path in asked + later]
    hub.advance(200_000)
    answers += [http.request(method, hub.url + path) for method, path in asked[:3]]
    return [f"{answer.status_code} {answer.url}" for answer in answers if answer.status_code >= 500]


def document() -> dict[str, Any]:
    with LocalHub(seed=SEED, clock="manual") as hub:
        return hub.space("acme/x")


@pytest.mark.parametrize("field", sorted({*document(), *SpacePatch.model_fields, "nothing"}))
def test_a_field_that_is_set_by_hand(field: str, http: httpx.Client) -> None:
    taken = 0
    with LocalHub(seed=SEED, clock="manual") as hub:
        shown = hub.space("acme/x")
        before = {name: value for name, value in shown.items() if name in SpacePatch.model_fields}
        for value in ODD:
            answer = http.patch(f"{hub.url}/_local/spaces/acme/x", content=json.dumps({field: value}))
            assert answer.status_code in {200, 400}, value
            if answer.status_code == 400:
                assert answer.json()["error"], value
                continue
            taken += 1
            assert failing(hub, http) == [], value
            hub.set_space("acme/x", **before)
    assert (taken > 0) == (field in SpacePatch.model_fields)


@pytest.mark.parametrize("field", SpaceSeed.model_fields)
def test_a_field_of_the_seed(field: str, http: httpx.Client) -> None:
    for value in ODD:
        try:
            hub = LocalHub(seed={"spaces": {"acme/x": {field: value}}}, clock="manual")
        except LocalHubError:
            continue
        with hub:
            assert failing(hub, http) == [], value


def test_numbers_that_json_has_not_are_refused(http: httpx.Client) -> None:
    with LocalHub(seed=SEED, clock="manual") as hub:
        for raw in ('{"card": {"a": NaN}}', '{"since": Infinity}', '{"card": {"a": -Infinity}}'):
            assert http.patch(f"{hub.url}/_local/spaces/acme/x", content=raw).status_code == 400


def test_what_a_space_shows_can_be_set_again() -> None:
    with LocalHub(seed=SEED, clock="manual") as hub:
        shown = hub.space("acme/x")
        hub.set_space("acme/x", **{name: shown[name] for name in shown if name in SpacePatch.model_fields})
        assert hub.space("acme/x") == shown
