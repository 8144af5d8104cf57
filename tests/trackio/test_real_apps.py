"""The whole way on real apps behind the local Hub: manifest, plan, apply, an empty second plan."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from hfspace.errors import NotSupported, TrackioRejected, TrackioUnavailable
from hfspace.live.access import Stored
from hfspace.live.experiments.client import TrackioClient
from hfspace.live.trackio.endpoints import USUAL
from hfspace.live.trackio.port import LogEntry
from tests.endpoints.real_apps import python_of, running, trackio_running
from tests.trackio.runner import SPACE, AppRunner, five, hub_for, problems

pytestmark = [pytest.mark.apps, pytest.mark.filterwarnings("ignore")]

WRITE = {"TRACKIO_WRITE_TOKEN": "sesame"}
SPACES = {"SYSTEM": "spaces", "SPACE_AUTHOR_NAME": "acme", "SPACE_REPO_NAME": "trackio"}


@pytest.fixture(scope="module", params=[("A1", "6.31.0"), ("A2", "5.50.0")], ids=["A1", "A2"])
def interface(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    generation, version = request.param
    folder = tmp_path_factory.mktemp(generation)
    with running("trackio_interface.py", version, folder, {"TRACKIO_GENERATION": generation}) as url:
        yield url


@pytest.fixture(scope="module", params=["local", "spaces"])
def official(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Official trackio; in Spaces mode it takes the local Hub's token for its own HF_TOKEN."""
    spaces = {**SPACES, "HF_TOKEN": "hf_local_write"} if request.param == "spaces" else {}
    with trackio_running(tmp_path_factory.mktemp(request.param), {**WRITE, **spaces}) as url:
        yield url


def test_five_declared_are_five_on_the_gradio_app(interface: str) -> None:
    with hub_for(interface) as hub:
        runner = AppRunner(hub, five(description="d\nStatus: failed\n", status="completed"))

        first = runner.apply()
        second = runner.plan()

        assert problems(first) == []
        assert second.is_empty
        assert [check.message for check in second.errors] == []
        with TrackioClient(SPACE, endpoint=hub.url, token=hub.token, env={}) as client:
            made = [one for one in client.list() if one.name.startswith("run-")]
            assert sorted(one.name for one in made) == [f"run-{number}" for number in range(1, 6)]
            assert {one.status for one in made} == {"completed"}
            assert {one.description for one in made} == {"d\nStatus: failed\n"}
            client.log_parameters("run-2", {"theirs": 1})
            client.log_metrics("run-2", [LogEntry(metrics={"loss": 0.5}, step=7)])
            assert runner.plan().is_empty
            client.update_status("run-3", "failed")
            assert [change.address for change in runner.plan().changes] == [f"{SPACE}.experiments.run-3"]
            assert problems(runner.apply()) == []
            assert client.show("run-3").status == "completed"
            assert len(client.list()) == 7


def test_all_ten_operations_on_the_gradio_app(interface: str) -> None:
    with TrackioClient(url=interface, env={}) as client:
        one = client.create("ten", description="\x1b[2Jhello", parameters={"a": [1, {"b": None}]})
        assert client.show("ten") == one
        assert one.parameters == {"a": [1, {"b": None}]}
        client.log_metrics(
            "ten", [LogEntry(metrics={"loss": 0.5}, step=1), LogEntry(metrics={"loss": 0.4}, step=2)]
        )
        assert [point.value for point in client.plot("ten", "loss").points] == [0.5, 0.4]
        assert client.simulate(one.id).metrics == 22
        demo = client.demo()
        assert [len(series.points) for series in client.compare([one.id, demo.id])] == [22, 20]
        assert client.update_status("ten", "paused").status == "paused"
        with pytest.raises(TrackioRejected, match="list of choices"):
            client.plot("ten", "my_metric")


@pytest.mark.slow
@pytest.mark.parametrize("generation", ["A1", "A2"])
def test_the_gradio_app_under_gradio_4(generation: str, tmp_path: Path) -> None:
    """Its API has no prefix there, and its menus take anything."""
    env = {"TRACKIO_GENERATION": generation}
    with (
        running("trackio_interface.py", "4.44.1", tmp_path, env) as url,
        TrackioClient(url=url, env={}) as client,
    ):
        one = client.ensure("old", parameters={"lr": 0.1})
        client.log_metrics(one.id, {"loss": 0.5}, step=1)
        assert client.update_status(one.id, "failed").parameters == {"lr": 0.1}
        assert [point.value for point in client.plot("old", "loss").points] == [0.5]
        with pytest.raises(TrackioRejected, match="has no metric 'my_metric'"):
            client.plot("old", "my_metric")


def test_an_app_whose_endpoints_have_other_names(tmp_path: Path) -> None:
    names = {use: f"/our_{name}" for use, name in USUAL.items()}
    env = {"TRACKIO_GENERATION": "A2", "TRACKIO_PREFIX": "our_"}
    with running("trackio_interface.py", "5.50.0", tmp_path, env) as url, hub_for(url) as hub:
        manifest = five()
        manifest["spaces"][SPACE]["trackio"] = {"backend": "interface", "endpoints": names}
        runner = AppRunner(hub, manifest)

        assert problems(runner.apply()) == []
        assert runner.plan().is_empty
        with TrackioClient(SPACE, endpoint=hub.url, token=hub.token, endpoints=names, env={}) as client:  # type: ignore[arg-type]
            client.log_metrics("run-1", {"loss": 0.5}, step=1)
            assert [point.value for point in client.plot("run-1", "loss").points] == [0.5]
        with pytest.raises(TrackioUnavailable, match="no Trackio"):
            TrackioClient(url=url, env={}).list()


def test_five_declared_are_five_on_official_trackio(official: str) -> None:
    manifest = declared_in_a_project()
    with hub_for(official) as hub:
        five_converge(AppRunner(hub, manifest, WRITE))
        with TrackioClient(SPACE, endpoint=hub.url, token=hub.token, project="mymodel", env=WRITE) as client:
            client.create("extra")
        manifest["spaces"][SPACE]["prune"] = ["experiments"]
        pruner = AppRunner(hub, manifest, WRITE)
        assert [change.address for change in pruner.plan().changes] == [f"{SPACE}.experiments.mymodel/extra"]
        assert problems(pruner.apply()) == []
        assert pruner.plan().is_empty


@pytest.mark.slow
def test_the_first_trackio_with_this_api(tmp_path: Path) -> None:
    """0.24.0 tells configs run by run, and takes no write token of ours: only Spaces mode can be written."""
    env = {**SPACES, "HF_TOKEN": "hf_local_write"}
    with trackio_running(tmp_path, env, version="0.24.0") as url, hub_for(url) as hub:
        five_converge(AppRunner(hub, declared_in_a_project(), WRITE))


def declared_in_a_project() -> dict[str, Any]:
    manifest = five()
    manifest["spaces"][SPACE]["trackio"] = {"backend": "trackio", "project": "my.model"}
    return manifest


def five_converge(runner: AppRunner) -> None:
    """Five after one apply, an empty second plan, and of foreign changes only what is declared comes back."""
    assert problems(runner.apply()) == []
    assert runner.plan().is_empty
    hub = runner.hub
    with TrackioClient(SPACE, endpoint=hub.url, token=hub.token, project="mymodel", env=WRITE) as client:
        assert sorted(run.name for run in client.list()) == [f"run-{number}" for number in range(1, 6)]
        client.log_parameters("run-2", {"theirs": 1, "size": 99})
        assert [change.after for change in runner.plan().changes] == [{"parameters": {"size": 2}}]
        assert problems(runner.apply()) == []
        shown = client.show("run-2").parameters
        assert (shown["theirs"], shown["size"]) == (1, 2)
        with pytest.raises(NotSupported):
            client.update_status("run-2", "failed")


def test_a_token_without_rights_is_one_sentence(official: str) -> None:
    with hub_for(official) as hub:
        runner = AppRunner(hub, {"version": 1, "spaces": {SPACE: {"experiments": {"p/new": {}}}}})
        spaces = official_is_a_space(official)
        if spaces:
            runner.client._access = Anonymous(token=runner.client._access.token)

        result = runner.apply()

        assert result.exit_code == 1
        assert "Trackio refuses" in problems(result)[0]
        assert ("HF_TOKEN" if spaces else "TRACKIO_WRITE_TOKEN") in result.outcomes[0].hint


class Anonymous(Stored):
    """A token for the Hub, and none for the app."""

    def app(self, space: str) -> str | None:
        return None


def official_is_a_space(url: str) -> bool:
    import httpx

    told = httpx.post(f"{url}/api/get_run_mutation_status", json={}).json()
    return bool(told["data"]["spaces"])


SDK = """
import sys, trackio
run = trackio.init(project="p", name="declared", server_url=sys.argv[1] + "?write_token=sesame",
                   resume="must", config={"theirs": 1, "lr": 0.1})
trackio.log({"loss": 0.5})
trackio.finish()
"""


def test_the_sdk_resumes_a_declared_run(tmp_path: Path) -> None:
    manifest = {"version": 1, "spaces": {SPACE: {"experiments": {"p/declared": {"parameters": {"lr": 0.1}}}}}}
    with trackio_running(tmp_path, WRITE) as url, hub_for(url) as hub:
        runner = AppRunner(hub, manifest, WRITE)
        assert problems(runner.apply()) == []
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "HF_HUB_OFFLINE": "1",
            "TRACKIO_DIR": str(tmp_path / "own"),
        }
        subprocess.run(
            [str(python_of("0.43.0", "trackio")), "-c", SDK, url], env=env, check=True, timeout=90,
            cwd=tmp_path, capture_output=True,
        )  # fmt: skip

        assert runner.plan().is_empty
        with TrackioClient(url=url, project="p", env=WRITE) as client:
            assert [(run.name, run.metrics) for run in client.list()] == [("declared", 1)]
            assert client.show("declared").parameters["theirs"] == 1

            manifest["spaces"][SPACE]["experiments"]["p/declared"]["parameters"]["lr"] = 0.2
            changed = AppRunner(hub, manifest, WRITE)
            assert problems(changed.apply()) == []
            after = client.show("declared").parameters
            assert after["lr"] == 0.2
            assert after["theirs"] == 1
            assert "_Username" in after


def test_a_new_space_gets_its_experiments_in_one_apply(interface: str) -> None:
    """Created, waited for, and only then filled; the app answers late."""
    new = "acme/new"
    manifest = {
        "version": 1,
        "spaces": {new: {"sdk": "gradio", "create": {}, "experiments": {"fresh": {"parameters": {"a": 1}}}}},
    }
    with hub_for(None) as hub:

        def give_it_an_app(moment: str, method: str, path: str) -> None:
            if moment == "after" and path.endswith("/runtime") and hub.space(new)["host"] is None:
                hub.set_space(new, host=interface, stage="RUNNING")

        hub.set_hook(give_it_an_app)
        runner = AppRunner(hub, manifest)
        assert [change.address for change in runner.plan().changes] == [new, f"{new}.experiments.fresh"]

        result = runner.apply()

        assert problems(result) == []
        assert [change.facet for change in result.outcomes[0].applied] == ["existence", "experiments"]
        assert runner.plan().is_empty


@pytest.mark.slow
def test_a_restart_of_the_app_is_planned_again_and_warned_about(tmp_path: Path) -> None:
    from tests.endpoints.real_apps import free_port

    port = free_port()
    with hub_for(f"http://127.0.0.1:{port}") as hub:
        runner = AppRunner(hub, {"version": 1, "spaces": {SPACE: {"experiments": {"kept": {}}}}})
        with running("trackio_interface.py", "6.31.0", tmp_path, port=port):
            assert problems(runner.apply()) == []
            plan = runner.plan()
            assert plan.is_empty
            assert "a restart forgets everything" in plan.checks[0].message
        away = runner.plan()
        assert away.is_empty
        assert [check.severity for check in away.checks] == ["unknown"]
        assert "not ready" in away.checks[0].message
        with running("trackio_interface.py", "6.31.0", tmp_path, port=port):
            assert [str(change.action) for change in runner.plan().changes] == ["create"]


@pytest.mark.parametrize("kind", [pytest.param("interface", marks=pytest.mark.slow), "trackio"])
def test_killed_between_create_and_verification_the_rerun_makes_no_second(kind: str, tmp_path: Path) -> None:
    """A real process, killed as soon as the app holds the first experiment."""
    import signal
    import sys

    app = (
        running("trackio_interface.py", "6.31.0", tmp_path)
        if kind == "interface"
        else trackio_running(tmp_path, WRITE)
    )
    with app as url, hub_for(url) as hub:
        manifest = five()
        manifest["spaces"][SPACE]["trackio"] = {
            "backend": kind,
            **({"project": "p"} if kind == "trackio" else {}),
        }
        (tmp_path / "spaces.yaml").write_text(yaml.safe_dump(manifest))
        env = {**os.environ, "HF_ENDPOINT": hub.url, "HF_TOKEN": hub.token, **WRITE}
        command = [sys.executable, "-m", "hfspace", "apply", "--yes"]
        watcher = TrackioClient(url=url, project="p" if kind == "trackio" else None, env=WRITE)
        with watcher, (tmp_path / "apply.log").open("wb") as log:
            before = len(watcher.list())
            process = subprocess.Popen(command, cwd=tmp_path, env=env, stdout=log, stderr=log)
            while process.poll() is None and len(watcher.list()) == before:
                time.sleep(0.01)
            process.send_signal(signal.SIGKILL)
            process.wait()

            rerun = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, timeout=120)

            assert rerun.returncode == 0, rerun.stderr
            made = sorted(one.name for one in watcher.list() if one.name.startswith("run-"))
            assert made == [f"run-{number}" for number in range(1, 6)]
        assert AppRunner(hub, manifest, WRITE).plan().is_empty
