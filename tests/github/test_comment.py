"""The comment: found by its marker and author, updated in place, deleted, honest about what it leaves out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hfspace.errors import Problem
from hfspace.github import comment
from hfspace.github.client import GitHub
from hfspace.github.comment import Said, body, marker, problems_body
from hfspace.github.event import WorkflowEvent
from hfspace.model import ManifestRef
from tests.github.fake import FakeGitHub
from tests.report.plans import change, check, everything, plan


def publish(github: GitHub, event: WorkflowEvent, number: int, text: str | None, name: str) -> str:
    return comment.publish(github, event, number, lambda previous: text, name)


SAID = Said(name="spaces.yaml", sha="a" * 40, artifact_url="https://github.com/octo/fleet/actions/runs/5")


@pytest.fixture
def event(fake: FakeGitHub) -> WorkflowEvent:
    return WorkflowEvent(
        name="pull_request",
        repository="octo/fleet",
        api_url=fake.api_url,
        server_url=fake.root,
        run_id="5",
        sha="a" * 40,
    )


def test_created_once_then_updated_then_deleted(
    fake: FakeGitHub, github: GitHub, event: WorkflowEvent
) -> None:
    text = marker("m")
    first = publish(github, event, 7, f"{text} one", "m")
    second = publish(github, event, 7, f"{text} two", "m")
    assert first == second != ""
    assert fake.said(7) == [f"{text} two"]
    assert publish(github, event, 7, None, "m") == ""
    assert fake.said(7) == []
    assert publish(github, event, 7, None, "m") == ""


def test_an_unchanged_comment_is_not_written(fake: FakeGitHub, github: GitHub, event: WorkflowEvent) -> None:
    text = f"{marker('m')} one"
    publish(github, event, 7, text, "m")
    before = len(fake.writes())
    publish(github, event, 7, text, "m")
    assert len(fake.writes()) == before


def test_manifests_of_one_repository_keep_apart(
    fake: FakeGitHub, github: GitHub, event: WorkflowEvent
) -> None:
    for name in ("spaces.yaml", "other.yaml"):
        publish(github, event, 7, f"{marker(name)} {name}", name)
    assert len(fake.said(7)) == 2
    publish(github, event, 7, None, "other.yaml")
    assert fake.said(7) == [f"{marker('spaces.yaml')} spaces.yaml"]


def test_somebody_elses_comment_with_our_marker_is_left_alone(
    fake: FakeGitHub, github: GitHub, event: WorkflowEvent
) -> None:
    fake.say(7, f"{marker('m')} mine!", login="mallory")
    fake.say(7, f"quoting {marker('m')}")
    publish(github, event, 7, f"{marker('m')} ours", "m")
    publish(github, event, 7, None, "m")
    assert fake.said(7, login="mallory") == [f"{marker('m')} mine!"]
    assert fake.said(7) == [f"quoting {marker('m')}"]


def test_it_is_found_behind_hundreds_of_others(
    fake: FakeGitHub, github: GitHub, event: WorkflowEvent
) -> None:
    for number in range(230):
        fake.say(7, f"talk {number}", login="octocat")
    publish(github, event, 7, f"{marker('m')} one", "m")
    publish(github, event, 7, f"{marker('m')} two", "m")
    assert fake.said(7) == [f"{marker('m')} two"]


def test_two_runs_that_raced_leave_one_comment(
    fake: FakeGitHub, github: GitHub, event: WorkflowEvent
) -> None:
    oldest = fake.say(7, f"{marker('m')} one")
    fake.say(7, f"{marker('m')} two")
    url = publish(github, event, 7, f"{marker('m')} three", "m")
    assert url.endswith(f"-{oldest}")
    assert fake.said(7) == [f"{marker('m')} three"]


def test_a_post_whose_answer_was_lost_is_not_repeated(
    fake: FakeGitHub, github: GitHub, event: WorkflowEvent
) -> None:
    fake.lose_next_post = True
    assert publish(github, event, 7, f"{marker('m')} one", "m")
    assert len(fake.said(7)) == 1


def test_is_current(fake: FakeGitHub, github: GitHub, event: WorkflowEvent) -> None:
    fake.open_pull(7, "a" * 40)
    assert comment.is_current(github, event, 7, "a" * 40)
    assert not comment.is_current(github, event, 7, "b" * 40)


def test_nothing_to_say() -> None:
    assert body(plan(), SAID) is None


def test_the_first_line_says_it_all() -> None:
    first = next(line for line in str(body(everything(), SAID)).splitlines() if line.startswith("###"))
    assert first == (
        "### <code>spaces.yaml</code>: 1 to create, 3 to change, 1 to delete · 2 checks failed · "
        "&#36;1,496.50 → &#36;335.80 per month at most"
    )


def test_the_commit_and_the_way_to_the_full_plan() -> None:
    assert (
        "<sub>Commit <code>aaaaaaaaaa</code> · [full plan](https://github.com/octo/fleet/actions/runs/5)</sub>"
    ) in str(body(everything(), SAID))


def test_what_differed_before_stands_apart() -> None:
    mine, pending = change("acme/a", "hardware", "x", "y"), change("acme/b", "hardware", "x", "y")
    taken_back = change("acme/c", "hardware", "x", "y")
    text = str(body(plan(mine, pending), SAID, plan(pending, taken_back)))
    assert "This pull request changes: 1 change in 1 Space" in text
    assert "Differed before this pull request: 1 change in 1 Space" in text
    assert "takes back 1 change in 1 Space pending without it: <code>acme/c</code>" in text


def test_a_pending_change_that_the_pull_request_redirects_is_not_taken_back() -> None:
    before, after = change("acme/a", "hardware", "x", "y"), change("acme/a", "hardware", "x", "z")
    text = str(body(plan(after), SAID, plan(before)))
    assert "takes back" not in text
    assert "This pull request changes: 1 change" in text


def moved(first: str, second: str, *, same_manifest: bool = True) -> bool:
    one = change("acme/a", "hardware", "x", "y")
    before = plan(one, snapshot={"acme/a": first})
    after = plan(one, snapshot={"acme/a": second})
    if not same_manifest:
        after = replace(after, manifest=ManifestRef(files=("spaces.yaml",), sha256="1" * 64))
    previous = str(body(before, SAID))
    return "The Hub moved" in str(body(after, replace(SAID, previous=previous)))


def test_a_hub_that_moved_since_the_last_plan_is_told() -> None:
    assert not moved("a" * 32, "a" * 32)
    assert moved("a" * 32, "b" * 32)
    assert moved("a" * 32, "a" * 16 + "b" * 16)


def test_what_only_a_new_manifest_had_read_is_no_movement() -> None:
    assert not moved("a" * 32, "a" * 16 + "b" * 16, same_manifest=False)
    assert moved("a" * 32, "b" * 16 + "a" * 16, same_manifest=False)


@pytest.mark.parametrize(
    "state", ["{}", "[]", '{"manifest": 1, "spaces": 5}', '{"spaces": {}}', "{", '{"a": 1']
)
def test_a_hidden_state_that_somebody_edited_says_nothing(state: str) -> None:
    one = plan(change("acme/a", "hardware", "x", "y"))
    text = str(body(one, replace(SAID, previous=f"<!-- hfspace:state {state} -->")))
    assert "The Hub moved" not in text


def test_a_forks_plan_is_called_a_preview() -> None:
    text = str(body(everything(), replace(SAID, from_fork=True)))
    assert "so it is a preview and not a proof" in text


def test_problems_of_the_manifest() -> None:
    problem = Problem(file="spaces.yaml", line=3, column=5, message="no key 'hardwear'", hint="hardware?")
    text = problems_body((problem,) * 3000, SAID)
    assert text.splitlines()[1] == (
        "### <code>spaces.yaml</code>: 3,000 problems in the manifest, no plan could be made"
    )
    assert "- <code>spaces.yaml:3:5</code>: <code>no key 'hardwear'</code> <code>hardware?</code>" in text
    assert "more problems not shown here" in text
    assert len(text) < 65_536


def test_what_could_not_be_read_is_told_as_unknown_and_not_as_failed() -> None:
    unread = check("acme/a", "experiments", "unknown", "not read")
    down = check("acme/b", "stage", "warning", "down")
    both = str(body(plan(unread, down), Said(name="x", sha="a" * 40)))
    assert "1 check failed, 1 unknown" in both.split("</h3>")[0]
    only = str(body(plan(unread), Said(name="x", sha="a" * 40)))
    assert "1 unknown" in only
    assert "not read" in only
    assert "failed" not in only
