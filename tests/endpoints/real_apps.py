"""Real apps in environments of their own, started on 127.0.0.1 one after the other.

An environment is made once per version below HFSPACE_APP_ENVS (default: ~/.cache/hfspace-test-apps).
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

APPS = Path(__file__).parent.parent / "apps"
NEWEST = ("5.50.0", "6.31.0")
MATRIX = ("3.50.2", "4.44.1", *NEWEST)

LOCKS = APPS / "requirements"
"""What each environment installs, with hashes; `make lock-apps` makes them anew from the .in beside each."""


def python_of(version: str, package: str = "gradio") -> Path:
    """The Python of an environment with that package; skips (fails in CI) when it can't be made."""
    root = Path(os.environ.get("HFSPACE_APP_ENVS") or Path.home() / ".cache/hfspace-test-apps")
    folder = root / f"{package}-{version}"
    python, done = folder / "bin/python", folder / ".complete"
    if not done.exists():
        try:
            subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
            lock = LOCKS / f"{package}-{version}.txt"
            command = [str(python), "-m", "pip", "install", "-q", "--require-hashes", "-r", str(lock)]
            subprocess.run(command, check=True, timeout=600)
        except (OSError, subprocess.SubprocessError) as error:
            if os.environ.get("HFSPACE_REAL_APPS"):
                raise
            pytest.skip(f"{package} {version} could not be installed: {error}")
        done.touch()
    return python


@contextmanager
def running(
    script: str, version: str, folder: Path, more: Mapping[str, str] | None = None, port: int = 0
) -> Iterator[str]:
    """The URL of a test app that runs; its working directory is `folder`, its output goes to a file there.
    `more` is added to its environment."""
    port = port or free_port()
    with served([str(python_of(version)), str(APPS / script), str(port)], port, folder, more or {}) as url:
        yield url


@contextmanager
def trackio_running(
    folder: Path, more: Mapping[str, str], version: str = "0.43.0", port: int = 0
) -> Iterator[str]:
    """The URL of an official trackio whose data is in `folder`."""
    port = port or free_port()
    env = {
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_NUM_PORTS": "1",
        "TRACKIO_DIR": str(folder / "data"),
        **more,
    }
    command = [str(python_of(version, "trackio").with_name("trackio")), "show", "--host", "127.0.0.1"]
    with served(command, port, folder, env) as url:
        yield url


@contextmanager
def served(command: list[str], port: int, folder: Path, more: Mapping[str, str]) -> Iterator[str]:
    env = {
        "PATH": os.environ["PATH"], "HOME": str(folder), "TMPDIR": str(folder), "HF_HUB_OFFLINE": "1",
        "GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_DISABLE_TELEMETRY": "1", "BROWSER": "true", **more,
    }  # fmt: skip
    log = folder / f"{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=folder, env=env, stdout=output, stderr=subprocess.STDOUT)
    try:
        _wait(f"http://127.0.0.1:{port}", process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError(f"the app ended: {log.read_text()[-2000:]}")
        try:
            with urllib.request.urlopen(url + "/", timeout=5):
                return
        except urllib.error.HTTPError as error:
            error.close()
            return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"the app does not answer: {log.read_text()[-2000:]}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
