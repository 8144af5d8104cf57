"""Through the unmodified huggingface_hub: files, pages, names, streams, keyless tokens."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from huggingface_hub import HfApi
from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, RepositoryNotFoundError

from hfspace.localhub import LocalHub


@pytest.fixture
def hub() -> Iterator[LocalHub]:
    seed = {
        "spaces": {"acme/x": {}, "acme/page": {"sdk": "static"}, "other/z": {"moved_from": ["other/old"]}}
    }
    with LocalHub(seed=seed, clock="manual") as hub:
        yield hub


@pytest.fixture
def api(hub: LocalHub) -> HfApi:
    return HfApi(endpoint=hub.url, token=hub.token)


def test_a_file_goes_up_and_comes_down_and_rebuilds(hub: LocalHub, api: HfApi, tmp_path: Path) -> None:
    before = api.space_info("acme/x").sha
    done = api.upload_file(
        path_or_fileobj=b"hello", path_in_repo="data/a b.txt", repo_id="acme/x", repo_type="space",
        commit_message="add it",
    )  # fmt: skip
    assert done.oid != before
    assert hub.space("acme/x")["stage"] == "RUNNING_BUILDING"
    path = api.hf_hub_download("acme/x", "data/a b.txt", repo_type="space", cache_dir=tmp_path)
    assert Path(path).read_bytes() == b"hello"
    assert [commit.title for commit in api.list_repo_commits("acme/x", repo_type="space")] == [
        "add it", "initial commit",
    ]  # fmt: skip
    with pytest.raises(EntryNotFoundError):
        api.hf_hub_download("acme/x", "nope.txt", repo_type="space", cache_dir=tmp_path)


def test_a_card_that_is_committed_is_what_info_says(api: HfApi) -> None:
    card = b"---\ntitle: T\nsdk: docker\ntags: [demo]\n---\nHello\n"
    api.upload_file(path_or_fileobj=card, path_in_repo="README.md", repo_id="acme/x", repo_type="space")
    info = api.space_info("acme/x")
    assert (info.sdk, "demo" in (info.tags or [])) == ("docker", True)
    broken = b"---\n[: nothing\n---\n"
    with pytest.raises(ValueError, match="YAML"):
        api.upload_file(path_or_fileobj=broken, path_in_repo="README.md", repo_id="acme/x", repo_type="space")


def test_a_commit_on_top_of_another_head_is_refused(api: HfApi) -> None:
    with pytest.raises(HfHubHTTPError) as caught:
        api.upload_file(
            path_or_fileobj=b"x", path_in_repo="x.txt", repo_id="acme/x", repo_type="space",
            parent_commit="0" * 40,
        )  # fmt: skip
    assert caught.value.response.status_code == 412


def test_trees_and_paths(api: HfApi) -> None:
    files = {f"d/{number}.txt": str(number).encode() for number in range(3)}
    for path, data in files.items():
        api.upload_file(path_or_fileobj=data, path_in_repo=path, repo_id="acme/x", repo_type="space")
    names = [entry.path for entry in api.list_repo_tree("acme/x", repo_type="space", recursive=True)]
    assert names == ["README.md", "app.py", "d", *files]
    found = api.get_paths_info("acme/x", ["d/1.txt", "nope"], repo_type="space")
    assert [entry.path for entry in found] == ["d/1.txt"]
    api.delete_file("d/1.txt", "acme/x", repo_type="space")
    assert not api.file_exists("acme/x", "d/1.txt", repo_type="space")
    api.create_tag("acme/x", tag="v1", repo_type="space")
    assert [ref.name for ref in api.list_repo_refs("acme/x", repo_type="space").tags] == ["v1"]


def test_a_listing_comes_in_pages_sorted_filtered_and_searched() -> None:
    spaces = {
        f"acme/s{number:02}": {"likes": number, "tags": ["even"] * (number % 2 == 0)} for number in range(11)
    }
    seed = {"spaces": {**spaces, "other/s1": {}}, "hub": {"switches": {"max_page": 3}}}
    with LocalHub(seed=seed) as hub:
        api = HfApi(endpoint=hub.url, token=hub.token)
        every = [space.id for space in api.list_spaces(author="acme", expand=["runtime"])]
        assert every == sorted(spaces)
        assert len([one for one in hub.requests() if one.path == "/api/spaces"]) == 4
        assert [space.id for space in api.list_spaces(sort="likes", limit=2)] == ["acme/s10", "acme/s09"]
        assert len(list(api.list_spaces(filter="even"))) == 6
        assert [space.id for space in api.list_spaces(search="s1", author="other")] == ["other/s1"]


def test_a_space_that_comes_while_one_pages_moves_no_page() -> None:
    with LocalHub(
        seed={"spaces": {f"a/s{n}": {} for n in range(4)}, "hub": {"switches": {"max_page": 2}}}
    ) as hub:
        api = HfApi(endpoint=hub.url, token=hub.token)
        listing = iter(api.list_spaces(author="a"))
        first = [next(listing).id, next(listing).id]
        api.create_repo("a/s00", repo_type="space", space_sdk="static")
        assert first + [space.id for space in listing] == ["a/s0", "a/s1", "a/s2", "a/s3"]


def test_a_moved_space_redirects_with_method_and_body(hub: LocalHub, api: HfApi) -> None:
    api.move_repo("acme/x", "acme/y", repo_type="space")
    assert api.space_info("acme/x").id == "acme/y"
    api.add_space_variable("acme/x", "A", "1")
    assert hub.space("acme/y")["variables"]["A"]["value"] == "1"
    assert api.space_info("other/old").id == "other/z"
    api.create_repo("acme/x", repo_type="space", space_sdk="static")  # a new Space takes the name back
    assert api.space_info("acme/x").id == "acme/x"


def test_a_duplicate_has_files_and_variables_and_no_secrets(hub: LocalHub, api: HfApi) -> None:
    api.add_space_variable("acme/x", "A", "1")
    api.add_space_secret("acme/x", "S", "1")
    api.duplicate_repo("acme/x", "acme/copy", repo_type="space", space_hardware="t4-small")
    copy = hub.space("acme/copy")
    assert (set(copy["variables"]), copy["secrets"], copy["requested"]) == ({"A"}, {}, "t4-small")
    assert set(copy["files"]) == {"README.md", "app.py"}


def test_a_new_space_without_an_app_waits_for_one(hub: LocalHub, api: HfApi) -> None:
    api.create_repo("acme/new", repo_type="space", space_sdk="gradio")
    assert hub.space("acme/new")["stage"] == "NO_APP_FILE"
    api.upload_file(path_or_fileobj=b"1", path_in_repo="app.py", repo_id="acme/new", repo_type="space")
    assert hub.space("acme/new")["stage"] == "BUILDING"
    hub.advance(60)
    assert api.get_space_runtime("acme/new").stage == "RUNNING"


def test_a_deleted_space_is_gone(api: HfApi) -> None:
    api.delete_repo("acme/x", repo_type="space")
    with pytest.raises(HfHubHTTPError) as caught:
        api.space_info("acme/x")
    assert isinstance(caught.value, RepositoryNotFoundError)


def test_hardware_templates_quota_and_who(api: HfApi) -> None:
    assert {"cpu-basic", "t4-small", "h200x8"} <= {flavor.name for flavor in api.list_spaces_hardware()}
    assert api.whoami()["name"] == "alice"
    if hasattr(api, "get_zero_gpu_quota"):
        assert api.get_zero_gpu_quota().base > 0


def test_logs_of_a_failed_build_end_with_the_error(hub: LocalHub, api: HfApi) -> None:
    hub.set_space("acme/x", stage="BUILD_ERROR", error="no such package", logs={"build": ["one"]})
    assert list(api.fetch_space_logs("acme/x", build=True)) == ["one\n", "no such package\n"]


def test_events_tell_what_becomes_of_a_space(hub: LocalHub) -> None:
    headers = {"Authorization": f"Bearer {hub.token}"}
    with (
        httpx.Client(base_url=hub.url, headers=headers, trust_env=False, timeout=10) as http,
        http.stream("GET", "/api/spaces/acme/x/events") as response,
    ):
        lines = (json.loads(line[6:]) for line in response.iter_lines() if line.startswith("data: "))
        assert next(lines)["runtime"]["stage"] == "RUNNING"
        hub.set_space("acme/x", stage="PAUSED")
        assert next(lines)["runtime"]["stage"] == "PAUSED"


def test_a_log_that_is_followed_goes_on(hub: LocalHub) -> None:
    seed = {"spaces": {"acme/x": {"logs": {"run": ["one"]}}}, "hub": {"switches": {"logs_stay_open": True}}}
    with LocalHub(seed=seed) as hub:
        headers = {"Authorization": f"Bearer {hub.token}"}
        with (
            httpx.Client(base_url=hub.url, headers=headers, trust_env=False, timeout=10) as http,
            http.stream("GET", "/api/spaces/acme/x/logs/run") as response,
        ):
            lines = (
                json.loads(line[6:])["data"] for line in response.iter_lines() if line.startswith("data: ")
            )
            assert next(lines) == "one\n"
            hub.set_space("acme/x", logs={"run": ["one", "two"]})
            assert next(lines) == "two\n"


# ------------------------------------------------------------ keyless


def id_token(**claims: Any) -> str:
    base = {"iss": "https://token.actions.githubusercontent.com", "exp": time.time() + 300}
    parts = ({"alg": "none"}, {**base, **claims}, {})
    return ".".join(
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts
    )


def exchange(hub: LocalHub, token: str, resource: str) -> httpx.Response:
    body = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
        "subject_token": token,
        "resource": resource,
    }
    return httpx.post(f"{hub.url}/oauth/token", json=body, trust_env=False)


KEYLESS = {
    "acme/x": {
        "trusted_publishers": [
            {"repository": "acme/infra", "workflow": "apply.yml", "ref": "refs/heads/main"}
        ]
    },
    "acme/y": {},
}
FITS = {
    "repository": "acme/infra",
    "workflow_ref": "acme/infra/.github/workflows/apply.yml@refs/heads/main",
    "ref": "refs/heads/main",
}


@pytest.mark.parametrize(
    ("claims", "space", "fits"),
    [
        (FITS, "acme/x", True),
        (FITS, "acme/y", False),
        (FITS, "acme/none", False),
        ({**FITS, "repository": "evil/infra"}, "acme/x", False),
        ({**FITS, "ref": "refs/heads/other"}, "acme/x", False),
        ({**FITS, "iss": "https://evil.example"}, "acme/x", False),
        ({**FITS, "exp": 1}, "acme/x", False),
    ],
)
def test_a_job_gets_a_token_of_the_space_that_trusts_it(
    claims: dict[str, Any], space: str, fits: bool
) -> None:
    with LocalHub(seed={"spaces": KEYLESS}) as hub:
        answer = exchange(hub, id_token(**claims), f"spaces/{space}")
        assert answer.status_code == (200 if fits else 400)
        body = answer.json()
        assert (body["expires_in"] == 3600) if fits else body["error"] == "invalid_grant"


@pytest.mark.parametrize("covers", [True, False])
def test_a_keyless_token_is_good_for_its_space_alone(covers: bool) -> None:
    seed = {"spaces": KEYLESS, "hub": {"switches": {"oidc_covers_settings": covers}}}
    with LocalHub(seed=seed, clock="manual") as hub:
        token = exchange(hub, id_token(**FITS), "spaces/acme/x").json()["access_token"]
        with httpx.Client(
            base_url=hub.url, headers={"Authorization": f"Bearer {token}"}, trust_env=False
        ) as http:
            variable = {"key": "A", "value": "1"}
            said = http.post("/api/spaces/acme/x/variables", json=variable).status_code
            assert said == (200 if covers else 403)
            assert http.post("/api/spaces/acme/y/variables", json=variable).status_code == 403
            assert http.request(
                "DELETE", "/api/repos/delete", json={"organization": "acme", "name": "x"}
            ).is_error
            hub.advance(3601)
            assert http.get("/api/spaces/acme/x").status_code == 401
