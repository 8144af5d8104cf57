"""The Hub first: a Space that does not run is explained, and its host is left alone."""

from __future__ import annotations

import pytest

from hfspace.diagnosis import DiagnosisOptions, examine
from hfspace.live.gradio.codes import Code
from hfspace.live.limiter import Pace
from hfspace.model import SpaceState
from tests.endpoints.conftest import Serve
from tests.endpoints.hub import MemoryHub
from tests.endpoints.stand_in import gradio_routes

STAGES = {
    "PAUSED": (Code.PAUSED, "hfspace restart acme/x"),
    "SLEEPING": (Code.SLEEPING, "--wake"),
    "STOPPED": (Code.SLEEPING, "--wake"),
    "BUILDING": (Code.BUILDING, "hfspace wait acme/x"),
    "APP_STARTING": (Code.BUILDING, "hfspace wait acme/x"),
    "BUILD_ERROR": (Code.BUILD_ERROR, "hfspace logs acme/x --build"),
    "RUNTIME_ERROR": (Code.RUNTIME_ERROR, "hfspace logs acme/x"),
    "CONFIG_ERROR": (Code.CONFIG_ERROR, "README"),
    "NO_APP_FILE": (Code.NO_APP_FILE, "app.py"),
    "SOMETHING_NEW": (Code.NOT_UNDERSTOOD, ""),
}


def space(host: str, stage: str, **more: object) -> SpaceState:
    return SpaceState(id="acme/x", sdk="gradio", visibility="public", stage=stage, host=host, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(("stage", "expected"), list(STAGES.items()))
def test_a_space_that_does_not_run_is_explained_and_its_host_sees_no_request(
    serve: Serve, stage: str, expected: tuple[Code, str]
) -> None:
    host = serve(dict(gradio_routes("plain", "6.31.0")))
    hub = MemoryHub(spaces={"acme/x": space(host.url, stage)})

    found = examine("acme/x", hub)

    assert found.verdict.code is expected[0]
    assert expected[1] in found.verdict.todo
    assert stage in found.verdict.seen
    assert host.seen == []


@pytest.mark.parametrize("stage", ["RUNNING", "RUNNING_BUILDING", "RUNNING_APP_STARTING"])
def test_a_space_that_serves_is_looked_at_with_three_requests(serve: Serve, stage: str) -> None:
    host = serve(dict(gradio_routes("plain", "6.31.0")))
    hub = MemoryHub(spaces={"acme/x": space(host.url, stage)}, cards={"acme/x": {"sdk_version": "6.31.0"}})

    found = examine("https://huggingface.co/spaces/acme/x/tree/main", hub)

    assert found.verdict.code is Code.HEALTHY
    assert found.requests == 3
    assert {seen.path for seen in host.seen} == {"/config", "/gradio_api/info"}
    assert {seen.method for seen in host.seen} == {"GET"}


def test_a_gradio_4_space_needs_no_extra_request_when_the_card_tells_its_version(serve: Serve) -> None:
    host = serve(dict(gradio_routes("plain", "4.44.1")))
    hub = MemoryHub(
        spaces={"acme/x": space(host.url, "RUNNING")}, cards={"acme/x": {"sdk_version": "4.44.1"}}
    )

    assert examine("acme/x", hub).requests == 3


def test_a_runtime_error_shows_the_hubs_message_and_the_last_log_lines() -> None:
    hub = MemoryHub(
        spaces={"acme/x": space("http://127.0.0.1:9", "RUNTIME_ERROR", error_message="Exit code: 1\x1b[31m")},
        log={("acme/x", False): ("Traceback", "ImportError: no module\x1b[0m")},
    )

    found = examine("acme/x", hub)

    assert "Exit code: 1" in found.verdict.seen
    assert found.verdict.seen.isprintable()
    assert "log: ImportError: no module" in " ".join(found.verdict.evidence)


def test_a_build_error_shows_the_build_log() -> None:
    hub = MemoryHub(
        spaces={"acme/x": space("http://127.0.0.1:9", "BUILD_ERROR")},
        log={("acme/x", True): ("ERROR: No matching distribution",)},
    )

    assert "build log: ERROR: No matching distribution" in examine("acme/x", hub).verdict.evidence


def test_a_static_space_has_no_app() -> None:
    hub = MemoryHub(spaces={"acme/x": SpaceState(id="acme/x", sdk="static", stage="RUNNING")})

    found = examine("acme/x", hub)

    assert found.verdict.code is Code.NOT_GRADIO
    assert found.exit_code == 2
    assert "static" in found.verdict.seen


def test_wake_visits_once_and_waits_for_the_hub_to_say_running(serve: Serve) -> None:
    host = serve(dict(gradio_routes("plain", "6.31.0")))
    hub = MemoryHub(
        spaces={"acme/x": space(host.url, "SLEEPING")},
        stages=["SLEEPING", "APP_STARTING", "APP_STARTING", "RUNNING"],
    )
    pauses: list[float] = []

    class NoTime(Pace):
        def sleep(self, seconds: float, what: str) -> None:
            pauses.append(seconds)

    found = examine("acme/x", hub, options=DiagnosisOptions(wake=True, pace=NoTime))

    assert found.verdict.code is Code.HEALTHY
    assert [seen.path for seen in host.seen].count("/") == 1
    assert len(pauses) == 2


def test_wake_gives_up_after_its_time_and_says_where_it_is(serve: Serve) -> None:
    host = serve({})
    hub = MemoryHub(spaces={"acme/x": space(host.url, "SLEEPING")})

    found = examine("acme/x", hub, options=DiagnosisOptions(wake=True, wake_timeout=0.0))

    assert found.verdict.code is Code.SLEEPING


def test_wake_does_not_visit_a_paused_space(serve: Serve) -> None:
    host = serve({})
    hub = MemoryHub(spaces={"acme/x": space(host.url, "PAUSED")})

    assert examine("acme/x", hub, options=DiagnosisOptions(wake=True)).verdict.code is Code.PAUSED
    assert host.seen == []


def test_a_hf_space_host_is_looked_up_on_the_hub_so_that_a_sleeping_space_is_not_woken() -> None:
    hub = MemoryHub(
        spaces={"acme/x": space("https://acme-x.hf.space", "SLEEPING")}, subdomains={"acme-x": "acme/x"}
    )

    found = examine("https://acme-x.hf.space/api/predict", hub)

    assert found.verdict.code is Code.SLEEPING
    assert found.space == "acme/x"
    assert found.requests == 2
