"""When the Hub can't be reached: a typed host is asked directly, without a token, and that is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hfspace.cli.main import run
from hfspace.diagnosis import DiagnosisOptions, examine
from hfspace.diagnosis import run as diagnosing
from hfspace.diagnosis.connection import open_connection
from hfspace.errors import HubError, HubUnreachable, UsageError
from hfspace.live import transport
from hfspace.live.gradio.config import gradio_app, read_config
from hfspace.live.gradio.probe import Place, Reading
from tests.endpoints.conftest import Serve
from tests.endpoints.hub import MemoryHub
from tests.endpoints.stand_in import Reply, gradio_routes, recorded

HOST = "https://acme-x.hf.space"


class DeadHub(MemoryHub):
    def by_subdomain(self, subdomain: str) -> str | None:
        raise HubUnreachable("No answer from https://huggingface.co.", hint="Check the network.")


@pytest.fixture
def places(monkeypatch: pytest.MonkeyPatch) -> list[Place]:
    """Where the app was looked at; it is a healthy one."""
    seen: list[Place] = []

    def look(place: Place) -> Reading:
        seen.append(place)
        told = recorded("plain", "6.31.0")
        config = read_config(told["config"])
        assert config is not None
        return Reading(app=gradio_app(config, told["info"], place.base), base=place.base, space="acme/x")

    monkeypatch.setattr(diagnosing, "look", look)
    return seen


def test_a_typed_host_is_asked_directly_and_without_a_token(places: list[Place]) -> None:
    hub = DeadHub(token="hf_canary")

    found = examine(f"{HOST}/api/predict", hub)

    assert {(place.host, place.token) for place in places} == {(HOST, None)}
    assert found.hub.startswith("could not be asked: No answer from https://huggingface.co.")
    assert found.call_url == f"{HOST}/gradio_api/call/add"
    assert hub.requests == 0


def test_a_call_of_a_typed_host_says_that_the_hub_was_not_asked(places: list[Place]) -> None:
    said: list[str] = []

    connection = open_connection(HOST, DeadHub(token="hf_canary"), None, DiagnosisOptions(notify=said.append))

    assert connection.token is None
    assert "could not be asked" in said[0]


def test_a_hub_that_knows_no_such_host_is_not_called_unreachable(places: list[Place]) -> None:
    class Clueless(MemoryHub):
        def by_subdomain(self, subdomain: str) -> str | None:
            raise HubError("404", status=404)

    assert examine(HOST, Clueless()).hub == ""


def test_url_takes_only_the_apps_own_host() -> None:
    for text in ("acme/x", "https://huggingface.co/spaces/acme/x"):
        with pytest.raises(UsageError, match="no URL of an app"):
            examine(text, MemoryHub(), options=DiagnosisOptions(ask_hub=False))


# ------------------------------------------------------------------ as somebody types it


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("HUGGINGFACE_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HFSPACE_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_TOKEN", "hf_canaryToken0123456789")
    monkeypatch.setattr(transport, "ATTEMPTS", 1)


def test_the_error_names_url(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")

    assert run(["diagnose", "acme/x"]) == 1
    assert "--url" in capsys.readouterr().out
    assert run(["call", "acme/x", "1"]) == 1
    assert "--url" in capsys.readouterr().err
    assert run(["experiments", "show", "demo", "--space", "acme/x"]) == 1
    assert "--url" in capsys.readouterr().err


def test_url_asks_the_app_and_not_the_hub(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    app, hub = serve(dict(gradio_routes("plain", "6.31.0"))), serve({}, Reply.json({}, 500))
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    manifest = tmp_path / "spaces.yaml"
    manifest.write_text(
        "version: 1\nspaces:\n  acme/x:\n    endpoint: {path: /api/predict, example: [1, 2]}\n"
    )

    assert run(["diagnose", "acme/x", "--url", app.url, "--fix", "--yes"]) == 0

    assert "hub   not asked, as --url says; no token was sent" in capsys.readouterr().out
    assert "api_name: /add" in manifest.read_text()
    assert run(["diagnose", "acme/x", "--url", app.url, "--format", "json"]) == 0
    (document,) = json.loads(capsys.readouterr().out)["diagnoses"]
    assert (document["space"], document["hub"]) == ("acme/x", "not asked, as --url says; no token was sent")
    assert run(["call", "acme/x", "--url", app.url, "1", "2", "3"]) == 1
    assert "/add takes 2 values, not 3." in capsys.readouterr().err
    assert run(["diagnose", "--url", app.url]) == 0
    assert run(["diagnose", "acme/x", "acme/y", "--url", app.url]) == 1
    assert hub.seen == []
    assert not [seen for seen in app.seen if "authorization" in seen.headers]
