"""action.yml, the workflows and their page say the same; links lead somewhere; nothing is pinned twice."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.github.runner import ACTION, ROOT

WORKFLOWS = [
    *sorted((ROOT / ".github" / "workflows").glob("*.yml")),
    ROOT / "examples" / "fleet-10k" / "spaces-fleet.yml",
]
PAGE = (ROOT / "docs" / "github-actions.md").read_text(encoding="utf-8")


def table(heading: str) -> dict[str, list[str]]:
    """The rows of the table under a heading of the page, by each name in their first cell."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if "|" in line
    ]
    return {name: row[1:] for row in rows[2:] for name in re.findall(r"`([^`]+)`", row[0])}


def test_the_page_names_every_input_with_its_default() -> None:
    shown = table("Inputs")
    assert list(shown) == list(ACTION["inputs"])
    for name, item in ACTION["inputs"].items():
        default = str(item["default"])
        plain = re.fullmatch(r"`(.*)`", shown[name][0])
        if plain:
            assert plain[1] == default
        else:
            assert default == "" or "github.token" in default


def test_the_page_names_every_output() -> None:
    assert list(table("Outputs")) == list(ACTION["outputs"])


def test_every_output_is_one_that_the_step_writes() -> None:
    from hfspace.github.outputs import plan_outputs
    from tests.report.plans import everything

    written = {*plan_outputs(everything()), "plan-path", "comment-url"}
    assert set(ACTION["outputs"]) == written
    for name, item in ACTION["outputs"].items():
        assert item["value"] == f"${{{{ steps.run.outputs.{name} }}}}"


def test_every_input_reaches_the_program() -> None:
    text = (ROOT / "action.yml").read_text(encoding="utf-8").split("\nruns:\n")[1]
    for name in ACTION["inputs"]:
        assert f"inputs.{name} }}" in text, name


def steps(path: Path) -> list[dict[str, Any]]:
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    jobs = raw["jobs"].values() if "jobs" in raw else [raw["runs"]]
    return [step for job in jobs for step in job["steps"]]


def test_nothing_is_interpolated_into_a_shell() -> None:
    for path in [*WORKFLOWS, ROOT / "action.yml"]:
        for step in steps(path):
            assert "${{" not in step.get("run", ""), f"{path.name}: {step}"


def test_actions_are_pinned_by_commit_and_each_to_one() -> None:
    pins: dict[str, set[str]] = {}
    for path in [*WORKFLOWS, ROOT / "action.yml"]:
        for line in path.read_text(encoding="utf-8").splitlines():
            if match := re.search(r"uses: ([\w./-]+)@(.+)", line):
                assert re.fullmatch(r"[0-9a-f]{40} # (v\d+\.\d+\.\d+|your version)", match[2]), line
                pins.setdefault(match[1], set()).add(match[2])
    assert {name: len(found) for name, found in pins.items()} == dict.fromkeys(pins, 1)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_permissions_are_named_per_job_and_jobs_do_not_run_for_ever(path: Path) -> None:
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert raw["permissions"] == {}
    assert "concurrency" in raw
    assert "pull_request_target" not in path.read_text(encoding="utf-8")
    for name, job in raw["jobs"].items():
        assert "permissions" in job, name
        if job["permissions"].keys() & {"id-token", "issues", "pull-requests"} or "spaces" in path.name:
            assert job["timeout-minutes"] <= 120, name


def test_applies_never_overlap_and_are_never_cut_off() -> None:
    raw = yaml.safe_load((ROOT / ".github" / "workflows" / "spaces-apply.yml").read_text(encoding="utf-8"))
    assert raw["concurrency"] == {"group": "spaces-apply", "cancel-in-progress": False}
    assert raw["jobs"]["apply"]["environment"] == "spaces"


def test_only_the_comment_for_forks_may_be_called_dangerous() -> None:
    rules = yaml.safe_load((ROOT / ".github" / "zizmor.yml").read_text(encoding="utf-8"))["rules"]
    assert rules["dangerous-triggers"] == {"ignore": ["spaces-plan-comment.yml"]}
    checkouts = [
        step
        for step in steps(ROOT / ".github" / "workflows" / "spaces-plan-comment.yml")
        if "checkout" in step.get("uses", "")
    ]
    assert [set(step["with"]) for step in checkouts] == [{"persist-credentials"}]


def test_links_of_the_pages_lead_somewhere(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("check_links", ROOT / ".github" / "check_links.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.broken(ROOT) == []
    (tmp_path / "docs").mkdir()
    (tmp_path / "README.md").write_text(
        "# A b\n[x](docs/none.md) [y](#a-b) [z](#gone)\n```\n[q](nope)\n```\n"
    )
    assert module.broken(tmp_path) == ["README.md: docs/none.md", "README.md: #gone"]


def test_the_example_makes_ten_thousand_valid_spaces(tmp_path: Path) -> None:
    script = ROOT / "examples" / "fleet-10k" / "generate.py"
    subprocess.run([sys.executable, script, tmp_path / "fleet", "1200"], check=True, timeout=60)
    from hfspace.manifest.loader import load_files

    assert len(load_files([tmp_path / "fleet"], env={}).spaces) == 1200
    assert len(list((tmp_path / "fleet").glob("spaces-*.yaml"))) == 3
