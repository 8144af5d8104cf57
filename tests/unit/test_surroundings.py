"""Odd machines: streams that are closed or full, an encoding that lacks most characters, broken settings."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hfspace.cli.context import Context
from hfspace.cli.door import doors
from hfspace.cli.main import run
from hfspace.files import lock_file, try_lock
from hfspace.live.hub import connect
from hfspace.localhub import LocalHub
from hfspace.redaction import KnownSecrets

MANIFEST = "version: 1\nspaces: {acme/x: {variables: {A: two}}}\n"
SEED = {
    "accounts": {"acme": {"type": "user"}},
    "spaces": {"acme/x": {"stage": "RUNNING", "variables": {"A": "one"}}},
}


@pytest.fixture
def hub() -> Iterator[LocalHub]:
    with LocalHub(SEED) as running:
        yield running


def _run(
    folder: Path, shell: str, hub: LocalHub | None = None, **env: str
) -> subprocess.CompletedProcess[str]:
    (folder / "spaces.yaml").write_text(MANIFEST)
    command = shell.replace("hfspace", f"{sys.executable} -m hfspace", 1)
    access = {"HF_ENDPOINT": hub.url, "HF_TOKEN": hub.token} if hub else {}
    kept = {key: item for key, item in os.environ.items() if not key.startswith(("HF_", "HFSPACE_"))}
    pauses = {"HFSPACE_POLL_SECONDS": "0.05", "HFSPACE_SETTLE_SECONDS": "0.2"}
    return subprocess.run(
        ["/bin/sh", "-c", command], cwd=folder, env={**kept, **pauses, **access, **env},
        text=True, timeout=90, capture_output=True, errors="replace",
    )  # fmt: skip


@pytest.mark.parametrize("closed", ["<&-", ">&-", "<&- >&-", ">&- 2>&-"])
def test_closed_streams_are_no_bug(tmp_path: Path, closed: str) -> None:
    done = _run(tmp_path, f"hfspace validate {closed}")
    assert (done.returncode, "bug" in done.stderr) == (0, False)


def test_a_question_with_stdin_closed_is_refused(tmp_path: Path, hub: LocalHub) -> None:
    done = _run(tmp_path, "hfspace apply <&-", hub)
    assert done.returncode == 1
    assert "--yes" in done.stderr
    assert hub.writes() == []


def test_a_full_device_is_told(tmp_path: Path) -> None:
    done = _run(tmp_path, "hfspace schema > /dev/full")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "The output could not be written: No space left" in done.stderr


def test_an_encoding_without_our_characters_gets_them_spelled_out(tmp_path: Path, hub: LocalHub) -> None:
    done = _run(tmp_path, "hfspace plan", hub, PYTHONIOENCODING="latin-1")
    assert done.returncode == 0, done.stderr
    assert "\\u2192" in done.stdout


@pytest.mark.parametrize(
    "endpoint", ["https://hub.example:99999", "http://[::1", "hub.example", "ftp://hub.example", "http://"]
)
def test_an_endpoint_that_is_no_url_is_a_sentence(tmp_path: Path, endpoint: str) -> None:
    done = _run(tmp_path, "hfspace plan", HF_ENDPOINT=endpoint, HF_TOKEN="x")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("hfspace: HF_ENDPOINT is not a URL")


@pytest.mark.parametrize("pause", ["abc", "nan", "-1", "inf"])
def test_a_pause_that_is_no_number_is_a_sentence(tmp_path: Path, hub: LocalHub, pause: str) -> None:
    done = _run(tmp_path, "hfspace apply --yes", hub, HFSPACE_POLL_SECONDS=pause)
    assert done.returncode == 1
    assert "HFSPACE_POLL_SECONDS is no number of seconds" in done.stderr
    assert hub.writes() == []


def test_a_pattern_of_brackets_is_a_problem_of_the_manifest(tmp_path: Path) -> None:
    expect = {"type": "string", "pattern": "(" * 20_000 + ")" * 20_000}
    endpoint = {"api_name": "/p", "expect": expect}
    (tmp_path / "odd.yaml").write_text(
        json.dumps({"version": 1, "spaces": {"acme/x": {"endpoint": endpoint}}})
    )
    done = _run(tmp_path, "hfspace -f odd.yaml validate")
    assert done.returncode == 1
    assert "nested too deep" in done.stderr


def test_an_audit_log_that_can_not_be_written_costs_the_log_and_not_the_report(
    tmp_path: Path, hub: LocalHub
) -> None:
    done = _run(tmp_path, "hfspace apply --yes --format json --audit-log /dev/full", hub)
    assert done.returncode == 3
    assert json.loads(done.stdout)["outcomes"]
    assert "Missing: acme/x.variables.A (applied)" in done.stderr
    assert "bug" not in done.stderr
    assert hub.space("acme/x")["variables"]["A"]["value"] == "two"


def test_an_audit_log_is_for_its_owner_only(tmp_path: Path, hub: LocalHub) -> None:
    assert _run(tmp_path, "hfspace apply --yes --audit-log log.ndjson", hub).returncode == 0
    assert stat.S_IMODE((tmp_path / "log.ndjson").stat().st_mode) == 0o600
    assert json.loads((tmp_path / "log.ndjson").read_text().splitlines()[0])["event"] == "applied"


def test_an_audit_log_that_others_may_read_keeps_its_mode_and_that_is_said(
    tmp_path: Path, hub: LocalHub
) -> None:
    (tmp_path / "log.ndjson").touch(mode=0o644)
    (tmp_path / "log.ndjson").chmod(0o644)
    done = _run(tmp_path, "hfspace apply --yes --audit-log log.ndjson", hub)
    assert done.returncode == 0
    assert "log.ndjson may be read by others" in done.stderr
    assert stat.S_IMODE((tmp_path / "log.ndjson").stat().st_mode) == 0o644


@pytest.mark.parametrize("token", ["hf_töken", "hf_\x01token"])
def test_a_token_that_can_be_none_is_said_before_the_hub_is_asked(
    token: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The Hub was blamed: its answer made no sense."""
    monkeypatch.setenv("HF_TOKEN", token)
    assert run(["list", "acme"]) == 1
    assert "The token holds characters that no token has." in capfd.readouterr().err


def test_parallel_reads_leave_the_filters_of_the_host_program_as_they_are(hub: LocalHub) -> None:
    before = list(warnings.filters)
    client = connect(hub.url, hub.token, env={})
    start = threading.Barrier(10)

    def read(_: int) -> str:
        start.wait(10)
        return str(client.space("acme/x"))

    with ThreadPoolExecutor(10) as pool:
        assert len(list(pool.map(read, range(10)))) == 10
    assert list(warnings.filters) == before


def test_a_lock_is_held_once_and_lies_where_nobody_else_can_take_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with (
        lock_file("watch", "a") as first,
        lock_file("watch", "a") as second,
        lock_file("watch", "b") as other,
    ):
        assert try_lock(first)
        assert not try_lock(second)
        assert try_lock(other)
    assert stat.S_IMODE((tmp_path / "hfspace" / "locks").stat().st_mode) == 0o700


def test_a_stage_of_the_hub_is_no_command_for_the_terminal_or_the_runner(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with doors(KnownSecrets()):
        context = Context(env={})
        context.note("::error::forged \x1b[2J\nRUNNING")
        context.warn("##[error]forged")
        context.echo("::error::forged")
    out, err = capsys.readouterr()
    assert err == "\\::error::forged \nRUNNING\n## [error]forged\n"
    assert out == "\\::error::forged\n"


@pytest.fixture
def crashing() -> Iterator[LocalHub]:
    """A Hub whose Space takes a change, and does not come up after it."""
    space = {"stage": "RUNNING", "start": "crash", "variables": {"A": "one"}}
    with LocalHub({**SEED, "spaces": {"acme/x": space}, "hub": {"time_scale": 300}}) as running:
        yield running


@pytest.mark.parametrize(
    "shell",
    [
        "hfspace apply --yes --format json > /dev/full",
        "hfspace apply --yes --format json > /dev/full 2> /dev/full",
        "hfspace apply --yes | true; exit ${PIPESTATUS[0]}",
        "hfspace apply --yes 2>&1 | true; exit ${PIPESTATUS[0]}",
    ],
)
def test_an_apply_whose_output_is_lost_still_tells_by_its_exit_code(
    tmp_path: Path, crashing: LocalHub, shell: str
) -> None:
    """`apply | head` exited 0 after a failure; over a full device it exited 1 after a change."""
    done = _run(tmp_path, f"exec bash -c '{shell}'", crashing)
    assert done.returncode == 3, done.stderr
    assert crashing.space("acme/x")["variables"]["A"]["value"] == "two"


def test_a_result_that_can_not_be_written_is_told_on_stderr(tmp_path: Path, crashing: LocalHub) -> None:
    done = _run(tmp_path, "hfspace apply --yes --format json > /dev/full", crashing)
    assert "The output could not be written: No space left on device." in done.stderr
    assert '"exit_code": 3' in done.stderr
    assert '"acme/x.variables.A"' in done.stderr


def test_a_plan_that_can_not_be_shown_is_not_applied(tmp_path: Path, hub: LocalHub) -> None:
    done = _run(tmp_path, "hfspace apply --yes > /dev/full", hub)
    assert (done.returncode, hub.space("acme/x")["variables"]["A"]["value"]) == (1, "one")
    assert "Nothing was changed: the plan could not be shown." in done.stderr
    assert "variables.A" in done.stderr


def test_a_plan_tells_by_its_exit_code_also_where_nobody_reads_it(tmp_path: Path, hub: LocalHub) -> None:
    shell = "hfspace plan --detailed-exitcode | true; exit ${PIPESTATUS[0]}"
    done = _run(tmp_path, f"exec bash -c '{shell}'", hub)
    assert done.returncode == 2, done.stderr
