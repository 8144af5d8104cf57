"""The monitor and the commands on real apps: both generations of the Gradio app, and official trackio."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from hfspace import ExperimentMonitor
from hfspace.cli.main import run
from hfspace.live.experiments.client import TrackioClient
from hfspace.live.trackio.port import Series
from tests.endpoints.real_apps import free_port, running, trackio_running

pytestmark = [pytest.mark.apps, pytest.mark.filterwarnings("ignore")]

WRITE = {"TRACKIO_WRITE_TOKEN": "sesame"}
A1, A2 = (pytest.param(name, marks=pytest.mark.slow) for name in ("A1", "A2"))
APPS = {"A1": ("A1", "6.31.0"), "A2": ("A2", "5.50.0")}


@pytest.fixture(scope="module")
def app(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "official":
        with trackio_running(folder, WRITE) as url:
            yield url
        return
    generation, version = APPS[request.param]
    with running("trackio_interface.py", version, folder, {"TRACKIO_GENERATION": generation}) as url:
        yield url


def project_of(client: TrackioClient) -> str | None:
    return "smol" if client.kind == "trackio" else None


def steps(series: Series) -> Sequence[int | None]:
    return [point.step for point in series.points]


@pytest.mark.parametrize("app", [A1, "A2", "official"], indirect=True)
def test_a_run_arrives_whole_and_in_order(app: str, tmp_path: Path) -> None:
    with TrackioClient(url=app, env=WRITE) as client:
        project = project_of(client)
        for status, start in (("completed", 0), ("failed", 8)):
            monitor = ExperimentMonitor(
                "monitored", url=app, project=project, config={"lr": 2e-5}, description="a run",
                spool_dir=tmp_path, flush_every=0.1, flush_timeout=40, env=WRITE,
            ).start()  # fmt: skip
            for step in range(start, start + 8):
                monitor.log({"loss": 1 / (step + 1), "learning_rate": 0.1}, step=step)
            monitor.log({"loss": float("nan")}, step=100 + start)
            monitor.finish(status)
            live = client.show("monitored", project)
            assert monitor.unsent == 0
            assert live.status == (status if client.kind == "interface" else None)
        assert live.metrics == 18
        assert live.parameters["lr"] == 2e-5
        finite = [step for step in steps(client.plot("monitored", "loss", project)) if step and step < 100]
        assert finite == list(range(1, 16))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("app", [A1, A2, "official"], indirect=True)
def test_the_commands(app: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with TrackioClient(url=app, env=WRITE) as client:
        place = ["--url", app] + (["--project", "smol"] if client.kind == "trackio" else [])

    def ask(*args: str) -> str:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TRACKIO_WRITE_TOKEN", WRITE["TRACKIO_WRITE_TOKEN"])
            code = run(["experiments", *args, *place])
        out, err = capsys.readouterr()
        assert code == 0, err
        return out

    assert ask("create", "by-hand").startswith("Created")
    assert ask("create", "by-hand").startswith("Exists already")
    ask("log-parameters", "by-hand", '{"lr": 0.5}')
    for step in range(3):
        ask("log-metrics", "by-hand", f'{{"loss": {step}}}', "--step", str(step))
    shown = json.loads(ask("show", "by-hand", "--format", "json"))["experiment"]
    assert (shown["parameters"], shown["metrics"], shown["latest"]) == ({"lr": 0.5}, 3, {"loss": 2})
    if "--project" in place:
        (tmp_path / "weights.bin").write_bytes(b"weights")
        kept = json.loads(
            ask("upload-artifact", "by-hand", str(tmp_path / "weights.bin"), "--format", "json")
        )
        assert (kept["artifact"]["version"], kept["artifact"]["sent"]) == ("v0", 7)
    assert "by-hand" in ask("list")
    assert "by-hand: loss" in ask("plot", "by-hand")
    lines = [json.loads(line) for line in ask("export", "by-hand").splitlines()]
    assert [line["value"] for line in lines if line.get("type") == "metric"] == [0, 1, 2]


@pytest.mark.slow
def test_an_app_that_restarts_in_the_middle_ends_with_all_of_it(tmp_path: Path) -> None:
    """It keeps experiments in memory: what it forgot is sent again."""
    port = free_port()
    folders = [tmp_path / name for name in ("one", "two", "spool")]
    for folder in folders:
        folder.mkdir()
    monitor = ExperimentMonitor(
        "long", url=f"http://127.0.0.1:{port}", spool_dir=folders[2], flush_every=0.1,
        retry_pauses=(0.2, 0.5), flush_timeout=60, env={},
    )  # fmt: skip
    with running("trackio_interface.py", "5.50.0", folders[0], port=port):
        monitor.start()
        for step in range(6):
            monitor.log({"loss": float(step)}, step=step)
        wait = threading.Event()
        assert any(not monitor.unsent or wait.wait(0.1) for _ in range(200))
    for step in range(6, 10):
        monitor.log({"loss": float(step)}, step=step)
    with running("trackio_interface.py", "5.50.0", folders[1], port=port) as url:
        monitor.finish()
        with TrackioClient(url=url, env={}) as client:
            assert steps(client.plot("long", "loss")) == list(range(10))
            assert client.show("long").status == "completed"
