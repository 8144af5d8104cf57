"""Files and card against the local Hub: one commit, one rebuild, and a second apply that writes nothing."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import CommitOperationAdd, HfApi, constants
from huggingface_hub.utils import get_session

from hfspace.applier.events import Event, Kind
from hfspace.applier.executor import apply
from hfspace.applier.run import Options
from hfspace.diffs import with_diffs
from hfspace.folder import read_trees
from hfspace.localhub import LocalHub
from hfspace.planner.codec import from_json, to_json
from hfspace.planner.plan import plan
from hfspace.report import plan_html, plan_markdown, plan_text
from hfspace.session import open_session
from tests.converge.harness import Runner

SPACE = "acme/app"
BROKEN = "# local-hub: BUILD_ERROR\n"
README = "---\ntitle: App\nsdk: gradio\nsdk_version: 6.0.0\n---\n# App\n"
SEED = {
    "accounts": {"acme": {"type": "org", "plan": "team", "can_pay": True},
                 "alice": {"type": "user", "orgs": {"acme": "admin"}, "can_pay": True}},
    "spaces": {
        SPACE: {
            "sdk": "gradio",
            "stage": "RUNNING",
            "hardware": "cpu-basic",
            "files": {"README.md": README, "app.py": "print(1)\n", "old.py": "gone\n", ".gitattributes": ""},
        }
    },
}  # fmt: skip


@pytest.fixture(autouse=True)
def _without_xet(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the local Hub asks for: it speaks no Xet."""
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)


@pytest.fixture
def hub() -> Iterator[LocalHub]:
    with LocalHub(seed=SEED, clock="manual") as running:
        yield running


def put(base: Path, files: dict[str, str]) -> None:
    """The folder `app` with these files, and no others."""
    shutil.rmtree(base / "app", ignore_errors=True)
    for name, text in files.items():
        path = base / "app" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def runner(hub: LocalHub, base: Path, space: str = SPACE, **spec: Any) -> Runner:
    """A person whose manifest is in `base`, and whose app is in `base/app`."""
    declared = {"sdk": "gradio", "files": "app", **spec}
    one = Runner(hub, {"version": 1, "spaces": {space: {k: v for k, v in declared.items() if v is not None}}})
    trees = read_trees(one.manifest, base, {}, cached=False)
    one.inputs = replace(one.inputs, trees=trees)
    one.look = replace(one.look, inputs=one.inputs)
    return one


def commits(hub: LocalHub) -> list[str]:
    return [one.path for one in hub.requests() if "/commit/" in one.path and one.effect]


def writes(hub: LocalHub) -> list[str]:
    return [one.path for one in hub.requests() if one.effect]


def live(hub: LocalHub, space: str = SPACE) -> dict[str, str]:
    """The files on the Hub, as huggingface_hub reads them."""
    api = HfApi(endpoint=hub.url, token=hub.token)
    names = api.list_repo_files(space, repo_type="space")
    headers = {"authorization": f"Bearer {hub.token}"}
    url = f"{hub.url}/spaces/{space}/resolve/main"
    return {name: get_session().get(f"{url}/{name}", headers=headers).text for name in names}


def commit_by_hand(hub: LocalHub, **files: str) -> None:
    """What a person does in the browser."""
    operations = [
        CommitOperationAdd(path_in_repo=name.replace("_py", ".py"), path_or_fileobj=text.encode())
        for name, text in files.items()
    ]
    api = HfApi(endpoint=hub.url, token=hub.token)
    api.create_commit(SPACE, operations, commit_message="Fix a typo", repo_type="space")


def test_one_commit_for_files_and_card_and_one_rebuild(hub: LocalHub, tmp_path: Path) -> None:
    put(tmp_path, {"README.md": README, "app.py": "print(2)\n", "lib/a.py": "x\n"})
    one = runner(hub, tmp_path, card={"sdk_version": "6.31.0"}, variables={"A": "1"})
    text = plan_text.render(one.plan(), color=False, verbose=1)
    assert re.search(r"~ acme/app +rebuilds once", text), text
    assert re.search(r"~ files +2 changed, 1 new .*rebuilds", text)
    assert "+ lib/a.py" in text
    assert "card.sdk_version" in text
    result = one.apply()
    assert not result.failed, result
    assert live(hub)["app.py"] == "print(2)\n"
    assert live(hub)["README.md"] == README.replace("6.0.0", '"6.31.0"')
    assert live(hub)["old.py"] == "gone\n"  # nobody asked for it to go
    assert len(commits(hub)) == 1
    assert [one.split("/")[-1] for one in writes(hub)] == ["variables", "main"]  # the settings first
    doc = hub.space(SPACE)
    assert doc["built_sha"] == doc["sha"]
    assert one.plan().is_empty
    assert not one.apply().changed
    assert len(writes(hub)) == 2


def test_prune_deletes_what_is_not_here_and_keeps_what_the_space_is(hub: LocalHub, tmp_path: Path) -> None:
    put(tmp_path, {"app.py": "print(1)\n"})
    one = runner(hub, tmp_path, files={"from": "app", "prune": True})
    assert one.plan().changes[0].after == {"deleted": ["old.py"]}
    assert not one.apply().failed
    assert set(live(hub)) == {".gitattributes", "README.md", "app.py"}
    assert one.plan().is_empty


def test_the_card_alone_keeps_the_readme(hub: LocalHub, tmp_path: Path) -> None:
    one = runner(hub, tmp_path, files=None, card={"title": "New", "models": ["a/b"], "hf_oauth": True})
    assert [change.key for change in one.plan().changes] == ["hf_oauth", "models", "title"]
    assert not one.apply().failed
    readme = live(hub)["README.md"]
    assert readme.startswith("---\ntitle: New\nsdk: gradio\n")
    assert readme.endswith("---\n# App\n")
    assert len(commits(hub)) == 1
    assert one.plan().is_empty


def test_a_created_space_gets_its_files_before_anything_waits(hub: LocalHub, tmp_path: Path) -> None:
    put(tmp_path, {"app.py": "print(1)\n", "README.md": "# Hi\n"})
    one = runner(hub, tmp_path, "acme/new", create={}, card={"title": "New"}, state="running")
    text = plan_text.render(one.plan(), color=False)
    assert re.search("files +2 new", text)
    assert "without files" not in text
    result = one.apply()
    assert not result.failed, result
    assert [one.split("/")[-1] for one in writes(hub)] == ["create", "main"]
    assert live(hub, "acme/new")["app.py"] == "print(1)\n"
    assert live(hub, "acme/new")["README.md"] == "---\nsdk: gradio\ntitle: New\n---\n\n# Hi\n"
    assert hub.space("acme/new")["stage"] == "RUNNING"
    assert one.plan().is_empty


def test_a_commit_in_between_is_refused_and_named(hub: LocalHub, tmp_path: Path) -> None:
    put(tmp_path, {"app.py": "print(2)\n"})
    one = runner(hub, tmp_path)
    snapshot = one.snapshot()
    approved = plan(one.manifest, snapshot, one.inputs).approve()
    commit_by_hand(hub, app_py="print('mine')\n")
    result = apply(approved, one.run(snapshot))
    assert result.exit_code == 1
    assert 'of alice ("Fix a typo") came since the plan' in result.outcomes[0].error
    assert live(hub)["app.py"] == "print('mine')\n"


def test_a_commit_in_the_middle_of_an_apply_is_not_written_over(hub: LocalHub, tmp_path: Path) -> None:
    put(tmp_path, {"app.py": "print(2)\n"})
    one = runner(hub, tmp_path, variables={"A": "1"})
    snapshot = one.snapshot()

    def listen(event: Event) -> None:
        if event.kind is Kind.APPLIED:
            commit_by_hand(hub, app_py="print('mine')\n")

    approved = plan(one.manifest, snapshot, one.inputs).approve()
    result = apply(approved, replace(one.run(snapshot), listener=listen))
    assert result.exit_code == 3
    assert "Fix a typo" in result.outcomes[0].error
    assert live(hub)["app.py"] == "print('mine')\n"


def test_done_is_when_the_commit_runs(hub: LocalHub, tmp_path: Path) -> None:
    """The app of before serves until the new one is built: RUNNING says nothing."""
    put(tmp_path, {"app.py": "print(2)\n"})
    one = runner(hub, tmp_path)
    assert not one.apply().failed
    doc = hub.space(SPACE)
    assert (doc["stage"], doc["built_sha"]) == ("RUNNING", doc["sha"])


def test_a_build_that_fails_shows_the_end_of_its_log(hub: LocalHub, tmp_path: Path) -> None:
    put(tmp_path, {"app.py": "print(2)\n"})
    hub.set_space(SPACE, build="fail")
    result = runner(hub, tmp_path).apply()
    assert result.exit_code == 3
    assert "BUILD_ERROR" in result.outcomes[0].error
    assert result.outcomes[0].log_tail


@pytest.mark.parametrize("stage", ["PAUSED", "SLEEPING", "BUILD_ERROR", "RUNTIME_ERROR", "NO_APP_FILE"])
def test_files_are_written_whatever_the_stage(hub: LocalHub, tmp_path: Path, stage: str) -> None:
    put(tmp_path, {"app.py": "print(2)\n"})
    hub.set_space(SPACE, stage=stage)
    one = runner(hub, tmp_path)
    result = one.apply()
    assert not result.failed, result
    assert hub.space(SPACE)["stage"] == ("PAUSED" if stage == "PAUSED" else "RUNNING")
    assert not one.plan().changes


def test_a_paused_space_that_is_to_run_starts_with_its_new_files(hub: LocalHub, tmp_path: Path) -> None:
    put(tmp_path, {"app.py": "print(2)\n"})
    hub.set_space(SPACE, stage="PAUSED")
    one = runner(hub, tmp_path, state="running")
    assert not one.apply().failed
    doc = hub.space(SPACE)
    assert (doc["stage"], doc["built_sha"]) == ("RUNNING", doc["sha"])
    assert [one.split("/")[-1] for one in writes(hub)] == ["main", "restart"]


@pytest.mark.parametrize("drop", ["before", "after"])
def test_a_lost_answer_makes_no_second_commit(hub: LocalHub, tmp_path: Path, drop: str) -> None:
    put(tmp_path, {"app.py": "print(2)\n"})
    hub.add_fault({"path": "/api/spaces/*/*/commit/*", "method": "POST", "drop": drop, "times": 1})
    one = runner(hub, tmp_path)
    result = one.apply()
    assert not result.failed, result
    assert len(commits(hub)) == 1
    assert one.plan().is_empty


def test_a_file_where_a_folder_is(hub: LocalHub, tmp_path: Path) -> None:
    put(tmp_path, {"app.py": "print(1)\n", "old.py/a": "x", "b": "y"})
    commit_by_hand(hub, **{"b/c": "z"})
    one = runner(hub, tmp_path)
    assert one.plan().changes[0].after == {"new": ["b", "old.py/a"], "deleted": ["b/c", "old.py"]}
    assert not one.apply().failed
    assert one.plan().is_empty


def test_a_secret_in_a_file_is_an_error_before_anything_is_written(hub: LocalHub, tmp_path: Path) -> None:
    put(tmp_path, {"app.py": "t = 'hf_" + "aB3dE6gH9j" * 3 + "kLmN'"})
    one = runner(hub, tmp_path, variables={"A": "1"})
    newest = one.plan()
    assert [check.message for check in newest.errors] == ["app.py:1 holds a token of the Hub."]
    assert one.apply().exit_code == 1
    assert writes(hub) == []


def test_a_file_that_changes_after_the_plan_is_not_sent(hub: LocalHub, tmp_path: Path) -> None:
    put(tmp_path, {"app.py": "print(2)\n"})
    one = runner(hub, tmp_path)
    (tmp_path / "app" / "app.py").write_text("print(3)\n")
    result = one.apply()
    assert result.exit_code == 1
    assert result.outcomes[0].error == "app.py changed here since the plan was made."
    assert commits(hub) == []


def test_a_tree_is_read_once_for_a_commit(hub: LocalHub, tmp_path: Path) -> None:
    put(tmp_path, {"app.py": "print(1)\n"})
    one = runner(hub, tmp_path)
    one.plan()
    one.plan()
    assert sum("/tree/" in request.path for request in hub.requests()) == 1


def test_a_saved_plan_is_stale_when_a_commit_came(hub: LocalHub, tmp_path: Path) -> None:
    put(tmp_path, {"app.py": "print(2)\n"})
    one = runner(hub, tmp_path)
    before = dict(one.plan().snapshot)
    commit_by_hand(hub, other_py="x")
    assert dict(one.plan().snapshot) != before


def test_the_commit_says_where_it_comes_from(hub: LocalHub, tmp_path: Path) -> None:
    put(tmp_path, {"app.py": "print(2)\n"})
    one = runner(hub, tmp_path)
    one.apply()
    newest = one.client.repository(SPACE).commits()[0]
    assert newest.is_ours
    assert newest.title == "Files from hfspace: 1 changed"


# ------------------------------------------------------------ what came before


def test_files_that_do_not_come_up_are_taken_back_once(hub: LocalHub, tmp_path: Path) -> None:
    put(tmp_path, {"app.py": BROKEN, "new.py": "x", "README.md": README.replace("App", "New")})
    before = live(hub)
    one = runner(hub, tmp_path, files={"from": "app", "prune": True, "on_failure": "revert"})
    result = one.apply()
    assert result.exit_code == 3
    outcome = result.outcomes[0]
    assert "BUILD_ERROR" in outcome.error
    assert "are back, and run." in outcome.error
    assert outcome.log_tail
    assert live(hub) == before
    doc = hub.space(SPACE)
    assert (doc["stage"], doc["built_sha"]) == ("RUNNING", doc["sha"])
    count = len(commits(hub))
    assert count == 2
    again = one.plan()
    assert "these files did not come up" in again.errors[0].message
    assert one.apply().exit_code == 1
    assert len(commits(hub)) == count
    put(tmp_path, {"app.py": "print(3)\n", "README.md": README})
    fixed = runner(hub, tmp_path, files={"from": "app", "on_failure": "revert"})
    assert not fixed.apply().failed
    assert live(hub)["app.py"] == "print(3)\n"


def test_a_space_that_slept_gets_its_files_back_too(hub: LocalHub, tmp_path: Path) -> None:
    hub.set_space(SPACE, stage="SLEEPING")
    before = live(hub)
    put(tmp_path, {"app.py": BROKEN})
    result = runner(hub, tmp_path, files={"from": "app", "on_failure": "revert"}).apply()
    assert result.exit_code == 3
    assert "are back, and run." in result.outcomes[0].error
    assert live(hub) == before


@pytest.mark.parametrize("stage", ["PAUSED", "RUNTIME_ERROR"])
def test_where_nothing_is_known_to_have_run_no_file_comes_back(
    hub: LocalHub, tmp_path: Path, stage: str
) -> None:
    hub.set_space(SPACE, stage=stage)
    put(tmp_path, {"app.py": BROKEN})
    files = {"from": "app", "on_failure": "revert"}
    result = runner(hub, tmp_path, files=files, state="running").apply()
    assert result.exit_code == 3
    assert "could not be brought back: no earlier commit is known to have run." in result.outcomes[0].error
    assert live(hub)["app.py"] == BROKEN


def test_without_on_failure_the_new_files_stay(hub: LocalHub, tmp_path: Path) -> None:
    put(tmp_path, {"app.py": BROKEN})
    result = runner(hub, tmp_path).apply()
    assert result.exit_code == 3
    assert "are back" not in result.outcomes[0].error
    assert live(hub)["app.py"] == BROKEN


def test_a_commit_on_the_hub_since_ours_is_told(hub: LocalHub, tmp_path: Path) -> None:
    put(tmp_path, {"app.py": "print(2)\n"})
    one = runner(hub, tmp_path)
    commit_by_hand(hub, other_py="x\n")
    assert not one.plan().checks  # nothing of ours yet: there is nothing to have drifted from
    assert not one.apply().failed
    commit_by_hand(hub, app_py="print('mine')\n")
    newest = one.plan()
    assert [check.severity for check in newest.checks] == ["warning"]
    assert re.fullmatch(
        r'commit \w{7} of alice \("Fix a typo"\) came on the Hub: app.py \+1 −1. This plan takes it back.',
        newest.checks[0].message,
    )
    assert not one.apply().failed
    assert live(hub)["app.py"] == "print(2)\n"


def test_no_history_is_read_where_nothing_differs(hub: LocalHub, tmp_path: Path) -> None:
    put(tmp_path, {"app.py": "print(1)\n"})
    runner(hub, tmp_path).plan()
    assert not [one for one in hub.requests() if "/commits/" in one.path or "/compare/" in one.path]


def test_text_is_read_only_where_it_is_asked_for(hub: LocalHub, tmp_path: Path) -> None:
    put(tmp_path, {"app.py": "print(1)\nprint(2)\n", "new.py": "x\n"})
    (tmp_path / "app" / "logo.png").write_bytes(b"\x89PNG\0")
    one = runner(hub, tmp_path, files={"from": "app", "prune": True})
    bare = one.plan()
    assert not [request for request in hub.requests() if "/resolve/" in request.path]
    whole = with_diffs(bare, one.inputs, one.client)
    told = {diff.path: (diff.added, diff.removed, diff.why) for diff in whole.diffs}
    assert told == {
        "app.py": (1, 0, ""),
        "logo.png": (0, 0, "binary"),
        "new.py": (1, 0, ""),
        "old.py": (0, 1, ""),
    }
    assert sum("/resolve/" in request.path for request in hub.requests()) == 2
    assert whole.requests == bare.requests + 2
    text = plan_text.render(whole, color=False)
    assert "1 changed, 2 new, 1 deleted (+2 −1)" in text
    assert "\nacme/app: app.py  +1 −0\n  @@ -1 +1,2 @@\n   print(1)\n  +print(2)\n" in text
    row = next(line for line in plan_markdown.render(whole).splitlines() if ">files<" in line)
    assert row.count("<br>") == 4
    page = plan_html.render(whole)
    assert "<code>print(2)</code>" in page
    assert from_json(to_json(whole)) == whole


def test_a_page_shows_the_text_of_files_escaped(hub: LocalHub, tmp_path: Path) -> None:
    put(tmp_path, {"app.py": "<script>alert(1)</script>\n"})
    one = runner(hub, tmp_path)
    page = plan_html.render(with_diffs(one.plan(), one.inputs, one.client))
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script" not in page


def test_a_hub_that_does_not_give_a_file_spoils_no_plan(hub: LocalHub, tmp_path: Path) -> None:
    put(tmp_path, {"app.py": "print(2)\n"})
    one = runner(hub, tmp_path)
    bare = one.plan()
    hub.add_fault({"path": "/spaces/*/*/resolve/*", "status": 403})
    assert with_diffs(bare, one.inputs, one.client).diffs[0].why.startswith("not read: ")


# ------------------------------------------------------------ trouble on the way


def test_a_large_file_that_arrived_is_not_sent_twice(tmp_path: Path) -> None:
    put(tmp_path, {"app.py": "print(2)\n"})
    (tmp_path / "app" / "model.bin").write_bytes(b"\0\1" * 3_000_000)
    with LocalHub(seed={**SEED, "hub": {"large_files": {"over": 1000}}}, clock="manual") as hub:
        hub.add_fault({"path": "/api/spaces/*/*/commit/*", "method": "POST", "status": 403, "times": 1})
        one = runner(hub, tmp_path)
        first = one.apply()
        assert first.exit_code == 1
        sent = [one.path for one in hub.requests() if one.method == "PUT"]
        assert len(sent) == 1
        assert not one.apply().failed
        assert [one.path for one in hub.requests() if one.method == "PUT"] == sent
        told = [event for event in one.events if event.kind is Kind.SENDING]
        assert (told[-1].done, told[-1].size) == (6_000_000, 6_000_000)
        assert one.plan().is_empty
        tree = one.client.repository(SPACE).tree(str(hub.space(SPACE)["sha"])).files
        assert tree["model.bin"].sha256 is not None
        assert tree["model.bin"].size == 6_000_000


def test_a_token_that_may_not_commit_says_so_and_what_was_done(hub: LocalHub, tmp_path: Path) -> None:
    put(tmp_path, {"app.py": "print(2)\n"})
    hub.add_fault({"path": "/api/spaces/*/*/commit/*", "method": "POST", "status": 403})
    result = runner(hub, tmp_path, variables={"A": "1"}).apply()
    assert result.exit_code == 3
    outcome = result.outcomes[0]
    assert outcome.error.startswith("This token may not commit files to acme/app.")
    assert [change.address for change in outcome.applied] == ["acme/app.variables.A"]
    assert [change.address for change in outcome.pending] == ["acme/app.files"]


def test_a_token_that_may_only_commit_says_so(hub: LocalHub, tmp_path: Path) -> None:
    put(tmp_path, {"app.py": "print(2)\n"})
    hub.add_fault({"path": "/api/spaces/*/*/variables", "method": "POST", "status": 403})
    result = runner(hub, tmp_path, variables={"A": "1"}).apply()
    assert result.exit_code == 1
    assert result.outcomes[0].error.startswith("This token may not set the variable A of acme/app.")
    assert commits(hub) == []


def test_a_file_that_the_hub_refuses_is_named_and_nothing_is_written(hub: LocalHub, tmp_path: Path) -> None:
    token = hub.token  # of this Hub: its own screening knows it, and ours does not, by its look
    put(tmp_path, {"app.py": "print(2)\n", "a.py": "x\n", "b.env": f"T={token}\n"})
    result = runner(hub, tmp_path).apply()
    assert result.exit_code == 1
    assert "b.env" in result.outcomes[0].error
    assert token not in result.outcomes[0].error
    assert commits(hub) == []


def test_a_readme_that_the_hub_refuses_is_told_in_its_words(hub: LocalHub, tmp_path: Path) -> None:
    put(tmp_path, {"README.md": "---\nsdk: nonsense\n---\n", "app.py": ""})
    result = runner(hub, tmp_path, sdk=None).apply()
    assert result.exit_code == 1
    assert '"sdk" must be one of' in result.outcomes[0].error
    assert commits(hub) == []


def test_what_the_gitignore_on_the_hub_leaves_out_is_told(hub: LocalHub, tmp_path: Path) -> None:
    commit_by_hand(hub, **{".gitignore": "data/\n"})
    put(tmp_path, {"app.py": "print(2)\n", "data/x.csv": "1\n"})
    result = runner(hub, tmp_path).apply()
    assert result.exit_code == 3
    assert "The .gitignore on the Hub leaves out data/x.csv of acme/app." in result.outcomes[0].error


def test_a_static_space_is_done_at_once(tmp_path: Path) -> None:
    seed = {
        "spaces": {
            SPACE: {"sdk": "static", "files": {"README.md": "---\nsdk: static\n---\n", "index.html": "a"}}
        }
    }
    with LocalHub(seed=seed, clock="manual") as hub:
        put(tmp_path, {"index.html": "b"})
        one = runner(hub, tmp_path, sdk="static", card={"title": "S"})
        result = one.apply()
        assert not result.failed, result
        assert one.pace.slept < 1  # type: ignore[attr-defined]
        assert one.plan().is_empty


def test_the_sdk_changes_with_the_readme(hub: LocalHub, tmp_path: Path) -> None:
    put(tmp_path, {"README.md": "---\nsdk: docker\n---\n", "Dockerfile": "FROM x\n"})
    one = runner(hub, tmp_path, sdk="docker")
    assert not one.apply().failed
    assert hub.space(SPACE)["sdk"] == "docker"
    assert one.plan().is_empty


def test_a_commit_of_somebody_else_right_after_ours_is_named(hub: LocalHub, tmp_path: Path) -> None:
    put(tmp_path, {"app.py": "print(2)\n"})
    one = runner(hub, tmp_path)
    snapshot = one.snapshot()

    def listen(event: Event) -> None:
        if event.kind is Kind.APPLIED:
            commit_by_hand(hub, app_py="print('mine')\n")

    approved = plan(one.manifest, snapshot, one.inputs).approve()
    result = apply(approved, replace(one.run(snapshot), listener=listen))
    assert result.exit_code == 3
    assert result.outcomes[0].error.startswith("acme/app.files was changed by somebody else meanwhile")
    assert "and now it is commit " in result.outcomes[0].error
    assert live(hub)["app.py"] == "print('mine')\n"
    assert len(commits(hub)) == 2


def test_a_session_reads_the_folders_at_every_plan(hub: LocalHub, tmp_path: Path) -> None:
    put(tmp_path, {"app.py": "print(1)\n"})
    (tmp_path / "spaces.yaml").write_text(f"version: 1\nspaces: {{{SPACE}: {{files: app}}}}\n")
    env = {"HF_ENDPOINT": hub.url, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    session = open_session(tmp_path / "spaces.yaml", token=hub.token, env=env)
    assert session.plan().is_empty
    put(tmp_path, {"app.py": "print(2)\n"})
    assert [change.address for change in session.plan().changes] == [f"{SPACE}.files"]
    result = session.apply(session.plan().approve(), options=Options(wait=False))
    assert not result.failed, result
    assert live(hub)["app.py"] == "print(2)\n"


def test_what_is_applied_rests_on_no_hash_of_an_earlier_run(
    hub: LocalHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, {"app.py": "print(1)\n"})
    (tmp_path / "spaces.yaml").write_text(f"version: 1\nspaces: {{{SPACE}: {{files: app}}}}\n")
    asked: list[bool] = []

    def read(*given: Any, cached: bool) -> dict[str, Any]:
        asked.append(cached)
        return read_trees(*given, cached=cached)

    monkeypatch.setattr("hfspace.session.read_trees", read)
    env = {"HF_ENDPOINT": hub.url}
    open_session(tmp_path / "spaces.yaml", token=hub.token, env=env).plan()
    assert asked == [False]
