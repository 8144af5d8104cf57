"""hfspace experiments watch: one reading in this process, and the loop in one of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hfspace.live.trackio.budget import Budget
from hfspace.live.trackio.overview import App, Selection
from hfspace.live.trackio.port import LogEntry
from tests.monitor.command_line import Cli
from tests.monitor.fake import FakeTracker

SCRIPT = Path(__file__).with_name("run_cli.py")


def test_one_reading_shows_experiments_and_curves(filled: Cli) -> None:
    code, out, err = filled("watch", "--once")
    assert (code, err) == (0, "")
    assert out.splitlines()[0].startswith("acme/track  Gradio app, 2 experiments, as of ")
    assert [line.split() for line in out.splitlines()[2:]] == [
        [name, "running", "90", "loss", "0.1", "█▄▃▂▁▁▁▁▁▁"] for name in ("run-a", "run-b")
    ]


def test_without_a_loss_what_there_is_is_shown(cli: Cli) -> None:
    cli.tracker = FakeTracker(keyed=True)
    for name, metrics in (("x", {"a": 1.0, "b": 2.0}), ("y", {"loss": 1.0, "a": 1.0})):
        cli.tracker.create(name)
        cli.tracker.log_metrics(name, [LogEntry(metrics=metrics, step=1)])
    (app,) = json.loads(cli("watch", "--once", "--format", "json")[1])["apps"]
    shown = [[series["metric"] for series in one["series"]] for one in app["experiments"]]
    assert shown == [["a", "b"], ["loss"]]


def test_running_experiments_come_first_and_the_rest_is_counted(filled: Cli) -> None:
    filled.tracker.update_status("run-a", "completed")
    _, out, _ = filled("watch", "--once", "--most", "1")
    assert "run-b" in out
    assert "run-a" not in out
    assert "… and 1 more experiment" in out
    assert "run-a" in filled("watch", "--once", "--status", "completed")[1]


def app_of(connect: Callable[[], FakeTracker]) -> App:
    return App(
        place="acme/track",
        connect=connect,
        budget=Budget(30, 1 << 20),
        disconnect=lambda tracker: tracker.close(),
    )


def test_what_did_not_move_is_not_read_again(filled: Cli) -> None:
    stop = threading.Event()
    app = app_of(lambda: filled.tracker)
    app.read(Selection(), stop)
    app.read(Selection(), stop)
    assert filled.tracker.calls.count("plot") == 2
    filled.tracker.log_metrics("run-a", [LogEntry(metrics={"loss": 0.01}, step=100)])
    app.read(Selection(), stop)
    assert filled.tracker.calls.count("plot") == 3
    assert [curves.series[0].points[-1].value for curves in app.view.experiments] == [0.01, 0.1]


def test_what_was_read_stays_beside_the_problem_and_the_app_is_looked_for_anew(filled: Cli) -> None:
    connected: list[FakeTracker] = []

    def connect() -> FakeTracker:
        connected.append(filled.tracker)
        return filled.tracker

    app = app_of(connect)
    app.read(Selection(), threading.Event())
    filled.tracker.fault = lambda call: "before"
    app.read(Selection(), threading.Event())
    assert (app.view.problem, len(app.view.experiments)) == ("No answer.", 2)
    assert filled.tracker.calls[-1] == "close"
    filled.tracker.fault = lambda call: None
    app.read(Selection(), threading.Event())
    assert (app.view.problem, len(connected)) == ("", 2)


def test_no_thread_is_left(filled: Cli) -> None:
    before = set(threading.enumerate())
    filled("watch", "--once")
    assert set(threading.enumerate()) <= before


def test_which_apps_are_meant(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def places(*args: str) -> list[str]:
        return [
            app["place"] for app in json.loads(cli("watch", "--once", "--format", "json", *args)[1])["apps"]
        ]

    assert places() == ["acme/track"]
    assert places("acme/a", "https://huggingface.co/spaces/acme/b", "acme/a") == ["acme/a", "acme/b"]
    assert places("--url", "http://127.0.0.1:1") == ["http://127.0.0.1:1"]
    monkeypatch.delenv("TRACKIO_SPACE_ID")
    code, _, err = cli("watch", "--once")
    assert code == 1
    assert "Which Trackio Spaces?" in err
    (tmp_path / "spaces.yaml").write_text(
        "version: 1\nspaces:\n  acme/x: {experiments: {}}\n  acme/plain: {hardware: cpu-basic}\n"
        "  acme/y: {trackio: {backend: trackio, project: smol}}\n"
    )
    assert places() == ["acme/x", "acme/y"]
    assert (cli.asked[-1][0], cli.asked[-1][1]["project"]) == ("acme/y", "smol")


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("no such space",), "is not a Space"),
        (("--interval", "soon"), "--interval soon is not a duration"),
        (("--html", "--format", "json"), "not both"),
    ],
)
def test_what_makes_no_sense_is_refused(cli: Cli, args: tuple[str, ...], says: str) -> None:
    code, out, err = cli("watch", "--once", *args)
    assert (code, out) == (1, "")
    assert says in err


def test_one_reading_can_be_a_page(filled: Cli) -> None:
    code, out, _ = filled("watch", "--once", "--html")
    assert code == 0
    assert out.startswith("<!doctype html>")
    assert "run-a" in out
    assert 'http-equiv="refresh"' not in out


# ------------------------------------------------------------------ in a process of its own


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    store = tmp_path / "store.json"
    tracker = FakeTracker(store=store)
    tracker.create("run-a")
    tracker.log_metrics("run-a", [LogEntry(metrics={"loss": 1 / (1 + at)}, step=at) for at in range(9)])
    inherited = {name: value for name, value in os.environ.items() if name not in {"FORCE_COLOR", "HF_TOKEN"}}
    return {**inherited, "FAKE_STORE": str(store), "HF_HOME": str(tmp_path), "TRACKIO_SPACE_ID": "acme/track"}


@contextmanager
def watching(env: dict[str, str], *args: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, str(SCRIPT), "cli", "experiments", "watch", *args]
    process = subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_goes_on_over_a_dead_app_and_a_silent_one_and_ends_with_130(
    env: dict[str, str], number: signal.Signals
) -> None:
    spaces = ("acme/track", "acme/dead", "acme/hangs")
    with watching(env, *spaces, "--interval", "1", "--timeout", "1", "--format", "json") as process:
        assert process.stdout
        documents = [json.loads(process.stdout.readline()) for _ in range(3)]
        process.send_signal(number)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err.strip() == "hfspace: Interrupted."
    track, dead, hangs = documents[-1]["apps"]
    assert (track["problem"], track["experiments"][0]["experiment"]["metrics"]) == (None, 9)
    assert (dead["problem"], dead["read_at"]) == ("No answer.", None)
    assert hangs["problem"].startswith("It has not answered for ")


@pytest.mark.parametrize(("spaces", "code"), [(("acme/track", "acme/hangs"), 4), (("acme/dead",), 1)])
def test_one_reading_that_lacks_an_app_says_so_by_its_exit_code(
    env: dict[str, str], spaces: tuple[str, ...], code: int
) -> None:
    with watching(env, *spaces, "--once", "--timeout", "5") as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (code, "")
    assert ("It has not answered" in out) == (code == 4)
    assert ("No answer." in out) == (code == 1)


def fetch(url: str, **headers: str) -> tuple[int, str]:
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_the_page_is_served_to_who_knows_its_address_and_to_no_other_host(env: dict[str, str]) -> None:
    with watching(env, "acme/track", "--html", "--interval", "1") as process:
        assert process.stdout
        url = process.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:")
        body = ""
        for _ in range(2000):
            status, body = fetch(url)
            assert status == 200
            if "run-a" in body:
                break
        assert "<svg" in body
        assert fetch(url, Host="evil.example")[0] == 403
        assert fetch(url, Origin="https://evil.example")[0] == 403
        assert fetch(url.rsplit("/", 2)[0] + "/")[0] == 404
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
