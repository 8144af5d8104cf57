"""HTTP apps against a real FastAPI: one that describes itself, and the same one silent."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from hfspace.cli.main import run
from hfspace.diagnosis import DiagnosisOptions, connect, examine
from hfspace.errors import AppError
from hfspace.facets.base import Desired
from hfspace.facets.endpoint import Endpoint
from hfspace.live.gradio.codes import Code
from hfspace.live.gradio.sending import request_of
from hfspace.live.gradio.served import read_space_app
from hfspace.manifest.models import EndpointSpec, Manifest, Policy, SpaceSpec
from hfspace.model import Check, ManifestRef, ServedEndpoint, SpaceState
from tests.endpoints.conftest import Serve
from tests.endpoints.hub import MemoryHub
from tests.endpoints.real_apps import NEWEST, running
from tests.endpoints.stand_in import Reply

pytestmark = [pytest.mark.apps, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running("fastapi_app.py", NEWEST[-1], tmp_path_factory.mktemp("told")) as url:
        yield url


@pytest.fixture(scope="module")
def silent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running("fastapi_app.py", NEWEST[-1], tmp_path_factory.mktemp("silent"), {"APP_SILENT": "1"}) as url:
        yield url


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    for name in ("HF_TOKEN", "HUGGINGFACE_TOKEN", "HFSPACE_FILE"):
        monkeypatch.delenv(name, raising=False)


def called(url: str, *arguments: str) -> list[str]:
    return ["call", url, "--format", "json", *arguments]


ANSWERS = [
    (["--path", "/health"], {"status": "up"}),
    (["--path", "/hidden"], {"status": "hidden"}),
    (["--path", "/items/7"], {"item": 7, "size": 1}),
    (["--path", "/items/{item}", "--method", "GET", "7", "2"], {"item": 7, "size": 2}),
    (["--path", "/items/{item}", "--param", "item=7", "--query", "size=4"], {"item": 7, "size": 4}),
    (
        ["--path", "/items/{item}", "--method", "PUT", "7", "hello"],
        {"item": 7, "text": "hello", "stars": 3, "dry": False},
    ),
    (
        [
            "--path",
            "/items/7",
            "--method",
            "put",
            "--query",
            "dry=true",
            "--data",
            '{"text": "x", "stars": 5}',
        ],
        {"item": 7, "text": "x", "stars": 5, "dry": True},
    ),
    (["--path", "/items/7", "--method", "DELETE"], {"deleted": 7}),
    (["--path", "/search", "--data", '{"q": "x", "limit": 1}'], ["x"]),
    (["--path", "/search?q=a%26b", "--query", "limit=1"], ["a&b"]),
    (["--path", "/generate", "hello", "30"], {"generated_text": "hello|30"}),
    (["--path", "/api/generate", "a", "5"], {"data": ["A", "5"]}),
    (["--path", "/notes", '[{"text": "a"}, {"text": "b"}]'], 2),
    (["--path", "/form", "me", "3"], {"user": "me", "age": 3}),
]


@pytest.mark.parametrize(("arguments", "answer"), ANSWERS)
def test_call_fills_path_query_and_body(
    told: str, arguments: list[str], answer: object, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(called(told, *arguments)) == 0

    assert json.loads(capsys.readouterr().out)["answer"] == answer


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--path", "/health", "1", "2"], "GET /health has no place for 1, 2."),
        (["--path", "/health", "--no-check", "1"], "GET /health has no place for 1."),
        (["--path", "/search"], "/search needs q."),
        (["--path", "/items/{item}"], "/items/{item} needs item."),
        (["--path", "/items/seven"], "item: 'seven' is not an integer"),
        (["--path", "/search", "--query", "q=1", "--query", "lmit=3"], "no parameter lmit"),
        (["--path", "/generate"], "/generate needs inputs."),
        (["--path", "/health", "--method", "POST"], "/health takes GET, not POST."),
        (["--path", "/upload", "/no/such.png", "title"], "There is no file /no/such.png"),
        (["--path", "/upload", "--upload", "page=scan.png", "--data", "[1]"], "Beside --upload the values"),
        (["--path", "/picture"], "answered with a file (image/png"),
        (["--path", "/search", "--param", "q"], "--param q is not NAME=VALUE."),
        (["--path", "/nope"], "GET /nope answered 404"),
    ],
)
def test_call_says_what_does_not_fit(
    told: str, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(called(told, *arguments)) == 1

    assert words in capsys.readouterr().err


@pytest.mark.parametrize("described", [True, False])
def test_a_file_is_uploaded_in_a_form(
    told: str, silent: str, described: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "scan.png").write_bytes(b"seven b")
    more = (
        ["scan.png", "A title", "2"]
        if described
        else ["--upload", "page=scan.png", "--data", '{"title": "A title", "copies": 2}']
    )

    assert run(called(told if described else silent, "--path", "/upload", *more)) == 0

    answer = json.loads(capsys.readouterr().out)["answer"]
    assert answer == {"name": "scan.png", "size": 7, "title": "A title", "copies": 2}


def test_a_file_in_the_answer_is_saved(told: str, tmp_path: Path) -> None:
    assert run(["call", told, "--path", "/picture", "--output", "out"]) == 0

    assert (tmp_path / "out/picture.png").read_bytes() == b"\x89PNG-bytes"


def test_events_are_printed_as_they_come(told: str) -> None:
    command = [sys.executable, "-m", "hfspace", "call", told, "--path", "/stream?words=one%20two%20three"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ))
    assert process.stdout is not None

    first = [process.stdout.readline(), process.stdout.readline()]
    urllib.request.urlopen(urllib.request.Request(f"{told}/release", method="POST"), timeout=20).close()
    rest = process.communicate(timeout=60)[0]

    assert first == ['{"token": "one"}\n', '{"token": "two"}\n']
    assert rest == '{"token": "three"}\n'
    assert process.returncode == 0


def test_a_stream_ends_at_its_deadline_and_leaves_no_thread(told: str) -> None:
    before = set(threading.enumerate())
    connection = connect(told, endpoint=EndpointSpec(path="/stream"), hub=MemoryHub())
    steps = connection.stream(timeout=3)

    assert next(steps) == {"token": "a"}
    assert next(steps) == {"token": "b"}
    with pytest.raises(AppError, match="did not complete within 3 s"):
        next(steps)
    assert set(threading.enumerate()) <= before


# ------------------------------------------------------------------ what is declared


def judged(url: str, invoke: bool = False, **spec: object) -> tuple[Code, str]:
    found = examine(url, MemoryHub(), endpoint=EndpointSpec(**spec), options=DiagnosisOptions(invoke=invoke))  # type: ignore[arg-type]
    return found.verdict.code, found.verdict.seen


DECLARED = [
    ({"path": "/health"}, Code.HEALTHY, ""),
    ({"path": "/hidden"}, Code.HEALTHY, ""),
    ({"path": "/items/{id}", "params": {"id": 7}, "method": "GET"}, Code.HEALTHY, ""),
    ({"path": "/nope"}, Code.ENDPOINT_MISMATCH, "/nope"),
    ({"path": "/nope", "example": "x"}, Code.ENDPOINT_MISMATCH, "/nope"),
    ({"path": "/generate", "payload": "inputs", "example": "x"}, Code.HEALTHY, ""),
    ({"path": "/generate", "method": "GET"}, Code.ENDPOINT_MISMATCH, "/generate takes POST, not GET"),
]


@pytest.mark.parametrize(("spec", "code", "words"), DECLARED)
@pytest.mark.parametrize("described", [True, False])
def test_a_declared_route_is_compared_or_asked(
    told: str, silent: str, described: bool, spec: dict[str, object], code: Code, words: str
) -> None:
    seen = judged(told if described else silent, **spec)

    assert seen[0] is code
    assert words in seen[1]


def test_headers_and_cookies_that_a_route_needs_are_named(
    told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = "/guarded needs the header x-key and the cookie sid, which hfspace does not send."
    assert judged(told, path="/guarded") == (Code.ENDPOINT_MISMATCH, words)
    assert run(["call", told, "--path", "/guarded"]) == 1
    assert words in capsys.readouterr().err
    assert run(["call", told, "--path", "/guarded", "--no-check"]) == 1
    assert "x-key" in capsys.readouterr().err  # the app itself says so


def test_a_route_that_is_not_there_is_no_failed_call(told: str) -> None:
    code, seen = judged(told, invoke=True, path="/nope", example="x")
    assert (code, "no route /nope" in seen) == (Code.ENDPOINT_MISMATCH, True)
    assert judged(told, invoke=True, path="/hidden")[0] is Code.HEALTHY


def test_the_request_of_a_manifest_is_checked_and_sent(told: str) -> None:
    put = {"path": "/items/{item}", "method": "PUT", "params": {"item": 7}}

    assert judged(told, invoke=True, **put, query={"dry": True}, body={"text": "x"})[0] is Code.HEALTHY
    assert judged(told, **put, body={"text": "x", "stars": 9})[1].startswith("stars: 9 is above 5")
    assert judged(told, **put, body={"txt": "x"})[1] == "/items/{item} has no parameter txt."
    assert (
        judged(told, path="/items/{item}", method="GET", query={"size": 1})[1] == "/items/{item} needs item."
    )
    expect = {"const": {"item": 7, "size": 2}}
    assert (
        judged(told, True, path="/items/7", method="GET", query={"size": 2}, expect=expect)[0] is Code.HEALTHY
    )
    assert judged(told, True, path="/items/7", method="GET", expect=expect)[0] is Code.INVOKE_FAILED


def test_nothing_but_a_get_is_sent_to_look(silent: str) -> None:
    """POST /release lets a waiting stream go on: were it called to look for it, this one would end."""
    with urllib.request.urlopen(f"{silent}/stream?words=a%20b", timeout=20) as stream:
        assert b"a" in stream.readline()

        assert judged(silent, path="/release", method="POST")[0] is Code.HEALTHY

        stream.readline()
        urllib.request.urlopen(f"{silent}/health", timeout=20).close()
        urllib.request.urlopen(urllib.request.Request(f"{silent}/release", method="POST"), timeout=20).close()
        assert b"b" in stream.read()


def test_diagnose_shows_method_and_fields(told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["diagnose", told]) == 0

    out = capsys.readouterr().out
    assert "GET /health() -> object" in out
    assert (
        "PUT /items/{item}(item: integer, text: string, dry: boolean = false, stars: integer 1..5 = 3)" in out
    )
    assert "POST /upload(page: file, title: string, copies: integer = 1)" in out


# ------------------------------------------------------------------ plan --check-endpoints


def checked(url: str, **spec: object) -> list[tuple[str, str]]:
    endpoint = EndpointSpec(**spec)  # type: ignore[arg-type]
    state = SpaceState(id="acme/x", sdk="docker", stage="RUNNING", host=url, visibility="public")
    app = read_space_app(state, hub_endpoint="http://127.0.0.1:9", token=None, declared=endpoint)
    ref = ManifestRef(files=("spaces.yaml",), sha256="")
    space = SpaceSpec(endpoint=endpoint)
    manifest = Manifest(ref=ref, policy=Policy(), spaces={"acme/x": space})
    found = Endpoint().compare(Desired(id="acme/x", spec=space, manifest=manifest), replace(state, app=app))
    return [(item.severity, item.message) for item in found if isinstance(item, Check)]


def test_a_plan_asks_for_the_route_of_a_silent_app(silent: str) -> None:
    assert checked(silent, path="/health") == []
    assert checked(silent, path="/generate", method="POST") == []
    assert checked(silent, path="/generate", method="PUT") == [("error", "/generate takes POST, not PUT.")]
    assert checked(silent, path="/nope") == [("error", "GET /nope answered 404.")]
    ((severity, message),) = checked(silent, path="/items/{item}")
    assert severity == "unknown"
    assert "item" in message


# ------------------------------------------------------------------ the trial of the usual paths


def trial(url: str, *more: str) -> list[str]:
    return ["diagnose", url, "--invoke", "--try", *more]


def test_the_trial_is_offered_and_shows_each_attempt(silent: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["diagnose", silent]) == 2
    assert f"hfspace diagnose {silent} --invoke --try" in capsys.readouterr().out

    assert run(trial(silent, "--yes")) == 0

    out = capsys.readouterr().out
    attempts = [
        line.split()[2] + " " + line.rsplit("-> ")[1] for line in out.splitlines() if "  tried" in line
    ]
    assert attempts == [
        "/api/predict 404: Not Found",
        "/run/predict 404: Not Found",
        "/api/generate 422: data: Field required",
        "/api/generate 200",
    ]
    assert 'It answered {"data": ["HELLO"]}' in out


def test_nothing_is_tried_without_being_asked(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    app = serve({})

    assert run(["diagnose", app.url, "--try"]) == 1
    assert run(["diagnose", app.url, "--invoke"]) == 2
    assert run(trial(app.url, "--no-input")) == 1
    monkeypatch.setenv("HFSPACE_ASSUME_TTY", "1")
    monkeypatch.setattr(sys, "stdin", io.StringIO("no\n"))
    assert run(trial(app.url)) == 2

    assert "Nothing was sent." in capsys.readouterr().err
    assert {seen.method for seen in app.seen} == {"GET"}


def test_where_nothing_works_every_path_was_tried(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    app = serve({"/run": Reply.json({"error": "no"}, 500), "/predict": Reply.html("<p>hello")})

    assert run(trial(app.url, "--yes")) == 2

    posted = [seen.path for seen in app.seen if seen.method == "POST"]
    assert posted == ["/api/predict", "/run/predict", "/api/generate", "/run", "/run", "/predict", "/predict"]
    assert "7 calls of 5 usual paths were tried: none of them worked." in capsys.readouterr().out


def test_what_worked_is_written(
    silent: str, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {
        "id": "acme/x",
        "sdk": "docker",
        "private": False,
        "host": silent,
        "runtime": {"stage": "RUNNING"},
    }
    monkeypatch.setenv("HF_ENDPOINT", serve({"/api/spaces/acme/x": Reply.json(told)}).url)
    manifest = tmp_path / "spaces.yaml"
    manifest.write_text(
        "version: 1\nspaces:\n  acme/x:\n    endpoint: {path: /predict, expect: {type: object}}\n"
    )

    assert run(["diagnose", "acme/x", "--invoke", "--try", "--fix", "--yes"]) == 0

    written = yaml.safe_load(manifest.read_text())["spaces"]["acme/x"]["endpoint"]
    example = {"data": ["Hello"]}
    expect = {"type": "object"}
    assert written == {"path": "/api/generate", "payload": "data", "example": example, "expect": expect}
    assert run(["diagnose", "acme/x", "--invoke"]) == 0


def test_a_diagnosis_shows_the_declared_request(
    silent: str,
    serve: Serve,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = {"id": "acme/x", "sdk": "docker", "private": False, "host": silent}
    told |= {"runtime": {"stage": "RUNNING"}}
    monkeypatch.setenv("HF_ENDPOINT", serve({"/api/spaces/acme/x": Reply.json(told)}).url)
    manifest = tmp_path / "fleet.yaml"

    def shown(endpoint: str) -> list[str]:
        manifest.write_text(f"version: 1\nspaces:\n  acme/x:\n    endpoint: {endpoint}\n")
        run(["diagnose", "acme/x", "-f", "fleet.yaml"])
        return capsys.readouterr().out.splitlines()

    lines = shown("{path: '/items/{item}', params: {item: 7}, query: {size: 2}}")
    assert "  run   hfspace call acme/x -f fleet.yaml" in lines
    assert f"  call  GET {silent}/items/7?size=2  no body" in lines
    lines = shown("{path: /generate, payload: inputs, example: Hi}")
    assert f'  call  POST {silent}/generate  {{"inputs": "Hi"}}  (declared)' in lines
    lines = shown("{path: /nope}")
    assert any(line.endswith("hfspace diagnose acme/x -f fleet.yaml --invoke --try") for line in lines)
    assert not [line for line in lines if line.startswith("  run")]
    assert any("params: {NAME: …}" in line for line in shown("{path: '/items/{item}'}"))


def test_a_name_that_is_repeated_in_a_query_stays(silent: str) -> None:
    endpoint = ServedEndpoint(name="/search", url=f"{silent}/search", method="GET")
    ask = request_of(EndpointSpec(path="/search?tag=a&tag=b&q=", query={"limit": [1, 2]}), endpoint, None)

    assert ask.url == f"{silent}/search?tag=a&tag=b&q=&limit=1&limit=2"
