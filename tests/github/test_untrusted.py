"""A fork's plan as data: refused unless every value is what it must be; its pull request is GitHub's word."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hfspace.errors import PlanFileError
from hfspace.github.client import GitHub
from hfspace.github.comment import Said, body
from hfspace.github.event import WorkflowEvent, WorkflowRun
from hfspace.github.untrusted import LARGEST, load, pull_of_run, without_places
from hfspace.planner.codec import to_json
from tests.github.fake import TOKEN, FakeGitHub
from tests.report.plans import everything, hostile

GOOD = json.loads(json.dumps(to_json(everything())))
SAID = Said(name="spaces.yaml", sha="a" * 40, from_fork=True)


def written(tmp_path: Path, raw: Any) -> Path:
    path = tmp_path / "hfspace-plan.json"
    path.write_text(raw if isinstance(raw, str) else json.dumps(raw))
    return path


def test_a_good_plan_is_read_without_its_checksum(tmp_path: Path) -> None:
    made = load(written(tmp_path, {**GOOD, "checksum": "made up"}))
    assert made.changes == everything().changes
    bare = without_places(made)
    assert {item.source for item in (*bare.changes, *bare.checks)} == {None}


def test_a_hostile_plan_is_text(tmp_path: Path) -> None:
    raw = json.loads(json.dumps(to_json(hostile())))
    assert body(without_places(load(written(tmp_path, raw))), SAID)


def edit(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def apply(raw: dict[str, Any]) -> None:
        *parts, last = path.split(".")
        place: Any = raw
        for part in parts:
            place = place[int(part) if part.isdigit() else part]
        place[last] = value

    return apply


DEEP: Any = "x"
for _ in range(400):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("format_version", 2),
        ("format_version", "1"),
        ("account", {"a": 1}),
        ("declared", [["a"]]),
        ("declared", 5),
        ("declared", ["acme/x"] * 50_001),
        ("snapshot", {"acme/x": 1}),
        ("unmanaged", [None]),
        ("cost", {}),
        ("cost.before_usd_per_hour", "NaN"),
        ("cost.before_usd_per_hour", "1e999999"),
        ("cost.before_usd_per_hour", 1.5),
        ("cost.after_usd_per_month", "9" * 4000),
        ("requests", "x"),
        ("changes", [{}]),
        ("changes.0.action", "explode"),
        ("changes.0.effects", ["<b>"]),
        ("changes.0.effects", [["restart"]]),
        ("changes.0.key", 5),
        ("changes.0.after", DEEP),
        ("changes.0.after", float("nan")),
        ("changes.0.usd_per_hour_after", "Infinity"),
        ("changes.0.source", "x"),
        ("checks.0.severity", "fatal"),
        ("manifest", "x"),
        ("manifest.files", [1]),
    ],
)
def test_one_wrong_value_and_the_plan_is_refused(tmp_path: Path, path: str, value: Any) -> None:
    raw = copy.deepcopy(GOOD)
    edit(path, value)(raw)
    path_of = written(tmp_path, raw)
    with pytest.raises(PlanFileError) as error:
        load(path_of)
    assert str(error.value) == "hfspace-plan.json is not a plan that can be shown."


def test_a_sensitive_value_that_is_shown_is_refused(tmp_path: Path) -> None:
    raw = copy.deepcopy(GOOD)
    secret = next(item for item in raw["changes"] if item["sensitive"])
    secret["after"] = "hf_leaked"
    with pytest.raises(PlanFileError):
        load(written(tmp_path, raw))


@pytest.mark.parametrize("text", ["", "[]", "null", "{", "[" * 100_000, '{"format_version": NaN}', "\x00"])
def test_what_is_no_plan_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(PlanFileError):
        load(written(tmp_path, text))


def test_links_directories_and_huge_files_are_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(json.dumps(GOOD))
    (tmp_path / "hfspace-plan.json").symlink_to(secret)
    huge = tmp_path / "huge.json"
    with huge.open("wb") as file:
        file.truncate(LARGEST + 1)
    for path in (tmp_path / "hfspace-plan.json", tmp_path, huge, tmp_path / "none.json"):
        with pytest.raises(PlanFileError):
            load(path)


def event(
    fake: FakeGitHub, *, sha: str = "c" * 40, head: str = "mallory/fleet", branch: str = "x"
) -> WorkflowEvent:
    return WorkflowEvent(
        name="workflow_run",
        repository="octo/fleet",
        api_url=fake.api_url,
        server_url=fake.root,
        run_id="5",
        sha=sha,
        run=WorkflowRun(id=99, head_sha=sha, head_repository=head, head_branch=branch),
    )


def test_the_pull_request_is_the_one_whose_head_the_run_had() -> None:
    with FakeGitHub() as fake, GitHub(fake.api_url, TOKEN) as github:
        fake.open_pull(6, "c" * 40, head="octo/fleet", branch="x")
        fake.open_pull(7, "b" * 40, head="mallory/fleet", branch="x")
        fake.open_pull(5, "c" * 40, head="mallory/another", branch="x")
        fake.open_pull(8, "c" * 40, head="mallory/fleet", branch="x")
        assert pull_of_run(github, event(fake)) == 8
        assert pull_of_run(github, event(fake, sha="d" * 40)) is None
        assert pull_of_run(github, event(fake, head="eve/fleet")) is None
        assert pull_of_run(github, event(fake, head="")) is None
        fake.pulls[8]["state"] = "closed"
        assert pull_of_run(github, event(fake)) is None
