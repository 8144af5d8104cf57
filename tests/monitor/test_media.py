"""Metrics beyond numbers and text, and artifacts: they arrive where the app holds them, else are kept."""

from __future__ import annotations

import json
import logging
import shutil
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from hfspace import ExperimentMonitor, TrackioClient
from hfspace.live.trackio.base import TrackerBase
from hfspace.live.trackio.port import Experiment
from hfspace.monitor import Histogram, Image, Table
from hfspace.monitor.connection import RecordingTarget
from hfspace.monitor.media import as_value
from hfspace.monitor.records import read_header
from hfspace.monitor.sync import Doors, header_target, sync
from tests.endpoints.real_apps import running, trackio_running
from tests.monitor.fake import FakeTracker
from tests.monitor.test_monitor import until

Make = Callable[..., ExperimentMonitor]
WRITE = {"TRACKIO_WRITE_TOKEN": "sesame"}


class Array:
    """What numpy's arrays have that is used here."""

    def __init__(self, data: bytes, *shape: int, dtype: str = "uint8") -> None:
        self.data, self.shape, self.dtype = data, shape, dtype

    def tobytes(self) -> bytes:
        return self.data

    def item(self) -> Any:
        raise ValueError("can only convert an array of size 1")


class Pillow:
    def save(self, out: Any, format: str) -> None:
        out.write(b"\x89PNG\r\n\x1a\nof Pillow")


class NoFiles:
    def keep(self, content: bytes, suffix: str) -> str:
        raise AssertionError("nothing to keep")


def everything() -> dict[str, Any]:
    return {
        "loss": 0.5,
        "ok": True,
        "note": "text",
        "weights": Histogram([1.0, 2.0, 2.0, float("nan")], bins=2),
        "samples": Table(["prompt", "score"], [["a", 1], ["hf_abcdefghijklmnopqrstuvwx", float("inf")]]),
        "picture": Image(Array(bytes(range(12)), 2, 2, 3), caption="a cat"),
    }


def test_all_of_it_arrives_where_the_app_holds_it(monitor: Make, tmp_path: Path) -> None:
    tracker = FakeTracker(keyed=True)
    with monitor(tracker) as run:
        run.log(everything(), step=3)
    ((step, metrics),) = tracker.logged("run")
    ((place, content),) = tracker.files.items()
    assert step == 3
    assert metrics == {
        "loss": 0.5,
        "ok": True,
        "note": "text",
        "weights": {"_type": "trackio.histogram", "bins": [1.0, 1.5, 2.0], "values": [1, 2]},
        "samples": {
            "_type": "trackio.table",
            "_value": [{"prompt": "a", "score": 1}, {"prompt": "(token, not logged)", "score": None}],
        },
        "picture": {"_type": "trackio.image", "file_path": place, "caption": "a cat"},
    }
    assert pixels(content) == [b"\0" + bytes(range(6)), b"\0" + bytes(range(6, 12))]
    assert list(tmp_path.iterdir()) == []


def pixels(png: bytes) -> list[bytes]:
    """The lines of a PNG of one chunk."""
    assert png[12:29] == b"IHDR" + struct.pack(">IIBBBBB", 2, 2, 8, 2, 0, 0, 0)
    lines = zlib.decompress(png[41 : 41 + struct.unpack(">I", png[33:37])[0]])
    return [lines[:7], lines[7:]]


def test_what_the_gradio_app_does_not_hold_is_said_and_kept(
    monitor: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tracker = FakeTracker()
    (tmp_path / "model.bin").write_bytes(b"weights")
    with monitor(tracker, spool_dir=tmp_path / "spool") as run:
        for step in range(2):
            run.log(everything(), step=step)
        run.log_artifact(tmp_path / "model.bin")
        run.log({"loss": 0.25}, step=2)
    assert [step for step, _ in tracker.logged("run")] == [0, 1, 2]
    assert tracker.logged("run")[0][1] == {
        "loss": 0.5,
        "ok": True,
        "note": "text",
        "weights": "(histogram: not held by this app)",
        "samples": "(table: not held by this app)",
        "picture": "(image: not held by this app)",
    }
    (kept,) = (tmp_path / "spool").glob("*.kept")
    assert sum("can't hold the" in message for message in caplog.messages) == 4
    assert caplog.messages[-1] == (
        "'run': kept for an official Trackio: histogram 'weights', table 'samples', image 'picture', …. "
        f"Send with: hfspace experiments sync {kept} --space OWNER/NAME --project NAME"
    )
    assert len(list(kept.with_suffix(".files").iterdir())) == 2
    assert not list((tmp_path / "spool").glob("*.jsonl"))

    official = FakeTracker(keyed=True)
    doors = Doors(connect=lambda target: official if target.space == "acme/new" else tracker, notify=print)
    calls = len(tracker.calls)
    sync([kept], doors, default=RecordingTarget(space="acme/track"), clean=True)
    assert (len(tracker.calls), kept.exists()) == (calls, True)
    (done,) = sync([kept], doors, over=RecordingTarget(space="acme/new"), clean=True)
    assert done.error is None
    assert [step for step, _ in official.logged("run")] == [0, 1, 2]
    assert official.logged("run")[0][1]["weights"]["values"] == [1, 2]
    assert sorted(content[:7] for content in official.files.values())[-1] == b"\x89PNG\r\n\x1a"
    assert list((tmp_path / "spool").iterdir()) == []


class OfPackage(FakeTracker):
    """As the backend of a package: it holds descriptions, and no pictures."""

    upload_media = TrackerBase.upload_media

    def __init__(self) -> None:
        super().__init__()
        self.kind, self.keyed, self.holds = "odd", True, ("description",)
        self.about: dict[str, Any] = {}

    def ensure(self, name: str, **about: Any) -> Experiment:
        self.about = about
        return super().ensure(name)


def test_a_package_that_holds_no_pictures_gets_the_run_without_them(monitor: Make, tmp_path: Path) -> None:
    tracker = OfPackage()
    with monitor(tracker, description="about it") as run:
        run.log(everything(), step=0)
        run.log({"loss": 0.25}, step=1)
    (_, first), (_, last) = tracker.logged("run")
    assert (first["picture"], last) == ("(image: not held by this app)", {"loss": 0.25})
    assert first["weights"]["values"] == [1, 2]
    assert tracker.about == {"description": "about it", "project": None}
    assert {path.suffix for path in tmp_path.iterdir()} == {".kept", ".files"}


def test_artifacts_arrive_although_the_training_deletes_its_files(monitor: Make, tmp_path: Path) -> None:
    tracker, checkpoint = FakeTracker(keyed=True), tmp_path / "checkpoint 1"
    (checkpoint / "sub").mkdir(parents=True)
    (checkpoint / "weights.bin").write_bytes(b"weights")
    (checkpoint / "sub/config.json").write_text("{}")
    with monitor(tracker, spool_dir=tmp_path / "spool") as run:
        run.log_artifact(checkpoint)
        run.log_artifact(checkpoint / "weights.bin", "best", type="model", aliases=["prod"])
        shutil.rmtree(checkpoint)
    assert tracker.files == {
        "checkpoint-1:weights.bin": b"weights",
        "checkpoint-1:sub/config.json": b"{}",
        "best:weights.bin": b"weights",
    }
    assert list((tmp_path / "spool").iterdir()) == []


def test_an_artifact_that_cannot_be_read_is_said(
    monitor: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with monitor(FakeTracker(keyed=True)) as run:
        run.log_artifact(tmp_path / "nowhere")
    assert "nowhere can't be kept as an artifact: No such file or directory." in caplog.text


def test_files_are_sent_by_a_later_sync(monitor: Make, tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"weights")
    folder = tmp_path / "spool"
    with monitor(FakeTracker(fault=lambda call: "before"), spool_dir=folder, flush_timeout=0.1) as run:
        run.log(everything(), step=1)
        run.log_artifact(tmp_path / "model.bin")
    (spool,) = folder.glob("*.jsonl")
    tracker = FakeTracker(keyed=True)
    doors = Doors(connect=lambda target: tracker, notify=lambda text: None)
    (done,) = sync([spool], doors, over=RecordingTarget(space="acme/track"), clean=True)
    assert done.error is None
    assert sorted(content[:7] for content in tracker.files.values()) == [b"weights", b"\x89PNG\r\n\x1a"]
    assert list(folder.iterdir()) == []


def test_what_was_not_held_is_known_to_whoever_sends_the_rest(monitor: Make, tmp_path: Path) -> None:
    """The process that met it dies; the one that sends the rest does not delete it."""
    up = [True]
    tracker = FakeTracker(fault=lambda call: None if up[0] else "before")
    run = monitor(tracker, flush_timeout=0.1).start()
    run.log({"weights": Histogram([1.0])}, step=1)
    until(lambda: run.unsent == 0)
    up[0] = False
    run.finish()
    (spool,) = tmp_path.glob("*.jsonl")
    up[0] = True
    doors = Doors(connect=lambda target: tracker, notify=lambda text: None)
    sync([spool], doors, over=RecordingTarget(space="acme/track"), clean=True)
    assert [path.suffix for path in tmp_path.iterdir()] == [".kept"]


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (Image("nowhere.png"), "No such file or directory"),
        (Image(Array(b"", 0, 0)), "An image has 1 to"),
        (Image(Array(b"1234", 2, 2, dtype="float32")), "array of uint8"),
        (Image(b"text"), "PNG, JPEG, GIF or WebP"),
        (Histogram(["x"]), "ValueError"),  # type: ignore[list-item]
        (Table(["a"], ([1] for _ in range(20_000))), "at most 10000 rows"),
        (Table(["a"], [[object()]]), "A cell is a number or text"),
        (Array(b"1234", 2, 2), "no number, text, Histogram, Table or Image"),
    ],
)
def test_what_cannot_be_a_value_is_said(
    monitor: Make, value: Any, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    tracker = FakeTracker(keyed=True)
    with caplog.at_level(logging.WARNING), monitor(tracker) as run:
        run.log({"odd": value, "loss": 1.0})
    assert tracker.logged("run") == [(None, {"loss": 1.0})]
    assert "'odd'" in caplog.text
    assert why in caplog.text


@pytest.mark.parametrize(
    ("values", "bins", "document"),
    [
        ([], 4, {"bins": [], "values": []}),
        ([3], 1, {"bins": [2.5, 3.5], "values": [1]}),
        ([[0, 1], [2, 4]], 2, {"bins": [0.0, 2.0, 4.0], "values": [2, 2]}),
        ([float("inf")], 2, {"bins": [], "values": []}),
    ],
)
def test_histograms(values: Any, bins: int, document: dict[str, Any]) -> None:
    assert Histogram(values, bins).document(NoFiles()) == {"_type": "trackio.histogram", **document}


def test_the_values_of_trackio_are_taken_too() -> None:
    class Markdown:
        TYPE = "trackio.markdown"

        def _to_dict(self) -> dict[str, str]:
            return {"_type": self.TYPE, "_value": "# x"}

    class TrackioTable:
        TYPE = "trackio.table"
        data = ({"a": 1}, {"b": "x"})

    class Picture:
        TYPE = "trackio.image"
        _value, caption = Pillow(), "a cat"

    table, picture, text = as_value(TrackioTable()), as_value(Picture()), as_value(Markdown())
    assert isinstance(table, Table)
    assert table.document(NoFiles())["_value"] == [{"a": 1, "b": None}, {"a": None, "b": "x"}]
    assert picture == Image(Picture._value, "a cat")
    assert text is not None
    assert text.document(NoFiles()) == {"_type": "trackio.markdown", "_value": "# x"}
    assert as_value(RecordingTarget()) is None


@pytest.fixture
def app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    (tmp_path / "app").mkdir()
    if request.param == "official":
        with trackio_running(tmp_path / "app", WRITE) as url:
            yield url
        return
    with running("trackio_interface.py", "5.50.0", tmp_path / "app", {"TRACKIO_GENERATION": "A2"}) as url:
        yield url


@pytest.mark.apps
@pytest.mark.parametrize("app", [pytest.param("A2", marks=pytest.mark.slow), "official"], indirect=True)
def test_values_and_artifacts_on_a_real_trackio(app: str, tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"weights")
    with TrackioClient(url=app, env=WRITE) as client:
        project = "media" if client.kind == "trackio" else None
        with ExperimentMonitor(
            "run", url=app, project=project, env=WRITE, spool_dir=tmp_path / "spool", flush_timeout=80
        ) as run:
            run.log(everything(), step=3)
            run.log_artifact(tmp_path / "model.bin", "model")
        live = client.show("run", project)
    assert (live.metrics, live.latest_step, live.latest["ok"], live.latest["note"]) == (1, 3, True, "text")
    if project is None:
        assert live.latest["picture"] == "(image: not held by this app)"
        assert (
            json.loads(next((tmp_path / "spool").glob("*.kept")).read_text().splitlines()[0])["name"] == "run"
        )
        return
    picture = tmp_path / "app/data/media" / live.latest["picture"]["file_path"]
    assert pixels(picture.read_bytes())[0] == b"\0" + bytes(range(6))
    assert live.latest["weights"]["values"] == [1, 2]
    assert live.latest["samples"]["_value"][0] == {"prompt": "a", "score": 1}
    answer = httpx.post(f"{app}/api/get_run_artifacts", json={"project": project, "run_id": live.id}).json()
    assert [item["name"] for item in answer["data"]["output"]] == ["model"]
    assert list((tmp_path / "spool").iterdir()) == []


def test_where_artifacts_go_is_known_to_whoever_sends_the_spool(monitor: Make) -> None:
    run = monitor(FakeTracker(), url="http://127.0.0.1:9", artifacts="hf://datasets/acme/runs").start()
    assert run.spool is not None
    header = read_header(run.spool.read_bytes().splitlines()[0], "the spool")
    target = RecordingTarget(url="http://127.0.0.1:9", artifacts="hf://datasets/acme/runs")
    assert header_target(header) == target
    run.finish()
