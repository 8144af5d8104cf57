"""Which token goes with which request, when each Space has one of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hfspace.cli.main import run
from hfspace.errors import NotTrusted, Unauthorized
from hfspace.live.access import Keyless, Stored, access
from hfspace.live.hub import connect
from hfspace.localhub import LocalHub
from hfspace.model import Account
from tests.github.fake import FakeGitHub
from tests.github.test_action import SEED


def keyless(asked: list[str]) -> Keyless:
    def exchange(space: str) -> str:
        asked.append(space)
        return f"token-of-{space}"

    return Keyless(exchange, Account(name="octo/fleet", role="oidc"))


def test_a_public_space_is_read_without_a_token_and_its_app_never_sees_one() -> None:
    asked: list[str] = []
    door = keyless(asked)
    assert door.read("acme/open", lambda auth: auth) is False
    assert door.app("acme/open") is None
    assert asked == []
    assert door.settings("acme/open") == "token-of-acme/open"
    assert door.app("acme/open") is None


def test_a_private_space_is_asked_for_anonymously_once() -> None:
    asked: list[object] = []

    def ask(auth: object) -> str:
        asked.append(auth)
        if auth is False:
            raise Unauthorized("no")
        return "seen"

    door = keyless([])
    assert [door.read("acme/closed", ask) for _ in range(2)] == ["seen", "seen"]
    assert asked == [False, "token-of-acme/closed", "token-of-acme/closed"]
    assert door.app("acme/closed") == "token-of-acme/closed"


def test_a_token_that_was_found_wins_and_nothing_means_anonymous() -> None:
    env = {"ACTIONS_ID_TOKEN_REQUEST_URL": "https://x", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "y"}
    assert access("hf_x", "https://hub", env) == Stored(token="hf_x")
    assert access(None, "https://hub", {}) == Stored(token=None)
    found = access(None, "https://hub", {**env, "GITHUB_REPOSITORY": "octo/fleet"})
    assert found.account == Account(name="octo/fleet", role="oidc")


@pytest.fixture
def hub() -> Iterator[LocalHub]:
    with LocalHub(seed=SEED) as hub:
        yield hub


def test_on_the_local_hub(hub: LocalHub) -> None:
    with FakeGitHub() as github:
        client = connect(hub.url, None, env={**github.identity_env(), "GITHUB_REPOSITORY": "octo/fleet"})
        assert client.space("acme/open").visibility == "public"
        assert github.audiences == []
        assert client.space("acme/closed").visibility == "private"
        client.pause("acme/closed")
        assert len(github.audiences) == 1
        with pytest.raises(NotTrusted, match="acme/distrustful has no trusted publisher"):
            client.pause("acme/distrustful")
    assert hub.space("acme/closed")["stage"] == "PAUSED"


def test_another_repository_is_not_trusted(hub: LocalHub) -> None:
    with FakeGitHub("mallory/fleet") as github:
        client = connect(hub.url, None, env=github.identity_env())
        with pytest.raises(NotTrusted, match="No trusted publisher of this repository matches"):
            client.pause("acme/open")
        with pytest.raises(NotTrusted):
            client.space("acme/closed")


def test_doctor_tries_the_exchange(
    hub: LocalHub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: object
) -> None:
    monkeypatch.chdir(str(tmp_path))
    with open("spaces.yaml", "w") as file:
        file.write("version: 1\nspaces:\n  acme/open: {}\n  acme/distrustful: {}\n")
    for name in ("HF_TOKEN", "HUGGINGFACE_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with FakeGitHub() as github:
        env = {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path), "GITHUB_REPOSITORY": "octo/fleet"}
        for name, value in {**env, **github.identity_env()}.items():
            monkeypatch.setenv(name, value)
        assert run(["doctor"]) == 1
        said = capsys.readouterr().out
        assert "acme/open: yes: this job's identity was exchanged for a token" in said
        assert "acme/distrustful: no: acme/distrustful has no trusted publisher" in said
        assert run(["list"]) == 1
        assert "Whose Spaces?" in capsys.readouterr().err
