"""examples/apps: what the manifest deploys to the local Hub is what runs, started from the files that the Hub
holds."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from hfspace.frontmatter import read
from hfspace.localhub import LocalHub
from tests.endpoints.real_apps import NEWEST, free_port, python_of, served
from tests.unit.test_cli import Shell

APPS = Path(__file__).parents[2] / "examples" / "apps"
SPACES = ("acme/reading-time", "acme/badge")


@pytest.fixture
def hub() -> Iterator[LocalHub]:
    with LocalHub(seed=APPS / "hub.yaml") as hub:
        yield hub


@pytest.fixture
def shell(tmp_path: Path, hub: LocalHub) -> Shell:
    shutil.copytree(APPS, tmp_path, dirs_exist_ok=True)
    return Shell(tmp_path, hub.url)


def downloaded(shell: Shell, space: str) -> Path:
    """The files of a Space as `hf download` brings them."""
    folder = shell.folder / "down" / space.partition("/")[2]
    hf = Path(sys.executable).parent / "hf"
    command = [str(hf), "download", space, "--repo-type", "space", "--local-dir", str(folder)]
    subprocess.run(command, env=shell.env, check=True, capture_output=True, timeout=60)
    return folder


def test_one_apply_deploys_both_and_the_next_plan_is_empty(shell: Shell, hub: LocalHub) -> None:
    plan = shell("plan")
    assert plan.returncode == 0, plan.stderr
    assert "2 to create" in plan.stdout
    done = shell("apply", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    for space in SPACES:
        doc = hub.space(space)
        assert (doc["stage"], doc["built_sha"]) == ("RUNNING", doc["sha"])
        here, there = APPS / space.partition("/")[2], downloaded(shell, space)
        for path in here.iterdir():
            if path.name != "README.md":
                assert (there / path.name).read_bytes() == path.read_bytes()
    card = read((shell.folder / "down/badge/README.md").read_bytes())
    assert (card["app_port"], card["title"]) == (7860, "Badge")
    assert shell("plan", "--detailed-exitcode").returncode == 0


def test_a_file_a_card_key_and_a_variable_are_one_commit_and_one_rebuild(shell: Shell, hub: LocalHub) -> None:
    assert shell("apply", "--yes", "--target", "acme/reading-time").returncode == 0
    before = hub.space("acme/reading-time")
    hub.clear_requests()
    manifest, app = shell.folder / "spaces.yaml", shell.folder / "reading-time" / "app.py"
    manifest.write_text(manifest.read_text().replace("tags: [text]", "tags: [reading]").replace("230", "250"))
    app.write_text(app.read_text().replace('min"', 'minutes"'))
    done = shell("apply", "--yes", "--target", "acme/reading-time")
    assert done.returncode == 0, done.stdout + done.stderr
    effects = [entry.path.rpartition("acme/reading-time/")[2] for entry in hub.requests() if entry.effect]
    assert sorted(effects) == ["commit/main", "variables"]
    after = hub.space("acme/reading-time")
    assert after["restart_calls"] == before["restart_calls"]
    assert (after["stage"], after["built_sha"]) == ("RUNNING", after["sha"])
    there = downloaded(shell, "acme/reading-time")
    assert (there / "app.py").read_bytes() == app.read_bytes()
    assert read((there / "README.md").read_bytes())["tags"] == ["reading"]
    hub.clear_requests()
    assert shell("apply", "--yes", "--target", "acme/reading-time").returncode == 0
    assert [entry.path for entry in hub.requests() if entry.effect] == []


def test_the_dockerfile_passes_hadolint() -> None:
    hadolint = Path(sys.executable).parent / "hadolint"
    checked = subprocess.run([hadolint, APPS / "badge/Dockerfile"], capture_output=True, text=True)
    assert (checked.returncode, checked.stdout) == (0, "")


def test_the_docker_app_runs_from_the_files_that_the_hub_holds(shell: Shell, hub: LocalHub) -> None:
    assert shell("apply", "--yes", "--target", "acme/badge").returncode == 0
    folder, port = downloaded(shell, "acme/badge"), free_port()
    command = json.loads(re.findall(r"^CMD (\[.*\])$", (folder / "Dockerfile").read_text(), re.M)[0])
    copied = re.findall(r"^COPY (\S+) \.$", (folder / "Dockerfile").read_text(), re.M)
    assert set(command[1:]) == set(copied)
    with served([sys.executable, *command[1:]], port, folder, {"PORT": str(port)}) as url:
        with urllib.request.urlopen(f"{url}/badge?label=build&value=%3Cb%3E", timeout=10) as answer:
            assert answer.headers["content-type"] == "image/svg+xml; charset=utf-8"
            assert "&lt;b&gt;" in answer.read().decode()
        hub.set_space("acme/badge", host=url)
        query = ("--query", "label=build", "--query", "value=passing")
        called = shell("call", "acme/badge", "--path", "/badge", *query, "--output", "out")
        assert called.returncode == 0, called.stderr
        assert "passing" in next((shell.folder / "out").iterdir()).read_text()


@pytest.mark.apps
def test_the_gradio_app_runs_from_the_files_that_the_hub_holds(shell: Shell, hub: LocalHub) -> None:
    assert shell("apply", "--yes", "--target", "acme/reading-time").returncode == 0
    folder, port = downloaded(shell, "acme/reading-time"), free_port()
    version = read((folder / "README.md").read_bytes())["sdk_version"]
    assert version == NEWEST[-1]
    variables = {key: item["value"] for key, item in hub.space("acme/reading-time")["variables"].items()}
    env = {"GRADIO_SERVER_PORT": str(port), "GRADIO_SERVER_NAME": "127.0.0.1", **variables}
    with served([str(python_of(version)), "app.py"], port, folder, env) as url:
        hub.set_space("acme/reading-time", host=url)
        called = shell("call", "acme/reading-time", "--api-name", "/estimate", json.dumps("word " * 460))
        assert "460 words, 2 min" in called.stdout, called.stderr


def test_the_seed_and_the_manifest_name_the_same_owner() -> None:
    seed, manifest = (yaml.safe_load((APPS / name).read_text()) for name in ("hub.yaml", "spaces.yaml"))
    assert {space.partition("/")[0] for space in manifest["spaces"]} <= set(seed["accounts"])
