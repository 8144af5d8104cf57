"""A real Gradio app behind the local Hub's edge, called by the unmodified gradio_client by the Space's id."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hfspace.localhub import LocalHub
from tests.endpoints.real_apps import NEWEST, running

CALL = """
from gradio_client import Client
client = Client("acme/plain", verbose=False, download_files=False)
print(client.predict(2, 3, fn_index=0))
"""


@pytest.mark.apps
@pytest.mark.parametrize("version", NEWEST)
def test_gradio_client_finds_and_calls_it_by_the_id_of_the_space(version: str, tmp_path: Path) -> None:
    with running("gradio_plain.py", version, tmp_path) as app:
        seed = {"spaces": {"acme/plain": {"host": app, "stage": "SLEEPING"}}, "hub": {"edge": True}}
        with LocalHub(seed=seed, clock="manual") as hub:
            env = {
                "PATH": os.environ["PATH"], "HOME": str(tmp_path), "HF_ENDPOINT": hub.url,
                "HF_TOKEN": hub.token,
                "HF_HUB_DISABLE_TELEMETRY": "1", "GRADIO_ANALYTICS_ENABLED": "False",
            }  # fmt: skip

            def call() -> subprocess.CompletedProcess[str]:
                command = [sys.executable, "-c", CALL]
                return subprocess.run(
                    command, env=env, capture_output=True, text=True, timeout=60, check=False
                )

            asleep = call()
            assert "Could not fetch config" in asleep.stderr  # it has woken the Space by trying
            hub.advance(60)
            awake = call()
            assert awake.stdout.strip() in {"5", "5.0"}, awake.stderr
