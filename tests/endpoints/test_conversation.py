"""Calls that follow each other on one connection: one session, one process, nothing that outlives them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hfspace.diagnosis import Connection, connect
from hfspace.live.gradio import client_calls
from hfspace.live.gradio.calls import CallTimeout, EndpointError
from hfspace.manifest.models import EndpointSpec
from tests.endpoints.hub import MemoryHub
from tests.endpoints.real_apps import MATRIX, NEWEST, free_port, running

pytestmark = [pytest.mark.apps, pytest.mark.filterwarnings("ignore")]
VERSIONS = [pytest.param(v, marks=() if v == NEWEST[-1] else pytest.mark.slow) for v in MATRIX[1:]]

PROGRAM = """
import sys
from hfspace.diagnosis import connect
from hfspace.manifest.models import EndpointSpec
from tests.endpoints.hub import MemoryHub

connection = connect(sys.argv[1], endpoint=EndpointSpec(api_name="/upper"), hub=MemoryHub())
connection.call("a")
print(connection.conversation._child._process.pid, flush=True)
if len(sys.argv) > 2:
    sys.stdin.read()
"""


@pytest.fixture(scope="module", params=VERSIONS)
def shapes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running("gradio_shapes.py", request.param, tmp_path_factory.mktemp("shapes")) as url:
        yield url


def to(url: str, name: str) -> Connection:
    return connect(url, endpoint=EndpointSpec(api_name=name), hub=MemoryHub())


def is_gone(pid: int) -> bool:
    """Whether the process ended, within some seconds."""
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


def test_a_state_stays_from_one_call_to_the_next_until_the_connection_is_closed(shapes: str) -> None:
    with to(shapes, "/remember") as connection:
        assert [connection.call("a"), connection.call("b"), connection.call(text="c")] == [
            "a",
            "a,b",
            "a,b,c",
        ]
        connection.close()
        assert connection.call("d") == "d"


def test_two_connections_do_not_share_a_state(shapes: str) -> None:
    with to(shapes, "/remember") as one, to(shapes, "/remember") as other:
        assert (one.call("a"), other.call("b"), one.call("c")) == ("a", "b", "a,c")


def test_an_error_of_the_app_does_not_end_the_conversation(shapes: str) -> None:
    with to(shapes, "/remember") as connection:
        connection.call("a")
        with pytest.raises(EndpointError):
            list(connection.conversation.stream(to(shapes, "/boom").prepare(["x"], 20)))
        assert connection.call("b") == "a,b"


def test_after_a_deadline_the_next_call_works(shapes: str) -> None:
    with to(shapes, "/slow") as connection:
        with pytest.raises(CallTimeout):
            connection.call(30, timeout=3)
        assert connection.conversation._child is None or connection.conversation._child.ended
        assert connection.call(0.01, timeout=60) == "slept"


def test_calls_at_the_same_time_do_not_wait_for_each_other(shapes: str) -> None:
    with to(shapes, "/upper") as connection, ThreadPoolExecutor(3) as pool:
        assert list(pool.map(connection.call, ["a", "b", "c"])) == ["A", "B", "C"]


def test_an_abandoned_stream_ends_its_process(shapes: str) -> None:
    with to(shapes, "/count") as connection:
        steps = connection.stream(1000)
        assert next(steps) == "step 0"
        steps.close()  # type: ignore[attr-defined]
        assert list(connection.stream(2)) == ["step 0", "step 1"]


@pytest.mark.parametrize("killed", [False, True], ids=["at its end", "killed"])
def test_no_process_outlives_the_program(shapes: str, killed: bool) -> None:
    command = [sys.executable, "-c", PROGRAM, shapes, *(["wait"] if killed else [])]
    root = Path(__file__).parent.parent.parent
    with subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
        assert program.stdout is not None
        pid = int(program.stdout.readline())
        if killed:
            program.kill()
    assert is_gone(pid)


def test_an_app_that_was_started_anew_is_not_called_by_position(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_calls, "_IDLE_SECONDS", 0.0)
    port = free_port()
    with running("gradio_shapes.py", NEWEST[-1], tmp_path, port=port) as url:
        remember, upper = to(url, "/remember"), to(url, "/upper")
        assert (remember.call("a"), remember.call("b"), upper.call("x")) == ("a", "a,b", "X")
    with running("gradio_shapes.py", NEWEST[-1], tmp_path, port=port), remember, upper:
        assert upper.call("y") == "Y"
        with pytest.raises(EndpointError, match="started anew"):
            remember.call("c")
        assert remember.call("d") == "d"
