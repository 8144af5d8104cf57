"""A real `hfspace apply` is killed in the middle; the next one does the rest, and nothing twice.

A sample of the boundaries; `bench/kill_sweep.py` takes them all.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from hfspace.localhub import LocalHub
from tests.converge import fleet
from tests.converge.killing import APPLY, Boundary, Commands, Ending, describe, kill, undisturbed

pytestmark = pytest.mark.xdist_group("kill")

# Each kind of write once, where a kill can hurt: what was done is not known to the one who did it.
AFTER = [
    "POST /api/repos/create",
    "POST /api/spaces/…/duplicate",
    "DELETE /api/repos/delete",
    "POST /api/spaces/…/pause",
    "POST /api/spaces/…/restart",
    "POST /api/spaces/…/hardware",
    "POST /api/spaces/…/secrets",
    "POST /api/spaces/…/commit/main",
]
BEFORE = ["POST /api/spaces/…/commit/main", "DELETE /api/spaces/…/secrets", "PUT /api/spaces/…/volumes"]


@pytest.fixture(scope="module")
def commands() -> Iterator[Commands]:
    with Commands() as commands:
        yield commands


@pytest.fixture(scope="module")
def manifest(commands: Commands) -> str:
    return fleet.with_files(fleet.manifest(), commands.folder)


@pytest.fixture(scope="module")
def needed(commands: Commands, manifest: str) -> Ending:
    return undisturbed(commands, manifest, fleet.SEED)


@pytest.mark.parametrize(
    ("request_line", "when"), [*((one, "after") for one in AFTER), *((one, "before") for one in BEFORE)]
)
def test_an_apply_that_was_killed_is_finished_by_the_next(
    commands: Commands, manifest: str, needed: Ending, request_line: str, when: str
) -> None:
    kinds = [describe(*one) for one in needed.requests]
    at = kinds.index(request_line) + 1
    verdict = kill(commands, manifest, fleet.SEED, at, when, needed)
    assert verdict.request == request_line
    assert verdict.wrong == ()


def test_every_kind_of_write_is_in_the_run_that_is_swept(needed: Ending) -> None:
    writes = {describe(*one) for one in needed.requests if one[0] != "GET"}
    assert writes >= {*AFTER, *BEFORE, "POST /api/spaces/…/sleeptime", "POST /api/spaces/…/dev-mode"}
    assert writes >= {"PUT /api/spaces/…/settings", "POST /api/spaces/…/variables"}


def test_the_same_with_an_interpreter_of_its_own(commands: Commands, manifest: str, needed: Ending) -> None:
    """The sweep forks its processes from a warm parent; here one is started as a person would."""
    with LocalHub(seed=fleet.SEED, clock="manual") as hub:
        at = [describe(*one) for one in needed.requests].index("POST /api/spaces/…/secrets") + 1
        hook = Boundary(hub=hub, at=at, when="after")
        hub.set_hook(hook)
        (commands.folder / "spaces.yaml").write_text(manifest)
        process = subprocess.Popen(
            [sys.executable, "-m", "hfspace", *APPLY],
            cwd=commands.folder,
            env={**commands.env, "HF_ENDPOINT": hub.url, "HF_TOKEN": hub.token},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        hook.pid = process.pid
        hook.known.set()
        assert process.wait(60) == -9
        assert commands.run(hub, *APPLY)[0] == 0
        assert commands.run(hub, "plan", "--detailed-exitcode")[0] == 0
