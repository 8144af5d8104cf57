"""The command line against a served local Hub, as processes: exit codes, streams, bad input, leaks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hfspace.localhub import LocalHub

SECRET = "canary-7f3a9c-value"
SEED = {
    "accounts": {"alice": {"orgs": {"acme": "admin"}}, "acme": {"type": "org", "plan": "team"}},
    "tokens": {
        "hf_local_write": {"account": "alice", "role": "write"},
        "hf_local_read": {"account": "alice", "role": "read"},
    },
    "spaces": {
        "acme/x": {"stage": "PAUSED", "hardware": "cpu-basic"},
        "acme/y": {"stage": "RUNNING", "hardware": "t4-small", "sleep_time": 3600},
    },
    "hub": {"time_scale": 300},
}
MANIFEST = """version: 1
spaces:
  acme/x:
    hardware: t4-small
    sleep_time: 1h
    state: running
    secrets: {KEY: {env: CANARY}}
  acme/y: {hardware: t4-small}
"""


class Shell:
    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "CI"))}
        self.env = {
            **clean,
            "HF_ENDPOINT": url,
            "HF_TOKEN": "hf_local_write",
            "HF_HOME": str(folder / "hf"),
            "CANARY": SECRET,
            "HFSPACE_POLL_SECONDS": "0.1",
            "HFSPACE_SETTLE_SECONDS": "0.5",
        }

    def __call__(self, *args: str, text: str = "", **env: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "hfspace", *args],
            cwd=self.folder,
            env={**self.env, **env},
            input=text,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert "Traceback" not in done.stderr
        assert SECRET not in done.stdout + done.stderr
        assert "hf_local_write" not in done.stdout + done.stderr
        return done


@pytest.fixture
def hub() -> Iterator[LocalHub]:
    with LocalHub(seed=SEED) as hub:
        yield hub


@pytest.fixture
def shell(tmp_path: Path, hub: LocalHub) -> Shell:
    (tmp_path / "spaces.yaml").write_text(MANIFEST)
    return Shell(tmp_path, hub.url)


def test_plan_apply_plan(shell: Shell, hub: LocalHub) -> None:
    first = shell("plan", "--detailed-exitcode", "--out", "plan.json")
    assert (first.returncode, "Plan: 0 to create, 1 to change" in first.stdout) == (2, True)
    assert SECRET not in (shell.folder / "plan.json").read_text()
    assert (shell.folder / "plan.json").stat().st_mode & 0o777 == 0o600
    done = shell("apply", "plan.json", "--yes", "--audit-log", "audit.ndjson")
    assert done.returncode == 0, done.stderr + done.stdout
    audit = (shell.folder / "audit.ndjson").read_text()
    assert SECRET not in audit
    assert {json.loads(line)["event"] for line in audit.splitlines()} == {"applied", "finished"}
    assert hub.space("acme/x")["secrets"]["KEY"]["value"] == SECRET
    assert shell("plan", "--detailed-exitcode").returncode == 0
    hub.clear_requests()
    assert shell("apply", "--yes").returncode == 0
    assert hub.writes() == []


def test_a_saved_plan_is_refused_when_something_moved(shell: Shell, hub: LocalHub) -> None:
    assert shell("plan", "--out", "plan.json").returncode == 0
    hub.set_space("acme/x", requested="a10g-small")
    moved = shell("apply", "plan.json", "--yes")
    assert (moved.returncode, "acme/x changed on the Hub" in moved.stderr) == (1, True)
    (shell.folder / "spaces.yaml").write_text(MANIFEST + "# a comment\n")
    assert "the manifest changed" in shell("apply", "plan.json", "--yes").stderr
    text = (shell.folder / "plan.json").read_text()
    (shell.folder / "plan.json").write_text(text.replace('"after": "t4-small"', '"after": "a100x8"'))
    assert "damaged or was edited" in shell("apply", "plan.json", "--yes").stderr
    (shell.folder / "plan.json").write_text(text.replace('"format_version": 1', '"format_version": 9'))
    assert "newer hfspace" in shell("apply", "plan.json", "--yes").stderr
    assert hub.writes() == []


def test_apply_asks_and_takes_only_yes(shell: Shell, hub: LocalHub) -> None:
    refused = shell("apply", "--no-input")
    assert (refused.returncode, "Pass --yes" in refused.stderr) == (1, True)
    assert shell("apply", text="y\n", HFSPACE_ASSUME_TTY="1").returncode == 1
    assert hub.writes() == []
    assert shell("apply", text="yes\n", HFSPACE_ASSUME_TTY="1").returncode == 0
    assert hub.writes() != []


@pytest.mark.parametrize(
    ("env", "says"),
    [
        ({"HF_TOKEN": "hf_local_read"}, "role read"),
        ({"HF_TOKEN": ""}, "no token"),
        ({"HF_TOKEN": "hf_nobody"}, "does not accept this token"),
        ({"CANARY": ""}, "CANARY is not set"),
        ({"HF_ENDPOINT": "http://127.0.0.1:9"}, "No answer"),
        ({"HF_ENDPOINT": "nonsense"}, "not a URL"),
    ],
)
def test_bad_circumstances_are_one_sentence_and_write_nothing(
    shell: Shell, hub: LocalHub, env: dict[str, str], says: str
) -> None:
    done = shell("apply", "--yes", **env)
    assert done.returncode == 1
    assert says in done.stderr + done.stdout
    assert hub.writes() == []


def test_a_manifest_with_mistakes_shows_each_with_its_place(shell: Shell) -> None:
    (shell.folder / "spaces.yaml").write_text(
        "version: 1\nspaces:\n  acme/x:\n    hardwar: t4\n    state: runing\n"
    )
    done = shell("validate")
    assert done.returncode == 1
    assert "spaces.yaml:4:5: a Space has no key 'hardwar'\n        hardwar: t4\n        ^" in done.stderr
    assert "Did you mean 'running'?" in done.stderr


def test_an_unknown_flavor_names_the_nearest(shell: Shell) -> None:
    (shell.folder / "spaces.yaml").write_text("version: 1\nspaces: {acme/y: {hardware: t4-smal}}\n")
    done = shell("plan")
    assert (done.returncode, "Did you mean t4-small" in done.stdout) == (1, True)


def test_usage_errors_exit_1(shell: Shell) -> None:
    assert shell("plan", "--nonsense").returncode == 1
    done = shell("pln")
    assert (done.returncode, "Did you mean 'plan'?" in done.stderr) == (1, True)


def test_targets(shell: Shell, hub: LocalHub) -> None:
    assert shell("apply", "--yes", "--target", "acme/x.hardware").returncode == 0
    assert hub.space("acme/x")["secrets"] == {}
    assert hub.space("acme/x")["requested"] == "t4-small"
    assert "matches nothing" in shell("plan", "--target", "acme/z").stderr


@pytest.mark.parametrize(
    ("target", "hint"),
    [("acme/x.hardwear", "Did you mean acme/x.hardware?"), ("acme/x.nope.KEY", "A key is hardware")],
)
def test_a_target_with_an_unknown_key_is_refused(shell: Shell, hub: LocalHub, target: str, hint: str) -> None:
    done = shell("apply", "--yes", "--target", target)
    assert done.returncode == 1
    assert f"--target {target} names no key of acme/x.\n  {hint}" in done.stderr
    assert hub.writes() == []


def test_a_target_may_be_a_glob_of_keys_also_where_nothing_is_left_to_do(shell: Shell, hub: LocalHub) -> None:
    for _ in range(2):
        done = shell("apply", "--yes", "--target", "acme/*.hardware")
        assert done.returncode == 0, done.stderr
        assert hub.space("acme/x")["requested"] == "t4-small"
        assert hub.space("acme/x")["secrets"] == {}
    assert len(hub.writes()) == 1


@pytest.mark.parametrize(
    "line",
    [
        "plan --base=",
        "apply --yes --shard=",
        "validate --file=",
        "fmt |",
        "init |",
        "apply --yes |",
        "list |",
    ],
)
def test_an_empty_value_is_refused_and_not_taken_for_all(shell: Shell, hub: LocalHub, line: str) -> None:
    done = shell(*(word.replace("|", "") for word in line.split()))
    assert done.returncode == 1
    assert "it is empty" in done.stderr
    assert hub.requests() == []


def test_the_result_as_json_holds_the_exit_code_of_the_command(shell: Shell) -> None:
    assert shell("apply", "--yes").returncode == 0
    done = shell("apply", "--yes", "--format", "json", HF_TOKEN="")
    assert (done.returncode, json.loads(done.stdout)["exit_code"]) == (4, 4)


def test_a_watch_says_what_is_wrong_with_the_manifest(shell: Shell) -> None:
    (shell.folder / "spaces.yaml").write_text("version: 1\nspaces: {acme/x: {hardwear: a}}\n")
    done = shell("watch", "--once")
    assert done.returncode == 1
    assert "spaces.yaml:2:19: a Space has no key 'hardwear'" in done.stdout


@pytest.mark.parametrize(
    "values", [("--data", "{"), ("--data", "@nowhere.json"), ("--upload", "x"), ("--data", "1", "2")]
)
def test_values_that_can_not_be_sent_wake_no_space(
    shell: Shell, hub: LocalHub, values: tuple[str, ...]
) -> None:
    done = shell("call", "acme/x", "--wake", *values)
    assert done.returncode == 1
    assert hub.requests() == []


def test_json_is_one_document(shell: Shell) -> None:
    plan = json.loads(shell("plan", "--format", "json").stdout)
    assert plan["format_version"] == 1
    calm = {"checks_failed": 0, "unknown": 0}
    assert plan["summary"] == {"create": 0, "update": 1, "delete": 0, "unchanged": 1, **calm}
    assert plan["cost"]["after_usd_per_hour"] == "0.80"
    assert json.loads(shell("status", "--format", "json").stdout)["spaces"][0]["id"] == "acme/x"
    assert json.loads(shell("show", "acme/x", "--format", "json").stdout)["stage"] == "PAUSED"


def test_the_common_operations(shell: Shell, hub: LocalHub) -> None:
    assert "acme/x" in shell("list", "acme").stdout
    assert "PAUSED" in shell("show", "https://huggingface.co/spaces/acme/x").stdout
    assert shell("status", "--exit-code").returncode == 2
    assert "is PAUSED" in shell("wait", "acme/x").stderr
    assert shell("restart", "acme/x").returncode == 0
    assert "is RUNNING" in shell("wait", "acme/x").stdout
    assert shell("pause", "acme/x").returncode == 0
    assert "paused already" in shell("pause", "acme/x").stdout
    assert "Application Startup" in shell("logs", "acme/y").stdout
    assert shell("doctor").returncode == 0
    assert "does not exist" in shell("show", "acme/nope").stderr
    assert "_HFSPACE_COMPLETE" in shell("completion", "bash").stdout


def test_wait_takes_several_spaces_and_tells_which_did_not_come_up(shell: Shell, hub: LocalHub) -> None:
    done = shell("wait", "acme/y", "acme/x", "acme/nope", "acme/y")
    assert (done.returncode, done.stdout) == (1, "acme/y is RUNNING.\n")
    assert "acme/x is PAUSED. Start it: hfspace restart acme/x" in done.stderr
    assert "acme/nope does not exist" in done.stderr
    assert "2 of 3 Spaces did not come up." in done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    hub.set_space("acme/x", stage="STOPPED")
    assert "acme/x is STOPPED" in shell("wait", "acme/x").stderr


def test_a_watch_reports_by_default_and_wakes_when_allowed(shell: Shell, hub: LocalHub) -> None:
    (shell.folder / "spaces.yaml").write_text(
        "version: 1\nspaces: {acme/x: {state: running, hardware: t4-small}}\n"
    )
    assert shell("watch", "--once").returncode == 2
    assert hub.writes() == []
    assert shell("watch", "--once", "--auto", "wake", "--log-format", "json").returncode == 2
    assert [entry.path.rpartition("/")[2] for entry in hub.writes()] == ["restart"]


def _imported(shell: Shell, *args: str) -> set[str]:
    """The modules that a command imports."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "hfspace", *args],
        cwd=shell.folder, env=shell.env, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-300:]
    return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}


HEAVY = {"huggingface_hub.hf_api", "gradio_client", "asyncio", "starlette", "pathspec", "jinja2"}


def test_help_validate_and_schema_import_nothing_heavy(shell: Shell) -> None:
    for command in ("--help", "validate", "schema"):
        assert not _imported(shell, command) & {*HEAVY, "deepdiff", "httpx", "httpx2"}


def test_a_plan_imports_neither_the_librarys_writes_nor_what_asks_apps(shell: Shell) -> None:
    assert not _imported(shell, "plan") & HEAVY


def test_secrets_reach_no_output_at_the_highest_verbosity(shell: Shell) -> None:
    for args in (["plan", "-vv"], ["apply", "--yes", "-vv", "--log-format", "json"], ["status", "-vv"]):
        assert shell(*args, HF_DEBUG="1").returncode == 0  # Shell itself looks for the canaries


def test_ctrl_c_ends_a_wait_in_good_order(shell: Shell, hub: LocalHub) -> None:
    hub.set_space("acme/x", build="stuck")
    started = subprocess.Popen(
        [sys.executable, "-m", "hfspace", "apply", "--yes"],
        cwd=shell.folder, env=shell.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 30
    while hub.space("acme/x")["stage"] != "BUILDING" and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    started.send_signal(signal.SIGINT)
    out, err = started.communicate(timeout=20)
    assert started.returncode == 130, err
    assert "Interrupted" in out
    assert "Traceback" not in err


def test_a_port_in_use_is_one_sentence(shell: Shell, hub: LocalHub) -> None:
    done = shell("hub", "serve", "--port", hub.url.rpartition(":")[2])
    assert (done.returncode, "can't be used" in done.stderr) == (1, True)


def test_every_form_of_an_id_is_taken(hub: LocalHub, shell: Shell) -> None:
    for form in (
        "acme/y",
        f"{hub.url}/spaces/acme/y".replace(hub.url, "https://huggingface.co"),
        "acme-y.hf.space",
    ):
        done = shell("show", form)
        assert done.returncode == 0, done.stderr
        assert "acme/y" in done.stdout
        assert shell("wait", form).returncode == 0
    refused = shell("pause", "nobody-knows-it.hf.space")
    assert refused.returncode == 1
    assert "owner/name" in refused.stderr


def test_a_listing_is_filtered_and_sorted(shell: Shell) -> None:
    lines = shell("list", "acme", "--stage", "run*", "--format", "csv").stdout.splitlines()
    assert [line.split(",")[0] for line in lines] == ["space", "acme/y"]
    items = json.loads(shell("list", "--all", "--sort", "cost", "--format", "json").stdout)["spaces"]
    assert [item["id"] for item in items] == ["acme/y", "acme/x"]
    assert items[0]["usd_per_hour"] == "0.40"
    assert (
        json.loads(shell("list", "acme", "--tag", "none-has-it", "--format", "json").stdout)["spaces"] == []
    )


@pytest.mark.parametrize("args", [("call", "acme/x"), ("diagnose", "acme/x"), ("experiments", "list")])
def test_a_pattern_in_the_environment_names_the_manifest(shell: Shell, args: tuple[str, ...]) -> None:
    """What needs no manifest took one that a pattern names for one that is not there."""
    (shell.folder / "spaces.yaml").rename(shell.folder / "fleet-1.yaml")
    (shell.folder / "fleet-1.yaml").write_text("version: 1\nspases: {}\n")
    done = shell(*args, HFSPACE_FILE="fleet-*.yaml")
    assert done.returncode == 1
    assert "fleet-1.yaml:2" in done.stderr


@pytest.mark.parametrize("args", [("--no-color", "plan"), ("plan", "--no-color")])
def test_no_color_holds_before_and_after_the_command(shell: Shell, args: tuple[str, ...]) -> None:
    assert "\x1b[" in shell("plan", FORCE_COLOR="1").stdout
    assert "\x1b[" not in shell(*args, FORCE_COLOR="1").stdout


def test_status_of_a_space_needs_no_manifest(shell: Shell) -> None:
    (shell.folder / "spaces.yaml").unlink()
    done = shell("status", "acme-y.hf.space")
    assert done.returncode == 0, done.stderr
    assert "not declared" in done.stdout


def test_status_tells_undeclared_names_and_sorts_by_cost(shell: Shell, hub: LocalHub) -> None:
    import huggingface_hub

    api = huggingface_hub.HfApi(endpoint=hub.url, token="hf_local_write")
    api.add_space_variable("acme/y", "DEBUG", "1")
    done = shell("status", "-v", "--sort", "cost")
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines[1:3]] == ["acme/y", "acme/x"]
    assert "acme/y.variables.DEBUG: declared by nobody" in done.stdout
    assert "DEBUG" not in shell("status").stdout


def test_a_space_that_apply_creates_is_no_problem_for_the_doctor(shell: Shell) -> None:
    (shell.folder / "spaces.yaml").write_text("version: 1\nspaces: {acme/new: {sdk: gradio, create: {}}}\n")
    done = shell("doctor")
    assert done.returncode == 0
    assert "apply creates it" in done.stdout


def test_the_next_command_is_complete(shell: Shell) -> None:
    (shell.folder / "spaces.yaml").rename(shell.folder / "a b.yaml")
    done = shell("plan", "-f", "a b.yaml", "--target", "acme/x")
    assert "hfspace apply -f 'a b.yaml' --target acme/x" in done.stdout
    assert "1 of 2 Spaces" in done.stdout


def test_the_command_for_a_saved_plan_is_complete_and_works(shell: Shell) -> None:
    manifest = shell.folder / "spaces.yaml"
    manifest.write_text("version: 1\nspaces: {acme/y: {state: absent}}\n")
    manifest.rename(shell.folder / "other.yaml")
    told = shell("plan", "-f", "other.yaml", "--out", "p.json").stderr
    command = told.partition("Apply it with: hfspace ")[2].split()
    assert command == ["apply", "-f", "other.yaml", "p.json", "--allow-delete"]
    assert shell(*command, "--yes").returncode == 0


def test_a_saved_plan_of_targets_counts_its_share_of_the_whole_manifest(tmp_path: Path, shell: Shell) -> None:
    """Twelve of forty Spaces are 30%; taken for the whole, they were 100%."""
    names = [f"acme/s{n:02}" for n in range(40)]
    seed = {**SEED, "spaces": {name: {"stage": "RUNNING"} for name in names}}
    text = "version: 1\npolicy: {max_change_percent: 50}\nspaces:\n"
    text += "".join(f"  {name}: {{variables: {{A: b}}}}\n" for name in names)
    (shell.folder / "spaces.yaml").write_text(text)
    with LocalHub(seed=seed) as hub:
        targets = [part for name in names[:12] for part in ("--target", name)]
        assert shell("plan", *targets, "--out", "p.json", HF_ENDPOINT=hub.url).returncode == 0
        done = shell("apply", "p.json", "--yes", "--no-wait", HF_ENDPOINT=hub.url)
        assert done.returncode == 0, done.stderr


def test_status_is_no_success_over_what_it_could_not_read(shell: Shell) -> None:
    (shell.folder / "spaces.yaml").write_text("version: 1\nspaces: {acme/y: {variables: {A: b}}}\n")
    assert shell("status", "--exit-code", HF_TOKEN="hf_local_read").returncode == 4
