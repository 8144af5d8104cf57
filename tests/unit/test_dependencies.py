"""What pyproject.toml declares is what the shipped code imports, and the lock names all of it."""

from __future__ import annotations

import ast
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
MODULES = {"pyyaml": "yaml", "prometheus-client": "prometheus_client", "huggingface-hub": "huggingface_hub"}


def _name(requirement: str) -> str:
    return re.split(r"[^\w.-]", requirement, maxsplit=1)[0].lower().replace("_", "-")


@cache
def _imported() -> set[str]:
    modules = set()
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                modules |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                modules.add(node.module.partition(".")[0])
    return modules


EXTRAS = [one for extra in PROJECT["optional-dependencies"].values() for one in extra]
DECLARED = [*PROJECT["dependencies"], *EXTRAS]


@pytest.mark.parametrize("requirement", DECLARED)
def test_every_declared_dependency_is_imported(requirement: str) -> None:
    name = _name(requirement)
    assert MODULES.get(name, name.replace("-", "_")) in _imported()


@pytest.mark.parametrize("requirement", PROJECT["dependencies"])
def test_the_lock_names_every_dependency_with_its_hash(requirement: str) -> None:
    for lock in ("run.txt", "dev.txt"):
        text = (ROOT / "requirements" / lock).read_text()
        assert re.search(
            rf"^{_name(requirement)}==\S+ .*\\\n +--hash=sha256:", text, re.MULTILINE | re.IGNORECASE
        )


def test_the_lock_names_no_place_to_install_from() -> None:
    for lock in (ROOT / "requirements").iterdir():
        assert not re.search(r"^ *--(?!hash=)|://", lock.read_text(), re.MULTILINE), lock


@pytest.mark.parametrize("asked", sorted((ROOT / "tests" / "apps" / "requirements").glob("*.in")), ids=str)
def test_the_environment_of_a_real_app_is_locked_with_hashes(asked: Path) -> None:
    lock = asked.with_suffix(".txt").read_text()
    for line in asked.read_text().splitlines():
        assert re.search(rf"^{_name(line)}==", lock, re.MULTILINE | re.IGNORECASE), line
    packages = re.findall(r"^\S+==.*(?:\n +--hash=sha256:[0-9a-f]{64}.*)+", lock, re.MULTILINE)
    assert len(packages) == len(re.findall(r"^\S", lock, re.MULTILINE))
