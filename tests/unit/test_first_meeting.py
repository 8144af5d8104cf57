"""What a newcomer types wrong or at once is answered with a sentence, never ignored."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from hfspace.cli.failure import log_format
from hfspace.cli.inputs import parse_timeout
from hfspace.cli.main import run
from hfspace.errors import UsageError
from hfspace.localhub import LocalHub
from hfspace.manifest.layout import formatted


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalHub]:
    seed = {
        "accounts": {"acme": {}, "mira": {"orgs": {"acme": "read"}}},
        "tokens": {"hf_reader": {"account": "mira", "role": "read"}},
        "spaces": {"acme/x": {"stage": "PAUSED"}, "acme/y": {"stage": "SLEEPING"}},
    }
    monkeypatch.chdir(tmp_path)
    with LocalHub(seed=seed) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setenv("HF_TOKEN", "hf_reader")
        (tmp_path / "spaces.yaml").write_text("version: 1\nspaces: {acme/x: {hardware: t4-small}}\n")
        yield hub


def test_an_owner_without_a_space_is_an_error_and_a_filter_without_one_is_not(
    hub: LocalHub, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["list", "nobody", "--format", "json"]) == 1
    out, err = capsys.readouterr()
    assert (out, "There is no Space of nobody" in err) == ("", True)
    assert run(["list", "acme", "--sdk", "static"]) == 0
    assert run(["list", "--search", "nothing has this name"]) == 0


@pytest.mark.parametrize("command", ["restart", "pause"])
def test_nothing_is_announced_that_is_then_refused(
    hub: LocalHub, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    assert run([command, "acme/y"]) == 1
    out, err = capsys.readouterr()
    assert (out, "acme/y sleeps" in err) == ("", False)


@pytest.mark.parametrize(
    "args",
    [
        ["plan", "-f", "none.yaml"],
        ["bogus"],
        ["plan", "--bogus"],
        ["show", "acme/none"],
        ["logs", "acme/x", "--tail", "9" * 30],
        ["diagnose", "acme/x", "--no-check"],
        ["-f", "spaces.yaml", "validate", "other.yaml"],
        ["fmt", "-f", "spaces.yaml", "other.yaml"],
    ],
)
def test_errors_are_json_where_messages_are_to_be(
    hub: LocalHub, capsys: pytest.CaptureFixture[str], args: list[str]
) -> None:
    assert run(["--log-format", "json", *args]) == 1
    out, err = capsys.readouterr()
    error = json.loads(err)
    assert (out, error["level"], error["exit_code"]) == ("", "error", 1)
    assert error["message"]


def test_the_problems_of_a_manifest_are_in_the_json(
    hub: LocalHub, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("spaces.yaml").write_text("version: 1\nspaces: {acme/x: {hardwear: x}}\n")
    assert run(["plan", "--log-format=json"]) == 1
    problem = json.loads(capsys.readouterr().err)["problems"][0]
    assert (problem["file"], problem["line"], "hardwear" in problem["message"]) == ("spaces.yaml", 2, True)


def test_the_last_log_format_counts_and_values_after_two_dashes_do_not() -> None:
    assert log_format(["--log-format", "json", "plan", "--log-format=text"]) == "text"
    assert log_format(["call", "acme/x", "--", "--log-format", "json"]) == "text"
    assert log_format(["plan", "--log-format"]) == ""


def test_a_duration_that_is_too_long_is_not_called_none() -> None:
    for text in ("9" * 20, "400000d", "99999999999999999999s"):
        with pytest.raises(UsageError, match="longer than a year"):
            parse_timeout(text)
    for text in ("x", "0", "-1", "never", "1y"):
        with pytest.raises(UsageError, match="is not a duration"):
            parse_timeout(text)
    assert parse_timeout("15m") == 900


def test_a_comment_can_be_looked_at_outside_of_a_job(
    hub: LocalHub, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(["plan", "--out", "plan.json"]) == 0
    capsys.readouterr()
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    assert run(["github", "comment", "plan.json", "--dry-run"]) == 0
    assert "t4-small" in capsys.readouterr().out
    assert run(["github", "comment", "plan.json"]) == 1
    assert "GITHUB_REPOSITORY" in capsys.readouterr().err


def test_a_seed_that_can_not_be_read_is_said_without_a_number(
    hub: LocalHub, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("latin.yaml").write_bytes(b"spaces: {acme/x: {title: caf\xe9}}\n")
    for seed in ("none.yaml", ".", "latin.yaml"):
        assert run(["hub", "serve", "--seed", seed, "--port", "0"]) == 1
        err = capsys.readouterr().err
        assert (seed in err, "Errno" in err) == (True, False)


def test_an_empty_folder_of_spools_is_named(hub: LocalHub, capsys: pytest.CaptureFixture[str]) -> None:
    Path("empty").mkdir()
    assert run(["experiments", "sync", "empty"]) == 0
    assert "Nothing to send in empty." in capsys.readouterr().err


def test_an_empty_file_is_in_order() -> None:
    assert [formatted(text) for text in ("", "\n")] == ["", "\n"]
