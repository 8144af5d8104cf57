"""Nothing from the Hub, an app, a manifest or a fork gets out of its cell, runs in a shell, or becomes a
workflow command."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hfspace.errors import Problem
from hfspace.github import drift_issue, result
from hfspace.github.annotate import Annotation, plan_annotations, problem_annotations, render
from hfspace.github.comment import Said, body, problems_body
from hfspace.github.outputs import plan_outputs, write_outputs
from hfspace.github.summary import summary
from hfspace.model import ApplyResult, ManifestRef, Outcome, Status
from hfspace.report import apply_text, plan_text, problems
from hfspace.report.plan_markdown import code
from hfspace.text import plain
from tests.github.page import read
from tests.github.runner import _outputs
from tests.report.plans import HOSTILE, change, check, hostile, plan

OURS = {
    *("p", "h2", "h3", "table", "thead", "tbody", "tr", "th", "td", "code", "strong", "details", "summary"),
    *("sub", "br", "blockquote", "a", "ul", "li"),
}
RUN = "https://github.com/octo/fleet/actions/runs/5"
CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff\U000e0000-\U000e0fff]")  # fmt: skip  # noqa: E501
ACTIVE = re.compile(r"@\w|#\d|GH-\d|https?:|www\.|ftp:|:\w+:|\w@\w|\[\w+\]|\*\*|~~|`|<\w|da39a3ee")


def said(name: str = "spaces.yaml", sha: str = "a" * 40) -> Said:
    return Said(name=name, sha=sha, artifact_url=RUN, from_fork=True)


def applied() -> ApplyResult:
    one = hostile().changes[:1]
    return ApplyResult(
        outcomes=tuple(
            Outcome(space=text, status=status, error=text, hint=text, log_tail=(text,), pending=one)
            for text in HOSTILE
            for status in (Status.FAILED, Status.NOT_TRIED)
        )
    )


def documents() -> dict[str, str]:
    made = hostile()
    pending = plan(*made.changes[:4], *made.checks[:4], change("acme/" + HOSTILE[9], "hardware", "x", "y"))
    names = {f"acme/{text}": "f" * 32 for text in HOSTILE}
    seen = str(body(replace(made, snapshot=names), said()))
    moved = replace(made, snapshot=dict.fromkeys(names, "e" * 32))
    return {
        "comment": str(body(made, said())),
        "comment with a base": str(body(made, said(), pending)),
        "comment after a move": str(body(moved, replace(said(), previous=seen))),
        **{f"comment of {n}": str(body(made, said(text, text))) for n, text in enumerate(HOSTILE)},
        "problems": problems_body(
            tuple(Problem(file=text, line=1, column=1, message=text, hint=text) for text in HOSTILE), said()
        ),
        "summary": summary(made, title="hfspace plan"),
        "result": result.summary(json.loads(json.dumps(apply_text.to_json(applied())))),
        "issue": str(drift_issue.body(made, name=HOSTILE[9], run_url=RUN)),
    }


DOCUMENTS = documents()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_only_our_own_markup_is_in_a_rendered_page(name: str) -> None:
    page = read(DOCUMENTS[name])
    assert page.tags <= OURS
    assert set(page.links) <= {RUN}
    assert page.attributes <= {"href", "open", "style"}
    assert page.unbalanced == []
    for rows in page.rows:
        assert len(set(rows)) == 1, "a row has more cells than its head"
    for text in page.loose:
        assert not ACTIVE.search(text), text
        assert "evil" not in text
        assert "forged" not in text


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_control_character_and_no_expression_is_in_it(name: str) -> None:
    text = DOCUMENTS[name]
    assert not CONTROL.search(text)
    assert "${{" not in text
    # GitHub links addresses in the text between tags too, code or not, as they stand in the source.
    assert not re.search(r"www\.|://|\w@\w", text.replace(RUN, ""))
    assert "-->" not in re.sub(r"<!-- [\w:{}\", ]*-->", "", text)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_value_is_shown_as_it_is_and_in_one_cell(text: str) -> None:
    page = read(f"| a | b |\n| --- | --- |\n| {code(text)} | x |\n\nin a line: {code(text)} end")
    assert page.code == [plain(text).strip(), plain(text).strip()]
    assert page.rows == [[2, 2]]


ACTIVE_ONES = "|`<>&@#:$*_~[]()!\\\n\t\r \"'-=/.%;{}\u202e\u200bwhtpscrm0ä😀"
ODD = st.text(st.sampled_from(ACTIVE_ONES) | st.characters(), max_size=60)


@settings(max_examples=400, deadline=None)
@given(ODD)
def test_any_text_is_shown_as_it_is_and_in_one_cell(text: str) -> None:
    page = read(f"| a | b |\n| --- | --- |\n| {code(text)} | x |\n\nin a line: {code(text)} end")
    assert page.code == [plain(text).strip() or " "] * 2
    assert page.rows == [[2, 2]]
    assert page.tags <= OURS
    assert page.unbalanced == []


@settings(max_examples=300, deadline=None)
@given(ODD, ODD)
def test_any_annotation_is_one_command(title: str, message: str) -> None:
    found = render([Annotation(level="error", title=title, message=message, file=title)])
    assert len(found.splitlines()) == 1
    head, _, data = found.removeprefix("::error ").partition("::")
    assert {part.partition("=")[0] for part in head.split(",")} <= {"file", "title"}
    assert unquote(data) == plain(message)


def test_a_very_long_text_neither_fills_a_page_nor_hides_the_rest() -> None:
    made = plan(
        check("acme/a", "stage", "error", "@" * 200_000, "x" * 200_000),
        check("acme/b", "stage", "error", "second"),
        change("acme/" + "c" * 100_000, "variables", "x", "y", key="k" * 100_000, note="n" * 100_000),
        hub="h" * 100_000,
        account="&" * 100_000,
        role="|" * 100_000,
        manifest=ManifestRef(files=tuple("@" * 10_000 for _ in range(30)), sha256="0"),
    )
    text = str(body(made, said("@" * 200)))
    assert "second" in text
    assert len(text) < 65_536


def test_a_terminal_gets_no_escape_and_a_log_no_workflow_command() -> None:
    made = hostile()
    problem = [
        Problem(file=text, line=1, column=1, message=text, hint=text, source_line=text) for text in HOSTILE
    ]
    for text in (
        plan_text.render(made, color=False),
        plan_text.render(made, color=False, verbose=2),
        problems.render_problems(problem),
        apply_text.render(applied()),
        result.log(apply_text.to_json(applied())),
    ):
        assert not CONTROL.search(text)
        assert not [line for line in text.splitlines() if line.lstrip().startswith("::")]


def test_every_annotation_is_one_command_with_our_properties() -> None:
    made = hostile()
    found = plan_annotations(made) + problem_annotations(
        [{"file": text, "line": 1, "column": 1, "message": text, "hint": text} for text in HOSTILE]
    )
    found += result.failures(apply_text.to_json(applied()))
    for level in ("error", "warning", "notice"):
        for one in (item for item in found if item.level == level):
            (line,) = render([one]).splitlines()
            head, _, data = line.removeprefix(f"::{level} ").partition("::")
            assert {part.partition("=")[0] for part in head.split(",")} <= {"file", "line", "col", "title"}
            assert not re.search(r"%(?!25|0A|0D|3A|2C)", line)
            assert not CONTROL.search(data)


def test_outputs_of_a_hostile_plan_are_numbers(tmp_path: Path) -> None:
    values = plan_outputs(hostile())
    assert all(re.fullmatch(r"\d+(\.\d\d)?", value) for value in values.values())
    for text in HOSTILE:
        write_outputs(str(tmp_path / "out"), {"plan-path": text.encode("utf-8", "replace").decode()})
        assert list(_outputs((tmp_path / "out").read_bytes().decode())) == ["plan-path"]


def test_an_issues_title_is_one_plain_line() -> None:
    for text in HOSTILE:
        title = drift_issue.title(hostile(), text * 20)
        assert not CONTROL.search(title)
        assert "\n" not in title
        assert len(title) <= 250
