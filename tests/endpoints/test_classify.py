"""Every row of the classification table: what a host answers, and what that is called."""

from __future__ import annotations

import time
from contextlib import closing
from http.server import BaseHTTPRequestHandler

import pytest

from hfspace.diagnosis import connect, examine
from hfspace.diagnosis.run import DiagnosisOptions
from hfspace.errors import HubUnreachable, NeedsWrite, RateLimited, Unauthorized
from hfspace.live.gradio.calls import EndpointError
from hfspace.live.gradio.classify import links_of
from hfspace.live.gradio.codes import Code
from hfspace.live.gradio.fetch import AppAnswer
from hfspace.live.gradio.probe import Place, look, read_app
from hfspace.live.gradio.served import read_space_app
from hfspace.manifest.models import EndpointSpec
from hfspace.model import Details, SpaceState
from tests.endpoints.conftest import Serve
from tests.endpoints.hub import MemoryHub
from tests.endpoints.stand_in import Reply, StandIn, gradio_routes

HEALTH = Reply.json({"openapi": "3.1.0", "info": {}, "paths": {"/health": {"get": {"responses": {}}}}})

LINK = '<https://huggingface.co/spaces/acme/real>;rel="canonical"'
IN_ERROR = "Your space is in error, check its status on hf.co"
NO_PAGE = "<h1>404</h1><p>Sorry, we can't find the page you are looking for.</p>"
TGI = {"model_id": "HuggingFaceH4/zephyr", "version": "2.0", "max_input_tokens": 1024}

REFUSED = "does not accept direct HTTP POST requests."

ROWS = [
    ("proxy 401", Reply.html("Unauthorized", 401), Code.PRIVATE_NO_TOKEN),
    ("app 401", Reply.json({"detail": "Not authenticated"}, 401), Code.APP_LOGIN),
    ("app 401 of Gradio 6", Reply.json({"detail": {"error": "Not authenticated"}}, 401), Code.APP_LOGIN),
    ("proxy 403", Reply.html("Forbidden", 403), Code.WRONG_ROLE),
    ("app 403", Reply.json({"detail": "no"}, 403, **{"x-proxied-host": "http://10.0.0.1"}), Code.APP_LOGIN),
    ("no such host", Reply.html(NO_PAGE, 404), Code.WRONG_SUBDOMAIN),
    ("429", Reply.html("slow down", 429, **{"retry-after": "41"}), Code.RATE_LIMITED),
    ("503 of the proxy", Reply.html(IN_ERROR, 503), Code.PROXY_UNREACHABLE),
    ("502", Reply.html("Bad gateway", 502), Code.PROXY_UNREACHABLE),
    ("500 of the app", Reply.json({"error": "x"}, 500), Code.NOT_UNDERSTOOD),
    ("redirect", Reply(307, b"", {"location": "https://evil.example/config"}), Code.NOT_UNDERSTOOD),
    ("login page", Reply.html('window.gradio_config = {"auth_required":true}'), Code.APP_LOGIN),
    ("streamlit", Reply.html("<title>Streamlit</title>"), Code.NOT_GRADIO),
    ("static page", Reply.html("<h1>hello</h1>"), Code.NOT_GRADIO),
    ("not JSON", Reply(200, b"{nope", {"content-type": "application/json"}), Code.NOT_UNDERSTOOD),
    ("another app's config", Reply.json({"theme": "dark"}), Code.NOT_GRADIO),
    ("queue only", Reply.json({"detail": f"This API endpoint {REFUSED}"}, 404), Code.QUEUE_ONLY),
]  # fmt: skip


@pytest.mark.parametrize(("reply", "code"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_each_answer_of_a_host_has_its_verdict(serve: Serve, reply: Reply, code: Code) -> None:
    host = serve({}, default=reply)

    found = examine(host.url, MemoryHub())

    assert found.verdict.code is code
    assert found.verdict.seen
    assert found.verdict.why
    assert found.exit_code in {1, 2}
    assert any(host.url in line for line in found.verdict.evidence)


def test_a_401_after_a_token_was_sent_is_a_wrong_token(serve: Serve) -> None:
    host = serve({}, default=Reply.html("Unauthorized", 401))

    reading = look(Place(host=host.url, token="hf_x"))

    assert reading.sight is not None
    assert reading.sight.code is Code.WRONG_TOKEN


def test_the_retry_after_of_a_429_is_told(serve: Serve) -> None:
    host = serve({}, default=Reply.html("slow down", 429, **{"retry-after": "41"}))

    assert "41 s" in examine(host.url, MemoryHub()).verdict.seen


def test_the_canonical_link_names_the_real_space(serve: Serve) -> None:
    host = serve({}, default=Reply.html(NO_PAGE, 404, link=LINK))

    found = examine(host.url, MemoryHub())

    assert found.space == "acme/real"
    assert "acme/real" in found.verdict.seen
    assert found.verdict.todo == "Use it: hfspace diagnose acme/real"


def test_a_503_while_the_hub_says_running_names_the_port(serve: Serve) -> None:
    host = serve({}, default=Reply.html(IN_ERROR, 503))
    hub = MemoryHub(
        spaces={"acme/x": SpaceState(id="acme/x", sdk="docker", stage="RUNNING", host=host.url)},
        cards={"acme/x": {"app_port": 8000}},
    )

    found = examine("acme/x", hub)

    assert found.verdict.code is Code.PROXY_UNREACHABLE
    assert "8000" in found.verdict.why
    assert "127.0.0.1" in found.verdict.why


def test_tgi_is_not_taken_for_gradio_although_its_info_is_json(serve: Serve) -> None:
    host = serve({"/info": Reply.json(TGI)})

    found = examine(host.url, MemoryHub())

    assert found.app is not None
    assert found.app.kind == "tgi"
    assert [endpoint.name for endpoint in found.app.endpoints if not endpoint.hidden] == ["/generate"]
    assert found.exit_code == 0


def test_a_gradio_app_below_a_usual_path_is_found_and_called_mounted(serve: Serve) -> None:
    host = serve(dict(gradio_routes("plain", "6.31.0", "/demo")))

    found = examine(host.url, MemoryHub())

    assert found.verdict.code is Code.MOUNTED_BELOW
    assert found.base == f"{host.url}/demo"
    assert "base_path: /demo" in found.verdict.todo


@pytest.mark.parametrize(
    "root",
    [
        Reply.html(
            '<a href="/imprint">x</a><iframe src="/very/odd/"></iframe><a href="https://else.test/w">y</a>'
        ),
        Reply.html("<a HREF = 'very/odd?x=1'>go</a>"),
        Reply(307, b"", {"location": "/very/odd/"}),
    ],
)
def test_a_gradio_app_to_which_the_page_leads_is_found(serve: Serve, root: Reply) -> None:
    host = serve({**dict(gradio_routes("plain", "6.31.0", "/very/odd")), "/": root})

    found = examine(host.url, MemoryHub())

    assert found.verdict.code is Code.MOUNTED_BELOW
    assert "base_path: /very/odd" in found.verdict.todo


def test_a_gradio_space_whose_mount_nothing_tells_says_what_to_write(serve: Serve) -> None:
    host = serve({**dict(gradio_routes("plain", "6.31.0", "/very/odd")), "/": Reply.html("<p>nothing</p>")})
    hub = MemoryHub(spaces={"acme/x": SpaceState(id="acme/x", sdk="gradio", stage="RUNNING", host=host.url)})

    found = examine("acme/x", hub)

    assert found.exit_code == 2
    assert f"hfspace diagnose {host.url}/PATH" in found.verdict.todo
    assert "base_path: /PATH" in found.verdict.todo


def test_links_of_a_page_are_few_and_its_own() -> None:
    page = (
        "".join(f'<a href="/p{number}">' for number in range(5000))
        + '<a href="//else.test/x"><a href="http://[">'
    )
    links = links_of(AppAnswer(url="https://a.test/", status=200, body=page.encode()))
    assert links[:2] == ("/p0", "/p1")
    assert all(link.startswith("/p") for link in links)


def test_a_typed_mount_is_no_problem(serve: Serve) -> None:
    host = serve(dict(gradio_routes("plain", "6.31.0", "/very/odd")))

    found = examine(f"{host.url}/very/odd", MemoryHub())

    assert found.verdict.code is Code.HEALTHY
    assert found.call_url == f"{host.url}/very/odd/gradio_api/call/add"


@pytest.mark.parametrize("sdk", ["gradio", "docker"])
def test_the_base_path_of_the_card_is_used_by_diagnosis_and_plan(serve: Serve, sdk: str) -> None:
    host = serve({"/openapi.json": HEALTH, **dict(gradio_routes("plain", "6.31.0", "/deep"))})
    card = Details(base_path="/deep")
    state = SpaceState(id="acme/x", sdk=sdk, stage="RUNNING", host=host.url, details=card)

    app = read_space_app(state, hub_endpoint="https://huggingface.co", token=None)

    assert app.kind == "gradio"
    assert app.endpoints[0].url == f"{host.url}/deep/gradio_api/call/add"
    hub = MemoryHub(spaces={"acme/x": state}, cards={"acme/x": {"base_path": "/deep"}})
    assert examine("acme/x", hub).verdict.code is Code.HEALTHY


def test_a_card_whose_base_path_leads_nowhere_does_not_hide_the_app_at_the_root(serve: Serve) -> None:
    host = serve(dict(gradio_routes("plain", "6.31.0")))
    card = Details(base_path="/docs")
    state = SpaceState(id="acme/x", sdk="gradio", stage="RUNNING", host=host.url, details=card)

    assert read_space_app(state, hub_endpoint="https://huggingface.co", token=None).kind == "gradio"


def test_a_web_app_at_the_root_of_a_gradio_space_is_not_called_in_its_place(serve: Serve) -> None:
    host = serve({"/openapi.json": HEALTH})
    state = SpaceState(id="acme/x", sdk="gradio", stage="RUNNING", host=host.url)

    with pytest.raises(EndpointError, match="root of its host is another web app"):
        connect("acme/x", hub=MemoryHub(spaces={"acme/x": state}), manifest=None)
    assert [seen.path for seen in host.seen if "health" in seen.path] == []


def test_a_public_space_that_answers_401_has_a_login_of_its_own(serve: Serve) -> None:
    host = serve({}, default=Reply.html("<form>Sign in</form>", 401))
    state = SpaceState(id="acme/x", sdk="docker", stage="RUNNING", host=host.url, visibility="public")

    assert examine("acme/x", MemoryHub(spaces={"acme/x": state})).verdict.code is Code.APP_LOGIN
    app = read_space_app(state, hub_endpoint="https://huggingface.co", token=None)
    assert "login of its own" in app.problem


class Guarded(StandIn):
    """Lets in who has the cookie of its login."""

    def send(self, handler: BaseHTTPRequestHandler, reply: Reply) -> None:
        inside = handler.path == "/login" or handler.headers.get("cookie") == "session=1"
        super().send(handler, reply if inside else Reply.json({"detail": "Not authenticated"}, 401))


def test_an_http_app_behind_a_login_is_asked_and_called_with_its_cookies() -> None:
    login = Reply.json({"success": True}, **{"set-cookie": "session=1; Path=/"})
    routes = {"/openapi.json": HEALTH, "/health": Reply.json("up"), "/hidden": Reply.json("there")}
    with closing(Guarded({"/login": login, **routes})) as app:
        options = DiagnosisOptions(auth=("mira", "a word"))
        hidden = EndpointSpec(path="/hidden")
        assert examine(app.url, MemoryHub(), endpoint=hidden, options=options).verdict.code is Code.HEALTHY
        with connect(app.url, auth=("mira", "a word"), hub=MemoryHub(), manifest=None) as connection:
            assert connection.call() == "up"


def test_the_base_path_of_the_card_is_used(serve: Serve) -> None:
    host = serve(dict(gradio_routes("plain", "6.31.0", "/deep")))
    space = SpaceState(id="acme/x", sdk="gradio", stage="RUNNING", host=host.url)
    hub = MemoryHub(spaces={"acme/x": space}, cards={"acme/x": {"base_path": "/deep"}})

    assert examine("acme/x", hub).verdict.code is Code.HEALTHY


@pytest.mark.parametrize(
    ("error", "token", "code", "exit_code"),
    [
        (Unauthorized("no", status=401), None, Code.MISSING_OR_PRIVATE, 2),
        (Unauthorized("no", status=401), "hf_x", Code.WRONG_TOKEN, 2),
        (NeedsWrite("no", status=403), "hf_x", Code.WRONG_ROLE, 2),
        (RateLimited("no", reset_in=3), None, Code.RATE_LIMITED, 1),
        (HubUnreachable("no"), None, Code.UNREACHABLE, 1),
        (None, None, Code.MISSING_OR_PRIVATE, 2),
    ],
)
def test_what_the_hub_refuses_is_explained_and_no_host_is_asked(error, token, code, exit_code) -> None:
    found = examine("acme/none", MemoryHub(error=error, token=token))

    assert found.verdict.code is code
    assert found.exit_code == exit_code
    assert found.requests == 1


# ------------------------------------------------------------------ hosts that misbehave


def test_a_page_of_50_mb_is_cut_and_told(serve: Serve) -> None:
    host = serve({}, default=Reply.html("<p>" + "x" * (50 << 20)))

    found = examine(host.url, MemoryHub())

    assert found.verdict.code is Code.NOT_UNDERSTOOD
    assert "larger than 8 MiB" in found.verdict.seen


def test_an_endless_body_ends(serve: Serve) -> None:
    host = serve({}, default=Reply(200, endless=True, headers={"content-type": "application/json"}))
    started = time.monotonic()

    app = read_app(host.url, timeout=0.5, max_bytes=1 << 30)

    assert "did not finish its answer within 0.5 s" in app.problem
    assert time.monotonic() - started < 5


def test_a_compressed_bomb_is_cut(serve: Serve) -> None:
    import gzip

    bomb = gzip.compress(b"0" * (60 << 20))
    host = serve(
        {}, default=Reply(200, bomb, {"content-encoding": "gzip", "content-type": "application/json"})
    )

    assert "larger than 1 MiB" in read_app(host.url, max_bytes=1 << 20).problem


def test_a_host_that_never_answers_is_given_up(serve: Serve) -> None:
    host = serve({}, default=Reply(hang=30))

    found = examine(host.url, MemoryHub(), options=DiagnosisOptions(timeout=0.3))

    assert found.verdict.code is Code.UNREACHABLE
    assert found.exit_code == 1
    assert found.seconds < 5


def test_a_name_that_does_not_resolve_is_one_sentence() -> None:
    found = examine("http://no-such-host.invalid/config", MemoryHub())

    assert found.verdict.code is Code.UNREACHABLE
    assert found.verdict.seen == "The name no-such-host.invalid does not resolve."


def test_a_closed_port_is_one_sentence() -> None:
    assert examine("http://127.0.0.1:9", MemoryHub()).verdict.seen == "127.0.0.1:9 refuses connections."


def test_plain_http_behind_an_https_url_is_one_sentence(serve: Serve) -> None:
    host = serve()

    found = examine(host.url.replace("http:", "https:"), MemoryHub())

    assert found.verdict.code is Code.UNREACHABLE
    assert "TLS" in found.verdict.seen


@pytest.mark.parametrize(
    "config",
    [
        {"version": "6.0.0", "dependencies": "none"},
        {
            "version": "6.0.0",
            "dependencies": [1, None, {"api_name": 7}, {"api_name": "x", "inputs": [[], {}]}],
        },
        {
            "version": "6.0.0",
            "dependencies": [{"api_name": "x", "inputs": [1]}],
            "components": [{"id": 1, "props": 3}],
        },
        {"version": "\x1b[31m6", "dependencies": [], "components": {"a": 1}},
        {"version": "x", "api_prefix": 5, "dependencies": [{"api_name": "\x1b]0;evil\x07"}]},
        [],
        None,
    ],
)
def test_an_odd_config_never_breaks_the_reading(serve: Serve, config: object) -> None:
    host = serve(
        {"/config": Reply.json(config), "/gradio_api/info": Reply.json({"named_endpoints": {"/x": 5}})}
    )

    found = examine(host.url, MemoryHub())

    assert found.verdict.seen.isprintable()
