"""Where the token goes: sniffed on the wire, through the real Hub client and the real gradio_client."""

from __future__ import annotations

import pytest

from hfspace.diagnosis import DiagnosisOptions, examine
from hfspace.live.gradio.tokens import host_token
from hfspace.live.hub import HubClient, connect
from hfspace.manifest.models import EndpointSpec
from tests.endpoints.conftest import Serve
from tests.endpoints.stand_in import Reply, StandIn, gradio_routes

TOKEN = "hf_sniffed_0123456789"
SECRET_HEADERS = {"authorization", "x-hf-authorization", "cookie", "x-ip-token"}


@pytest.fixture(autouse=True)
def _token_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ambient token is there to be leaked."""
    monkeypatch.setenv("HF_TOKEN", TOKEN)


def hub_for(
    serve: Serve, host: str, *, private: bool, token: str | None = TOKEN
) -> tuple[HubClient, StandIn]:
    told = {
        "id": "acme/x", "sdk": "gradio", "private": private, "host": host, "subdomain": "acme-x",
        "runtime": {"stage": "RUNNING", "hardware": {"current": "cpu-basic", "requested": "cpu-basic"}},
        "cardData": {"sdk": "gradio", "sdk_version": "6.31.0"},
    }  # fmt: skip
    hub = serve({"/api/spaces/acme/x": Reply.json(told)})
    return connect(hub.url, token), hub


def leaked(host: StandIn) -> list[str]:
    """Every header of every request in which the token, or anything like one, travelled."""
    return [
        f"{seen.method} {seen.path} {key}"
        for seen in host.seen
        for key, value in seen.headers.items()
        if TOKEN in value or key in SECRET_HEADERS
    ]


def test_a_public_space_gets_no_token(serve: Serve) -> None:
    host = serve(dict(gradio_routes("plain", "6.31.0")))
    hub, wire = hub_for(serve, host.url, private=False)

    found = examine("acme/x", hub)

    assert found.exit_code == 0
    assert len(host.seen) == 2
    assert leaked(host) == []
    assert wire.seen[0].headers["authorization"] == f"Bearer {TOKEN}"


def test_a_private_space_gets_it_as_authorization_and_in_no_other_header(serve: Serve) -> None:
    host = serve(dict(gradio_routes("plain", "6.31.0")))
    hub, _ = hub_for(serve, host.url, private=True)

    examine("acme/x", hub)

    assert sorted(leaked(host)) == ["GET /config authorization", "GET /gradio_api/info authorization"]


def test_zero_gpu_quota_sends_it_to_a_public_space(serve: Serve) -> None:
    host = serve(dict(gradio_routes("plain", "6.31.0")))
    hub, _ = hub_for(serve, host.url, private=False)

    examine("acme/x", hub, options=DiagnosisOptions(zero_gpu=True))

    assert len(leaked(host)) == 2


def test_a_typed_url_never_gets_it_although_it_answers_401(serve: Serve) -> None:
    host = serve({}, default=Reply.html("no", 401))
    hub, _ = hub_for(serve, host.url, private=True)

    examine(f"{host.url}/api/predict", hub)

    assert host.seen
    assert leaked(host) == []


def test_a_host_that_claims_to_be_a_private_space_of_ours_gets_nothing(serve: Serve) -> None:
    real = serve({})
    hub, _ = hub_for(serve, real.url, private=True)
    link = '<https://huggingface.co/spaces/acme/x>;rel="canonical"'
    liar = serve({}, default=Reply.html("no", 401, link=link))

    examine(liar.url, hub)

    assert leaked(liar) == []
    assert real.seen == []


def test_a_redirect_of_the_private_host_is_not_followed(serve: Serve) -> None:
    elsewhere = serve({})
    host = serve({}, default=Reply(307, b"", {"location": f"{elsewhere.url}/config"}))
    hub, _ = hub_for(serve, host.url, private=True)

    examine("acme/x", hub)

    assert host.seen
    assert elsewhere.seen == []


def test_a_real_call_sends_nothing_to_a_public_space_and_one_header_to_a_private_one(serve: Serve) -> None:
    spec = EndpointSpec(api_name="/add", example=[1, 2])
    for private in (False, True):
        host = serve(dict(gradio_routes("plain", "6.31.0")))
        hub, _ = hub_for(serve, host.url, private=private)

        found = examine("acme/x", hub, endpoint=spec, options=DiagnosisOptions(invoke=True))

        # The stand-in has no queue: the call fails, after gradio_client said all that it says at the start.
        assert found.invocation is not None
        assert not found.invocation.ok
        assert any(seen.path.startswith("/gradio_api/queue/join") for seen in host.seen)
        assert {line.split()[-1] for line in leaked(host)} == ({"authorization"} if private else set())


@pytest.mark.parametrize(
    ("host", "hub", "sent"),
    [
        ("https://acme-x.hf.space", "https://huggingface.co", True),
        ("http://acme-x.hf.space", "https://huggingface.co", False),
        ("https://acme-x.hf.space.evil.example", "https://huggingface.co", False),
        ("https://evilhf.space", "https://huggingface.co", False),
        ("https://hf.space", "https://huggingface.co", False),
        ("https://acme-x.hf.space:8443", "https://huggingface.co", False),
        ("https://user@acme-x.hf.space", "https://huggingface.co", False),
        ("https://demo.acme.org", "https://huggingface.co", False),
        ("http://127.0.0.1:7860", "https://huggingface.co", False),
        ("http://127.0.0.1:7860", "http://127.0.0.1:8000", True),
        ("http://10.0.0.1:7860", "http://127.0.0.1:8000", False),
        ("https://acme-x.hf.space", "http://127.0.0.1:8000", False),
        ("https://acme-x.hf.space", "https://127.0.0.1:8000", False),
        ("https://acme-x.hf.space", "http://127.1.2.3:8000", False),
        ("https://acme-x.hf.space", "http://[::1]:8000", False),
        ("http://127.0.0.1:7860", "http://hub.example", False),
    ],
)
def test_the_hosts_that_may_get_a_token(host: str, hub: str, sent: bool) -> None:
    assert host_token(host, hub_endpoint=hub, needed=True, token=TOKEN) == (TOKEN if sent else None)
    assert host_token(host, hub_endpoint=hub, needed=False, token=TOKEN) is None


def test_a_declared_route_is_looked_for_with_the_token_only_where_it_is_needed(serve: Serve) -> None:
    for private in (False, True):
        elsewhere = serve({})
        away = Reply(302, b"", {"location": f"{elsewhere.url}/health"})
        host = serve({"/health": Reply.json({}), "/moved": away})
        hub, _ = hub_for(serve, host.url, private=private)

        assert examine("acme/x", hub, endpoint=EndpointSpec(path="/health")).exit_code == 0
        assert examine("acme/x", hub, endpoint=EndpointSpec(path="/moved")).exit_code == 2

        with_token = leaked(host)
        assert ("GET /health authorization" in with_token) == private
        assert ("GET /moved authorization" in with_token) == private
        assert {item.rpartition(" ")[2] for item in with_token} <= {"authorization"}
        assert elsewhere.seen == []
