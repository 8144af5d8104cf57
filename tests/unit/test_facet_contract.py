"""Nobody but a facet itself knows it by name: a new one is its own file, a line in the list and a key."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from hfspace.facets import ALL, Facet

SOURCE = Path(__file__).parents[2] / "src" / "hfspace"
OPEN = {"hfspace.facets", "hfspace.facets.base", "hfspace.facets.desired"}
NAMES = {facet.name for facet in ALL}
MODULES = sorted(
    path for path in SOURCE.rglob("*.py") if {"facets", "localhub"}.isdisjoint(path.relative_to(SOURCE).parts)
)


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def decisions(module: ast.Module) -> Iterator[str]:
    """Comparisons of a facet's name, a note or an address with text that stands in the code."""
    for node in ast.walk(module):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            about = {side.attr for side in sides if isinstance(side, ast.Attribute)}
            texts = [one for side in sides for one in ast.walk(side) if isinstance(one, ast.Constant)]
            if about & {"facet", "note", "address"} and any(isinstance(one.value, str) for one in texts):
                yield f"line {node.lineno}"
        matched = node.subject if isinstance(node, ast.Match) else None
        if isinstance(matched, ast.Attribute) and matched.attr in {"facet", "note", "address"}:
            yield f"line {node.lineno}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_nothing_is_decided_by_a_facets_name_a_note_or_an_address(path: Path) -> None:
    assert list(decisions(tree(path))) == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_no_module_imports_one_facet(path: Path) -> None:
    imports = {
        node.module for node in ast.walk(tree(path)) if isinstance(node, ast.ImportFrom) and node.module
    }
    assert not {name for name in imports if name.startswith("hfspace.facets")} - OPEN


def test_the_planner_and_the_applier_hold_no_name_of_a_facet() -> None:
    for path in (*(SOURCE / "planner").glob("*.py"), *(SOURCE / "applier").glob("*.py")):
        words = {node.value for node in ast.walk(tree(path)) if isinstance(node, ast.Constant)}
        # "restart" is an effect, the others are where checks of the policy and edits of savings stand.
        assert not words & NAMES - {"hardware", "sleep_time", "state", "visibility", "restart"}, path.name


def test_every_facet_has_the_whole_contract() -> None:
    for facet in ALL:
        assert isinstance(facet, Facet)
        assert type(facet).compare is not Facet.compare
        writes = type(facet).apply is not Facet.apply
        assert writes or facet.name == "endpoint"
