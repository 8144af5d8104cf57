"""A GitHub, a client of it, and a runner. Tests with a runner bring a `hub` of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hfspace.github.client import GitHub
from hfspace.localhub import LocalHub
from tests.github.fake import TOKEN, FakeGitHub
from tests.github.runner import Runner


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    with FakeGitHub() as fake:
        yield fake


@pytest.fixture
def github(fake: FakeGitHub) -> Iterator[GitHub]:
    with GitHub(fake.api_url, TOKEN, sleep=lambda seconds: None) as github:
        yield github


@pytest.fixture
def runner(tmp_path: Path, hub: LocalHub, fake: FakeGitHub) -> Runner:
    workspace = tmp_path / "fleet"
    (workspace / ".hfspace-base").mkdir(parents=True)
    fast = {"HF_ENDPOINT": hub.url, "HFSPACE_POLL_SECONDS": "0.1", "HFSPACE_SETTLE_SECONDS": "0.5"}
    return Runner(fake, workspace, fast)
