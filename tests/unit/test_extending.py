"""Keys that other packages bring: docs/extending.md. The example is installed as any package is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from hfspace import extending
from hfspace.cli.main import run
from hfspace.errors import ManifestError
from hfspace.facets import Facet
from hfspace.facets import extensions as facet_extensions
from hfspace.localhub import LocalHub
from hfspace.manifest import extensions
from hfspace.manifest.loader import load
from hfspace.manifest.models import SpaceSpec
from hfspace.manifest.schema import json_schema
from hfspace.model import Plan
from hfspace.report.rendering import render
from tests.converge.harness import Runner

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "custom-domain"
SEED = {
    "accounts": {"alice": {"orgs": {"acme": "admin"}}, "acme": {"type": "org", "plan": "team"}},
    "spaces": {"acme/x": {"stage": "RUNNING"}},
}
MANIFEST = "version: 1\nspaces:\n  acme/x: {custom_domain: demo.acme.ai}\n"
Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Lays packages out as pip does: a module, and the entry point that names it."""
    monkeypatch.syspath_prepend(tmp_path)

    def lay_out(code: str, *, package: str = "somebody", name: str = "custom_domain") -> None:
        info = tmp_path / f"{package}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[hfspace.facets]\n{name} = {package}_facet:Mine\n")
        (tmp_path / f"{package}_facet.py").write_text(code)

    caches = (extensions.find, facet_extensions.extension)
    for cache in caches:
        cache.cache_clear()
    yield lay_out
    for cache in caches:
        cache.cache_clear()
    for module in [name for name in sys.modules if name.endswith("_facet")]:
        del sys.modules[module]


def command(folder: Path, hub: LocalHub, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {
        **os.environ,
        "PYTHONPATH": str(folder / "site"),
        "HF_ENDPOINT": hub.url,
        "HF_TOKEN": hub.token,
        "NO_COLOR": "1",
    }
    return subprocess.run(
        [sys.executable, "-m", "hfspace", *arguments],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_example_is_installed_plans_shows_applies_and_converges(tmp_path: Path) -> None:
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
    ]
    subprocess.run([*pip, "--target", str(tmp_path / "site"), str(EXAMPLE)], check=True, timeout=120)
    (tmp_path / "spaces.yaml").write_text(MANIFEST)
    with LocalHub(seed=SEED, clock="manual") as hub:
        assert command(tmp_path, hub, "validate").returncode == 0
        plan = command(tmp_path, hub, "plan")
        assert "~ custom_domain none → demo.acme.ai" in " ".join(plan.stdout.split()), plan.stderr
        apply = command(tmp_path, hub, "apply", "--yes")
        assert apply.returncode == 0, apply.stdout + apply.stderr
        assert hub.space("acme/x")["domains"] == ["demo.acme.ai"]
        assert command(tmp_path, hub, "plan", "--detailed-exitcode").returncode == 0
        (tmp_path / "spaces.yaml").write_text(MANIFEST.replace("demo.acme.ai}", "Demo!}"))
        wrong = command(tmp_path, hub, "validate")
        assert wrong.returncode == 1
        assert "spaces.yaml:3:12: 'custom_domain' can't be 'Demo!'" in wrong.stderr + wrong.stdout


def test_what_another_package_brings_can_be_ignored_and_created(install: Install) -> None:
    install((EXAMPLE / "hfspace_custom_domain.py").read_text().replace("CustomDomain", "Mine"))
    with LocalHub(seed=SEED, clock="manual") as hub:
        ignoring = Runner(hub, MANIFEST.replace("ai}", "ai, ignore: [custom_domain]}")).plan()
        assert [change.facet for change in ignoring.ignored] == ["custom_domain"]
        new = Runner(hub, MANIFEST.replace("acme/x: {", "acme/new: {sdk: gradio, create: {}, "))
        assert [change.address for change in new.plan().changes] == ["acme/new", "acme/new.custom_domain"]
        new.apply_until_done()
        assert hub.space("acme/new")["domains"] == ["demo.acme.ai"]
        assert new.plan().is_empty


def test_a_model_takes_the_key_too(install: Install) -> None:
    install(FACET)
    assert SpaceSpec.model_validate({"custom_domain": 7}).extensions == {"custom_domain": 7}
    with pytest.raises(ValueError, match="custom_domains"):
        SpaceSpec.model_validate({"custom_domains": 7})


def test_explain_and_the_schema_know_it(install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    install((EXAMPLE / "hfspace_custom_domain.py").read_text().replace("CustomDomain", "Mine"))
    for field in ("custom_domain", "spaces.custom_domain"):
        assert run(["explain", field]) == 0
        assert "A domain of the Space's own" in capsys.readouterr().out
    assert run(["explain", "spaces"]) == 0
    assert "custom_domain" in capsys.readouterr().out
    assert run(["schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    check = Draft202012Validator(schema)
    good = {"version": 1, "spaces": {"acme/x": {"custom_domain": "a.b", "ignore": ["custom_domain"]}}}
    assert check.is_valid(good)
    good["spaces"]["acme/x"]["custom_domain"] = "no domain"  # type: ignore[index]
    assert not check.is_valid(good)


def test_a_model_of_a_package_is_in_the_schema_with_its_parts(install: Install) -> None:
    install(FACET.replace(", int", ", Outer").replace("class Mine", MODELS + "class Mine"))
    schema = json_schema()
    assert schema["$defs"]["Space"]["properties"]["custom_domain"]["properties"]["inner"] == {
        "$ref": "#/$defs/custom_domain.Inner"
    }
    Draft202012Validator.check_schema(schema)
    check = Draft202012Validator(schema)
    manifest = {"version": 1, "spaces": {"acme/x": {"custom_domain": {"inner": {"size": 1}}}}}
    assert check.is_valid(manifest)
    manifest["spaces"]["acme/x"]["custom_domain"]["inner"]["size"] = "one"  # type: ignore[index]
    assert not check.is_valid(manifest)


def test_a_package_that_is_broken_ends_the_schema_in_a_sentence(
    install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    install("import nothing_of_the_kind")
    for args in (["schema"], ["explain", "spaces"], ["explain", "custom_domain"]):
        assert run(args) == 1
        assert "'custom_domain' is of somebody 1.0, which can't be loaded" in capsys.readouterr().err
    assert run(["explain", "spaces.hardware"]) == 0


MODELS = """
from pydantic import BaseModel

class Inner(BaseModel):
    size: int

class Outer(BaseModel):
    inner: Inner

"""
FACET = """
from hfspace.extending import Action, Facet

class Mine(Facet):
    name, type = "custom_domain", int
    def compare(self, desired, state):
        return [desired.change(self.name, Action.UPDATE, before=1, after=desired.spec.extensions[self.name])]
"""


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import nothing_of_the_kind", "is of somebody 1.0, which can't be loaded: ModuleNotFoundError"),
        ("raise SystemExit(0)", "is of somebody 1.0, which can't be loaded: SystemExit: 0"),
        ("class Mine: pass", "is of somebody 1.0, which is no facet of that name"),
        (FACET.replace("custom_domain", "other"), "is of somebody 1.0, which is no facet of that name"),
        (FACET.replace("int", "object()"), "can't check a value"),
        (FACET, "'custom_domain' must be a whole number, not 'demo.acme.ai'"),
    ],
)
def test_a_package_that_is_broken_is_a_problem_at_its_key(install: Install, code: str, message: str) -> None:
    install(code)
    with pytest.raises(ManifestError) as caught:
        load([("spaces.yaml", MANIFEST)], env={})
    [problem] = caught.value.problems
    assert message in problem.message
    assert (problem.line, problem.hint != "") == (3, True)


def test_two_packages_with_one_key_are_both_named(install: Install) -> None:
    install(FACET)
    install(FACET, package="another")
    with pytest.raises(ManifestError) as caught:
        load([("spaces.yaml", MANIFEST)], env={})
    assert "several packages: another 1.0, somebody 1.0" in caught.value.problems[0].message


def planned(hub: LocalHub) -> Plan:
    return Runner(hub, MANIFEST.replace("demo.acme.ai", "5")).plan()


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (FACET.replace("return [", "raise KeyError('x') or ["), "failed in compare: KeyError: 'x'"),
        (FACET.replace("before=1", "before=object()"), "failed in compare: TypeError: Object of type object"),
        (FACET.replace("return [", "exit(0) or ["), "failed in compare: SystemExit: 0"),
        (FACET.replace("return [", "return [7] or ["), "failed in compare: TypeError: int is no Change"),
        (
            FACET + "    def read(self, spec, state, hub): return {}['domains']",
            "failed in read: KeyError: 'domains'",
        ),
        (FACET + "    def needs(self, spec, state): return state.nothing", "failed in needs: AttributeError"),
    ],
)
def test_a_facet_that_raises_fails_its_space_in_a_sentence(install: Install, code: str, message: str) -> None:
    install(code)
    with LocalHub(seed=SEED, clock="manual") as hub:
        plan = planned(hub)
    assert plan.is_empty
    assert [message in check.message for check in plan.errors] == [True], plan.errors


def test_a_facet_that_raises_while_it_writes_fails_its_space(install: Install) -> None:
    install(
        FACET
        + "    def apply(self, change, desired, ports): return 1 / 0\n    def show(self, value): return 1 / 0"
    )
    with LocalHub(seed=SEED, clock="manual") as hub:
        runner = Runner(hub, MANIFEST.replace("demo.acme.ai", "5"))
        [outcome] = runner.apply().outcomes
        assert "failed in apply: ZeroDivisionError" in outcome.error
        assert "custom_domain 1 → 5" in " ".join(render(runner.plan(), "text").split())


def test_a_manifest_that_uses_none_looks_for_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**asked: Any) -> Any:
        raise AssertionError(f"looked for {asked}")

    monkeypatch.setattr(metadata, "entry_points", refuse)
    extensions.find.cache_clear()
    with LocalHub(seed=SEED, clock="manual") as hub:
        runner = Runner(
            hub, {"version": 1, "spaces": {"acme/x": {"hardware": "t4-small", "ignore": ["state"]}}}
        )
        runner.apply_until_done()
        assert "No changes" in render(runner.plan(), "text")


def test_the_page_shows_the_example_and_names_the_whole_contract() -> None:
    page = (ROOT / "docs" / "extending.md").read_text()
    code = (EXAMPLE / "hfspace_custom_domain.py").read_text()
    assert code[code.index("class CustomDomain") :] in page
    contract = {name for name in vars(Facet) if not name.startswith("_")}
    ours_only = {"carries", "priced", "is_stored", "is_silent", "undeclared", "held"}
    assert not [name for name in contract - ours_only if f"`{name}" not in page]
    assert not [name for name in extending.__all__ if f"`{name}`" not in page]
