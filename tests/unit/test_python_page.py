"""docs/python.md: its code runs, in order, against the local Hub; every exported name is on it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

import hfspace
from hfspace.localhub import LocalHub

PAGE = (Path(__file__).parents[2] / "docs" / "python.md").read_text(encoding="utf-8")
MANIFEST = "version: 1\nspaces:\n  acme/x: {hardware: t4-small, sleep_time: 1h, variables: {A: '1'}}\n"


def test_the_code_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seed = {
        "accounts": {"alice": {"orgs": {"acme": "admin"}}, "acme": {"type": "org", "can_pay": True}},
        "tokens": {"hf_local_write": {"account": "alice", "role": "write"}},
        "spaces": {"acme/x": {"stage": "RUNNING"}},
        "hub": {"time_scale": 300},
    }
    (tmp_path / "spaces.yaml").write_text(MANIFEST)
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) == 3
    with LocalHub(seed=seed) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setenv("HF_TOKEN", "hf_local_write")
        names: dict[str, object] = {}
        for block in blocks:
            exec(compile(block, "docs/python.md", "exec"), names)
        assert hub.space("acme/x")["requested"] == "t4-small"


def test_every_exported_name_is_on_the_page() -> None:
    words = set(re.findall(r"\w+", PAGE))
    assert not set(hfspace.__all__) - words - {"__version__"}


def test_a_secret_without_a_value_is_an_error_of_what_is_to_be_applied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    seed = {
        "tokens": {"hf_local_write": {"account": "acme", "role": "write"}},
        "accounts": {"acme": {}},
        "spaces": {"acme/x": {"secrets": {"KEY": "x"}}},
    }
    manifest = hfspace.load(
        [("spaces.yaml", "version: 1\nspaces: {acme/x: {secrets: {KEY: {env: K}}}}")], env={}
    )
    with LocalHub(seed=seed) as hub:
        env = {"HF_ENDPOINT": hub.url, "HF_TOKEN": "hf_local_write"}
        session = hfspace.open(manifest=manifest, env=env)
        assert not session.plan().errors
        assert session.plan().unknowns
        assert session.plan(to_apply=True).errors


def test_a_saved_plan_that_was_edited_is_judged_by_the_policy_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    seed = {
        "accounts": {"acme": {}},
        "tokens": {"hf_local_write": {"account": "acme", "role": "write"}},
        "spaces": {"acme/x": {}},
    }
    text = "version: 1\npolicy: {max_deletes: 0}\nspaces: {acme/x: {state: absent}}"
    with LocalHub(seed=seed) as hub:
        env = {"HF_ENDPOINT": hub.url, "HF_TOKEN": "hf_local_write"}
        session = hfspace.open(manifest=hfspace.load([("spaces.yaml", text)], env={}), env=env)
        edited = replace(session.plan(), checks=())
        with pytest.raises(hfspace.PlanRefused):
            session.confirm(edited).approve(allow_delete=True)
        assert hub.spaces() == ["acme/x"]


def test_an_approval_holds_for_its_own_manifest_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    seed = {
        "accounts": {"acme": {}},
        "tokens": {"hf_local_write": {"account": "acme", "role": "write"}},
        "spaces": {"acme/x": {}},
    }
    texts = ("version: 1\nspaces: {acme/x: {state: absent}}", "version: 1\nspaces: {acme/x: {protect: true}}")
    with LocalHub(seed=seed) as hub:
        env = {"HF_ENDPOINT": hub.url, "HF_TOKEN": "hf_local_write"}
        one, other = (
            hfspace.open(manifest=hfspace.load([("spaces.yaml", text)], env={}), env=env) for text in texts
        )
        approved = one.plan(to_apply=True).approve(allow_delete=True)
        other.plan(to_apply=True)
        with pytest.raises(hfspace.HfspaceError, match="another manifest"):
            other.apply(approved)
        assert hub.spaces() == ["acme/x"]
