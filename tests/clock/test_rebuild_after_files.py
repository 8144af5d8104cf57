"""`restart: {on: files}`: a commit of ours is followed by one factory rebuild, or by the Hub's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hfspace.localhub import LocalHub
from tests.converge.test_files import README, SEED, SPACE, commits, put, runner

ANEW: dict[str, Any] = {"on": "files", "rebuild": True}


@pytest.fixture
def hub() -> Iterator[LocalHub]:
    with LocalHub(seed=SEED, clock="manual") as running:
        yield running


def calls(hub: LocalHub) -> list[str]:
    calls = (one.path.rpartition(f"{SPACE}/")[2] for one in hub.requests() if one.effect)
    return [call for call in calls if not call.startswith("tag/")]


def test_the_rebuild_comes_after_the_commit_and_is_not_made_again(hub: LocalHub, tmp_path: Path) -> None:
    put(tmp_path, {"README.md": README, "app.py": "print(2)\n"})
    one = runner(hub, tmp_path, restart=ANEW)
    assert not one.apply().failed
    assert calls(hub) == ["commit/main", "variables", "restart"]
    assert one.plan().is_empty
    put(tmp_path, {"README.md": README, "app.py": "print(3)\n"})
    assert not runner(hub, tmp_path, restart=ANEW).apply().failed
    assert calls(hub) == ["commit/main", "variables", "restart"] * 2


def test_a_rebuild_that_was_refused_after_the_commit_is_still_due(hub: LocalHub, tmp_path: Path) -> None:
    put(tmp_path, {"README.md": README, "app.py": "print(2)\n"})
    hub.add_fault({"path": "/api/spaces/*/*/restart", "method": "POST", "status": 403, "times": 1})
    one = runner(hub, tmp_path, restart=ANEW)
    assert one.apply().failed
    assert [change.facet for change in one.plan().changes] == ["restart"]
    assert not one.apply().failed
    assert (len(commits(hub)), one.plan().is_empty) == (1, True)


def test_without_rebuild_the_commit_is_the_restart(hub: LocalHub, tmp_path: Path) -> None:
    put(tmp_path, {"README.md": README, "app.py": "print(2)\n"})
    one = runner(hub, tmp_path, restart={"on": "files"})
    assert not one.apply().failed
    assert (calls(hub), one.plan().is_empty) == (["commit/main"], True)


def test_a_space_that_is_created_has_been_built_anew(hub: LocalHub, tmp_path: Path) -> None:
    put(tmp_path, {"README.md": README, "app.py": "print(2)\n"})
    one = runner(hub, tmp_path, space="acme/new", restart=ANEW, create={})
    assert not one.apply().failed
    assert (hub.space("acme/new")["restart_calls"], one.plan().is_empty) == (0, True)
