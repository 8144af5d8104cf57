"""A secret that stands where it does not belong is cut out wherever it would be shown: in a variable of the
same value, in the words of an app, in all that the Action writes."""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hfspace.cli.main import run
from hfspace.localhub import LocalHub
from hfspace.planner.saved import save
from hfspace.session import open_session
from tests.endpoints.stand_in import Reply, StandIn
from tests.github.fake import FakeGitHub
from tests.github.runner import SHA, Runner
from tests.report.plans import check, plan

TOKEN = "hf_local_canaryTOKEN0123"
SECRET = 'canary"SECRET <b>value</b>/0123'
MANIFEST = """version: 1
spaces:
  acme/a:
    variables: {COPY: 'copy of canary"SECRET <b>value</b>/0123', PLAIN: new}
    secrets: {KEY: {env: CANARY}}
  acme/b:
    secrets: {KEY: {env: CANARY}}
"""
ENDPOINT = "    endpoint: {path: /echo, method: POST, body: {say: hello}}\n"


def seed(host: str = "") -> dict[str, Any]:
    app = {"host": host} if host else {}
    return {
        "accounts": {"alice": {"orgs": {"acme": "admin"}}, "acme": {"type": "org", "plan": "team"}},
        "tokens": {TOKEN: {"account": "alice", "role": "write"}},
        "spaces": {
            "acme/a": {"stage": "RUNNING", "sdk": "docker", "variables": {"COPY": f"it was {SECRET}"}},
            "acme/b": {"stage": "RUNNING", "sdk": "docker", **app},
        },
        "hub": {"time_scale": 600},
    }


def leaks(text: str) -> list[str]:
    forms = {
        SECRET,
        json.dumps(SECRET)[1:-1],
        html.escape(SECRET),
        "canary&#34;",
        TOKEN,
        'canary"S',
        "SECRET",
    }
    return sorted(form for form in forms if form in text)


@pytest.fixture(autouse=True)
def planted(plant: Callable[..., None]) -> None:
    plant(MANIFEST, HF_TOKEN=TOKEN, CANARY=SECRET)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalHub]:
    with LocalHub(seed=seed()) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub


def test_a_variable_with_the_value_of_a_secret_is_shown_nowhere_and_written_as_it_is(
    hub: LocalHub, everything: Callable[[], str], tmp_path: Path
) -> None:
    for args in (
        ["plan", "-vv", "--out", "plan.json"],
        ["plan", "--format", "json"],
        ["plan", "--format", "markdown"],
        ["plan", "--format", "html"],
        ["status", "-vv", "--format", "json"],
        ["watch", "--once", "--log-format", "json"],
        [
            "apply",
            "plan.json",
            "--yes",
            "-vv",
            "--no-wait",
            "--audit-log",
            "audit.ndjson",
            "--format",
            "json",
        ],
        ["plan", "-vv", "--check-endpoints", "--format", "json"],
    ):
        code = run(args)
        said = everything()
        assert not leaks(said), (args, leaks(said))
        assert "COPY" in said, args
    assert "variables.COPY" in (tmp_path / "audit.ndjson").read_text()
    assert hub.space("acme/a")["variables"]["COPY"]["value"] == f"copy of {SECRET}"
    assert code in {0, 4}, "the plan after it is empty"


def test_the_librarys_plans_and_results_hold_no_secret(hub: LocalHub) -> None:
    session = open_session()
    plan = session.plan(to_apply=True)
    assert any(change.key == "COPY" and change.after for change in plan.changes)
    events: list[Any] = []
    result = session.apply(plan.approve(), listener=events.append)
    assert not leaks(repr((plan, result, events)))
    assert not session.plan().changes


@pytest.mark.parametrize("cut", [0, 3000], ids=["short", "long"])
def test_what_an_app_repeats_is_cut_out(
    cut: int, monkeypatch: pytest.MonkeyPatch, everything: Callable[[], str], tmp_path: Path
) -> None:
    (tmp_path / "spaces.yaml").write_text(MANIFEST + ENDPOINT)
    answer = f"{'x' * cut} {SECRET} {TOKEN}"
    body = {"content": {"application/json": {"schema": {"type": "object"}}}}
    echo = {"post": {"summary": answer, "requestBody": body, "responses": {"200": {}}}}
    routes = {
        "/echo": Reply.json({"said": answer, SECRET: [answer]}),
        "/file": Reply(200, answer.encode() + b"\xff", {"content-type": "application/octet-stream"}),
        "/openapi.json": Reply.json({"openapi": "3.1.0", "paths": {"/echo": echo}}),
    }
    app = StandIn(routes, default=Reply.json({"detail": answer}, 404))
    try:
        with LocalHub(seed=seed(app.url)) as hub:
            monkeypatch.setenv("HF_ENDPOINT", hub.url)
            for args in (
                ["call", "acme/b"],
                ["call", "acme/b", "--format", "json"],
                ["call", "acme/b", "--path", "/wrong", "--data", "{}"],
                ["call", "acme/b", "--path", "/file", "--method", "GET", "--output", "files"],
                ["diagnose", "acme/b", "--invoke", "-vv"],
                ["diagnose", "acme/b", "--invoke", "--format", "json"],
                ["plan", "--check-endpoints", "--out", "plan.json"],
            ):
                run(args)
                said = everything()
                assert not leaks(said), (args, leaks(said))
            assert any(seen.path == "/echo" for seen in app.seen), "it was called"
            assert len(list((tmp_path / "files").iterdir())) == 1, "the file was saved"
    finally:
        app.close()


def test_nothing_that_the_action_writes_holds_a_known_secret(hub: LocalHub, tmp_path: Path) -> None:
    workspace = tmp_path / "fleet"
    workspace.mkdir()
    (workspace / "spaces.yaml").write_text(MANIFEST)
    fast = {"HF_ENDPOINT": hub.url, "HFSPACE_POLL_SECONDS": "0.1", "HFSPACE_SETTLE_SECONDS": "0.3"}
    with FakeGitHub() as fake:
        runner = Runner(fake, workspace, fast)
        payload = runner.pull_request(7, SHA["a"])
        planned = runner.job("pull_request", payload, {"token": TOKEN, "env": "CANARY"}, CANARY=SECRET)
        applied = runner.job("push", {}, {"command": "apply", "token": TOKEN, "env": "CANARY"}, CANARY=SECRET)
        comments = json.dumps([comment["body"] for comment in fake.comments.values()])
    for ran in (planned, applied):
        assert ran.code == 0, ran.log
        artifact = Path(ran.outputs["plan-path"]).read_text()
        for text in (ran.log, ran.summary, json.dumps(ran.outputs), artifact, comments):
            assert not leaks(text), text
        assert "COPY" in artifact
        assert "COPY" in ran.summary
    assert "COPY" in comments


def test_an_annotation_holds_no_token_of_this_process(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A workflow command goes past the door before stdout: the runner must read it as it is."""
    save(plan(check("acme/a", "stage", "error", f"it says {TOKEN}")), tmp_path / "plan.json")
    assert run(["github", "annotate", "plan.json"]) == 0
    out, _ = capfd.readouterr()
    assert out.startswith("::error ")
    assert "it says …" in out
    assert not leaks(out)
