"""Every JSON answer of a path that the Hub's published description knows is what it describes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
from huggingface_hub import CommitOperationAdd, HfApi, constants

from hfspace.localhub import LocalHub

DESCRIPTION = json.loads((Path(__file__).parent / "data/hub-openapi.json").read_text())
SPACE = "/api/spaces/{namespace}/{repo}"
TREE = f"{SPACE}/tree/{{rev}}/{{path}}"
GROUP = "0" * 24

# Described, but not of Spaces: the local Hub answers 404.
NOT_SPACES = re.compile(r"/api/scheduled-jobs/.*")
# Described answers that a Hub of small files never gives, and why.
NEVER_GIVEN = {
    ("get", "/spaces/{namespace}/{repo}/resolve/{rev}/{path}", "200"): "file info of Xet, which it has not",
    ("get", "/spaces/{namespace}/{repo}/resolve/{rev}/{path}", "302"): "a redirect to large-file storage",
    (
        "get",
        "/spaces/{namespace}/{repo}/resolve/{rev}/{path}",
        "307",
    ): "no body; see the test of moved Spaces",
    ("post", f"{SPACE}/preupload/{{rev}}", "422"): "its schema is empty",
}


@dataclass(frozen=True)
class Ask:
    """A request to a described path, as `method path status`."""

    method: str
    path: str
    status: int
    real: str = ""
    body: Any = None
    raw: bytes | None = None
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def id(self) -> str:
        return f"{self.method} {self.path} {self.status}"


COMMIT = b"\n".join(
    json.dumps(line).encode()
    for line in (
        {"key": "header", "value": {"summary": "more", "description": "why"}},
        {"key": "file", "value": {"path": "folder/x.txt", "content": "eA==", "encoding": "base64"}},
    )
)
NEW: dict[str, Any] = {"type": "space", "sdk": "gradio", "organization": "acme"}
ASKS = (
    Ask("get", "/api/whoami-v2", 200),
    Ask("get", f"{SPACE}/commits/{{rev}}", 200, "/api/spaces/acme/x/commits/main?expand=formatted"),
    Ask("get", f"{SPACE}/refs", 200, "/api/spaces/acme/x/refs?include_prs=1"),
    Ask("post", f"{SPACE}/paths-info/{{rev}}", 200, "/api/spaces/acme/x/paths-info/main",
        {"paths": ["app.py", "nope"], "expand": True}),
    Ask("post", f"{SPACE}/preupload/{{rev}}", 200, "/api/spaces/acme/x/preupload/main",
        {"files": [{"path": "app.py", "size": 1, "sample": "eA=="}]}),
    Ask("post", f"{SPACE}/commit/{{rev}}", 200, "/api/spaces/acme/x/commit/main", raw=COMMIT),
    Ask("post", f"{SPACE}/resource-group", 200, body={"resourceGroupId": GROUP}),
    Ask("get", f"{SPACE}/resource-group", 200, "/api/spaces/acme/grouped/resource-group"),
    Ask("put", f"{SPACE}/settings", 200, body={"visibility": "private", "gated": False}),
    Ask("get", f"{SPACE}/tree/{{rev}}/{{path}}", 200,
        "/api/spaces/acme/x/tree/main/?recursive=true&expand=true"),
    Ask("get", f"{SPACE}/compare/{{compare}}", 200, "/api/spaces/acme/x/compare/main..main"),
    Ask("get", f"{SPACE}/treesize/{{rev}}/{{path}}", 200, "/api/spaces/acme/x/treesize/main/app.py"),
    Ask("get", f"{SPACE}/lfs-files", 200, "/api/spaces/acme/grouped/lfs-files?limit=1"),
    Ask("get", "/api/spaces/hardware", 200),
    Ask("get", "/api/jobs/hardware", 200),
    Ask("get", "/api/spaces/templates", 200),
    Ask("get", "/api/spaces/zero-gpu/quota", 200),
    Ask("get", f"{SPACE}/secrets", 200),
    Ask("get", f"{SPACE}/variables", 200),
    Ask("post", "/api/{repoType}/{namespace}/{repo}/duplicate", 200, "/api/spaces/acme/x/duplicate",
        {"repository": "acme/copy"}),
    Ask("post", "/api/repos/create", 200, body={**NEW, "name": "new", "hardware": "t4-small"}),
    Ask("post", "/api/repos/create", 409, body={**NEW, "name": "x"}),
)  # fmt: skip


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalHub]:
    space = {
        "variables": {"A": {"value": "1", "description": "one"}, "B": "2"},
        "secrets": {"S": {"value": "1", "description": "one"}, "T": "2"},
        "volumes": [{"source": "acme/b", "mountPath": "/data"}],
    }
    grouped = {"files": {".gitattributes": "*.bin filter=lfs\n"}}
    seed = {"spaces": {"acme/x": space, "acme/grouped": grouped}}
    with LocalHub(seed=seed, clock="manual") as hub:
        for name in ("x", "grouped"):
            ask(hub, Ask("post", f"{SPACE}/resource-group", 200, f"/api/spaces/acme/{name}/resource-group",
                         {"resourceGroupId": GROUP}))  # fmt: skip
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        HfApi(endpoint=hub.url, token=hub.token).create_commit(
            "acme/grouped", [CommitOperationAdd("a.bin", b"x")], commit_message="x", repo_type="space"
        )
        yield hub


def ask(hub: LocalHub, one: Ask) -> httpx.Response:
    path = one.real or one.path.format(namespace="acme", repo="x", rev="main", path="app.py")
    headers = {"Authorization": f"Bearer {hub.token}", **dict(one.headers)}
    with httpx.Client(base_url=hub.url, trust_env=False) as http:
        return http.request(one.method, path, json=one.body, content=one.raw, headers=headers)


def schema(one: Ask) -> dict[str, Any]:
    operation = DESCRIPTION["paths"][one.path][one.method]
    found: dict[str, Any] = operation["responses"][str(one.status)]["content"]["application/json"]["schema"]
    if one.path == TREE:  # the description forgets `path` here, which it has in paths-info and clients read
        found["items"]["properties"]["path"] = {"type": "string"}
    return found


@pytest.mark.parametrize("one", ASKS, ids=lambda one: one.id)
def test_an_answer_is_as_described(hub: LocalHub, one: Ask) -> None:
    response = ask(hub, one)
    assert response.status_code == one.status, response.text
    jsonschema.Draft202012Validator(schema(one)).validate(response.json())


def test_all_described_json_answers_are_asked_for() -> None:
    described = {
        (method, path, status)
        for path, methods in DESCRIPTION["paths"].items()
        for method, operation in methods.items()
        for status, answer in operation.get("responses", {}).items()
        if "application/json" in answer.get("content", {}) and not NOT_SPACES.fullmatch(path)
    }
    asked = {(one.method, one.path, str(one.status)) for one in ASKS}
    resolve = "/spaces/{namespace}/{repo}/resolve/{rev}/{path}"
    assert described - asked - set(NEVER_GIVEN) == {("get", resolve, "304")}


def test_every_described_path_of_spaces_has_a_route(hub: LocalHub) -> None:
    """Those without a described body too: whatever they answer, it is not 'no such page'."""
    for path, methods in DESCRIPTION["paths"].items():
        if NOT_SPACES.fullmatch(path):
            continue
        for method in methods:
            real = path.format(
                repoType="spaces", namespace="acme", repo="x", rev="main", path="app.py", logType="run",
                compare="main..main", sha="0",
            )  # fmt: skip
            headers = {"Authorization": f"Bearer {hub.token}"}
            body = None if method == "get" else {}
            with (
                httpx.Client(base_url=hub.url, trust_env=False, headers=headers) as http,
                http.stream(method, real, json=body) as response,  # some streams never end
            ):
                first = next(response.iter_bytes(), b"")
            assert b"can't find the page" not in first, (method, path)


def test_an_unchanged_file_is_not_sent_again(hub: LocalHub) -> None:
    resolve = "/spaces/acme/x/resolve/main/app.py"
    etag = ask(hub, Ask("get", resolve, 200, resolve)).headers["etag"]
    again = ask(hub, Ask("get", resolve, 304, resolve, headers=(("If-None-Match", etag),)))
    assert (again.status_code, again.content) == (304, b"")


def test_a_described_request_body_is_accepted_and_the_pattern_of_keys_is_the_described_one(
    hub: LocalHub,
) -> None:
    described = DESCRIPTION["paths"][f"{SPACE}/variables"]["post"]["requestBody"]["content"][
        "application/json"
    ]
    pattern = re.compile(described["schema"]["properties"]["key"]["pattern"])
    for key in ("A", "a_1", "_A", "1A", "A-B", "", "Ä"):
        answer = ask(hub, Ask("post", f"{SPACE}/variables", 0, body={"key": key, "value": "v"}))
        assert (answer.status_code == 200) == bool(pattern.search(key)), key
