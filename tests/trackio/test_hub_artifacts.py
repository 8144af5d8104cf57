"""Artifacts of apps that hold none: in a repository, through the real huggingface_hub, and in a bucket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hfspace.errors import DataLoss, NotSupported, TrackioUnavailable, UsageError
from hfspace.live.trackio.artifacts import collect
from hfspace.live.trackio.hub_artifacts import HubArtifacts
from hfspace.live.trackio.port import Artifact, Experiment
from hfspace.localhub import LocalHub
from tests.trackio.store_client import client_over, tracker

RUN = Experiment(id="exp_1", name="my run")


@pytest.fixture
def hub() -> Iterator[LocalHub]:
    """The local Hub keeps repositories of Spaces only; the calls are those of a dataset."""
    with LocalHub(seed={"spaces": {"acme/files": {}}}, clock="manual") as hub:
        yield hub


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    (folder / "tokenizer").mkdir(parents=True)
    (folder / "weights.bin").write_bytes(b"\0x" * 50_000)
    (folder / "tokenizer/vocab.json").write_text("{}")
    return folder


def keep(store: HubArtifacts, *paths: Path) -> tuple[Artifact, list[tuple[str, int, int]]]:
    heard: list[tuple[str, int, int]] = []
    files = collect(paths)
    kept = store.keep(RUN, files, name="model", progress=lambda *item: heard.append(item))
    return kept, heard


def commits(hub: LocalHub) -> int:
    return sum("/commit/main" in item.path for item in hub.requests())


def test_files_are_sent_once_and_looked_at(hub: LocalHub, model: Path) -> None:
    store = HubArtifacts("hf://spaces/acme/files/kept", endpoint=hub.url, token=hub.token)

    first, heard = keep(store, model)
    again, heard_again = keep(store, model)
    (model / "tokenizer/vocab.json").write_text('{"a": 1}')
    changed, _ = keep(store, model)

    assert (first.sent, again.sent, changed.sent) == (100_002, 0, 8)
    assert first.version == again.version != changed.version
    assert heard[:2] == [("tokenizer/vocab.json", 0, 2), ("tokenizer/vocab.json", 2, 2)]
    assert heard_again == [("tokenizer/vocab.json", 2, 2), ("weights.bin", 100_000, 100_000)]
    assert commits(hub) == 2
    paths = [path for path in hub.space("acme/files")["files"] if path.startswith("kept/")]
    assert sorted(path.split("/")[2:] for path in paths) == [
        ["model", "tokenizer", "vocab.json"],
        ["model", "weights.bin"],
    ]
    assert {path.split("/")[1] for path in paths} == {"my-run-" + paths[0].split("/")[1][-8:]}


def test_a_break_is_one_sentence_and_the_next_try_goes_on(hub: LocalHub, model: Path) -> None:
    other = HubArtifacts("hf://spaces/acme/none", endpoint=hub.url, token=hub.token)
    with pytest.raises(TrackioUnavailable, match="acme/none"):
        keep(other, model)
    with pytest.raises(TrackioUnavailable):
        keep(HubArtifacts("hf://spaces/acme/files", endpoint=hub.url, token=None), model)

    store = HubArtifacts("hf://spaces/acme/files", endpoint=hub.url, token=hub.token)
    (model / "weights.bin").chmod(0o600)
    files = collect([model])
    (model / "weights.bin").unlink()
    with pytest.raises(TrackioUnavailable):
        store.keep(RUN, files, name="model", progress=lambda *item: None)
    (model / "weights.bin").write_bytes(b"\0x" * 50_000)
    assert keep(store, model)[0].sent == 100_002


class Bucket:
    """Stands in for HfApi: what a bucket holds, by path; `loses` the bytes of what it takes."""

    def __init__(self) -> None:
        self.sizes: dict[str, int] = {}
        self.loses = self.breaks = False

    def get_bucket_paths_info(self, bucket: str, paths: list[str]) -> list[Any]:
        assert bucket == "acme/kept"
        return [SimpleNamespace(path=path, size=self.sizes[path]) for path in paths if path in self.sizes]

    def batch_bucket_files(self, bucket: str, add: list[tuple[str, str]]) -> None:
        if self.breaks and self.sizes:
            raise ConnectionError("gone")
        for source, path in add:
            self.sizes[path] = 0 if self.loses else Path(source).stat().st_size


def test_a_bucket_has_a_folder_for_each_version_and_takes_up_where_it_broke(
    hub: LocalHub, model: Path
) -> None:
    store = HubArtifacts("hf://buckets/acme/kept", endpoint=hub.url, token=hub.token)
    store._api = bucket = Bucket()

    bucket.breaks = True
    with pytest.raises(TrackioUnavailable):
        keep(store, model)
    bucket.breaks = False
    kept, heard = keep(store, model)
    assert kept.sent == 100_000
    assert heard[0] == ("tokenizer/vocab.json", 2, 2)
    assert all(f"/model/{kept.version}/" in path for path in bucket.sizes)
    assert keep(store, model)[0].sent == 0

    bucket.loses = True
    (model / "weights.bin").write_bytes(b"other")
    with pytest.raises(DataLoss, match="has it otherwise"):
        keep(store, model)


def test_the_client_goes_to_the_hub_only_where_the_app_holds_none(hub: LocalHub, model: Path) -> None:
    backend, _ = tracker()
    client = client_over(backend)
    one = client.create("run")
    with pytest.raises(NotSupported) as caught:
        client.upload_artifact("run", [model], name="model")
    assert "trackio.artifacts" in caught.value.hint

    client._artifacts = HubArtifacts("hf://spaces/acme/files", endpoint=hub.url, token=hub.token)
    assert client.upload_artifact(one.id, [model], name="model").sent == 100_002
    assert "run/model/weights.bin" in hub.space("acme/files")["files"]
    with pytest.raises(UsageError, match="name of an artifact"):
        client.upload_artifact("run", [model], name="../x")


@pytest.mark.parametrize("name", ["..", "../../x", "a/b", "ä", ".", "a b", "a-b"])
def test_no_name_leads_out_of_the_folder_or_is_another(hub: LocalHub, model: Path, name: str) -> None:
    store = HubArtifacts("hf://buckets/acme/kept", endpoint=hub.url, token=hub.token)
    store._api = bucket = Bucket()
    for run in (name, "a-b!"):
        store.keep(Experiment(id="1", name=run), collect([model]), name="model", progress=lambda *item: None)

    tops = {path.split("/")[0] for path in bucket.sizes}
    assert len(tops) == 2
    assert all(
        len(path.split("/")) <= 5 and not {"", ".", ".."} & set(path.split("/")) for path in bucket.sizes
    )
