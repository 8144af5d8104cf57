"""A declared endpoint against what real versions serve: what is said, and which fix is proposed."""

from __future__ import annotations

import pytest

from hfspace.diagnosis import connect, examine
from hfspace.errors import UsageError
from hfspace.facets import Desired
from hfspace.facets.endpoint import Endpoint
from hfspace.live.gradio.codes import Code
from hfspace.live.gradio.config import gradio_app, read_config
from hfspace.live.gradio.contract import check
from hfspace.live.gradio.findings import Fix
from hfspace.live.gradio.openapi import openapi_app, tgi_app
from hfspace.live.gradio.undescribed import question
from hfspace.manifest.models import EndpointSpec, Manifest, Policy, SpaceSpec
from hfspace.model import Check, ManifestRef, ServedApp, Source, SpaceState
from tests.endpoints.conftest import Serve
from tests.endpoints.hub import MemoryHub
from tests.endpoints.stand_in import gradio_routes, recorded

VERSIONS = ("3.50.2", "4.44.1", "5.50.0", "6.31.0")
BASE = "https://acme-x.hf.space"


def served(app: str, version: str) -> ServedApp:
    told = recorded(app, version)
    config = read_config(told["config"])
    assert config is not None
    return gradio_app(config, told["info"], BASE)


def only(spec: EndpointSpec, app: ServedApp) -> tuple[str, str, Fix | None]:
    (finding,) = check(spec, app)
    return finding.code, finding.message, finding.fix


OPENAPI = {
    "openapi": "3.1.0",
    "info": {"title": "generator", "version": "1"},
    "paths": {
        "/generate": {
            "post": {"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/s/Inputs"}}}}}
        },
        "/api/generate": {
            "post": {"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/s/Data"}}}}}
        },
    },
    "s": {
        "Inputs": {
            "properties": {"inputs": {"type": "string"}, "parameters": {"$ref": "#/s/Parameters"}},
            "required": ["inputs"],
        },
        "Parameters": {
            "type": "object",
            "properties": {"max_new_tokens": {"type": "integer", "maximum": 512}},
        },
        "Data": {
            "properties": {"data": {"type": "array", "items": {"type": "string"}}},
            "required": ["data"],
        },
    },
}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_fitting_declaration_has_no_findings(version: str) -> None:
    example = ["hello", 25, 0.1, "greedy", False]

    assert check(EndpointSpec(api_name="/generate", example=example), served("shapes", version)) == ()


@pytest.mark.parametrize(
    ("version", "url"),
    [
        ("3.50.2", f"{BASE}/run/upper"),
        ("4.44.1", f"{BASE}/call/upper"),
        ("5.50.0", f"{BASE}/gradio_api/call/upper"),
        ("6.31.0", f"{BASE}/gradio_api/call/upper"),
    ],
)
def test_the_canonical_url_depends_on_the_version(version: str, url: str) -> None:
    upper = next(item for item in served("shapes", version).endpoints if item.name == "/upper")

    assert upper.url == url


@pytest.mark.parametrize("version", VERSIONS)
def test_ranges_choices_states_and_generators_are_read(version: str) -> None:
    app = {item.name: item for item in served("shapes", version).endpoints}
    generate = app["/generate"].parameters

    assert (generate[1].schema["minimum"], generate[1].schema["maximum"]) == (1, 512)
    assert generate[3].schema["enum"] == ["greedy", "sample"]
    assert [item.component for item in app["/remember"].parameters] == ["textbox", "state"]
    assert app["/count"].generator
    assert not app["/upper"].generator


@pytest.mark.parametrize("version", ["4.44.1", "5.50.0", "6.31.0"])
def test_a_hidden_endpoint_is_known_but_not_listed_and_may_be_declared(version: str) -> None:
    app = served("shapes", version)

    assert next(item for item in app.endpoints if item.name == "/whoami").hidden
    assert check(EndpointSpec(api_name="/whoami", example=[]), app) == ()


def test_gradio_6_names_an_interface_after_its_function_and_the_fix_says_so() -> None:
    code, message, fix = only(EndpointSpec(api_name="/predict"), served("plain", "6.31.0"))

    assert code == "not_served"
    assert "since Gradio 6" in message
    assert fix == Fix(key="api_name", value="/add")


@pytest.mark.parametrize("version", VERSIONS[:3])
def test_before_gradio_6_an_interface_is_predict(version: str) -> None:
    assert check(EndpointSpec(api_name="/predict", example=[1, 2]), served("plain", version)) == ()


@pytest.mark.parametrize("path", ["/api/predict", "/run/predict", "/run", "/predict"])
@pytest.mark.parametrize("version", VERSIONS[:3])
def test_a_path_of_the_old_guides_becomes_the_api_name(version: str, path: str) -> None:
    (finding,) = check(EndpointSpec(path=path, example=[1, 2]), served("plain", version))

    assert finding.code == "obsolete_path"
    assert finding.fix == Fix(key="path", value="/predict", rename="api_name")


def test_the_old_path_of_a_renamed_endpoint_becomes_the_new_name() -> None:
    _, _, fix = only(EndpointSpec(path="/api/predict"), served("plain", "6.31.0"))

    assert fix == Fix(key="path", value="/add", rename="api_name")


S = EndpointSpec  # the tables below are wide
GEN = "/generate"
TOO_MANY = {"max_new_tokens": 999}

PAYLOADS = [
    (S(api_name="/genrate"), "not_served", "does not serve /genrate", Fix(key="api_name", value="/generate")),
    (S(api_name="generate", example=["a"]), None, "", None),
    (S(api_name="/nothing-like-it"), "not_served", "does not serve", None),
    (S(api_name="/upper", payload="inputs"), "payload", "422", Fix(key="payload", value="data")),
    (S(api_name="/upper", example=[]), "arity", "takes 1 value, not 0", None),
    (S(api_name="/upper", example=["a", "b"]), "arity", "takes 1 value, not 2", None),
    (S(api_name="/upper", example={"data": ["a"]}), None, "", None),
    (S(api_name="/upper", example="a"), None, "", None),
    (S(api_name="/remember", example=["a"]), None, "", None),
    (S(api_name=GEN, example=["a"]), None, "", None),
    (S(api_name=GEN, example={"prompt": "a"}), None, "", None),
    (S(api_name=GEN, example={"promt": "a", "prompt": "b"}), "unknown_argument", "no parameter promt", None),
    (S(api_name=GEN, example={"verbose": True}), "missing_argument", "needs prompt", None),
    (S(api_name="/size", example=["photo.png"]), None, "", None),
    (S(api_name="/size", example=[{"url": 1}]), "value", "path is missing", None),
    (S(api_name="/upper", example=["a"], expect={"type": "strin"}), "expect", "not a JSON Schema", None),
    (S(example=["a"]), "no_name", "neither api_name nor path", None),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "code", "text", "fix"), PAYLOADS)
@pytest.mark.parametrize("version", ["4.44.1", "5.50.0", "6.31.0"])
def test_payloads(version: str, spec: EndpointSpec, code: str | None, text: str, fix: Fix | None) -> None:
    findings = check(spec, served("shapes", version))

    assert [item.code for item in findings] == ([code] if code else [])
    if code:
        assert text in findings[0].message
        assert findings[0].fix == fix


def test_inputs_and_parameters_become_the_list_that_the_endpoint_takes() -> None:
    example = {"inputs": "Once", "parameters": {"max_tokens": 5}}

    _, _, fix = only(EndpointSpec(api_name="/generate", example=example), served("shapes", "6.31.0"))

    assert fix == Fix(key="example", value=["Once", 5, 0.1, "greedy", False])


@pytest.mark.parametrize(
    ("spec", "code", "fix"),
    [
        (S(path=GEN, payload="inputs", example="hi"), None, None),
        (S(path="/api/generate", example=["hi"]), None, None),
        (S(path=GEN, payload="data", example=["hi"]), "payload", Fix(key="payload", value="inputs")),
        (S(path="/api/generate", payload="inputs"), "payload", Fix(key="payload", value="data")),
        (S(path="/generat", payload="inputs"), "not_served", Fix(key="path", value="/generate")),
        (S(api_name=GEN, payload="inputs"), "not_gradio", Fix(key="api_name", value=GEN, rename="path")),
        (S(path=GEN, payload="inputs", example={"inputs": 5}), "value", None),
        (S(path=GEN, payload="inputs", example={"inputs": "a", "parameters": TOO_MANY}), "value", None),
    ],
)  # fmt: skip
def test_routes_of_a_docker_space(spec: EndpointSpec, code: str | None, fix: Fix | None) -> None:
    app = openapi_app(OPENAPI, BASE)
    assert app is not None

    findings = check(spec, app)

    assert [item.code for item in findings][:1] == ([code] if code else [])
    if findings:
        assert findings[0].fix == fix


def test_tgi_takes_inputs() -> None:
    app = tgi_app({"model_id": "m"}, BASE)
    assert app is not None

    assert check(EndpointSpec(path="/generate", payload="inputs", example="hi"), app) == ()
    assert [item.code for item in check(EndpointSpec(path="/generate", payload="data"), app)] == ["payload"]


def test_a_recursive_openapi_schema_ends() -> None:
    node = {"type": "object", "properties": {"next": {"$ref": "#/s/Node"}}}
    body = {"content": {"application/json": {"schema": {"$ref": "#/s/Node"}}}}
    document = {
        "paths": {"/x": {"post": {"requestBody": body}}},
        "s": {"Node": node, "Loop": {"$ref": "#/s/Loop"}},
    }

    assert openapi_app(document, BASE) is not None


# ------------------------------------------------------------------ the facet


def desired(spec: EndpointSpec | None) -> Desired:
    space = SpaceSpec(endpoint=spec)
    place = Source(file="spaces.yaml", line=9, column=7)
    manifest = Manifest(
        ref=ManifestRef(files=("spaces.yaml",), sha256=""), policy=Policy(), spaces={"acme/x": space},
        positions={("spaces", "acme/x", "endpoint", "api_name"): place},
    )  # fmt: skip
    return Desired(id="acme/x", spec=space, manifest=manifest)


def test_the_facet_says_nothing_of_an_app_that_was_not_read() -> None:
    assert Endpoint().compare(desired(EndpointSpec(api_name="/x")), SpaceState(id="acme/x")) == []
    assert Endpoint().compare(desired(None), SpaceState(id="acme/x", app=served("plain", "6.31.0"))) == []


def test_the_facet_names_the_line_and_the_command_that_mends_it() -> None:
    state = SpaceState(id="acme/x", app=served("plain", "6.31.0"))

    (found,) = Endpoint().compare(desired(EndpointSpec(api_name="/predict")), state)

    assert isinstance(found, Check)
    assert found.severity == "error"
    assert found.address == "acme/x.endpoint.api_name"
    assert str(found.source) == "spaces.yaml:9:7"
    assert "hfspace diagnose acme/x --fix" in found.hint


def test_the_facet_tells_when_the_app_could_not_be_read() -> None:
    state = SpaceState(id="acme/x", app=ServedApp(kind="unknown", problem="127.0.0.1:9 refuses connections."))

    (found,) = Endpoint().compare(desired(EndpointSpec(api_name="/x")), state)

    assert isinstance(found, Check)
    assert found.message == "127.0.0.1:9 refuses connections."
    assert found.hint == "See why: hfspace diagnose acme/x"


# ------------------------------------------------------------------ typed paths

SEED = ("/api/predict", "/run/predict", "/api/generate", "/run", "/predict")
BROKEN = Code.ENDPOINT_MISMATCH
EXPECTED = {
    "3.50.2": (Code.HEALTHY, Code.HEALTHY, BROKEN, BROKEN, BROKEN),
    "4.44.1": (Code.HEALTHY, Code.HEALTHY, BROKEN, BROKEN, BROKEN),
    "5.50.0": (BROKEN, BROKEN, BROKEN, BROKEN, BROKEN),
    "6.31.0": (BROKEN, BROKEN, BROKEN, BROKEN, BROKEN),
}


@pytest.mark.parametrize("version", VERSIONS)
def test_the_five_paths_of_the_guide(serve: Serve, version: str) -> None:
    host = serve(dict(gradio_routes("plain", version)))

    found = [examine(host.url + path, MemoryHub()) for path in SEED]

    assert tuple(item.verdict.code for item in found) == EXPECTED[version]
    name = "add" if version == "6.31.0" else "predict"
    for item in found:
        assert item.call_url.endswith(f"/{name}")
        assert item.verdict.code is Code.HEALTHY or item.call_url in item.verdict.todo
    assert {seen.method for seen in host.seen} == {"GET"}


def test_a_route_that_nobody_describes_is_asked_for_at_the_path_that_its_example_fills() -> None:
    spec = EndpointSpec(path="/items/{item}", method="PUT", example=[7, "hello"])

    ask = question(spec, "http://h", None)

    assert (ask.method, ask.url, ask.body) == ("OPTIONS", "http://h/items/7", None)


def test_values_are_given_by_position_or_by_name_also_to_a_stream(serve: Serve) -> None:
    host = serve(dict(gradio_routes("shapes", "6.31.0")))
    connection = connect(host.url, api_name="/count", hub=MemoryHub(), manifest=None)

    with pytest.raises(UsageError, match="by position or by name"):
        connection.call(3, steps=3)
    with pytest.raises(UsageError, match="by position or by name"):
        next(connection.stream(3, steps=3))
