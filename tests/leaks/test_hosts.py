"""The token, and what is secret in a request, reach the Hub's host and no other: sniffed on the wire."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hfspace.cli.main import run
from hfspace.live import transport
from hfspace.live.hub import connect
from tests.leaks.parrot import Manner, Seen, serve

TOKEN = "hf_local_canaryTOKEN0123"
SECRET = "canarySECRET0123"
MANIFEST = """version: 1
spaces:
  acme/a: {secrets: {KEY: {env: CANARY}}}
  acme/b: {hardware: t4-small}
  acme/c: {hardware: t4-small}
"""


@pytest.fixture(autouse=True)
def planted(plant: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    plant(MANIFEST, HF_TOKEN=TOKEN, CANARY=SECRET)
    monkeypatch.setattr(transport, "ATTEMPTS", 1)


def leaked(seen: list[Seen]) -> list[str]:
    return [
        f"{one.method} {one.path}"
        for one in seen
        if any(canary in one.headers + one.body + one.path for canary in (TOKEN, SECRET))
        or "authorization" in one.headers.lower()
    ]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_read_that_is_sent_to_another_host_goes_without_the_token(
    status: int, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    stranger = Manner()
    with serve(stranger) as other:
        hub = Manner(status=status, reads=True, elsewhere=other)
        with serve(hub) as url:
            monkeypatch.setenv("HF_ENDPOINT", url)
            for args in (["plan"], ["apply", "--yes"], ["status"], ["show", "acme/a"], ["logs", "acme/a"]):
                run(args)
    assert stranger.seen, "it was followed, so there was something to leak"
    assert leaked(stranger.seen) == []
    assert all(TOKEN in one.headers for one in hub.seen if "whoami" in one.path)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_write_is_not_sent_to_another_host_at_all(
    status: int, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A 307 keeps the method and the body: the secret itself went there."""
    stranger = Manner()
    with serve(stranger) as other:
        hub = Manner(status=status, elsewhere=other)
        with serve(hub) as url:
            monkeypatch.setenv("HF_ENDPOINT", url)
            assert run(["apply", "--yes", "--no-wait"]) == 1
    out, err = capfd.readouterr()
    assert any(SECRET in one.body for one in hub.seen)
    assert stranger.seen == []
    assert "sends us to another host" in out + err
    assert SECRET not in out + err


def test_a_write_may_be_redirected_on_its_own_host(capfd: pytest.CaptureFixture[str]) -> None:
    """A renamed Space answers 307 on the same host: such a write arrives."""
    hub = Manner(status=307, elsewhere="http://127.0.0.1:1")
    with serve(hub) as url:
        hub.elsewhere = url + "/moved"
        client = connect(url, TOKEN)
        from hfspace.errors import HubError

        with pytest.raises(HubError):  # it is sent round for ever, and that ends
            client.pause("acme/a")
    assert len([one for one in hub.seen if one.method == "POST"]) > 1


def test_the_next_page_of_a_listing_on_another_host_is_read_without_the_token(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """huggingface_hub follows the Link header with the headers of the first page."""
    stranger = Manner()
    with serve(stranger) as other, serve(Manner(next_page=f"{other}/api/spaces?cursor=2")) as url:
        monkeypatch.setenv("HF_ENDPOINT", url)
        run(["plan"])
    assert stranger.seen
    assert leaked(stranger.seen) == []


@pytest.mark.parametrize("scheme", ["http://127.0.0.1.evil.test", "http://127.0.0.1@evil.test"])
def test_a_host_that_only_looks_like_the_endpoint_is_another_one(scheme: str) -> None:
    assert not transport._same_place(f"{scheme}/api", "http://127.0.0.1")


@pytest.mark.parametrize(
    ("url", "home", "same"),
    [
        ("https://huggingface.co/api", "https://huggingface.co", True),
        ("https://huggingface.co:443/api", "https://huggingface.co", True),
        ("https://HuggingFace.co/api", "https://huggingface.co", True),
        ("https://hub.test/api", "http://hub.test", True),
        ("http://huggingface.co/api", "https://huggingface.co", False),
        ("https://huggingface.co:8443/api", "https://huggingface.co", False),
        ("https://cdn.huggingface.co/api", "https://huggingface.co", False),
        ("https://huggingface.co.evil.test/", "https://huggingface.co", False),
        ("http://127.0.0.1:1/", "http://127.0.0.1:2", False),
        ("http://[::1/", "http://127.0.0.1:2", False),
    ],
)
def test_what_is_the_same_place(url: str, home: str, same: bool) -> None:
    assert transport._same_place(url, home) is same


def test_a_space_that_names_another_host_than_its_own_gets_no_token(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The app of a Space redirects elsewhere: nobody follows."""
    from hfspace.localhub import LocalHub

    stranger = Manner()
    with serve(stranger) as other, serve(Manner(status=307, reads=True, elsewhere=other)) as app:
        seed = {
            "tokens": {TOKEN: {"account": "alice", "role": "write"}},
            "accounts": {"alice": {}},
            "spaces": {"alice/x": {"stage": "RUNNING", "visibility": "private", "host": app}},
        }
        Path("spaces.yaml").write_text("version: 1\nspaces: {alice/x: {endpoint: {api_name: /predict}}}\n")
        with LocalHub(seed=seed) as hub:
            monkeypatch.setenv("HF_ENDPOINT", hub.url)
            for args in (["plan", "--check-endpoints"], ["diagnose", "alice/x"], ["call", "alice/x", '"a"']):
                run(args)
    assert leaked(stranger.seen) == []
