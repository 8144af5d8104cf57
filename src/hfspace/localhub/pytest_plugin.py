"""A local Hub for tests of your own: `pytest_plugins = ["hfspace.localhub.pytest_plugin"]` in conftest.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from hfspace.localhub.server import LocalHub


@pytest.fixture
def local_hub_factory() -> Iterator[Callable[..., LocalHub]]:
    """Make any number of Hubs with `local_hub_factory(seed=..., clock="manual")`; all end with the test."""
    with ExitStack() as running:
        yield lambda **options: running.enter_context(LocalHub(**options))


@pytest.fixture
def local_hub(
    request: pytest.FixtureRequest,
    local_hub_factory: Callable[..., LocalHub],
    monkeypatch: pytest.MonkeyPatch,
) -> LocalHub:
    """A Hub of this test, named by HF_ENDPOINT and HF_TOKEN for commands that it starts.

    `@pytest.mark.local_hub(seed=..., clock="real")` says what is there; the clock stands still without it.
    In this process huggingface_hub has read HF_ENDPOINT already: give it `local_hub.url` in so many words.
    """
    marker = request.node.get_closest_marker("local_hub")
    options: dict[str, Any] = {"clock": "manual", **(marker.kwargs if marker else {})}
    hub = local_hub_factory(**options)
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    monkeypatch.setenv("HF_TOKEN", hub.token)
    return hub


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "local_hub(seed, clock): what the local_hub fixture starts with")
