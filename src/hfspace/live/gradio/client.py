"""gradio_client on a leash: no token of its own finding, no telemetry, no prints, no downloads."""

from __future__ import annotations

import os
from typing import Any

_SSE_SILENCE = 30.0
"""Gradio sends a heartbeat every 15 s; a stream that is silent for longer is dead."""


def quiet() -> None:
    """No telemetry: one switch is read when huggingface_hub is imported, the other by gradio_client, which
    does not stop for its own argument (gradio facts 2.3)."""
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"


def open_client(base: str, token: str | None, timeout: float, workers: int = 2) -> Any:
    """A gradio_client for the app at `base`; reads its /config and API info. Raises whatever that library
    does when they can't be read. `timeout` is in seconds."""
    quiet()
    from gradio_client import Client

    return Client(
        base,
        # False: by default it finds the ambient token itself and sends it to any host. Ours goes as
        # Authorization, which no HTTP client carries to another host; x-hf-authorization is carried on.
        token=False,
        headers={"authorization": f"Bearer {token}"} if token else None,
        verbose=False,
        download_files=False,
        analytics_enabled=False,
        max_workers=workers,
        httpx_kwargs={"timeout": max(_SSE_SILENCE, timeout)},
    )
