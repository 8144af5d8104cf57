"""Schemas and configs of strangers: nothing is fetched, nothing is endless, nothing is a traceback."""

from __future__ import annotations

import copy
from typing import Any
from urllib.parse import urlsplit

import pytest

from hfspace.live.gradio.calls import EndpointError
from hfspace.live.gradio.config import gradio_app, read_config
from hfspace.live.gradio.contract import check
from hfspace.live.gradio.fetch import fetch_all
from hfspace.live.gradio.mending import mend
from hfspace.live.gradio.openapi import openapi_app
from hfspace.live.gradio.payloads import forms
from hfspace.live.gradio.sending import request_of
from hfspace.live.gradio.values import answer_problem, value_problem
from hfspace.manifest.models import EndpointSpec
from hfspace.model import ServedParameter
from hfspace.report.diagnosis import signature
from hfspace.retries import asked_wait
from tests.endpoints.conftest import Serve
from tests.endpoints.stand_in import Reply, recorded

ODD: tuple[Any, ...] = ({}, [], {"a": {}}, [[]], None, True, -1, 1e308, "x\x1b[2J", [None], {"type": {}})


def test_a_remote_reference_is_never_fetched_and_fails_the_check(serve: Serve) -> None:
    server = serve({"/any.json": Reply.json({})})
    schema = {"$ref": f"{server.url}/any.json"}

    assert "which is not in it" in answer_problem("x", schema)
    assert "which is not in it" in value_problem("x", ServedParameter(name="p", schema=schema))
    assert server.seen == []


@pytest.mark.parametrize(
    "schema", [{"pattern": "^(a+)+$"}, {"patternProperties": {"^(a+)+$": {}}}], ids=["pattern", "properties"]
)
def test_a_pattern_that_backtracks_for_ever_has_a_deadline(schema: dict[str, Any]) -> None:
    text = "a" * 60 + "!"
    assert "within 3 s" in answer_problem(text if "pattern" in schema else {text: 1}, schema)


def test_a_local_reference_and_a_pattern_are_still_checked() -> None:
    schema = {"$ref": "#/$defs/name", "$defs": {"name": {"type": "string", "pattern": "^a+$"}}}

    assert answer_problem("aaa", schema) == ""
    assert "does not match" in answer_problem("b", schema)


def test_a_schema_that_is_itself_fails_the_check() -> None:
    assert "without end" in answer_problem(1, {"$ref": "#"})


def test_a_self_referring_openapi_stays_within_its_budget() -> None:
    node = {"properties": {f"p{n}": {"$ref": "#/s/Node"} for n in range(40)}}
    body = {"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/s/Node"}}}}}
    app = openapi_app({"paths": {"/x": {"post": body}}, "s": {"Node": node}}, "http://h")

    assert app is not None
    assert len(repr(app)) < 4 << 20


def test_gr_json_takes_anything() -> None:
    config = read_config(
        {
            "version": "6.31.0",
            "components": [{"id": 1, "type": "json", "api_info": {"type": {}}}],
            "dependencies": [{"api_name": "f", "inputs": [1], "outputs": []}],
        }
    )
    assert config is not None
    app = gradio_app(config, None, "http://h")

    assert app.endpoints[0].parameters[0].schema.get("type") is None
    assert check(EndpointSpec(api_name="/f", example=[{"a": [1]}]), app) == ()


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_odd_types_anywhere_in_a_config_are_no_traceback(odd: Any) -> None:
    told = recorded("plain", "6.31.0")
    spec = EndpointSpec(api_name="/predict", example=["x"])
    for part in ("config", "info"):
        for path in list(paths(told[part])):
            changed = copy.deepcopy(told)
            place = changed[part]
            for step in path[:-1]:
                place = place[step]
            place[path[-1]] = odd
            config = read_config(changed["config"])
            if config is not None:
                check(spec, gradio_app(config, changed["info"], "http://h"))


def test_an_api_visibility_of_an_odd_type_is_read_as_shown() -> None:
    raw = {"version": "6", "dependencies": [{"api_name": "f", "api_visibility": {}}]}
    config = read_config(raw)
    assert config is not None

    assert not gradio_app(config, None, "http://h").endpoints[0].hidden


def test_a_retry_after_in_other_digits_is_none() -> None:
    assert asked_wait({"retry-after": "²"}) is None


def paths(item: Any, path: tuple[Any, ...] = ()) -> Any:
    items = item.items() if isinstance(item, dict) else enumerate(item) if isinstance(item, list) else ()
    for key, value in items:
        yield (*path, key)
        yield from paths(value, (*path, key))


DOCUMENT: dict[str, Any] = {
    "info": {"version": "1"},
    "paths": {
        "/items/{item}": {
            "parameters": [{"in": "path", "name": "item", "required": True, "schema": {"type": "integer"}}],
            "put": {
                "parameters": [{"in": "query", "name": "q", "schema": {"type": "string"}}],
                "requestBody": {
                    "required": True,
                    "content": {
                        "multipart/form-data": {
                            "schema": {
                                "properties": {
                                    "inputs": {"type": "string"},
                                    "page": {"type": "string", "format": "binary"},
                                    "parameters": {"properties": {"top_k": {"type": "integer"}}},
                                },
                                "required": ["inputs"],
                            }
                        }
                    },
                },
                "responses": {"200": {"content": {"text/event-stream": {"schema": {}}}}},
            },
        }
    },
}
DECLARED = [
    EndpointSpec(path="/items/{item}", params={"item": 7}, query={"q": [1]}, example={"inputs": "a"}),
    EndpointSpec(path="/items/7", method="GET", example=["a", 5, "b"]),
    EndpointSpec(path="/items/7", body=[1]),
    EndpointSpec(path="/items/7", example={"data": [1, 2]}, payload="data"),
    EndpointSpec(api_name="/items"),
]


def places(node: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    keys: Any = node if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
    return [at, *(place for key in keys for place in places(node[key], (*at, key)))]


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_an_odd_openapi_document_is_no_traceback(odd: Any) -> None:
    for place in places(DOCUMENT)[1:]:
        document = copy.deepcopy(DOCUMENT)
        holder: Any = document
        for key in place[:-1]:
            holder = holder[key]
        holder[place[-1]] = odd
        app = openapi_app(document, "http://127.0.0.1:9")
        for endpoint in app.endpoints if app else ():
            assert "\x1b" not in signature(endpoint, method=True)
            forms(endpoint, app, "http://127.0.0.1:9")
            for spec in DECLARED:
                mend(spec, app)
                try:
                    request_of(spec, endpoint, None)
                except EndpointError:
                    continue


def test_a_route_of_a_stranger_leads_to_its_own_host() -> None:
    """Whatever its name holds: a host, a user, dots, a line end."""
    paths = ("//evil.example/x", "/../..//x", "/@evil.example", "/x\r\nHost: evil.example")
    app = openapi_app({"paths": {name: {"get": {}} for name in paths}}, "http://127.0.0.1:9")
    assert app is not None

    asks = [request_of(EndpointSpec(path="/x"), endpoint, "hf_token") for endpoint in app.endpoints]

    assert {urlsplit(ask.url).netloc for ask in asks} == {"127.0.0.1:9"}
    assert {answer.status for answer in fetch_all(asks, timeout=2)} == {0}
    for name in ("x", ".evil.example/x", "@evil.example/x", ":80@evil.example/x"):
        assert openapi_app({"paths": {name: {"get": {}}}}, "http://127.0.0.1:9") is None
