"""--fix: a minimal edit of the manifest, shown first, that keeps every other byte."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from hfspace.cli.main import run
from tests.endpoints.conftest import Serve
from tests.endpoints.stand_in import Reply, gradio_routes

pytest.importorskip("hfspace.manifest.edit")

MANIFEST = """# our Spaces
version: 1

spaces:
  acme/x:                      # the demo
    secrets:
      HF_TOKEN: {env: DEMO_TOKEN}   # stays where it is
    endpoint:
      KEY   # from the guide
      payload: data
      example: [1, 2]
"""


@pytest.fixture
def manifest(serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A manifest of a Space whose app is a Gradio 6 interface called add."""
    host = serve(dict(gradio_routes("plain", "6.31.0")))
    told = {
        "id": "acme/x",
        "sdk": "gradio",
        "private": False,
        "host": host.url,
        "runtime": {"stage": "RUNNING"},
    }
    hub = serve({"/api/spaces/acme/x": Reply.json(told)})
    for name in ("HF_TOKEN", "HUGGINGFACE_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HFSPACE_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    monkeypatch.setenv("DEMO_TOKEN", "hf_secret_value_1234")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "spaces.yaml"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("api_name: /predict", "api_name: /add"),
        ("path: /api/predict", "api_name: /add"),
        ("api_name: /api/predict", "api_name: /add"),
    ],
)
def test_the_name_is_mended_and_nothing_else_changes(
    manifest: Path, before: str, after: str, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest.write_text(MANIFEST.replace("KEY", before))

    assert run(["diagnose", "acme/x", "--fix", "--yes"]) == 0

    assert manifest.read_text() == MANIFEST.replace("KEY", after)
    shown = capsys.readouterr().err
    assert f"-      {before}" in shown
    assert f"+      {after}" in shown
    assert "hf_secret_value_1234" not in shown
    assert run(["diagnose", "acme/x"]) == 0


def test_the_payload_is_mended(manifest: Path) -> None:
    wrong = MANIFEST.replace("KEY", "api_name: /add").replace("payload: data", "payload: inputs")
    manifest.write_text(wrong)

    run(["diagnose", "acme/x", "--fix", "--yes"])

    assert manifest.read_text() == MANIFEST.replace("KEY", "api_name: /add")


def test_an_id_written_as_a_url_is_normalised(manifest: Path) -> None:
    url = "https://huggingface.co/spaces/acme/x"
    manifest.write_text(MANIFEST.replace("KEY", "api_name: /add").replace("acme/x", url))

    assert run(["diagnose", "acme/x", "--fix", "--yes"]) == 0

    assert manifest.read_text() == MANIFEST.replace("KEY", "api_name: /add")


def test_without_an_answer_nothing_is_written(manifest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = MANIFEST.replace("KEY", "api_name: /predict")
    manifest.write_text(text)

    assert run(["diagnose", "acme/x", "--fix", "--no-input"]) == 1

    assert manifest.read_text() == text
    assert "+      api_name: /add" in capsys.readouterr().err


def test_a_value_of_the_environment_is_left_alone(manifest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAME", "/predict")
    text = MANIFEST.replace("KEY", "api_name: ${NAME}")
    manifest.write_text(text)

    run(["diagnose", "acme/x", "--fix", "--yes"])

    assert manifest.read_text() == text


def test_a_space_that_is_not_declared_has_nothing_to_fix(
    manifest: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest.write_text("version: 1\nspaces:\n  acme/other: {}\n")

    run(["diagnose", "acme/x", "--fix", "--yes"])

    assert "does not declare acme/x" in capsys.readouterr().err


# ------------------------------------------------------------------ one run, and it is healthy


PARAMETERS = {
    "type": "object",
    "properties": {"max_new_tokens": {"type": "integer"}, "top_p": {"type": "number"}},
}
INPUTS = {"properties": {"inputs": {"type": "string"}, "parameters": PARAMETERS}, "required": ["inputs"]}
DATA = {"properties": {"data": {"type": "array", "items": {"type": "string"}}}, "required": ["data"]}
FIELDS = {
    "properties": {"prompt": {"type": "string"}, "top_p": {"type": "number"}, "size": {"type": "integer"}},
    "required": ["prompt", "size"],
}


def route(schema: dict[str, object]) -> dict[str, object]:
    return {"requestBody": {"content": {"application/json": {"schema": schema}}}}


ROUTES = {
    "/generate": {"post": route(INPUTS)},
    "/api/generate": {"post": route(DATA)},
    "/draw": {"put": route(FIELDS)},
    "/read": {"get": {"parameters": [{"in": "query", "name": "name", "required": True}]}},
}


@pytest.fixture
def space(serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """space("shapes") or space("http") puts that app behind acme/x; the manifest's place comes back."""

    def put(app: str) -> Path:
        openapi = {"/openapi.json": Reply.json({"openapi": "3.1.0", "paths": ROUTES})}
        host = serve(openapi if app == "http" else dict(gradio_routes(app, "6.31.0")))
        told = {"id": "acme/x", "sdk": "docker" if app == "http" else "gradio", "private": False}
        page = Reply.json({**told, "host": host.url, "runtime": {"stage": "RUNNING"}})
        monkeypatch.setenv("HF_ENDPOINT", serve({"/api/spaces/acme/x": page}).url)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
        for name in ("HF_TOKEN", "HUGGINGFACE_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HFSPACE_FILE"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.chdir(tmp_path)
        return tmp_path / "spaces.yaml"

    return put


SEED = "{inputs: Once, parameters: {max_tokens: 5, top_k: 3}}"
MENDED = [
    ("shapes", f"path: /api/generate, payload: inputs, example: {SEED}",
     {"api_name": "/generate", "payload": "data", "example": ["Once", 5, 0.1, "greedy", False]}, "top_k"),
    ("shapes", "path: /run/generate, method: POST, body: {data: [Once, 5]}",
     {"api_name": "/generate", "example": {"data": ["Once", 5]}}, ""),
    ("shapes", "api_name: /generat, example: {promt: Once}",
     {"api_name": "/generate", "example": {"prompt": "Once"}}, ""),
    ("http", "api_name: /generate, payload: data, example: [Once]",
     {"path": "/generate", "payload": "inputs", "example": ["Once"]}, ""),
    ("http", "path: /generat, example: {data: [Once, 5]}",
     {"path": "/generate", "example": {"inputs": "Once", "parameters": {"max_new_tokens": 5}}}, ""),
    ("http", f"path: /api/generate, method: GET, payload: inputs, example: {SEED}",
     {"path": "/api/generate", "method": "POST", "payload": "data", "example": ["Once"]},
     "max_tokens, top_k"),
    ("http", "path: /draw, example: {inputs: Once, parameters: {top_p: 0.5, top_k: 3}}",
     {"path": "/draw", "example": {"prompt": "Once", "top_p": 0.5, "size": 1}}, "top_k"),
    ("http", "path: /read, query: {nmae: x}", {"path": "/read", "query": {"name": "x"}}, ""),
]  # fmt: skip


@pytest.mark.parametrize(("app", "written", "wanted", "lost"), MENDED)
@pytest.mark.parametrize("block", [True, False])
def test_one_run_ends_healthy(
    space: Callable[[str], Path],
    app: str,
    written: str,
    wanted: dict[str, object],
    lost: str,
    block: bool,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = space(app)
    endpoint = yaml.safe_load(f"{{{written}}}")
    shown = yaml.safe_dump(endpoint, indent=2) if block else f"{{{written}}}\n"
    lines = [f"      {line}" for line in shown.splitlines()]
    file.write_text("version: 1\nspaces:\n  acme/x:\n    endpoint:\n" + "\n".join(lines) + "  # mine\n")

    assert run(["diagnose", "acme/x", "--fix", "--yes"]) == 0
    assert lost in capsys.readouterr().err
    assert yaml.safe_load(file.read_text())["spaces"]["acme/x"]["endpoint"] == wanted
    assert file.read_text().endswith("# mine\n")
    assert run(["diagnose", "acme/x"]) == 0
    assert run(["validate"]) == 0


REFUSED = [
    "{path: /api/generate, payload: &form inputs, example: [a, *form]}",
    "{path: '${ROUTE}', payload: inputs, example: [a]}",
]


@pytest.mark.parametrize("endpoint", REFUSED)
def test_where_one_edit_is_impossible_none_is_made(
    space: Callable[[str], Path],
    endpoint: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = space("shapes")
    monkeypatch.setenv("ROUTE", "/api/generate")
    file.write_text(f"version: 1\nspaces:\n  acme/x:\n    endpoint: {endpoint}\n")
    before = file.read_text()

    assert run(["diagnose", "acme/x", "--fix", "--yes"]) == 2

    assert "nothing was written" in capsys.readouterr().err
    assert file.read_text() == before


def test_what_fix_leaves_to_a_person_is_said(
    space: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    file = space("shapes")
    file.write_text("version: 1\nspaces:\n  acme/x:\n    endpoint: {path: /api/upper, example: [a, b]}\n")

    assert run(["diagnose", "acme/x", "-f", "spaces.yaml"]) == 2
    assert (
        "hfspace diagnose acme/x -f spaces.yaml --fix. Then by hand: /upper takes 1 value"
        in capsys.readouterr().out
    )
    assert run(["diagnose", "acme/x", "--fix", "--yes"]) == 2
    assert "left to you: /upper takes 1 value, not 2." in capsys.readouterr().err
