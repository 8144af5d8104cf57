"""Files on the local Hub, by the unmodified client: small and large ones, history, refusals, builds."""

from __future__ import annotations

import hashlib
import json
import os
import random
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationCopy, CommitOperationDelete, HfApi, constants
from huggingface_hub.errors import BadRequestError, HfHubHTTPError

from hfspace.localhub import LocalHub
from hfspace.localhub.uploads import STARTING_ATTRIBUTES

SPACE = {"repo_id": "acme/x", "repo_type": "space"}
MIB = 2**20


@pytest.fixture(autouse=True)
def without_xet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)


@pytest.fixture
def hub(request: pytest.FixtureRequest) -> Iterator[LocalHub]:
    sizes = getattr(request, "param", {})
    files = {"app.py": "print(1)\n", ".gitattributes": STARTING_ATTRIBUTES}
    seed = {"spaces": {"acme/x": {"files": files}}, "hub": {"large_files": sizes}}
    with LocalHub(seed=seed, clock="manual") as hub:
        yield hub


@pytest.fixture
def api(hub: LocalHub) -> HfApi:
    return HfApi(endpoint=hub.url, token=hub.token)


def noise(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


@pytest.mark.parametrize(
    ("hub", "parts"),
    [({}, 1), ({"multipart_over": 4 * MIB, "part_size": 5 * MIB}, 3)],
    indirect=["hub"],
    ids=["basic", "multipart"],
)
def test_what_is_uploaded_comes_back_the_same(hub: LocalHub, api: HfApi, parts: int, tmp_path: Path) -> None:
    files = {
        "app.py": b"print(2)\n", "empty.txt": b"", "ä b/c.png": noise(3000), "big.dat": noise(12 * MIB),
        "model.safetensors": noise(500),
    }  # fmt: skip
    here = tmp_path / "here"
    for name, data in files.items():
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).write_bytes(data)
    api.upload_folder(folder_path=here, commit_message="all", **SPACE)
    puts = [one.path for one in hub.requests() if one.method == "PUT"]
    assert len(puts) == parts + 1
    there = Path(api.snapshot_download(local_dir=tmp_path / "there", **SPACE))
    assert {name: (there / name).read_bytes() for name in files} == files
    entries = {entry.path: entry for entry in api.list_repo_tree(recursive=True, **SPACE)}
    large = {name for name, entry in entries.items() if getattr(entry, "lfs", None)}
    assert large == {"big.dat", "model.safetensors"}
    for name, data in files.items():
        lfs = entries[name].lfs
        assert entries[name].size == len(data)
        if lfs is None:
            assert entries[name].blob_id == hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
        else:
            assert (lfs.sha256, lfs.size) == (hashlib.sha256(data).hexdigest(), len(data))
    attributes = (there / ".gitattributes").read_text()
    assert "big.dat filter=lfs" in attributes
    assert "model.safetensors filter" not in attributes  # *.safetensors is there

    hub.clear_requests()
    api.upload_folder(folder_path=here, commit_message="again", path_in_repo="copy", **SPACE)
    assert not [one for one in hub.requests() if one.method == "PUT"]  # its bytes are there already


def test_a_broken_upload_goes_on_where_it_was(hub: LocalHub, api: HfApi) -> None:
    operations = [CommitOperationAdd(f"{n}.bin", noise(1000, n)) for n in range(3)]
    hub.add_fault({"path": "/_lfs/uploads/*", "method": "PUT", "status": 403, "after": 2})
    with pytest.raises(RuntimeError):
        api.create_commit(operations=operations, commit_message="x", num_threads=1, **SPACE)
    hub.clear_faults()
    hub.clear_requests()
    again = [CommitOperationAdd(f"{n}.bin", noise(1000, n)) for n in range(3)]
    api.create_commit(operations=again, commit_message="x", num_threads=1, **SPACE)
    assert len([one for one in hub.requests() if one.method == "PUT"]) == 1
    assert {"0.bin", "1.bin", "2.bin"} <= set(api.list_repo_files(**SPACE))


def test_bytes_that_are_not_what_was_said_are_refused(hub: LocalHub) -> None:
    said = {"oid": hashlib.sha256(b"good").hexdigest(), "size": 4}
    with httpx.Client(
        base_url=hub.url, headers={"Authorization": f"Bearer {hub.token}"}, trust_env=False
    ) as http:
        batch = "/spaces/acme/x.git/info/lfs/objects/batch"
        answer = http.post(batch, json={"operation": "upload", "objects": [said]}).json()
        href = answer["objects"][0]["actions"]["upload"]["href"]
        assert http.put(href, content=b"evil").status_code == 400
        assert http.put(href, content=b"too long").status_code == 413
        assert http.put(f"{hub.url}/_lfs/uploads/{'0' * 32}/1", content=b"good").status_code == 413
        line = {"key": "lfsFile", "value": {"path": "x.bin", "algo": "sha256", **said}}
        header = {"key": "header", "value": {"summary": "x"}}
        lines = "\n".join(json.dumps(one) for one in (header, line))
        assert "does not exist" in http.post("/api/spaces/acme/x/commit/main", content=lines).json()["error"]
        assert http.put(href, content=b"good").status_code == 200
        assert http.post("/api/spaces/acme/x/commit/main", content=lines).status_code == 200
        whole = http.get("/spaces/acme/x/resolve/main/x.bin")
        assert (whole.content, whole.headers["x-linked-size"]) == (b"good", "4")
        part = http.get("/spaces/acme/x/resolve/main/x.bin", headers={"Range": "bytes=1-2"})
        assert (part.status_code, part.content) == (206, b"oo")
        for bad in ({"oid": "../x", "size": 1}, {"oid": said["oid"], "size": -1}, 7):
            assert http.post(batch, json={"operation": "upload", "objects": [bad]}).status_code == 422


def test_nobody_else_reads_what_is_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    db = tmp_path / "hub.db"
    with LocalHub(
        seed={"spaces": {"acme/x": {"files": {".gitattributes": STARTING_ATTRIBUTES}}}}, db=str(db)
    ) as hub:
        api = HfApi(endpoint=hub.url, token=hub.token)
        api.create_commit(operations=[CommitOperationAdd("a.bin", noise(100))], commit_message="x", **SPACE)
        stored = list((tmp_path / "hub.db.large").iterdir())
    assert [stat.S_IMODE(path.stat().st_mode) for path in (stored[0], stored[0].parent)] == [0o600, 0o700]
    with LocalHub(db=str(db)) as hub:  # another process later
        api = HfApi(endpoint=hub.url, token=hub.token)
        path = api.hf_hub_download(filename="a.bin", local_dir=tmp_path / "down", **SPACE)
        assert Path(path).read_bytes() == noise(100)


def test_a_live_token_is_refused_in_the_words_of_the_hub(hub: LocalHub, api: HfApi) -> None:
    before = hub.space("acme/x")["sha"]
    add = CommitOperationAdd(".env", f"HF_TOKEN={hub.token}\n".encode())
    with pytest.raises(BadRequestError, match="contain valid Hugging Face secrets") as caught:
        api.create_commit(operations=[add], commit_message="x", **SPACE)
    assert ".env (ref: refs/heads/main" in str(caught.value)
    assert hub.space("acme/x")["sha"] == before


def test_a_commit_on_top_of_another_is_refused(hub: LocalHub, api: HfApi) -> None:
    before = hub.space("acme/x")["sha"]
    mine = [CommitOperationAdd("a.txt", b"a")]
    theirs = api.create_commit(
        operations=[CommitOperationAdd("b.txt", b"one\ntwo\n"), CommitOperationDelete("app.py")],
        commit_message="Somebody's", commit_description="why\n\nHfspace-Source: x@1", **SPACE,
    )  # fmt: skip
    with pytest.raises(HfHubHTTPError, match="412"):
        api.create_commit(operations=mine, commit_message="x", parent_commit=before, **SPACE)
    newest = api.list_repo_commits(**SPACE)[0]
    assert (newest.commit_id, newest.title, newest.authors) == (theirs.oid, "Somebody's", ["alice"])
    assert newest.message.endswith("Hfspace-Source: x@1")
    diff = get(hub, f"/api/spaces/acme/x/compare/{before}..{theirs.oid}?raw")
    assert diff.text == (
        "diff --git a/app.py b/app.py\ndeleted file mode 100644\nindex b917a72..0000000\n"
        "--- a/app.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-print(1)\n"
        "diff --git a/b.txt b/b.txt\nnew file mode 100644\nindex 0000000..814f4a4\n"
        "--- /dev/null\n+++ b/b.txt\n@@ -0,0 +1,2 @@\n+one\n+two\n"
    )
    assert get(hub, f"/api/spaces/acme/x/compare/{before}..main").json() == diff.text
    assert get(hub, "/api/spaces/acme/x/compare/main").status_code == 400
    assert get(hub, "/api/spaces/acme/x/compare/0000000..main").status_code == 404


def test_what_gitignore_names_is_not_committed(hub: LocalHub, api: HfApi) -> None:
    api.create_commit(
        operations=[CommitOperationAdd(".gitignore", b"*.log\n!keep.log\n")], commit_message="x", **SPACE
    )
    names = ("a.log", "keep.log", "deep/b.log")
    api.create_commit(
        operations=[CommitOperationAdd(name, name.encode()) for name in names], commit_message="x", **SPACE
    )
    assert set(names) & set(api.list_repo_files(**SPACE)) == {"keep.log"}


@pytest.mark.parametrize(
    ("mark", "stage"), [("BUILD_ERROR", "BUILD_ERROR"), ("RUNTIME_ERROR", "RUNTIME_ERROR"), ("", "RUNNING")]
)
def test_a_commit_runs_or_fails_as_its_files_say(hub: LocalHub, api: HfApi, mark: str, stage: str) -> None:
    before = api.get_space_runtime("acme/x").raw["sha"]
    add = CommitOperationAdd("app.py", f"# local-hub: {mark}\n".encode())
    commit = api.create_commit(operations=[add], commit_message="x", **SPACE)
    assert api.get_space_runtime("acme/x").raw["sha"] == before  # the app of before serves
    hub.advance(60)
    runtime = api.get_space_runtime("acme/x")
    assert runtime.stage == stage
    assert (runtime.raw.get("sha") == commit.oid) == (stage == "RUNNING")
    api.restart_space("acme/x")
    hub.advance(60)
    assert api.get_space_runtime("acme/x").stage == stage
    api.create_commit(
        operations=[CommitOperationAdd("app.py", b"print(3)\n")], commit_message="mend", **SPACE
    )
    hub.advance(60)
    assert api.get_space_runtime("acme/x").stage == "RUNNING"


def test_a_space_is_born_with_its_files(hub: LocalHub) -> None:
    body = {
        "type": "space", "organization": "acme", "name": "new", "sdk": "docker",
        "files": [{"path": "Dockerfile", "content": "RlJPTSB4", "encoding": "base64"}],
    }  # fmt: skip
    with httpx.Client(
        base_url=hub.url, headers={"Authorization": f"Bearer {hub.token}"}, trust_env=False
    ) as http:
        assert http.post("/api/repos/create", json=body).status_code == 200
        assert http.get("/spaces/acme/new/resolve/main/Dockerfile").text == "FROM x"
        leak = {**body, "name": "leak", "files": [{"path": "a", "content": hub.token}]}
        assert http.post("/api/repos/create", json=leak).status_code == 400
    assert hub.space("acme/new")["stage"] == "BUILDING"
    hub.advance(60)
    space = hub.space("acme/new")
    assert (space["stage"], space["built_sha"]) == ("RUNNING", space["sha"])
    assert "acme/leak" not in hub.spaces()


def test_large_files_are_listed_counted_copied_and_removed(hub: LocalHub, api: HfApi) -> None:
    adds = [CommitOperationAdd("w/a.bin", noise(100)), CommitOperationAdd("w/b.bin", noise(200, 2))]
    api.create_commit(operations=adds, commit_message="x", **SPACE)
    api.create_commit(
        operations=[CommitOperationCopy("w/a.bin", "c.bin"), CommitOperationDelete("w/b.bin")],
        commit_message="y", **SPACE,
    )  # fmt: skip
    listed = list(api.list_lfs_files(**SPACE))
    assert {(one.filename, one.size) for one in listed} == {("w/a.bin", 100), ("w/b.bin", 200)}
    assert get(hub, "/api/spaces/acme/x/treesize/main/w").json() == {"path": "/w", "size": 100}
    copy = HfApi(endpoint=hub.url, token=hub.token).duplicate_repo(
        "acme/x", to_id="acme/copy", repo_type="space"
    )
    assert copy.repo_id == "acme/copy"
    assert get(hub, "/spaces/acme/copy/resolve/main/c.bin", follow_redirects=True).content == noise(100)
    api.permanently_delete_lfs_files("acme/x", [one for one in listed if one.size == 100], repo_type="space")
    assert not {"w/a.bin", "c.bin"} & set(api.list_repo_files(**SPACE))


def test_a_tree_of_many_files_comes_in_pages(hub: LocalHub, api: HfApi) -> None:
    header = b'{"key":"header","value":{"summary":"many"}}\n'
    lines = header + b"\n".join(
        b'{"key":"file","value":{"path":"d%d/f%d","content":"x"}}' % (n % 7, n) for n in range(2100)
    )
    assert get(hub, "/api/spaces/acme/x/commit/main", method="POST", content=lines).status_code == 200
    hub.clear_requests()
    paths = [entry.path for entry in api.list_repo_tree(recursive=True, **SPACE)]
    assert len(paths) == len(set(paths)) == 2100 + 7 + 2
    assert len(hub.requests()) == 3


def test_a_client_that_leaves_in_the_middle_has_changed_nothing(hub: LocalHub) -> None:
    """What came of a body is not taken for the whole of it."""
    import socket
    import time

    lines = b'{"key":"header","value":{"summary":"x"}}\n{"key":"deletedFile","value":{"path":"app.py"}}\n'
    head = (
        f"POST /api/spaces/acme/x/commit/main HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Authorization: Bearer {hub.token}\r\nContent-Length: {len(lines) + 100}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", int(hub.url.rpartition(":")[2]))) as client:
        client.sendall(head.encode() + lines)
    deadline = time.monotonic() + 1
    while time.monotonic() < deadline and not hub.requests():
        time.sleep(0.05)
    assert "app.py" in hub.space("acme/x")["files"]


@pytest.mark.slow
def test_hf_uploads_and_downloads(hub: LocalHub, tmp_path: Path) -> None:
    here = tmp_path / "here"
    (here / "sub").mkdir(parents=True)
    (here / "app.py").write_bytes(b"print(2)\n")
    (here / "sub" / "weights.bin").write_bytes(noise(11 * MIB))
    env = {
        **os.environ, "HF_ENDPOINT": hub.url, "HF_TOKEN": hub.token, "HF_HUB_DISABLE_XET": "1",
        "HF_HOME": str(tmp_path / "home"),
    }  # fmt: skip
    hf = Path(sys.executable).parent / "hf"
    for command in (
        ["upload", "acme/x", str(here), ".", "--repo-type", "space"],
        ["download", "acme/x", "--repo-type", "space", "--local-dir", str(tmp_path / "there")],
    ):
        run = subprocess.run([hf, *command], env=env, capture_output=True, text=True, timeout=120)
        assert run.returncode == 0, run.stderr
    for name in ("app.py", "sub/weights.bin"):
        assert (tmp_path / "there" / name).read_bytes() == (here / name).read_bytes()


def get(hub: LocalHub, path: str, method: str = "GET", **options: Any) -> httpx.Response:
    follow = options.pop("follow_redirects", False)
    with httpx.Client(
        base_url=hub.url, headers={"Authorization": f"Bearer {hub.token}"}, trust_env=False,
        follow_redirects=follow,
    ) as http:  # fmt: skip
        return http.request(method, path, **options)
