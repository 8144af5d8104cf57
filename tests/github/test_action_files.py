"""A pull request that changes a Space's code: the comment names the files, the artifact has their text, the
apply after the merge commits them, and each shard commits its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from hfspace.localhub import LocalHub
from tests.github.fake import FakeGitHub
from tests.github.runner import SHA, Runner

ROOT = Path(__file__).parents[2]
README = "---\nsdk: gradio\n---\n"
HELD = {"README.md": README, "app.py": "print(1)\n", "old.py": ""}
SPACES = ("acme/one", "acme/two", "acme/three")
TOKEN = {"token": "hf_local_write"}


@pytest.fixture
def hub() -> Iterator[LocalHub]:
    spaces = {space: {"hardware": "cpu-basic", "files": HELD} for space in SPACES}
    with LocalHub(seed={"spaces": spaces, "hub": {"time_scale": 300}}) as hub:
        yield hub


def declare(runner: Runner, *spaces: str) -> None:
    """Each Space has its code in apps/NAME: a changed file, a new one, and one that is gone."""
    declared = {}
    for space in spaces:
        folder = runner.workspace / "apps" / space.partition("/")[2]
        folder.mkdir(parents=True)
        for name, text in {"README.md": README, "app.py": "print(2)\n", "newer.py": "x = 1\n"}.items():
            (folder / name).write_text(text)
        declared[space] = {"files": {"from": f"apps/{folder.name}", "prune": True}}
    (runner.workspace / "spaces.yaml").write_text(yaml.safe_dump({"version": 1, "spaces": declared}))


def test_a_pull_request_shows_the_files_and_keeps_their_text(
    runner: Runner, hub: LocalHub, fake: FakeGitHub
) -> None:
    declare(runner, "acme/one")
    ran = runner.job("pull_request", runner.pull_request(8, SHA["a"]), TOKEN)
    assert ran.code == 0, ran.log
    (text,) = fake.said(8)
    for name in ("app.py", "newer.py", "old.py"):
        assert name in text
    assert "1 changed, 1 new, 1 deleted (+2 −1)" in text
    saved = json.loads((ran.temp / "hfspace-plan.json").read_text())
    (diff,) = [one for one in saved["diffs"] if one["path"] == "app.py"]
    assert (diff["before"], diff["after"]) == ("print(1)\n", "print(2)\n")
    assert "+print(2)" in ran.log
    assert not [entry for entry in hub.requests() if entry.effect]


def test_a_forks_files_are_shown_without_a_token(runner: Runner, hub: LocalHub, fake: FakeGitHub) -> None:
    declare(runner, "acme/one")
    ran = runner.job("pull_request", runner.pull_request(8, SHA["a"], fork="mallory/fleet"), TOKEN)
    assert {entry.account for entry in hub.requests()} == {None}
    saved = json.loads((ran.temp / "hfspace-plan.json").read_text())
    assert saved["changes"][0]["after"]["changed"] == ["app.py"]


def test_the_apply_after_the_merge_commits_each_shards_files_once(runner: Runner, hub: LocalHub) -> None:
    declare(runner, *SPACES)
    for shard in ("1/2", "2/2"):
        ran = runner.job("push", {}, {"command": "apply", "shard": shard, **TOKEN})
        assert ran.code == 0, ran.log
    commits = [entry.path for entry in hub.requests() if entry.effect and "/commit/" in entry.path]
    assert sorted(commits) == sorted(f"/api/spaces/{space}/commit/main" for space in SPACES)
    for space in SPACES:
        assert set(hub.space(space)["files"]) == {"README.md", "app.py", "newer.py"}


@pytest.mark.parametrize("name", ["spaces-plan.yml", "spaces-apply.yml"])
def test_the_shipped_workflows_run_for_a_change_of_code(name: str) -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / name).read_text())
    on = workflow[True]  # YAML 1.1 reads `on` as true
    assert {"spaces.yaml", "apps/**"} <= set(next(iter(on.values()))["paths"])
