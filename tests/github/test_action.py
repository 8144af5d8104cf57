"""The action's step in a runner: forks, keyless, shards, failures, and what its inputs make of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hfspace.cli.main import run as hfspace
from hfspace.errors import UsageError
from hfspace.github.action import child_env, exit_code, read_inputs
from hfspace.github.comment import marker
from hfspace.localhub import LocalHub
from tests.github.fake import FakeGitHub
from tests.github.runner import SHA, Ran, Runner
from tests.report.plans import change, check, over_budget, plan

KEYLESS = [{"repository": "octo/fleet"}]
SEED: dict[str, Any] = {
    "accounts": {"alice": {"orgs": {"acme": "admin"}}, "acme": {"type": "org", "plan": "team"}},
    "tokens": {"hf_local_write": {"account": "alice", "role": "write"}},
    "spaces": {
        "acme/open": {"stage": "RUNNING", "hardware": "cpu-basic", "trusted_publishers": KEYLESS},
        "acme/closed": {
            "stage": "RUNNING",
            "hardware": "cpu-basic",
            "visibility": "private",
            "trusted_publishers": KEYLESS,
            "variables": {"MODE": "a"},
        },
        "acme/distrustful": {"stage": "RUNNING", "hardware": "cpu-basic"},
    },
    "hub": {"time_scale": 300, "switches": {"oidc_covers_settings": True}},
}
UPGRADE = "{hardware: cpu-upgrade, sleep_time: 30m}"


@pytest.fixture
def hub() -> Iterator[LocalHub]:
    with LocalHub(seed=SEED) as hub:
        yield hub


def declare(runner: Runner, *spaces: str) -> None:
    lines = "".join(f"  {space}\n" for space in spaces)
    (runner.workspace / "spaces.yaml").write_text(f"version: 1\nspaces:\n{lines}")


def command(monkeypatch: pytest.MonkeyPatch, ran: Ran, *args: str, **env: str) -> int:
    """A further step of the same job, which runs hfspace itself."""
    for name in tuple(os.environ):
        if name.startswith(("HF_", "GITHUB_", "ACTIONS_")):
            monkeypatch.delenv(name)
    for name, value in {**ran.env, **env}.items():
        monkeypatch.setenv(name, value)
    return hfspace(list(args))


# ------------------------------------------------------------ forks


def test_a_forks_pull_request_gets_no_token_and_its_comment_comes_from_another_run(
    runner: Runner, hub: LocalHub, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(runner, f"acme/open: {UPGRADE}", "acme/closed: {variables: {MODE: b}}")
    payload = runner.pull_request(8, SHA["a"], fork="mallory/fleet")
    # A repository may be set to hand secrets to forks: hfspace still uses none.
    ran = runner.job("pull_request", payload, {"token": "hf_local_write"}, **fake.identity_env())
    assert "made without any token" in ran.log
    assert {entry.account for entry in hub.requests()} == {None}
    assert fake.audiences == []
    assert fake.writes() == []
    assert ran.code == 1, "a Space that can't be seen is a failed check"
    saved = json.loads((ran.temp / "hfspace-plan.json").read_text())
    assert (saved["account"], len(saved["changes"])) == (None, 2)
    assert [item["address"] for item in saved["checks"]] == ["acme/closed"]

    # The second run, with the default branch's code and a token: the plan is data to it.
    run = {
        "id": 77,
        "head_sha": SHA["a"],
        "head_branch": "change",
        "head_repository": {"full_name": "mallory/fleet"},
    }
    event = ran.temp / "workflow_run.json"
    event.write_text(json.dumps({"workflow_run": run}))
    trusted = {"GITHUB_EVENT_NAME": "workflow_run", "GITHUB_EVENT_PATH": str(event)}
    said = ("github", "comment", "--from-fork", "--name", "spaces.yaml", ran.outputs["plan-path"])
    assert command(monkeypatch, ran, *said, **trusted) == 0
    (text,) = fake.said(8)
    assert "a preview and not a proof" in text
    assert SHA["a"][:10] in text
    assert "/actions/runs/77" in text
    assert command(monkeypatch, ran, *said, **trusted) == 0
    assert len(fake.said(8)) == 1

    # A newer push of the fork: this run has nothing to say any more.
    fake.open_pull(8, SHA["b"], head="mallory/fleet")
    fake.comments.clear()
    assert command(monkeypatch, ran, *said, **trusted) == 0
    assert fake.said(8) == []


@pytest.mark.parametrize("what", ["apply", "drift"])
def test_a_forks_pull_request_may_not_apply(runner: Runner, hub: LocalHub, what: str) -> None:
    declare(runner, f"acme/open: {UPGRADE}")
    payload = runner.pull_request(8, SHA["a"], fork="mallory/fleet")
    ran = runner.job("pull_request", payload, {"command": what, "token": "hf_local_write"})
    assert (ran.code, hub.requests()) == (1, [])
    assert f"may not run '{what}'" in ran.log


def test_the_childs_environment() -> None:
    env = {
        "PATH": "/bin",
        "HF_TOKEN": "hf_x",
        "HUGGINGFACE_TOKEN": "hf_y",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "z",
        "GITHUB_TOKEN": "ghs",
        "GITHUB_OUTPUT": "/out",
        "HFSPACE_INPUT_FILES": "x",
    }
    ours = child_env(env, from_fork=False)
    assert ours == {name: env[name] for name in list(env)[:4]}
    assert child_env(env, from_fork=True) == {"PATH": "/bin", "HF_TOKEN_PATH": os.devnull}
    assert "HF_TOKEN" not in child_env({"HF_TOKEN": ""}, from_fork=False)


# ------------------------------------------------------------ keyless


def test_without_a_stored_token_each_space_is_changed_with_one_of_its_own(
    runner: Runner, hub: LocalHub, fake: FakeGitHub
) -> None:
    declare(
        runner,
        f"acme/open: {UPGRADE}",
        "acme/closed: {variables: {MODE: b}}",
        f"acme/distrustful: {UPGRADE}",
        "acme/missing: {create: {}, sdk: gradio}",
    )
    ran = runner.job("push", {}, {"command": "apply"}, **fake.identity_env())
    assert ran.code == 3, ran.log
    assert hub.space("acme/open")["requested"] == "cpu-upgrade"
    assert hub.space("acme/closed")["variables"]["MODE"]["value"] == "b"
    assert hub.space("acme/distrustful")["requested"] == "cpu-basic"
    assert "acme/distrustful has no trusted publisher that fits this job" in ran.log
    assert "acme/missing has no trusted publisher that fits this job" in ran.log
    assert "acme/missing" not in hub.spaces()
    assert "as octo/fleet (oidc)" in ran.log
    assert set(fake.audiences) == {hub.url}
    assert "hf_jwt" not in ran.log + (ran.temp / "hfspace-audit.ndjson").read_text()
    reads = [entry for entry in hub.requests() if entry.path == "/api/spaces/acme/open"]
    assert {entry.account for entry in reads} == {None}, "a public Space is read without a token"


def test_a_hub_that_keeps_settings_from_such_tokens_is_told_clearly(runner: Runner, fake: FakeGitHub) -> None:
    seed = {**SEED, "hub": {**SEED["hub"], "switches": {"oidc_covers_settings": False}}}
    declare(runner, f"acme/open: {UPGRADE}")
    with LocalHub(seed=seed) as hub:
        env = {"HF_ENDPOINT": hub.url, **fake.identity_env()}
        ran = runner.job("push", {}, {"command": "apply"}, **env)
    assert ran.code == 1
    assert "The token exchanged for this job may not: set HF_TOKEN" in ran.log


# ------------------------------------------------------------ shards


def test_shards_of_a_matrix_become_one_comment(
    runner: Runner, hub: LocalHub, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("acme/open", "acme/closed", "acme/distrustful")
    declare(runner, *(f"{name}: {UPGRADE}" for name in names))
    payload = runner.pull_request(9, SHA["a"])
    inputs = {"token": "hf_local_write", "comment": "false"}
    parts = [runner.job("pull_request", payload, {**inputs, "shard": f"{n}/2"}) for n in (1, 2)]
    assert [part.code for part in parts] == [0, 0]
    assert fake.writes() == []
    assert sum(int(part.outputs["updates"]) for part in parts) == 3
    merged = str(runner.workspace / "merged.json")
    saved = [part.outputs["plan-path"] for part in parts]
    assert command(monkeypatch, parts[0], "github", "merge", *saved, "--out", merged, "--expect", "2") == 0
    assert command(monkeypatch, parts[0], "github", "comment", merged, "--name", "fleet") == 0
    (text,) = fake.said(9)
    assert "<code>fleet</code>: 0 to create, 3 to change, 0 to delete" in text
    assert command(monkeypatch, parts[0], "github", "merge", saved[0], "--out", merged, "--expect", "2") == 1
    merge = ("github", "merge", *saved, "--out", merged, "--fail-on")
    assert command(monkeypatch, parts[0], *merge, "changes") == 1
    assert command(monkeypatch, parts[0], *merge, "policy") == 0

    # A shard is applied from its own plan, and reads its own Spaces only.
    hub.clear_requests()
    applied = runner.job("push", {}, {"command": "apply", "token": "hf_local_write", "shard": "1/2"})
    assert applied.code == 0, applied.log
    done = {name for name in names if hub.space(name)["requested"] == "cpu-upgrade"}
    assert len(done) == int(parts[0].outputs["updates"])
    read = {name for name in names if any(f"/api/spaces/{name}" in e.path for e in hub.requests())}
    assert read == done


# ------------------------------------------------------------ failures


def test_a_manifest_with_problems_is_annotated_and_commented(runner: Runner, fake: FakeGitHub) -> None:
    declare(runner, "acme/open: {hardwear: x, visibility: secret}")
    inputs = {"token": "hf_local_write", "fail-on": "never"}
    ran = runner.job("pull_request", runner.pull_request(7, SHA["a"]), inputs)
    assert ran.code == 1
    assert len(ran.annotations("error")) == 2
    assert all("file=spaces.yaml,line=3" in line for line in ran.annotations("error"))
    assert "2 problems in the manifest, no plan could be made" in fake.said(7)[0]
    declare(runner, "acme/open: {}")
    runner.job("pull_request", runner.pull_request(7, SHA["b"]), {"token": "hf_local_write"})
    assert fake.said(7) == []


def test_validate_needs_no_network_and_no_token(runner: Runner, hub: LocalHub, fake: FakeGitHub) -> None:
    declare(runner, "acme/open: {}")
    ran = runner.job("push", {}, {"command": "validate", "github-token": ""})
    assert (ran.code, hub.requests(), fake.requests) == (0, [], [])


def test_a_policy_of_its_own_file_stops_an_apply_whatever_fail_on_says(runner: Runner, hub: LocalHub) -> None:
    declare(runner, f"acme/open: {UPGRADE}")
    (runner.workspace / "policy.yaml").write_text("policy: {allowed_hardware: [cpu-basic]}\n")
    inputs = {"command": "apply", "token": "hf_local_write", "policy": "policy.yaml", "fail-on": "never"}
    ran = runner.job("push", {}, inputs)
    assert ran.code == 1
    assert "which is not allowed" in ran.annotations("error")[0]
    assert hub.writes() == []


def test_a_comment_that_cannot_be_written_is_a_warning(runner: Runner, fake: FakeGitHub) -> None:
    declare(runner, f"acme/open: {UPGRADE}")
    inputs = {"token": "hf_local_write", "github-token": "ghs_may_not"}
    ran = runner.job("pull_request", runner.pull_request(7, SHA["a"]), inputs)
    assert ran.code == 0
    (warning,) = ran.annotations("warning")
    assert "There is no comment: GitHub answered GET" in warning
    assert ran.outputs["changes"] == "2"
    assert ran.outputs["comment-url"] == ""


def test_inputs_are_arguments_and_never_shell(runner: Runner, hub: LocalHub, tmp_path: Path) -> None:
    declare(runner, f"acme/open: {UPGRADE}")
    odd = f"$(touch {tmp_path}/ran); `touch {tmp_path}/ran`\n--yes\n'; touch {tmp_path}/ran; '"
    for names in (("files", "overlay", "policy"), ("target", "name", "base-path")):
        inputs = {"token": "hf_local_write", **dict.fromkeys(names, odd)}
        runner.job("pull_request", runner.pull_request(7, SHA["a"]), inputs)
    assert not (tmp_path / "ran").exists()
    assert hub.writes() == []


def test_a_spaces_text_is_no_workflow_command(runner: Runner, hub: LocalHub) -> None:
    hub.set_space(
        "acme/open", stage="RUNTIME_ERROR", error="\n::set-output name=changes::99\n::error::forged"
    )
    declare(runner, "acme/open: {state: running}")
    ran = runner.job("push", {}, {"command": "plan", "token": "hf_local_write", "fail-on": "never"})
    assert ran.outputs["changes"] == "0"
    stopped = ""
    for line in ran.log.splitlines():
        if line.startswith("::stop-commands::"):
            stopped = line.removeprefix("::stop-commands::")
        elif line == f"::{stopped}::":
            stopped = ""
        elif line.lstrip().startswith("::") and not stopped:
            assert line.startswith(("::warning file=", "::error file=")), line


def test_an_apply_says_how_it_went(runner: Runner, hub: LocalHub) -> None:
    declare(runner, f"acme/open: {UPGRADE}", f"acme/closed: {UPGRADE}", "acme/gone: {hardware: cpu-basic}")
    hub.add_fault({"path": "/api/spaces/acme/closed/hardware", "method": "POST", "status": 500, "times": 99})
    ran = runner.job("push", {}, {"command": "apply", "token": "hf_local_write"})
    assert ran.code == 3
    assert "## hfspace apply: result\n\n**Failed: 2 changes made in 1 Space; 2 Spaces failed" in ran.summary
    assert "| ✅ | <code>acme/open</code> | 2 of 2 |" in ran.summary
    assert "| ❌ | <code>acme/closed</code> | 0 of 2 | <code>The Hub failed (500)" in ran.summary
    assert any("title=acme/closed::The Hub failed (500)" in line for line in ran.annotations("error"))
    assert any("title=acme/gone::not touched:" in line for line in ran.annotations("warning"))
    assert "acme/closed failed: The Hub failed (500)" in ran.log

    # Again, with nothing to do and a check that failed: not a success.
    hub.clear_faults()
    assert runner.job("push", {}, {"command": "apply", "token": "hf_local_write"}).code == 3
    again = runner.job("push", {}, {"command": "apply", "token": "hf_local_write"})
    assert (again.code, again.outputs["changes"], "result" in again.summary) == (1, "0", False)


def test_a_cancelled_apply_says_what_was_done(runner: Runner, tmp_path: Path) -> None:
    declare(runner, f"acme/open: {UPGRADE}")
    slow = {**SEED, "hub": {"time_scale": 1}}
    with LocalHub(seed=slow) as hub:

        def cancel(process: subprocess.Popen[str]) -> None:
            deadline = time.monotonic() + 60
            while not any(entry.method == "POST" for entry in hub.requests()):
                assert time.monotonic() < deadline
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)

        inputs = {"command": "apply", "token": "hf_local_write"}
        ran = runner.job("push", {}, inputs, during=cancel, HF_ENDPOINT=hub.url)
    assert ran.code == 130, ran.log
    assert "Interrupted: " in ran.summary
    assert "Traceback" not in ran.log


def test_with_a_token_of_another_account_its_own_comment_is_found_again(
    runner: Runner, fake: FakeGitHub
) -> None:
    declare(runner, f"acme/open: {UPGRADE}")
    fake.say(7, f"{marker('spaces.yaml')} of our app", login="fleet-app[bot]")
    inputs = {"token": "hf_local_write", "author": "fleet-app[bot]"}
    runner.job("pull_request", runner.pull_request(7, SHA["a"]), inputs)
    assert len(fake.comments) == 1
    assert "1 to change" in fake.said(7, login="fleet-app[bot]")[0]


# ------------------------------------------------------------ inputs


def given(**inputs: str) -> dict[str, str]:
    return {f"HFSPACE_INPUT_{name.upper()}": text for name, text in inputs.items()}


def test_inputs_become_options() -> None:
    inputs = read_inputs(
        given(
            files="a.yaml\n\n b/*.yaml ",
            overlay="prod.yaml",
            policy="policy.yaml",
            target="acme/*\nacme/x.hardware",
            shard="2/8",
            fail_on="changes, policy",
            allow_delete="TRUE",
        )
    )
    assert inputs.options == (
        *("--file=a.yaml", "--file=b/*.yaml", "--overlay=prod.yaml", "--overlay=policy.yaml"),
    )
    assert inputs.selection == ("--target=acme/*", "--target=acme/x.hardware", "--shard=2/8")
    assert inputs.fail_on == {"changes", "policy"}
    assert inputs.name == "a.yaml, b/*.yaml + prod.yaml + policy.yaml + shard 2/8"
    assert inputs.allow_delete


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"command": "destroy"}, "Input command is 'destroy'"),
        ({"fail_on": "changes,warnings"}, "Input fail-on is 'warnings'"),
        ({"shard": "2 of 8"}, "Input shard is '2 of 8'"),
        ({"comment": "maybe"}, "Input comment is 'maybe'"),
        ({"allow_delete": "maybe"}, "Input allow-delete is 'maybe'"),
    ],
)
def test_an_input_that_makes_no_sense_is_named(inputs: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read_inputs(given(**inputs))


def test_fail_on() -> None:
    warned = plan(check("acme/a", "stage", "warning", "down"))
    failed = plan(check("acme/a", "stage", "error", "down"))
    changed = plan(change("acme/a", "hardware", "x", "y"))

    def codes(*fail_on: str) -> list[int]:
        return [exit_code(made, frozenset(fail_on)) for made in (warned, failed, changed, over_budget())]

    assert codes("checks") == [0, 1, 0, 1]
    assert codes("changes") == [0, 0, 1, 1]
    assert codes("policy") == [0, 0, 0, 1]
    assert codes("changes", "checks") == [0, 1, 1, 1]
    assert codes("never") == [0, 0, 0, 0]
    unread = plan(check("acme/a", "experiments", "unknown", "not read"))
    assert [exit_code(unread, frozenset({name})) for name in ("unknown", "checks")] == [1, 0]
