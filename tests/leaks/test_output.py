"""Canaries are planted in everything that is secret; none may come out anywhere.

The Hub of these tests repeats in its errors whatever it is sent, as proxies and gateways do.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from hfspace.cli import main as entry
from hfspace.live import transport
from hfspace.live.limiter import Pace
from hfspace.redaction import KnownSecrets
from tests.leaks.parrot import Manner, serve

TOKEN = "hf_local_canaryTOKEN0123"
PLAIN = 'canary"SECRET value/0123'
LINES = "-----BEGIN CANARY-----\ncanaryLINE0123456789\ncanaryLINE9876543210\n-----END CANARY-----"
BYSTANDER = "canaryBYSTANDER0123"
PASSWORD = "canaryPASSWORD0123"
MANIFEST = """version: 1
spaces:
  acme/a:
    secrets:
      FROM_ENV: {env: CANARY}
      FROM_FILE: {file: secret.pem}
  acme/b:
    visibility: private
    secrets: {KEY: {env: CANARY, description: a description}}
"""


def forms(secret: str) -> set[str]:
    """How a secret may look when it got out."""
    data = secret.encode()
    found = {secret, json.dumps(secret)[1:-1], repr(secret)[1:-1], quote(secret), quote(secret, safe="")}
    found |= {base64.b64encode(data).decode().rstrip("="), data.hex()}
    found |= {line for line in secret.splitlines() if "canary" in line}
    return found


CANARIES = {form for secret in (TOKEN, PLAIN, LINES, BYSTANDER, PASSWORD) for form in forms(secret)}


def found_in(text: str) -> list[str]:
    return sorted(form for form in CANARIES if form in text)


@pytest.fixture(autouse=True)
def planted(plant: Callable[..., None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    plant(MANIFEST, HF_TOKEN=TOKEN, CANARY=PLAIN, AWS_SECRET_ACCESS_KEY=BYSTANDER)
    (tmp_path / "secret.pem").write_text(LINES)
    monkeypatch.setattr(transport, "ATTEMPTS", 1)
    sleep = Pace.sleep
    monkeypatch.setattr(Pace, "sleep", lambda pace, seconds, why: sleep(pace, min(seconds, 0.02), why))


COMMANDS: dict[str, list[str]] = {
    "plan": ["plan", "-vv"],
    "plan as JSON": ["plan", "--format", "json", "--out", "plan.json"],
    "plan as Markdown": ["plan", "--format", "markdown"],
    "plan as HTML": ["plan", "--format", "html"],
    "apply": ["apply", "--yes", "-vv", "--no-wait", "--audit-log", "audit.ndjson"],
    "apply with JSON logs": ["apply", "--yes", "-vv", "--no-wait", "--log-format", "json"],
    "watch": ["watch", "--once", "--auto", "all", "--log-format", "json"],
    "status": ["status", "-vv"],
    "status as JSON": ["status", "--format", "json"],
    "show": ["show", "acme/a"],
    "restart": ["restart", "acme/a"],
    "pause": ["pause", "acme/a"],
    "logs": ["logs", "acme/a"],
    "doctor": ["doctor", "-vv"],
    "list": ["list", "acme"],
    "diagnose": ["diagnose", "acme/a"],
    "init": ["init", "acme", "--out", "adopted.yaml", "--force"],
    "validate": ["validate", "--format", "json"],
}


@pytest.mark.parametrize("reads", [False, True], ids=["writes fail", "reads fail"])
@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409, 422, 429, 500])
def test_no_command_prints_what_the_hub_repeats(
    status: int,
    reads: bool,
    everything: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HF_DEBUG", "1")
    manner = Manner(status=status, reads=reads)
    with serve(manner) as url:
        monkeypatch.setenv("HF_ENDPOINT", url)
        for name in ["plan", "apply", "apply with JSON logs", "restart"] if status != 400 else COMMANDS:
            entry.run(COMMANDS[name])
            said = everything()
            assert not found_in(said), f"{name}: {found_in(said)}"
            assert "this is a bug" not in said, f"{name}: {said[-500:]}"
            assert "Traceback" not in said
    assert any(TOKEN in seen.headers for seen in manner.seen), "the canary was in play"
    assert reads or any(json.dumps(PLAIN) in seen.body for seen in manner.seen), "the secret was sent"


def test_a_token_of_another_form_is_cut_out_of_the_hubs_words(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tokens were known by how they look; a keyless one is a JWT and looks like nothing."""
    monkeypatch.setenv("HF_TOKEN", PASSWORD)
    with serve(Manner(status=400)) as url:
        monkeypatch.setenv("HF_ENDPOINT", url)
        assert entry.run(["pause", "acme/a"]) == 1
    out, err = capfd.readouterr()
    assert "The Hub says" in err
    assert not found_in(out + err)


def test_a_secret_at_the_end_of_a_long_answer_is_not_cut_in_half() -> None:
    assert KnownSecrets([PLAIN]).redact("x" * 290 + PLAIN) == "x" * 290 + "…"
    assert not found_in(KnownSecrets([LINES]).redact(f"it was {' '.join(LINES.split())}"))


@pytest.mark.parametrize(
    "endpoint",
    [f"https://user:{PASSWORD}@127.0.0.1:9", f"user:{PASSWORD}@127.0.0.1", f"ftp://u:{PASSWORD}@h"],
)
def test_the_password_of_an_endpoint_is_not_printed(
    endpoint: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", endpoint)
    for args in (["plan"], ["apply", "--yes"], ["doctor"], ["show", "acme/a"], ["status"]):
        assert entry.run(args) == 1
        out, err = capfd.readouterr()
        assert not found_in(out + err), args
        assert "HF_ENDPOINT" in err


CRASH = """
import sys, os
from hfspace.live.hub import HubClient
def boom(self):
    raise RuntimeError("it broke with " + os.environ["HF_TOKEN"] + os.environ["CANARY"])
HubClient.whoami = boom
from hfspace.cli.main import main
main(sys.argv[1:])
"""
THREAD = """
import os, sys, threading
import hfspace.cli.main as entry
def boom():
    secret = os.environ["CANARY"]
    raise RuntimeError("it broke with " + os.environ["HF_TOKEN"] + secret)
def run(args=None):
    thread = threading.Thread(target=boom)
    thread.start()
    thread.join()
    return 1
entry.run = run
entry.main(sys.argv[1:])
"""


@pytest.mark.parametrize("script", [CRASH, THREAD], ids=["a command", "a thread"])
@pytest.mark.parametrize("more", ["", "1"], ids=["", "with HFSPACE_TRACEBACK"])
def test_a_crash_of_our_own_names_the_place_and_no_value(script: str, more: str, tmp_path: Path) -> None:
    env = {**os.environ, "HFSPACE_TRACEBACK": more, "HF_ENDPOINT": "http://127.0.0.1:9", "HF_DEBUG": "1"}
    done = subprocess.run(
        [sys.executable, "-c", script, "plan"], env=env, capture_output=True, text=True, timeout=60
    )
    said = done.stdout + done.stderr
    assert done.returncode == 1
    assert "this is a bug in hfspace" in said
    assert "RuntimeError" in said
    assert not found_in(said), said


def test_what_is_in_the_environment_and_not_declared_is_nowhere(
    everything: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve(Manner()) as url:
        monkeypatch.setenv("HF_ENDPOINT", url)
        for args in COMMANDS.values():
            entry.run(args)
            assert not found_in(everything()), args
