"""Apps that flood, drip, inflate, or never come to an end: every command ends, with a sentence."""

from __future__ import annotations

import gzip
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from hfspace.errors import TrackioUnavailable
from hfspace.live.experiments.client import TrackioClient
from hfspace.live.trackio import interface_text as text
from hfspace.live.trackio.app_http import MOST_PARTS, AppHttp, parsed
from hfspace.live.trackio.budget import Budget
from hfspace.live.trackio.endpoints import USUAL
from hfspace.live.trackio.queue_client import QueueClient
from tests.endpoints.stand_in import NOT_FOUND, Reply, StandIn
from tests.trackio.runner import SPACE, AppRunner, hub_for, problems

MIB = 1 << 20
EVENTS = "/gradio_api/queue/data"
LIST = f"/gradio_api/call/{USUAL['list']}"
SHOW = f"/gradio_api/call/{USUAL['show']}"
INFO = Reply.json({"named_endpoints": {f"/{name}": {} for name in USUAL.values()}, "unnamed_endpoints": {}})
TAKEN = Reply.json({"event_id": "e"})
HEARTBEAT = b'data: {"msg": "heartbeat"}\n\n'
Serve = Callable[[dict[str, Reply]], StandIn]


@pytest.fixture
def serve() -> Iterator[Serve]:
    running: list[StandIn] = []

    def start(routes: dict[str, Reply]) -> StandIn:
        running.append(StandIn({"/gradio_api/info": INFO, LIST: TAKEN, SHOW: TAKEN, **routes}, NOT_FOUND))
        return running[-1]

    yield start
    for item in running:
        item.close()


def completed(text: str, **headers: str) -> Reply:
    message = {"msg": "process_completed", "event_id": "e", "success": True, "output": {"data": [text]}}
    body = b"data: " + json.dumps(message).encode() + b"\n\n"
    return Reply(200, body, {"content-type": "text/event-stream", **headers})


def listing(count: int) -> str:
    blocks = "".join(
        f"🟢 exp_{number}\n   Name: n{number}\n   Status: running\n   Created: now\n   Metrics: 0 entries\n"
        f"   Parameters: 0 entries\n   Artifacts: 0 entries\n\n"
        for number in range(count)
    )
    head = f"📋 EXPERIMENTS OVERVIEW\n{'=' * 50}\nTotal Experiments: {count}\nCurrent Experiment: none\n\n"
    return head + blocks


BOMB = gzip.compress(b'data: "' + b"x" * (64 * MIB))


@pytest.mark.parametrize(
    ("events", "seconds", "message"),
    [
        (Reply(endless=True, body=HEARTBEAT), 0.5, r"did not complete within 0\.5 s"),
        (Reply(endless=True, body=b":"), 0.5, r"did not complete within 0\.5 s"),
        (Reply(hang=30), 0.5, r"did not complete within 0\.5 s"),
        (Reply(endless=True, body=HEARTBEAT * 20_000), 60, "more than 8 MiB"),
        (Reply(endless=True, body=b"x" * MIB), 60, "more than 8 MiB"),
        (Reply(200, BOMB, {"content-encoding": "gzip"}), 60, "more than 8 MiB"),
        (Reply(200, b"not gzip", {"content-encoding": "gzip"}), 60, "broke off"),
        (Reply(200, HEARTBEAT), 60, "broke off its answer"),
        (Reply(200, b"data: [1]\n\ndata: {\n\n"), 60, "broke off its answer"),
    ],
    ids=["heartbeats", "drips", "silence", "many", "flood", "bomb", "no-gzip", "ends", "no-events"],
)
def test_a_call_ends_whatever_the_app_sends(
    serve: Serve, events: Reply, seconds: float, message: str
) -> None:
    app = serve({EVENTS: events})
    client = QueueClient(AppHttp(app.url, timeout=seconds, pauses=()))

    with pytest.raises(TrackioUnavailable, match=message):
        client.read("list")


def test_a_bomb_in_the_api_info_or_in_official_trackio_is_cut(serve: Serve) -> None:
    bomb = Reply(200, BOMB, {"content-encoding": "gzip", "content-type": "application/json"})
    with pytest.raises(TrackioUnavailable):
        TrackioClient(url=serve({"/version": bomb, "/gradio_api/info": bomb}).url, env={}).list()

    version = Reply.json({"version": "0.43.0", "api_version": 1, "api_transport": "http"})
    app = serve({"/version": version, "/api/get_all_projects": bomb})
    with pytest.raises(TrackioUnavailable, match="more than 8 MiB"):
        TrackioClient(url=app.url, env={}).list()


def test_all_answers_together_have_a_limit_of_bytes_and_a_deadline(serve: Serve) -> None:
    app = serve({EVENTS: completed(listing(8))})
    size = len(app.routes[EVENTS].body)
    with pytest.raises(TrackioUnavailable, match="MiB in all"):
        TrackioClient(url=app.url, env={}, budget=Budget(60, 3 * size)).list()

    app.routes[EVENTS] = Reply(endless=True, body=HEARTBEAT)
    with pytest.raises(TrackioUnavailable, match=r"did not answer everything within 0\.4 s"):
        TrackioClient(url=app.url, env={}, budget=Budget(0.4, MIB)).list()


def test_no_thread_outlives_a_call(serve: Serve) -> None:
    app = serve({EVENTS: Reply(endless=True, body=HEARTBEAT)})
    before = set(threading.enumerate())

    with pytest.raises(TrackioUnavailable):
        TrackioClient(url=app.url, env={}, timeout=0.3).list()

    left = [thread for thread in set(threading.enumerate()) - before if "process_request" not in thread.name]
    assert left == []


def test_a_complete_answer_counts_though_the_stream_goes_on(serve: Serve) -> None:
    said = completed("hello").body
    app = serve({EVENTS: Reply(endless=True, body=said)})

    assert QueueClient(AppHttp(app.url, timeout=20)).read("list") == "hello"


@pytest.mark.parametrize("command", ["list", "show", "create", "log-parameters"])
def test_commands_end_though_an_app_sends_heartbeats_for_ever(
    serve: Serve, command: str, tmp_path: Path
) -> None:
    app = serve({EVENTS: Reply(endless=True, body=HEARTBEAT)})
    more = {"list": [], "log-parameters": ["run", '{"a": 1}']}.get(command, ["run"])
    with hub_for(app.url) as hub:
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "hfspace",
                "experiments",
                command,
                *more,
                "--space",
                SPACE,
                "--timeout",
                "1s",
            ],
            env={
                "HF_TOKEN": hub.token,
                "HF_ENDPOINT": hub.url,
                "HOME": str(tmp_path),
                "PATH": "/usr/bin:/bin",
            },
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
        )

    assert "Traceback" not in done.stderr
    assert (done.returncode, done.stdout) == (1, "")
    assert "within 1 s" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_command_that_waits_for_an_app(
    serve: Serve, number: signal.Signals, tmp_path: Path
) -> None:
    app = serve({EVENTS: Reply(endless=True, body=HEARTBEAT)})
    command = [sys.executable, "-m", "hfspace", "experiments", "list", "--url", app.url]
    env = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    child = subprocess.Popen(command, cwd=tmp_path, env=env, stderr=subprocess.PIPE, text=True)
    while not any(seen.path.startswith(EVENTS) for seen in app.seen) and child.poll() is None:
        time.sleep(0.05)
    child.send_signal(number)

    _, error = child.communicate(timeout=25)
    assert (child.returncode, error.strip()) == (130, "hfspace: Interrupted.")


def test_a_call_while_python_ends_is_a_sentence(serve: Serve) -> None:
    """No thread can resolve a name by then; a Space's host is one."""
    app = serve({EVENTS: completed(listing(0))})
    code = f"""
import atexit
from hfspace import TrackioClient
from hfspace.errors import TrackioUnavailable

client = TrackioClient(url={app.url.replace("127.0.0.1", "localhost")!r}, env={{}})
client.list()

@atexit.register
def late():
    try:
        client.list()
    except TrackioUnavailable as error:
        print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert "can't be reached while Python ends" in done.stdout
    assert done.stderr == ""


def test_plan_and_apply_end_though_an_app_sends_heartbeats_for_ever(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hfspace.live.apps.TRACKIO_SECONDS", 0.3)
    app = serve({EVENTS: Reply(endless=True, body=HEARTBEAT)})
    with hub_for(app.url) as hub:
        runner = AppRunner(hub, {"version": 1, "spaces": {SPACE: {"experiments": {"run": {}}}}})
        plan = runner.plan()

        assert plan.is_empty
        assert ["did not complete within" in check.message for check in plan.checks] == [True]
        assert [check.severity for check in plan.checks] == ["unknown"]

        app.routes[EVENTS] = completed(listing(0))
        app.routes[f"/gradio_api/call/{USUAL['create']}"] = Reply(endless=True, body=b" ")
        result = runner.apply()
        assert result.exit_code == 1
        assert "did not complete within" in problems(result)[0]


PIECES = 300_000


@pytest.mark.parametrize(
    "answer",
    [
        "📋 EXPERIMENTS OVERVIEW\n=\nTotal Experiments: 1\nCurrent Experiment: x\n\n"
        + "🟢 x\n   Name: a\n" * PIECES,
        "📊 EXPERIMENT DETAILS\n=\nID: x\nName: a" + "\n" * PIECES * 10,
        "📊 EXPERIMENT DETAILS\n=\nID: x\nName: a"
        + "\nStatus: a\nCreated: b\n📈 METRICS COUNT: 1\n📋 PARAMETERS COUNT: 1\n📦 ARTIFACTS COUNT: 1\n"
        "🔧 PARAMETERS:\n" * (PIECES // 10),
        "📋 EXPERIMENTS OVERVIEW\n=\nTotal Experiments: " + "9" * 5000 + "\nCurrent Experiment: x\n\n",
    ],
    ids=["blocks", "lines", "tails", "digits"],
)
def test_a_text_that_is_made_to_be_read_slowly_is_refused(answer: str) -> None:
    """What takes the square of its length would take hours here."""
    with pytest.raises(TrackioUnavailable, match="not laid out as known"):
        text.read_details(answer, "x")
    with suppress(TrackioUnavailable):
        assert text.read_listing(answer).names == {}


@pytest.mark.parametrize("said", ["[" + "0," * MOST_PARTS + "0]", "[" * 100_000, '{"a": ' * 50_000, "nope"])
def test_json_of_too_many_parts_or_levels_is_none(said: str) -> None:
    assert parsed(said) is None
    assert parsed('{"a": [1]}') == {"a": [1]}
