"""A backend of experiments that another package brings: the example, installed; packages that are broken."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from hfspace import TrackioClient
from hfspace.cli.main import run
from hfspace.errors import NotSupported, TrackioUnavailable, UsageError
from hfspace.live.trackio.address import Address
from hfspace.live.trackio.app_http import AppHttp
from hfspace.trackers import TrackerApp
from tests.apps.runbook import runbook
from tests.endpoints.stand_in import Reply, StandIn
from tests.trackio.runner import SPACE, AppRunner, five, hub_for, problems
from tests.unit.test_keys import refused

EXAMPLE = Path(__file__).parents[2] / "examples/tracker"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the example is installed, as a person would, without a network."""
    folder = tmp_path_factory.mktemp("site")
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index",
         "--disable-pip-version-check", "--target", folder, EXAMPLE],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return folder


@pytest.fixture
def example(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(installed))


def declared(backend: str) -> dict[str, object]:
    manifest = five(status="completed", description="d")
    manifest["spaces"][SPACE]["trackio"] = {"backend": backend}
    return manifest


@pytest.mark.usefixtures("example")
def test_plan_and_apply_go_through_the_example() -> None:
    with runbook() as (url, runs), hub_for(url) as hub:
        runner = AppRunner(hub, declared("runbook"))

        assert len(runner.plan().changes) == 5
        assert problems(runner.apply()) == []
        assert runner.plan().is_empty
        assert sorted(one["name"] for one in runs.values()) == [f"run-{number}" for number in range(1, 6)]
        assert {one["status"] for one in runs.values()} == {"completed"}

        runs["run-2"]["parameters"]["size"] = 99
        assert [change.address for change in runner.plan().changes] == [f"{SPACE}.experiments.run-2"]


@pytest.mark.usefixtures("example")
def test_the_client_and_the_commands_go_through_the_example(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with runbook() as (url, runs):
        with TrackioClient(url=url, backend="runbook", env={}) as client:
            one = client.ensure("mine", parameters={"lr": 0.1})
            client.log_metrics(one.id, {"loss": 0.5}, step=1)
            assert client.show("mine").parameters == {"lr": 0.1}
            with pytest.raises(NotSupported, match="The backend 'runbook' can't delete experiments"):
                client.delete("mine")
        assert [row["step"] for row in runs["run-1"]["metrics"]] == [1]

        assert run(["experiments", "list", "--url", url, "--backend", "runbook", "--format", "json"]) == 0
    assert [item["name"] for item in json.loads(capsys.readouterr().out)["experiments"]] == ["mine"]


@pytest.mark.usefixtures("example")
def test_what_the_example_does_not_hold_is_told_by_plan() -> None:
    manifest = declared("runbook")
    manifest["spaces"][SPACE]["prune"] = ["experiments"]  # type: ignore[index]
    manifest["spaces"][SPACE]["experiments"]["run-1"]["project"] = "p"  # type: ignore[index]
    with runbook() as (url, _), hub_for(url) as hub:
        told = {check.message for check in AppRunner(hub, manifest).plan().errors}

    assert told == {
        "the backend 'runbook' can't delete experiments.",
        "the backend 'runbook' has no projects.",
    }


@pytest.mark.usefixtures("example")
def test_an_app_of_the_example_that_floods_or_answers_nonsense_is_an_error() -> None:
    for reply, says in (
        (Reply(endless=True, body=b"x" * (1 << 20)), "more than 8 MiB"),
        (Reply.json({"runs": []}), "does not list its runs"),
        (Reply.json([{"id": 7}]), "something else than a run"),
        (Reply.html("starting", 503), "not ready"),
    ):
        app = StandIn({"/runs": reply})
        with pytest.raises(TrackioUnavailable, match=says):
            TrackioClient(url=app.url, backend="runbook", env={}).list()
        app.close()


@pytest.mark.parametrize("path", ["http://elsewhere/runs", "//elsewhere/runs", "runs", ""])
def test_a_backend_reaches_its_own_app_only(path: str) -> None:
    app = TrackerApp(
        AppHttp("http://127.0.0.1:9", timeout=1), Address(base="http://127.0.0.1:9"), space=None, project=None
    )
    with pytest.raises(UsageError, match="is no path of the app"):
        app.get(path)


@pytest.mark.parametrize("private", [True, False])
def test_only_a_private_app_is_shown_the_token(private: bool) -> None:
    stand_in = StandIn({"/runs": Reply.json([])})
    address = Address(base=stand_in.url, private=private, token="hf_secret", write_token="w")
    app = TrackerApp(AppHttp(stand_in.url, timeout=5), address, space=None, project=None)
    app.get("/runs")
    app.send("POST", "/runs", {})
    stand_in.close()

    sent = {seen.headers.get("authorization") for seen in stand_in.seen}
    assert sent == ({"Bearer hf_secret"} if private else {None})


def package(folder: Path, name: str, target: str, code: str = "") -> None:
    """An installed package that brings the backend `odd`."""
    (folder / f"{name}.py").write_text(code)
    info = folder / f"{name}-2.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 2.0\n")
    (info / "entry_points.txt").write_text(f"[hfspace.trackers]\nodd = {target}\n")


ODD = """
from hfspace.trackers import TrackerBase
class Odd(TrackerBase):
    def __init__(self, app): pass
    def list(self, project=None): {}
"""


@pytest.mark.parametrize(
    ("target", "code", "says"),
    [
        (
            "one:Odd",
            "import nothing_such",
            "can't be used: ModuleNotFoundError: No module",
        ),
        ("one:Nope", "", "can't be used: AttributeError"),
        ("one:Odd", "Odd = lambda app: object()", "is no TrackerBase, but object"),
        ("one:Odd", ODD.format("return 1 / 0"), "fails in list: ZeroDivisionError"),
        ("one:Odd", ODD.format("return [1]"), "answers list with something else than experiments"),
    ],
)
def test_a_broken_package_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str, code: str, says: str
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "one", raising=False)
    package(tmp_path, "one", target, code)

    with runbook() as (url, _), hub_for(url) as hub:
        with pytest.raises(TrackioUnavailable) as caught:
            TrackioClient(url=url, backend="odd", env={}).list()
        plan = AppRunner(hub, declared("odd")).plan()

    assert str(caught.value).startswith("The backend 'odd' (one 2.0) ")
    assert says in str(caught.value)
    assert plan.is_empty
    assert [says in check.message for check in plan.checks] == [True]


def test_a_backend_that_nobody_or_several_bring_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "'odd' is no backend of experiments" in refused("trackio: {backend: odd}")
    with pytest.raises(UsageError, match="'odd' is no backend of experiments"):
        TrackioClient("acme/x", backend="odd", env={})

    monkeypatch.syspath_prepend(str(tmp_path))
    package(tmp_path, "one", "one:Odd")
    package(tmp_path, "two", "two:Odd")
    assert "several packages: one 2.0, two 2.0" in refused("trackio: {backend: odd}")
