"""`hfspace pull` and `init --files` against a served local Hub: what is there is adopted, nothing is lost."""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import CommitOperationAdd, HfApi, constants

from hfspace.localhub import LocalHub
from tests.unit.test_cli import Shell

README = "---\nsdk: gradio\n---\n\n# A\n"
FILES = {"README.md": README, "app.py": "print(1)\n", "src/x.py": "", ".gitattributes": "*.bin filter=lfs\n"}
SPACES: dict[str, Any] = {
    "acme/a": {"files": FILES},
    "acme/page": {"sdk": "static"},
    "acme/empty": {"files": {".gitattributes": ""}},
    "bob/a": {"files": {"README.md": README, "other.py": "print(2)\n"}},
}
LARGE = random.Random(3).randbytes(70 << 20)
"""More than is read of an answer that is no file."""


@pytest.fixture
def hub() -> Iterator[LocalHub]:
    with LocalHub(seed={"spaces": SPACES, "hub": {"time_scale": 300}}) as hub:
        yield hub


@pytest.fixture
def shell(tmp_path: Path, hub: LocalHub) -> Shell:
    return Shell(tmp_path, hub.url)


def content(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()
    }


def test_a_space_is_pulled_to_a_folder_of_its_name(shell: Shell, hub: LocalHub) -> None:
    done = shell("pull", "acme/a")
    assert done.returncode == 0
    sha = hub.space("acme/a")["sha"][:7]
    assert f"acme/a at {sha} in a: 3 files written (" in done.stderr
    assert "files: ./a under acme/a" in done.stderr
    assert content(shell.folder / "a") == {k: v for k, v in FILES.items() if k != ".gitattributes"}
    assert "nothing to write, 3 the same" in shell("pull", "acme/a").stderr
    assert shell("pull", "acme/a", "--to", "elsewhere/b").returncode == 0
    assert (shell.folder / "elsewhere/b/app.py").is_file()


def test_it_goes_to_the_folder_of_the_manifest_and_the_plan_is_empty(shell: Shell, hub: LocalHub) -> None:
    (shell.folder / "m").mkdir()
    manifest = shell.folder / "m" / "spaces.yaml"
    manifest.write_text("version: 1\nspaces:\n  acme/a: {files: {from: ./apps/a, prune: true}}\n")
    assert shell("-f", "m/spaces.yaml", "pull", "acme/a").returncode == 0
    assert (shell.folder / "m/apps/a/app.py").is_file()
    plan = shell("-f", "m/spaces.yaml", "plan", "--detailed-exitcode")
    assert plan.returncode == 0, plan.stdout
    api = HfApi(endpoint=hub.url, token=hub.token)
    add = CommitOperationAdd("app.py", b"print('edited on the Hub')\n")
    api.create_commit("acme/a", [add], commit_message="by hand", repo_type="space")
    assert shell("-f", "m/spaces.yaml", "plan", "--detailed-exitcode").returncode == 2
    refused = shell("-f", "m/spaces.yaml", "pull", "acme/a")
    assert refused.returncode == 1
    assert "other contents than the Hub in app.py" in refused.stderr
    assert shell("-f", "m/spaces.yaml", "pull", "acme/a", "--force").returncode == 0
    assert shell("-f", "m/spaces.yaml", "plan", "--detailed-exitcode").returncode == 0


def test_what_is_only_here_stays_and_is_counted(shell: Shell) -> None:
    (shell.folder / "a").mkdir()
    (shell.folder / "a" / "mine.py").write_text("mine")
    (shell.folder / "a" / "app.py").write_text("mine, too")
    assert "--force" in shell("pull", "acme/a").stderr
    assert content(shell.folder / "a") == {"mine.py": "mine", "app.py": "mine, too"}
    done = shell("pull", "acme/a", "--force")
    assert "1 file there is not on the Hub" in done.stderr
    assert content(shell.folder / "a")["mine.py"] == "mine"


def test_a_large_file_is_read_in_pieces_and_checked(
    shell: Shell, hub: LocalHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    api = HfApi(endpoint=hub.url, token=hub.token)
    add = CommitOperationAdd("weights.bin", LARGE)
    api.create_commit("acme/a", [add], commit_message="x", repo_type="space")
    hub.add_fault({"path": "*/resolve/*/weights.bin", "body": "truncated", "times": 1})
    assert shell("pull", "acme/a").returncode == 0
    assert (
        hashlib.sha256((shell.folder / "a/weights.bin").read_bytes()).digest()
        == hashlib.sha256(LARGE).digest()
    )


@pytest.mark.parametrize(
    ("fault", "code", "message"),
    [
        ({"status": 500}, 1, "acme/a"),
        ({"body": "empty"}, 1, "was not kept"),
        ({"body": "html"}, 1, "app.py"),
        ({"status": 404, "error": "Entry not found"}, 1, "app.py"),
    ],
)
def test_a_hub_that_does_not_give_a_file_leaves_no_half_of_it(
    fault: dict[str, Any], code: int, message: str, shell: Shell, hub: LocalHub
) -> None:
    hub.add_fault({"path": "*/resolve/*/app.py", **fault})
    done = shell("pull", "acme/a")
    assert (done.returncode, message in done.stderr) == (code, True), done.stderr
    left = set(content(shell.folder / "a")) if (shell.folder / "a").exists() else set()
    assert left <= {"README.md", "src/x.py"}
    hub.clear_faults()
    assert shell("pull", "acme/a").returncode == 0


@pytest.mark.parametrize(
    "name", ["../evil.py", "/tmp/evil.py", ".git/hooks/post-checkout", "a/../../evil.py"]
)
def test_a_hostile_name_of_the_hub_is_refused(name: str, shell: Shell) -> None:
    with LocalHub(seed={"spaces": {"acme/evil": {"files": {"README.md": README, name: "x"}}}}) as hub:
        done = shell("pull", "acme/evil", HF_ENDPOINT=hub.url)
    assert done.returncode == 1
    assert "not written here" in done.stderr
    assert content(shell.folder) == {}


def test_a_link_does_not_lead_out(shell: Shell) -> None:
    (shell.folder / "a").mkdir()
    (shell.folder / "outside").mkdir()
    (shell.folder / "a" / "src").symlink_to(shell.folder / "outside")
    assert "src is no folder" in shell("pull", "acme/a").stderr
    assert os.listdir(shell.folder / "outside") == []


def test_a_fleet_is_adopted_with_its_files_and_the_plan_is_empty(shell: Shell, hub: LocalHub) -> None:
    done = shell("init", "acme", "bob", "--files", "--out", "fleet/spaces.yaml")
    assert done.returncode == 0, done.stderr
    text = (shell.folder / "fleet/spaces.yaml").read_text()
    assert "files: ./acme/a\n" in text  # two Spaces are called so
    assert "files: ./bob/a\n" in text
    assert "files: ./page\n" in text
    assert text.count("files:") == 3
    assert (shell.folder / "fleet/bob/a/other.py").is_file()
    plan = shell("-f", "fleet/spaces.yaml", "plan", "--detailed-exitcode")
    assert plan.returncode == 0, plan.stdout + plan.stderr


def test_init_refuses_to_lose_files_before_it_writes_any(shell: Shell) -> None:
    (shell.folder / "page").mkdir()
    (shell.folder / "page" / "index.html").write_text("mine")
    done = shell("init", "acme", "--files")
    assert done.returncode == 1
    assert "page has other contents than the Hub in index.html" in done.stderr
    assert content(shell.folder) == {"page/index.html": "mine"}
    assert shell("init", "acme", "--files", "--force").returncode == 0
    for args in (["--files"], ["acme", "--files", "--out", "-"]):
        assert "--files needs Spaces" in shell("init", *args).stderr


def test_files_that_can_not_be_read_are_told_in_the_manifest(shell: Shell, hub: LocalHub) -> None:
    hub.add_fault({"path": "/api/spaces/acme/a/tree/*", "status": 403, "error": "no"})
    done = shell("init", "acme", "--files")
    assert done.returncode == 4
    text = (shell.folder / "spaces.yaml").read_text()
    assert "# its files could not be read: " in text
    assert "files: ./page\n" in text


def test_large_files_go_to_a_local_hub_and_come_back_and_a_broken_upload_goes_on(
    shell: Shell, hub: LocalHub
) -> None:
    """Without any variable that turns Xet off, which huggingface_hub would use."""
    (shell.folder / "app").mkdir()
    contents = {f"{n}.bin": random.Random(n).randbytes(2000) for n in range(3)}
    for name, data in {**contents, "README.md": README.encode(), "app.py": b"print(2)\n"}.items():
        (shell.folder / "app" / name).write_bytes(data)
    (shell.folder / "spaces.yaml").write_text("version: 1\nspaces:\n  acme/a: {files: app}\n")
    hub.add_fault({"path": "/_lfs/uploads/*", "method": "PUT", "status": 403, "after": 1})
    broken = shell("apply", "--yes")
    assert broken.returncode == 1
    assert "acme/a failed" in broken.stdout
    hub.clear_faults()
    done = shell("apply", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    uploads = [one for one in hub.requests() if one.method == "PUT" and one.status == 200]
    assert len(uploads) == 3  # each once, over both runs
    assert shell("pull", "acme/a", "--to", "back").returncode == 0
    assert {name: (shell.folder / "back" / name).read_bytes() for name in contents} == contents
    assert shell("plan", "--detailed-exitcode").returncode == 0


def test_a_file_that_the_hub_refuses_is_named_and_nothing_is_committed(shell: Shell, hub: LocalHub) -> None:
    (shell.folder / "app").mkdir()
    (shell.folder / "app" / "README.md").write_text(README)
    (shell.folder / "app" / "notes.txt").write_text(f"{hub.token}\n")
    (shell.folder / "spaces.yaml").write_text("version: 1\nspaces:\n  acme/a: {files: app}\n")
    before = hub.space("acme/a")["sha"]
    done = shell("apply", "--yes")  # the shell asserts that no token is in its output
    assert done.returncode == 1
    assert "notes.txt" in done.stdout
    assert "Correct the file" in done.stdout
    assert hub.space("acme/a")["sha"] == before
