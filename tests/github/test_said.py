"""Annotations, outputs, the summary, the event, and the issue about drift."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hfspace.errors import UsageError
from hfspace.github import drift_issue
from hfspace.github.annotate import Annotation, plan_annotations, problem_annotations, render
from hfspace.github.client import GitHub
from hfspace.github.event import WorkflowEvent, read_event
from hfspace.github.outputs import plan_outputs, write_outputs
from hfspace.github.summary import LARGEST, summary, write_summary
from hfspace.model import Source
from tests.github.fake import FakeGitHub
from tests.report.plans import change, check, delete, everything, large, over_budget, plan

# ------------------------------------------------------------ annotations


def test_annotations_stand_on_the_manifests_lines_worst_first() -> None:
    at = Source(file="/repo/fleet/a.yaml", line=4, column=2)
    made = plan(
        delete("acme/old", {"sdk": "gradio"}, source=at),
        change("acme/demo", "visibility", "private", "public", effects=("exposes",), source=at),
        change(
            "acme/demo", "hardware", "cpu-basic", "t4-small", source=at, usd_per_hour_after=Decimal("0.4")
        ),
        change("acme/demo", "sleep_time", 1, 2),
        check("acme/ocr", "stage", "warning", "It's down.", "See the logs."),
    )
    assert render(plan_annotations(made), workspace="/repo/fleet").splitlines() == [
        "::warning file=a.yaml,line=4,col=2,title=acme/old::This Space is deleted for good.",
        "::warning file=a.yaml,line=4,col=2,title=acme/demo.visibility::This Space becomes public.",
        "::warning file=spaces.yaml,line=30,col=5,title=acme/ocr.stage::It's down. See the logs.",
        "::notice file=a.yaml,line=4,col=2,title=acme/demo.hardware::Costs +$0.40/h.",
    ]


def test_a_policy_comes_before_other_errors() -> None:
    made = plan(check("acme/gone", "existence", "error", "is gone"), *over_budget().checks)
    assert (
        render(plan_annotations(made))
        .splitlines()[0]
        .startswith("::error file=spaces.yaml,line=30,col=5,title=policy")
    )


def test_the_tenth_of_many_says_how_many_more() -> None:
    lines = render(plan_annotations(large(200))).splitlines()
    assert len([line for line in lines if line.startswith("::notice")]) == 10
    assert lines[-1] == "::notice title=hfspace::41 more notices: see the job summary and the full plan."


def test_problems_of_validate() -> None:
    found = problem_annotations(
        [{"file": "a.yaml", "line": 3, "column": 1, "message": "bad", "hint": "good"}]
    )
    assert render(found) == "::error file=a.yaml,line=3,col=1,title=Manifest::bad good"


def test_properties_and_data_are_escaped() -> None:
    odd = Annotation(
        level="error", title="a:b,c%\n::error::x", message="50%\r\n::set-output name=x::y", file="a,b:c"
    )
    (line,) = render([odd]).splitlines()
    assert line == (
        "::error file=a%2Cb%3Ac,title=a%3Ab%2Cc%25\\n%3A%3Aerror%3A%3Ax::50%25\\r\\n::set-output name=x::y"
    )


# ------------------------------------------------------------ outputs and summary


def test_outputs_of_a_plan() -> None:
    assert plan_outputs(everything()) == {
        "changes": "17",
        "creates": "1",
        "updates": "3",
        "deletes": "1",
        "checks-failed": "2",
        "usd-per-month-before": "1496.50",
        "usd-per-month-after": "335.80",
    }


def test_no_value_ends_early_or_adds_an_output(tmp_path: Path) -> None:
    from tests.github.runner import _outputs

    value = "x\nhfspace_0\nother<<E\nevil\nE\nchanges=7"
    write_outputs(str(tmp_path / "out"), {"plan-path": value, "changes": "1"})
    write_outputs(str(tmp_path / "out"), {"deletes": "0"})
    text = (tmp_path / "out").read_text()
    assert _outputs(text) == {"plan-path": value, "changes": "1", "deletes": "0"}
    delimiters = {line.partition("<<")[2] for line in text.splitlines() if "<<hfspace_" in line}
    assert len(delimiters) == 3


def test_outputs_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="GITHUB_OUTPUT can't be written"):
        write_outputs(str(tmp_path), {"a": "b"})


def test_the_summary_holds_the_bill() -> None:
    text = summary(everything(), title="hfspace plan")
    assert text.startswith("## hfspace plan\n\n**1 to create, 3 to change, 1 to delete")
    assert "| after | &#36;0.46 | &#36;335.80 |" in text


def test_a_summary_that_would_not_fit_is_replaced_by_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "summary"
    file.write_text("x" * (LARGEST - 2000))
    write_summary(str(file), "y" * 3000)
    assert file.read_text().endswith("does not fit here; the artifact has all of it.\n")
    file.write_text("x" * (LARGEST - 500))
    write_summary(str(file), "y" * 3000)
    assert file.stat().st_size == LARGEST - 500
    assert len(summary(large(40_000), title="t").encode()) < LARGEST


# ------------------------------------------------------------ the event


def env(tmp_path: Path, payload: Any, **more: str) -> dict[str, str]:
    (tmp_path / "event.json").write_text(payload if isinstance(payload, str) else json.dumps(payload))
    return {
        "GITHUB_REPOSITORY": "octo/fleet",
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
        "GITHUB_SHA": "f" * 40,
        "GITHUB_RUN_ID": "5",
        **more,
    }


def pull(head: dict[str, Any] | None) -> dict[str, Any]:
    return {"pull_request": {"number": 7, "head": {"sha": "a" * 40, "repo": head}, "base": {"sha": "b" * 40}}}


def test_a_pull_request_is_spoken_of_by_its_head(tmp_path: Path) -> None:
    event = read_event(env(tmp_path, pull({"full_name": "octo/fleet"})))
    assert event.pull is not None
    assert (event.sha, event.pull.number, event.from_fork) == ("a" * 40, 7, False)
    assert event.run_url == "https://github.com/octo/fleet/actions/runs/5"


@pytest.mark.parametrize("head", [{"full_name": "mallory/fleet"}, {"full_name": ""}, {}, None])
def test_another_or_a_deleted_head_repository_is_a_fork(tmp_path: Path, head: Any) -> None:
    assert read_event(env(tmp_path, pull(head))).from_fork


@pytest.mark.parametrize("payload", [{}, {"pull_request": None}, {"pull_request": []}, {"number": 7}])
def test_a_pull_request_that_the_payload_does_not_describe_counts_as_a_fork(
    tmp_path: Path, payload: Any
) -> None:
    assert read_event(env(tmp_path, payload)).from_fork


def test_a_push_is_spoken_of_by_its_commit(tmp_path: Path) -> None:
    event = read_event(env(tmp_path, {"ref": "refs/heads/main"}, GITHUB_EVENT_NAME="push"))
    assert (event.sha, event.pull, event.from_fork) == ("f" * 40, None, False)


def test_an_enterprise_server(tmp_path: Path) -> None:
    more = {"GITHUB_API_URL": "https://ghe.example/api/v3/", "GITHUB_SERVER_URL": "https://ghe.example"}
    event = read_event(env(tmp_path, {}, **more))
    assert event.api_url == "https://ghe.example/api/v3"
    assert event.run_url == "https://ghe.example/octo/fleet/actions/runs/5"


def test_a_workflow_run_is_spoken_of_by_the_run_before(tmp_path: Path) -> None:
    run = {"id": 99, "head_sha": "c" * 40, "head_branch": "x", "head_repository": {"full_name": "m/fleet"}}
    event = read_event(env(tmp_path, {"workflow_run": run}))
    assert (event.sha, event.run_url) == ("c" * 40, "https://github.com/octo/fleet/actions/runs/99")


@pytest.mark.parametrize(
    "payload",
    [
        "{",
        "[" * 200_000,
        {"pull_request": {"number": "x", "head": {"sha": "a" * 40}}},
        {"pull_request": {"number": 1}},
        {"pull_request": {"number": 1, "head": []}},
        {"workflow_run": {"id": None}},
    ],
)
def test_an_odd_payload_is_one_sentence(tmp_path: Path, payload: Any) -> None:
    with pytest.raises(UsageError, match="payload"):
        read_event(env(tmp_path, payload))


def test_odd_values_do_not_reach_urls(tmp_path: Path) -> None:
    odd = pull({"full_name": "octo/fleet"})
    odd["pull_request"]["head"]["sha"] = "$(reboot)"
    event = read_event(env(tmp_path, odd, GITHUB_RUN_ID="5)](http://evil"))
    assert (event.sha, event.run_url) == ("", "")
    with pytest.raises(UsageError, match="names no repository"):
        read_event({"GITHUB_REPOSITORY": "octo/fleet/../x y"})


# ------------------------------------------------------------ the issue about drift


def publish(fake: FakeGitHub, github: GitHub, made: Any, name: str = "spaces.yaml") -> str:
    event = WorkflowEvent(
        name="schedule",
        repository="octo/fleet",
        api_url=fake.api_url,
        server_url=fake.root,
        run_id="5",
        sha="",
    )
    return drift_issue.publish(github, event, made, name=name, run_url=event.run_url)


def states(fake: FakeGitHub) -> list[str]:
    return [issue["state"] for issue in fake.issues.values()]


def test_one_issue_opened_updated_closed_and_opened_anew(fake: FakeGitHub, github: GitHub) -> None:
    drifted = plan(change("acme/a", "hardware", "x", "y"))
    assert publish(fake, github, plan()) == ""
    first = publish(fake, github, drifted)
    assert publish(fake, github, everything()) == first
    (issue,) = fake.issues.values()
    assert issue["title"] == "Drift: 7 Spaces of spaces.yaml not as declared"
    assert publish(fake, github, plan()) == first
    assert states(fake) == ["closed"]
    assert fake.said(issue["number"]) == ["Nothing differs any more: the Hub is as declared."]
    assert publish(fake, github, drifted) != first
    assert states(fake) == ["closed", "open"]


def test_issues_of_two_manifests_and_of_others_keep_apart(fake: FakeGitHub, github: GitHub) -> None:
    drifted = plan(change("acme/a", "hardware", "x", "y"))
    publish(fake, github, drifted, "one.yaml")
    publish(fake, github, drifted, "two.yaml")
    forged = next(iter(fake.issues.values()))
    forged["user"] = {"login": "mallory"}
    publish(fake, github, plan(), "one.yaml")
    publish(fake, github, plan(), "two.yaml")
    assert states(fake) == ["open", "closed"]


def test_a_pull_request_with_our_label_is_no_issue(fake: FakeGitHub, github: GitHub) -> None:
    drifted = plan(change("acme/a", "hardware", "x", "y"))
    publish(fake, github, drifted)
    next(iter(fake.issues.values()))["pull_request"] = {}
    publish(fake, github, plan())
    assert states(fake) == ["open"]


def test_raced_and_lost_issues_end_as_one(fake: FakeGitHub, github: GitHub) -> None:
    drifted = plan(change("acme/a", "hardware", "x", "y"))
    fake.lose_next_post = True
    first = publish(fake, github, drifted)
    assert len(fake.issues) == 1
    fake.issues[99] = {**next(iter(fake.issues.values())), "number": 99}
    assert publish(fake, github, drifted) == first
    assert states(fake) == ["open", "closed"]
