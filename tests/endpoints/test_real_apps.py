"""The same against real Gradio and a real FastAPI app: what is said is true, and what is advised works."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from hfspace.diagnosis import DiagnosisOptions, connect, examine
from hfspace.errors import AppError
from hfspace.live.gradio.codes import Code
from hfspace.live.gradio.config import gradio_app, read_config
from hfspace.live.gradio.login import sign_in
from hfspace.live.gradio.payloads import forms
from hfspace.live.gradio.probe import read_app
from hfspace.manifest.models import EndpointSpec
from tests.endpoints.hub import MemoryHub
from tests.endpoints.real_apps import MATRIX, NEWEST, running
from tests.endpoints.stand_in import recorded
from tests.endpoints.test_contract import SEED

pytestmark = [pytest.mark.apps, pytest.mark.filterwarnings("ignore")]
VERSIONS = [pytest.param(v, marks=() if v in NEWEST else pytest.mark.slow) for v in MATRIX]
NEWEST_ONLY = NEWEST[-1]


@pytest.fixture(scope="module", params=VERSIONS)
def shapes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, str]]:
    """(version, URL) of the app with every shape of endpoint."""
    with running("gradio_shapes.py", request.param, tmp_path_factory.mktemp("shapes")) as url:
        yield request.param, url


@pytest.fixture(scope="module")
def fastapi(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running("fastapi_app.py", NEWEST_ONLY, tmp_path_factory.mktemp("fastapi")) as url:
        yield url


def post(url: str, body: object) -> tuple[int, object]:
    data = json.dumps(body).encode()
    ask = urllib.request.Request(url, data, {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(ask, timeout=20) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, None


def invoke(url: str, **spec: object) -> object:
    options = DiagnosisOptions(invoke=True, invoke_timeout=float(spec.pop("timeout", 20)))  # type: ignore[arg-type]
    return examine(url, MemoryHub(), endpoint=EndpointSpec(**spec), options=options)  # type: ignore[arg-type]


def test_the_recordings_are_what_the_real_app_says(shapes: tuple[str, str]) -> None:
    version, url = shapes
    told = recorded("shapes", version)
    config = read_config(told["config"])
    assert config is not None

    assert read_app(url) == gradio_app(config, told["info"], url)


def test_the_advised_url_works_where_the_typed_path_does_not(shapes: tuple[str, str]) -> None:
    version, url = shapes
    for path in SEED:
        found = examine(url + path, MemoryHub())
        status, _ = post(url + path, {"data": ["p", 1, 0.5, "greedy", False]})
        if status == 404:
            assert found.verdict.code is Code.ENDPOINT_MISMATCH
        if found.call_url:
            assert post(found.call_url, {"data": ["p", 1, 0.5, "greedy", False]})[0] == 200
    if version >= "5":
        assert {post(url + path, {"data": ["p"]})[0] for path in SEED} == {404}


def test_a_call_is_a_success_only_when_it_completes(shapes: tuple[str, str]) -> None:
    _, url = shapes

    good = invoke(url, api_name="/upper", example=["hi"], expect={"const": "HI"})
    wrong = invoke(url, api_name="/upper", example=["hi"], expect={"type": "number"})
    failed = invoke(url, api_name="/boom", example=["tea"])

    assert good.verdict.code is Code.HEALTHY
    assert good.invocation.answer == "HI"
    assert 0 < good.invocation.seconds < 15
    assert wrong.verdict.code is Code.INVOKE_FAILED
    assert "not a number" in wrong.verdict.seen
    assert failed.verdict.code is Code.INVOKE_FAILED
    assert "no tea today" in failed.verdict.seen


def test_a_call_that_takes_too_long_is_ended_in_time(shapes: tuple[str, str]) -> None:
    _, url = shapes
    started = time.monotonic()

    found = invoke(url, api_name="/slow", example=[20], timeout=1.5)

    assert found.verdict.code is Code.INVOKE_FAILED
    assert "1.5 s" in found.verdict.seen
    assert time.monotonic() - started < 10


def test_files_go_in_and_come_out(shapes: tuple[str, str], tmp_path: Path) -> None:
    _, url = shapes
    source = tmp_path / "in" / "note.txt"
    source.parent.mkdir()
    source.write_text("seven b")

    size = connect(url, endpoint=EndpointSpec(api_name="/size"), hub=MemoryHub()).call(str(source))
    copy = connect(url, endpoint=EndpointSpec(api_name="/copy"), hub=MemoryHub())
    first = copy.call(str(source), save_to=tmp_path / "out")
    second = copy.call(str(source), save_to=tmp_path / "out")

    assert size == 7
    assert Path(first).read_text() == "seven b"
    assert Path(first).parent == tmp_path / "out"
    assert second != first


def test_a_missing_file_is_told_before_anything_is_sent(shapes: tuple[str, str]) -> None:
    _, url = shapes

    with pytest.raises(AppError, match=r"There is no file /no/such\.png"):
        connect(url, endpoint=EndpointSpec(api_name="/size"), hub=MemoryHub()).call("/no/such.png")


def test_a_state_is_filled_in(shapes: tuple[str, str]) -> None:
    _, url = shapes

    assert connect(url, endpoint=EndpointSpec(api_name="/remember"), hub=MemoryHub()).call("a") == "a"


def test_values_that_the_app_refuses_are_refused_before_the_function_runs(shapes: tuple[str, str]) -> None:
    version, url = shapes
    connection = connect(url, endpoint=EndpointSpec(api_name="/generate"), hub=MemoryHub())

    if version < "5":  # takes any number and any choice
        assert connection.call("p", 600, 0.1, "beam", False) == "p|600|0.1|beam|False"
        return
    with pytest.raises(AppError, match="600 is above 512"):
        connection.call("p", 600, 0.1, "greedy", False)


def test_a_generator_streams(shapes: tuple[str, str]) -> None:
    version, url = shapes
    connection = connect(url, endpoint=EndpointSpec(api_name="/count"), hub=MemoryHub())
    if version.startswith("3."):
        with pytest.raises(AppError, match="streams"):
            connection.call(3)
        return

    assert list(connection.stream(3)) == ["step 0", "step 1", "step 2"]


@pytest.mark.parametrize("version", VERSIONS)
def test_an_endpoint_with_a_slash_in_its_name_is_called(version: str, tmp_path: Path) -> None:
    with running("gradio_nested.py", version, tmp_path) as url:
        with connect(url, api_name="v1/upper", hub=MemoryHub(), manifest=None) as connection:
            assert connection.call("hi") == "HI"
        found = examine(url, MemoryHub(), endpoint=EndpointSpec(api_name="/v1/upper"))
        assert found.verdict.code is Code.HEALTHY
        assert found.app is not None
        (endpoint,) = [item for item in found.app.endpoints if item.name == "/v1/upper"]
        (form,) = forms(endpoint, found.app, url).values()
        status, answer = post(*form)
        assert (status, answer["data"]) == (200, ["TEXT"])  # type: ignore[index]
        assert found.call_url == form[0]


@pytest.mark.parametrize("version", VERSIONS)
def test_the_apps_own_login(version: str, tmp_path: Path) -> None:
    right, wrong = ("someone", "a password"), ("someone", "another")
    with running("gradio_login.py", version, tmp_path) as url:
        assert examine(url, MemoryHub()).verdict.code is Code.APP_LOGIN
        assert (
            "refuses this user"
            in examine(url, MemoryHub(), options=DiagnosisOptions(auth=wrong)).verdict.seen
        )
        with pytest.raises(AppError, match="refuses this user"):
            connect(url, auth=wrong, hub=MemoryHub(), manifest=None)
        with connect(url, auth=right, hub=MemoryHub(), manifest=None) as connection:
            assert connection.call("hi") == "hi"
            assert "a password" not in repr(connection)


def test_a_password_is_not_sent_over_plain_http() -> None:
    with pytest.raises(AppError, match="plain http"):
        sign_in("http://example.com", ("someone", "a password"))


def test_a_mounted_app(tmp_path: Path) -> None:
    with running("gradio_mounted.py", NEWEST_ONLY, tmp_path) as url:
        assert examine(url, MemoryHub()).verdict.code is Code.MOUNTED_BELOW
        assert examine(f"{url}/demo", MemoryHub()).verdict.code is Code.HEALTHY
        assert post(examine(f"{url}/demo", MemoryHub()).call_url, {"data": ["x"]})[0] == 200


def test_an_http_app_is_called_with_the_payload_that_it_takes(fastapi: str) -> None:
    inputs = invoke(fastapi, path="/generate", payload="inputs", example="hi")
    data = invoke(fastapi, path="/api/generate", payload="data", example=["hi"])
    swapped = invoke(fastapi, path="/generate", payload="data", example=["hi"])
    broken = invoke(fastapi, path="/fails", payload="data", example=["hi"])

    assert inputs.invocation.answer == {"generated_text": "hi|25"}
    assert data.invocation.answer == {"data": ["HI"]}
    assert swapped.verdict.code is Code.ENDPOINT_MISMATCH
    assert swapped.invocation is None
    assert broken.verdict.code is Code.INVOKE_FAILED
    assert "500" in broken.verdict.seen


def test_a_route_refuses_with_the_field_named(fastapi: str) -> None:
    connection = connect(fastapi, endpoint=EndpointSpec(path="/generate", payload="inputs"), hub=MemoryHub())

    with pytest.raises(AppError, match="max_new_tokens"):
        connection.call(inputs="a", parameters={"max_new_tokens": 9999})
