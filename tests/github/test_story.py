"""The whole story: pull request, second push, merge, drift by hand, repair, as a runner would run it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hfspace.localhub import LocalHub
from tests.github.fake import FakeGitHub
from tests.github.runner import SHA, Runner

SEED = {
    "accounts": {"alice": {"orgs": {"acme": "admin"}}, "acme": {"type": "org", "plan": "team"}},
    "tokens": {"hf_local_write": {"account": "alice", "role": "write"}},
    "spaces": {
        "acme/whisper": {"stage": "RUNNING", "hardware": "t4-small", "sleep_time": 3600},
        "acme/search": {"stage": "RUNNING", "hardware": "cpu-basic"},
    },
    "hub": {"time_scale": 300},
}
BEFORE = """version: 1
spaces:
  acme/whisper: {hardware: t4-small, sleep_time: 1h}
  acme/search: {hardware: cpu-basic}
"""
FIRST = BEFORE.replace("{hardware: cpu-basic}", "{hardware: cpu-upgrade, sleep_time: 30m}")
SECOND = FIRST.replace("sleep_time: 30m", "sleep_time: 15m, variables: {LOG: info}")


@pytest.fixture
def hub() -> Iterator[LocalHub]:
    with LocalHub(seed=SEED) as hub:
        yield hub


def test_the_story(runner: Runner, hub: LocalHub, fake: FakeGitHub) -> None:
    plan = {"command": "plan", "token": "hf_local_write", "base-path": ".hfspace-base"}
    manifest = runner.workspace / "spaces.yaml"
    (runner.workspace / ".hfspace-base" / "spaces.yaml").write_text(BEFORE)

    # A pull request: one comment.
    manifest.write_text(FIRST)
    first = runner.job("pull_request", runner.pull_request(7, SHA["a"]), plan)
    assert first.code == 0, first.log
    (said,) = fake.said(7)
    assert "<code>spaces.yaml</code>: 0 to create, 1 to change, 0 to delete · &#36;292 → " in said
    assert "This pull request changes: 2 changes in 1 Space" in said
    assert SHA["a"][:10] in said
    assert first.outputs["changes"] == "2"
    assert first.outputs["updates"] == "1"
    assert first.outputs["usd-per-month-before"] == "292.00"
    assert first.outputs["usd-per-month-after"] == "313.90"
    assert first.outputs["comment-url"].startswith(f"{fake.root}/octo/fleet/pull/7#issuecomment-")
    assert Path(first.outputs["plan-path"]).is_file()
    assert "## hfspace plan" in first.summary
    assert first.annotations("notice") == [
        "::notice file=spaces.yaml,line=4,col=17,title=acme/search.hardware::Costs +$0.03/h."
    ]
    assert not hub.writes()

    # Somebody clicks meanwhile, and a second push: the same comment, with both told apart.
    hub.set_space("acme/whisper", sleep_time=7200)
    manifest.write_text(SECOND)
    second = runner.job("pull_request", runner.pull_request(7, SHA["c"]), plan)
    assert second.outputs["comment-url"] == first.outputs["comment-url"]
    (said,) = fake.said(7)
    assert SHA["a"][:10] not in said
    assert SHA["c"][:10] in said
    assert "This pull request changes: 3 changes in 1 Space" in said
    assert "Differed before this pull request: 1 change in 1 Space" in said
    assert "The Hub moved since the last plan of this pull request: <code>acme/whisper</code>." in said

    # The merge: apply.
    (runner.workspace / ".hfspace-base" / "spaces.yaml").write_text(SECOND)
    applied = runner.job("push", {"ref": "refs/heads/main"}, {"command": "apply", "token": "hf_local_write"})
    assert applied.code == 0, applied.log
    assert hub.space("acme/search")["requested"] == "cpu-upgrade"
    assert hub.space("acme/search")["variables"]["LOG"]["value"] == "info"
    assert hub.space("acme/whisper")["sleep_time"] == 3600
    assert "hardware" in (applied.temp / "hfspace-audit.ndjson").read_text()
    assert (applied.temp / "hfspace-plan.json").exists()

    # Nothing is left to say: the comment goes.
    done = runner.job("pull_request", runner.pull_request(7, SHA["d"]), plan)
    assert (done.code, fake.said(7), done.outputs["comment-url"]) == (0, [], "")

    # Drift: an issue, kept up to date, closed when all is well.
    drift = {"command": "drift", "token": "hf_local_write", "fail-on": "never"}
    assert not fake.issues
    hub.set_space("acme/search", requested="a10g-small", current="a10g-small")
    found = runner.job("schedule", {}, drift)
    (issue,) = fake.issues.values()
    assert found.outputs["comment-url"] == issue["html_url"]
    assert (issue["state"], issue["title"]) == ("open", "Drift: 1 Space of spaces.yaml not as declared")
    assert "a10g-small → cpu-upgrade" in issue["body"].replace("</code>", "").replace("<code>", "")
    hub.set_space("acme/search", requested="cpu-upgrade", current="cpu-upgrade")
    closed = runner.job("workflow_dispatch", {}, drift)
    assert closed.code == 0
    assert (issue["state"], issue["state_reason"]) == ("closed", "completed")
    assert len(fake.issues) == 1

    for ran in (first, second, applied, found, closed):
        assert "hf_local_write" not in ran.log
        assert "ghs_fake" not in ran.log
