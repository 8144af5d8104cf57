"""-vv, --debug-file and the logger hfspace.http: each request, and nothing that is secret."""

from __future__ import annotations

import logging
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import respx

from hfspace.cli.main import run
from hfspace.github.client import GitHub
from hfspace.live.gradio.fetch import Ask, fetch_all
from hfspace.live.hub import connect
from hfspace.localhub import LocalHub
from hfspace.localhub.faults import Fault
from hfspace.requestlog import log_request

SECRET = "a-very-secret-value"
MANIFEST = 'version: 1\nspaces: {acme/x: {variables: {A: "1"}, secrets: {KEY: {env: KEY}}}}\n'
LINE = re.compile(r"([A-Z]+) (\S+) -> (\S+) in \d+ ms( id=\S+)?( attempt=\d+)?( left=\d+)?")


def test_the_examples_of_the_page_are_lines_of_this_form() -> None:
    page = (Path(__file__).parents[2] / "docs" / "debugging.md").read_text()
    examples = [line for line in page.splitlines() if line.startswith("GET ")]
    assert len(examples) == 3
    assert all(LINE.fullmatch(line) for line in examples)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[LocalHub]:
    for name in list(os.environ):
        if name.startswith(("HF", "HUGGING")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("KEY", SECRET)
    monkeypatch.chdir(tmp_path)
    Path("spaces.yaml").write_text(MANIFEST)
    with LocalHub(seed={"spaces": {"acme/x": {}}}) as local:
        monkeypatch.setenv("HF_ENDPOINT", local.url)
        monkeypatch.setenv("HF_TOKEN", local.token)
        yield local


def lines(text: str) -> list[tuple[str, str, str]]:
    """Method, path and result of the lines that tell a request."""
    found = (LINE.search(line) for line in text.splitlines())
    return [(one[1], "/" + one[2].partition("/")[2].partition("?")[0], one[3]) for one in found if one]


def served(hub: LocalHub) -> list[tuple[str, str, str]]:
    return [(one.method, one.path, str(one.status)) for one in hub.requests()]


def test_vv_shows_each_request_that_the_hub_served(hub: LocalHub, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["apply", "--yes", "--no-wait", "-vv"]) == 0
    out, err = capsys.readouterr()
    assert lines(err) == served(hub)
    assert {"POST", "GET"} <= {method for method, _, _ in lines(err)}
    assert lines(out) == []
    assert re.search(r"-> 200 in \d+ ms id=Root=\S+ left=\d+", err)
    assert SECRET not in err
    assert hub.token not in err


def test_v_shows_none(hub: LocalHub, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["plan", "-v"]) == 0
    assert lines(capsys.readouterr().err) == []


def test_the_debug_file_is_private_grows_and_holds_no_secret(
    hub: LocalHub, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["apply", "--yes", "--no-wait", "--debug-file", "debug.log"]) == 0
    assert run(["--debug-file", "debug.log", "plan"]) == 0
    text = Path("debug.log").read_text()
    assert lines(text) == served(hub)
    assert stat.S_IMODE(Path("debug.log").stat().st_mode) == 0o600
    assert text.count("hfspace 0.") == 2
    assert SECRET not in text
    assert hub.token not in text
    assert lines(capsys.readouterr().err) == []


def test_a_request_that_is_made_again_says_so(hub: LocalHub, capsys: pytest.CaptureFixture[str]) -> None:
    hub.add_fault(Fault(path="/api/whoami-v2", status=503, times=1))
    assert run(["plan", "-vv"]) == 0
    first, second = [line for line in capsys.readouterr().err.splitlines() if "/api/whoami-v2" in line]
    assert "-> 503" in first
    assert "-> 200" in second
    assert "attempt=2" in second


def test_a_debug_file_that_can_not_be_written_is_told_before_anything_is_done(
    hub: LocalHub, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["apply", "--yes", "--debug-file", "no/such/folder"]) == 1
    assert "--debug-file no/such/folder can't be written: No such file" in capsys.readouterr().err
    assert hub.requests() == []


def test_a_program_sees_them_by_its_own_logging_and_hfspace_installs_nothing(
    hub: LocalHub, caplog: pytest.LogCaptureFixture
) -> None:
    ours = [name for name in logging.root.manager.loggerDict if name.startswith("hfspace")]
    handlers = [handler for name in ours for handler in logging.getLogger(name).handlers]
    assert all(isinstance(handler, logging.NullHandler) for handler in handlers)
    client = connect(hub.url, hub.token)
    client.whoami()
    assert caplog.messages == []
    with caplog.at_level(logging.DEBUG, logger="hfspace"):
        client.whoami()
    assert lines(caplog.messages[0]) == [("GET", "/api/whoami-v2", "200")]


def test_apps_are_in_it_also_when_they_do_not_answer(hub: LocalHub, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="hfspace"):
        fetch_all([Ask(url=f"{hub.url}/api/spaces?session_hash=abc", token="hf_local_write")])
        fetch_all([Ask(url="http://127.0.0.1:1/config")])
    answered, refused = caplog.messages
    assert "/api/spaces?session_hash=… -> 200" in answered
    assert re.fullmatch(r"GET 127\.0\.0\.1:1/config -> ConnectError in \d+ ms", refused)


@respx.mock
def test_github_is_in_it(caplog: pytest.LogCaptureFixture) -> None:
    limited = httpx.Response(429, headers={"retry-after": "1", "x-github-request-id": "AB:1"})
    good = httpx.Response(200, json={}, headers={"x-ratelimit-remaining": "4999"})
    respx.get("https://api.github.test/repos/acme/x").mock(side_effect=[limited, good])
    client = GitHub("https://api.github.test", "ghs_token", sleep=lambda seconds: None)
    with caplog.at_level(logging.DEBUG, logger="hfspace"):
        client.get("/repos/acme/x")
    first, second = caplog.messages
    assert "-> 429" in first
    assert "id=AB:1" in first
    assert "-> 200" in second
    assert "attempt=2 left=4999" in second


@pytest.mark.parametrize(
    ("url", "place"),
    [
        (
            "https://user:pass@hub.test/api?author=acme&expand=a&expand=b",
            "hub.test/api?author=acme&expand=a,b",
        ),
        (
            "https://hub.test/x?token=abc&write_token=d&sig=e&cursor=f",
            "hub.test/x?token=…&write_token=…&sig=…&cursor=…",
        ),
        ("https://hub.test/hf_abcdefghijklmnopqrstuvwxyz", "hub.test/hf_…"),
        ("https://hub.test/a\x1b[31m", "hub.test/a\\x1b[31m"),
        ("https://[::1", "an address that is none"),
    ],
)
def test_nothing_of_an_address_that_may_be_secret_is_shown(
    url: str, place: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="hfspace"):
        log_request("GET", url, 0, status=200, headers={"x-request-id": "a\nb"})
    assert caplog.messages[0].startswith(f"GET {place} -> 200 in ")
    assert "\n" not in caplog.messages[0]
