"""A pull request is judged by the guardrails of the branch that it is to be merged into, not by its own."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from hfspace.cli.main import run as hfspace
from hfspace.localhub import LocalHub
from tests.github.fake import FakeGitHub
from tests.github.runner import SHA, Ran, Runner

AGREED = "policy: {max_monthly_usd: 10, allowed_hardware: [cpu-basic]}\n"
TAKEN = "policy: {max_monthly_usd: 99999999}\n"
UPGRADE = "spaces: {acme/x: {hardware: a10g-small, sleep_time: 1h}}\n"


@pytest.fixture
def hub() -> Iterator[LocalHub]:
    seed = {
        "accounts": {"alice": {"orgs": {"acme": "admin"}}, "acme": {"type": "org", "plan": "team"}},
        "tokens": {"hf_local_write": {"account": "alice", "role": "write"}},
        "spaces": {"acme/x": {"stage": "RUNNING", "hardware": "cpu-basic"}},
    }
    with LocalHub(seed=seed) as hub:
        yield hub


def write(folder: Path, text: str, name: str = "spaces.yaml") -> None:
    (folder / name).write_text(f"version: 1\n{text}" if name == "spaces.yaml" else text)


def proposed(runner: Runner, base: str, head: str, **inputs: str) -> Ran:
    """The run for a pull request that turns `base` into `head`."""
    write(runner.workspace / ".hfspace-base", base)
    write(runner.workspace, head)
    given = {"token": "hf_local_write", "base-path": ".hfspace-base", **inputs}
    return runner.job("pull_request", runner.pull_request(7, SHA["a"]), given)


def first_line(fake: FakeGitHub) -> str:
    (text,) = fake.said(7)
    return html.unescape(next(line for line in text.splitlines() if not line.startswith("<!--")))


def test_a_pull_request_that_raises_its_own_budget_is_judged_by_the_old_one(
    runner: Runner, fake: FakeGitHub
) -> None:
    ran = proposed(runner, AGREED + "spaces: {acme/x: {}}\n", TAKEN + UPGRADE)
    assert ran.code == 1
    saved = json.loads((ran.temp / "hfspace-plan.json").read_text())
    errors = [item["address"] for item in saved["checks"] if item["severity"] == "error"]
    assert sorted(errors) == ["policy.allowed_hardware", "policy.max_monthly_usd"]
    assert saved["cost"]["limit_usd_per_month"] == "10"
    assert first_line(fake).startswith("> ⚠️ **Guardrails:**")
    for part in (
        "max_monthly_usd is changed from 10 to 99999999",
        "allowed_hardware is changed from [cpu-basic]",
    ):
        assert part in first_line(fake)


@pytest.mark.parametrize(("fail_on", "code"), [("policy", 1), ("checks", 0), ("never", 0)])
def test_a_change_of_policy_alone_is_seen_by_fail_on_policy(
    runner: Runner, fake: FakeGitHub, fail_on: str, code: int
) -> None:
    ran = proposed(
        runner, AGREED + "spaces: {acme/x: {}}\n", TAKEN + "spaces: {acme/x: {}}\n", **{"fail-on": fail_on}
    )
    assert ran.code == code
    assert "Guardrails" in first_line(fake)
    assert any("max_monthly_usd is changed" in line for line in ran.annotations("warning"))


def test_a_policy_file_is_the_target_branchs_too(runner: Runner, fake: FakeGitHub) -> None:
    write(runner.workspace / ".hfspace-base", AGREED, "policy.yaml")
    write(runner.workspace, TAKEN, "policy.yaml")
    spaces = "spaces: {acme/x: {}}\n"
    for named in ("policy.yaml", str(runner.workspace / "policy.yaml")):
        ran = proposed(runner, spaces, UPGRADE, policy=named, name="fleet")
        assert ran.code == 1, named
        assert "max_monthly_usd is changed from 10 to 99999999" in first_line(fake)


def test_a_policy_file_from_elsewhere_holds_for_both(runner: Runner, fake: FakeGitHub) -> None:
    (runner.workspace / "org").mkdir()
    write(runner.workspace / "org", AGREED, "policy.yaml")
    ran = proposed(runner, "spaces: {acme/x: {}}\n", UPGRADE, policy="org/policy.yaml")
    assert ran.code == 1
    assert "Guardrails" not in fake.said(7)[0]


def test_what_the_target_branch_protects_stays_protected(runner: Runner, fake: FakeGitHub) -> None:
    ran = proposed(runner, "spaces: {acme/x: {protect: true}}\n", "spaces: {acme/x: {state: absent}}\n")
    assert ran.code == 1
    assert ran.outputs["deletes"] == "0"
    assert "acme/x is not protected any more" in first_line(fake)


def test_a_target_branch_that_cannot_be_read_is_an_error(runner: Runner, fake: FakeGitHub) -> None:
    ran = proposed(runner, "policy: {max_monthly_usd: many}\nspaces: {}\n", TAKEN + UPGRADE)
    assert ran.code == 1
    assert "the policy of the target branch can't be read" in first_line(fake)


def test_the_first_manifest_has_no_guardrails_yet_and_says_so(runner: Runner, fake: FakeGitHub) -> None:
    write(runner.workspace, TAKEN + UPGRADE)
    given = {"token": "hf_local_write", "base-path": ".hfspace-base"}
    ran = runner.job("pull_request", runner.pull_request(7, SHA["a"]), given)
    assert ran.code == 0, ran.log
    assert "the target branch has no manifest: this policy is new" in first_line(fake)


def test_a_base_path_that_does_not_exist_is_a_mistake_and_no_licence(runner: Runner) -> None:
    write(runner.workspace, TAKEN + UPGRADE)
    given = {"token": "hf_local_write", "base-path": "nowhere"}
    ran = runner.job("pull_request", runner.pull_request(7, SHA["a"]), given)
    assert ran.code == 1
    assert "There is no directory nowhere" in ran.log


def test_an_unchanged_policy_is_not_mentioned(runner: Runner, fake: FakeGitHub) -> None:
    spaces = "spaces: {acme/x: {variables: {A: b}}}\n"
    ran = proposed(runner, AGREED + spaces, AGREED + spaces, **{"fail-on": "policy"})
    assert ran.code == 0, ran.log
    assert "Guardrails" not in fake.said(7)[0]


def test_validate_alone_judges_by_the_target_branchs_policy_too(runner: Runner, fake: FakeGitHub) -> None:
    """It took the pull request's own: hardware that the target branch forbids was valid."""
    alone = {"command": "validate", "fail-on": "checks"}
    ran = proposed(runner, AGREED + "spaces: {acme/x: {}}\n", TAKEN + UPGRADE, **alone)
    assert ran.code == 1
    assert any("a10g-small" in line for line in ran.annotations("error"))
    assert any("max_monthly_usd is changed" in line for line in ran.annotations("warning"))


@pytest.mark.parametrize(("fail_on", "code"), [("policy", 1), ("checks", 0)])
def test_validate_alone_sees_a_change_of_policy(runner: Runner, fail_on: str, code: int) -> None:
    alone = {"command": "validate", "fail-on": fail_on}
    ran = proposed(runner, AGREED + "spaces: {acme/x: {}}\n", TAKEN + "spaces: {acme/x: {}}\n", **alone)
    assert ran.code == code, ran.log
    assert any("max_monthly_usd is changed" in line for line in ran.annotations("warning"))


def test_validate_on_the_command_line_takes_a_checkout_of_the_target_branch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "base").mkdir()
    write(tmp_path / "base", AGREED + "spaces: {acme/x: {protect: true}}\n")
    write(tmp_path, AGREED + "spaces: {acme/x: {}}\n")
    monkeypatch.chdir(tmp_path)
    assert hfspace(["validate", "--base", "base"]) == 0
    assert "acme/x is not protected any more" in capsys.readouterr().err
    write(tmp_path, TAKEN + UPGRADE)
    assert hfspace(["validate", "--base", "base"]) == 1
    assert hfspace(["validate", "--base", "nowhere"]) == 1
    assert "There is no directory nowhere" in capsys.readouterr().err
