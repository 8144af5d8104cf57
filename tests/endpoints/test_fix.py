"""--fix: a minimal edit of the manifest, shown first, that keeps every other byte."""

from __future__ import annotations

from pathlib import Path

import pytest

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

    assert run(["diagnose", "acme/x", "--fix", "--yes"]) == 2

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
