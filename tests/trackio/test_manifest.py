"""Experiments in a manifest: what is refused, and with which fix."""

from __future__ import annotations

import pytest

from hfspace.errors import ManifestError
from hfspace.manifest.experiments import canonical_project, identity, problems
from hfspace.manifest.loader import load
from hfspace.manifest.models import SpaceSpec
from hfspace.manifest.trackio_models import ExperimentSpec, TrackioSpec


def complaints(body: str) -> list[tuple[int, str, str]]:
    """(line, message, hint) of a Space with this body."""
    indented = "".join(f"    {line}\n" for line in body.strip("\n").splitlines())
    try:
        load([("spaces.yaml", f"version: 1\nspaces:\n  acme/t:\n{indented}")], env={})
    except ManifestError as error:
        return [(one.line, one.message, one.hint) for one in error.problems]
    return []


@pytest.mark.parametrize(
    ("written", "fix"),
    [
        ("2e-5", "2.0e-5"),
        ("1e5", "1.0e+5"),
        ("1.5e5", "1.5e+5"),
        ("-3E-4", "-3.0e-4"),
        (".5e1", "0.5e+1"),
    ],
)
def test_a_number_that_yaml_reads_as_text_is_told_with_its_fix(written: str, fix: str) -> None:
    found = complaints(f"experiments:\n  a:\n    parameters:\n      lr: {written}")

    assert len(found) == 1
    line, message, hint = found[0]
    assert line == 7
    assert f"{written} is read as text" in message
    assert fix in hint
    assert complaints(f"experiments:\n  a:\n    parameters: {{lr: {fix}}}") == []
    assert complaints(f'experiments:\n  a:\n    parameters: {{lr: "{written}"}}') == []


@pytest.mark.parametrize("written", [".nan", ".inf", "-.inf"])
def test_numbers_that_json_has_not_are_refused(written: str) -> None:
    found = complaints(f"experiments: {{a: {{parameters: {{deep: [1, {{x: {written}}}]}}}}}}")

    assert len(found) == 1
    assert "is no number that can be kept" in found[0][1]


def test_names_with_breaks_are_refused() -> None:
    for name in ("two\nlines", "esc\x1b[2J", "", "  ", "sep\u2028x"):
        spec = SpaceSpec(experiments={name: ExperimentSpec()})
        assert [path for path, _, _ in problems(spec)] == [("experiments", name)]
    assert complaints('experiments:\n  "two\\nlines": {}')


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("experiments: {a: {status: archived}}", "'status' can't be 'archived'"),
        ("experiments: {a: {parameters: [1]}}", "'parameters' must be a map"),
        ("experiments: {a: {params: {}}}", "an experiment has no key 'params'"),
        ("experiments: {a: {id: ' '}}", "is not one line of text"),
        ("experiments: [a]", "'experiments' must be a map"),
        ("sdk: static\nexperiments: {a: {}}", "a static Space has no experiments"),
        ("prune: [experiments]", "experiments can't be pruned"),
        ("trackio: {backend: wandb}", "'wandb' is no backend of experiments"),
    ],
)
def test_other_mistakes_are_told(body: str, message: str) -> None:
    assert any(message in found for _, found, _ in complaints(body))


def test_projects_that_trackio_would_merge_are_refused() -> None:
    merged = complaints("experiments:\n  my.model/a: {}\n  mymodel/b: {}")
    same = complaints("trackio: {project: p}\nexperiments:\n  a: {}\n  p/a: {}")

    assert "are one on trackio ('mymodel')" in merged[0][1]
    assert "'p/a' and 'a' are the same run" in same[0][1]
    assert complaints("trackio: {backend: interface}\nexperiments:\n  my.model/a: {}\n  mymodel/b: {}") == []


def test_where_a_run_is_kept() -> None:
    default = TrackioSpec(project="d")

    assert identity("r", ExperimentSpec(), None).same == (None, "r")
    assert identity("r", ExperimentSpec(), default).same == ("d", "r")
    assert identity("p/r", ExperimentSpec(), default).same == ("p", "r")
    assert identity("p/r/s", ExperimentSpec(), None).same == ("p", "r/s")
    assert identity("p/r", ExperimentSpec(project="q"), default).same == ("q", "p/r")
    assert identity("/r", ExperimentSpec(), default).same == ("d", "/r")


def test_canonical_projects() -> None:
    assert canonical_project("../evil/x y") == "evilxy"
    assert canonical_project("my.model") == "mymodel"
    assert canonical_project("a-b_c") == "a-b_c"
    assert canonical_project("...") == "default"
