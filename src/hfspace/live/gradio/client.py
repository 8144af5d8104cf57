"""gradio_client on a leash: no token of its own finding, no telemetry, no prints, no downloads."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

_SSE_SILENCE = 30.0
"""Gradio sends a heartbeat every 15 s; a stream that is silent for longer is dead."""

_IDENTITY = ("version", "app_id", "dependencies")
"""What of an app's configuration is another after it was started anew."""


def quiet() -> None:
    """No telemetry: one switch is read when huggingface_hub is imported, the other by gradio_client, which
    does not stop for its own argument (gradio facts 2.3)."""
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"


def open_client(
    base: str,
    token: str | None,
    timeout: float,
    *,
    workers: int = 2,
    cookies: Mapping[str, str] | None = None,
) -> Any:
    """A gradio_client for the app at `base`; reads its /config and API info. `timeout` is in seconds;
    `cookies` are those of a login. Raises whatever that library does when the app can't be read."""
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
        httpx_kwargs={
            "timeout": max(_SSE_SILENCE, timeout),
            **({"cookies": dict(cookies)} if cookies else {}),
        },
    )


def set_timeout(client: Any, timeout: float) -> None:
    """Give the next call of `client` so many seconds."""
    client.httpx_kwargs["timeout"] = max(_SSE_SILENCE, timeout)


def is_current(client: Any) -> bool:
    """Whether the app is still the one whose configuration `client` read. Raises as httpx when it can't be
    asked."""
    import httpx

    answer = httpx.get(
        client.src + "config", headers=client.headers, cookies=client.cookies, **client.httpx_kwargs
    )
    now = answer.json() if answer.is_success else {}
    return isinstance(now, dict) and all(now.get(key) == client.config.get(key) for key in _IDENTITY)
