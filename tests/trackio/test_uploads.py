"""Pictures and artifacts: on a real official trackio, and from apps that answer otherwise."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx

from hfspace import TrackioClient
from hfspace.errors import HfspaceError, NotSupported, TrackioRejected, TrackioUnavailable, UsageError
from hfspace.live.trackio import uploads
from hfspace.live.trackio.app_http import AppHttp
from hfspace.live.trackio.artifacts import collect
from hfspace.live.trackio.media import refuse
from hfspace.live.trackio.port import LogEntry
from tests.endpoints.real_apps import trackio_running
from tests.endpoints.stand_in import Reply, StandIn

WRITE = {"TRACKIO_WRITE_TOKEN": "sesame"}
BASE = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def trackio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with trackio_running(tmp_path_factory.mktemp("trackio"), WRITE) as url:
        yield url


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    (folder / "tokenizer").mkdir(parents=True)
    (folder / "weights.bin").write_bytes(b"x" * 300_000)
    (folder / "tokenizer/vocab.json").write_text("{}")
    (folder / "link").symlink_to("/etc/hostname")
    return folder


@pytest.mark.apps
def test_an_artifact_is_kept_whole_and_sent_once(trackio: str, model: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    with TrackioClient(url=trackio, env=WRITE, project="files") as client:
        run = client.ensure("run")

        def upload() -> tuple[str, int]:
            kept = client.upload_artifact(
                "run",
                [model],
                name="model",
                type="model",
                aliases=["best"],
                progress=lambda *at: seen.append(at),
            )
            return kept.version, kept.sent

        assert upload() == ("v0", 300_002)
        assert seen[-1] == ("weights.bin", 300_000, 300_000)
        assert any(0 < sent < size for _, sent, size in seen)
        assert upload() == ("v0", 0)
        (model / "tokenizer/vocab.json").write_text('{"a": 1}')
        assert upload() == ("v1", 8)
    listed = httpx.post(
        f"{trackio}/api/get_run_artifacts", json={"project": "files", "run_id": run.id}
    ).json()
    assert [(item["name"], item["version"]) for item in listed["data"]["output"]][-1] == ("model", 1)
    (weights,) = [file for file in collect([model]) if file.name == "weights.bin"]
    blob = httpx.get(f"{trackio}/artifact_blob/files/{weights.sha256}").content
    assert blob == (model / "weights.bin").read_bytes()


@pytest.mark.apps
def test_a_file_that_changes_under_the_upload_is_refused(trackio: str, model: Path) -> None:
    with TrackioClient(url=trackio, env=WRITE, project="files") as client:
        client.ensure("changing")
        (model / "weights.bin").write_bytes(b"new" * 100_000)
        files = collect([model / "weights.bin"])
        (model / "weights.bin").write_bytes(b"y" * 300_000)
        with pytest.raises(HfspaceError, match=r"(?i)sha256|digest|hash"):
            client.upload_artifact("changing", files, name="changing")


@pytest.mark.apps
def test_a_picture_is_where_its_metric_says(trackio: str, tmp_path: Path) -> None:
    picture = tmp_path / "0123.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n")
    with TrackioClient(url=trackio, env=WRITE, project="files") as client:
        client.ensure("pictures")
        place = client.upload_media("pictures", picture, step=3)
        value = {"_type": "trackio.image", "file_path": place, "caption": "a cat"}
        client.log_metrics("pictures", {"sample": value, "ok": True, "note": "text"}, step=3)
        assert client.show("pictures").latest == {"sample": value, "ok": True, "note": "text"}
        client.upload_media("pictures", picture, step=3)
    assert place == "files/pictures/3/0123.png"


@pytest.mark.apps
def test_without_the_write_token_a_file_is_refused(trackio: str, model: Path) -> None:
    with TrackioClient(url=trackio, env=WRITE, project="files") as client:
        client.ensure("run")
    with TrackioClient(url=trackio, env={}, project="files") as client:
        with pytest.raises(TrackioRejected) as refused:
            client.upload_media("run", model / "weights.bin")
        assert "TRACKIO_WRITE_TOKEN" in refused.value.hint


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([], "at least one file"),
        (["nowhere"], "can't be read"),
        (["a/x", "b/x"], "Two files would be called x"),
    ],
)
def test_files_that_make_no_artifact(items: list[str], message: str, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x").write_text("x")
    with pytest.raises(UsageError, match=message):
        collect([tmp_path / item for item in items])


def test_the_gradio_app_refuses_what_it_does_not_hold() -> None:
    refuse([LogEntry(metrics={"loss": 1.0, "note": "x", "ok": True, "odd": {"a": 1}})])
    with pytest.raises(NotSupported, match="'h' is of the kind histogram"):
        refuse([LogEntry(metrics={"h": {"_type": "trackio.histogram", "bins": [], "values": []}})])


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (200, '{"paths": ["/tmp/x"]}', None),
        (200, "<html>", TrackioUnavailable),
        (200, '{"paths": []}', TrackioUnavailable),
        (200, "[" * 100_000, TrackioUnavailable),
        (400, '{"error": "token"}', TrackioRejected),
        (500, "", TrackioUnavailable),
        (302, "", TrackioUnavailable),
    ],
)
@respx.mock(base_url=BASE)
def test_answers_to_a_file(respx_mock: Any, status: int, body: str, error: Any, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("x")
    respx_mock.post("/api/upload").respond(status, text=body, headers={"location": "http://elsewhere/"})

    def send() -> Any:
        return uploads.send_file(
            AppHttp(BASE, timeout=5), {"a": "b"}, tmp_path / "x", watch=lambda sent: None
        )

    if error is None:
        assert send() == "/tmp/x"
        return
    with pytest.raises(error):
        send()


@pytest.mark.parametrize(
    ("reply", "seconds", "message"),
    [
        (Reply(hang=30), 0.5, "did not complete within"),
        (Reply(endless=True, body=b" "), 0.5, "did not complete within"),
        (Reply(endless=True, body=b" " * (1 << 20)), 60, "more than 8 MiB"),
        (Reply(200, gzip.compress(b" " * (64 << 20)), {"content-encoding": "gzip"}), 60, "more than 8 MiB"),
    ],
    ids=["silence", "drips", "flood", "bomb"],
)
def test_an_upload_ends_whatever_the_app_answers(
    reply: Reply, seconds: float, message: str, tmp_path: Path
) -> None:
    (tmp_path / "x").write_text("x" * 1000)
    app = StandIn({"/api/upload": reply})
    with pytest.raises(TrackioUnavailable, match=message):
        uploads.send_file(AppHttp(app.url, timeout=seconds), {}, tmp_path / "x", watch=lambda sent: None)
    app.close()


def test_a_large_file_has_the_time_that_it_takes_at_a_slow_speed(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x" * 150_000)
    app = StandIn({"/api/upload": Reply(hang=30)})
    with pytest.raises(TrackioUnavailable, match=r"within 1\.6 s"):
        uploads.send_file(AppHttp(app.url, timeout=0.1), {}, tmp_path / "x", watch=lambda sent: None)
    app.close()
