"""hfspace diagnose and hfspace call as somebody types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hfspace.cli.main import run
from hfspace.diagnosis import Diagnosis, Verdict, examine
from hfspace.live.gradio.codes import Code
from hfspace.model import ServedApp, ServedEndpoint, ServedParameter
from hfspace.report.diagnosis import call_command, render
from tests.endpoints.conftest import Serve
from tests.endpoints.hub import MemoryHub
from tests.endpoints.stand_in import Reply, gradio_routes


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No manifest, no token, and no Hub but a closed port, unless a test says otherwise."""
    monkeypatch.chdir(tmp_path)
    for name in ("HF_TOKEN", "HUGGINGFACE_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HFSPACE_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")


def space_page(host: str, stage: str = "RUNNING", **more: object) -> Reply:
    runtime = {"stage": stage, "hardware": {"current": "cpu-basic", "requested": "cpu-basic"}}
    return Reply.json(
        {"id": "acme/x", "sdk": "gradio", "private": False, "host": host, "subdomain": "acme-x",
         "runtime": {**runtime, **more}, "cardData": {"sdk_version": "6.31.0"}}
    )  # fmt: skip


def test_a_healthy_app_exits_0_and_shows_how_to_call_it(
    serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    host = serve(dict(gradio_routes("plain", "6.31.0")))

    code = run(["diagnose", host.url])

    out = capsys.readouterr().out
    assert code == 0
    assert "ok: healthy" in out
    assert "/add(a: number, b: number) -> number" in out
    assert f'POST {host.url}/gradio_api/call/add  {{"data": [1, 1]}}' in out
    assert "/gradio_api/call/v2/add" in out
    assert '"parameters"' in out


def test_an_old_path_exits_2_and_names_the_url_that_works(
    serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    host = serve(dict(gradio_routes("plain", "6.31.0")))

    code = run(["diagnose", f"{host.url}/api/predict"])

    assert code == 2
    assert f"do    POST to {host.url}/gradio_api/call/add instead." in capsys.readouterr().out


def test_evidence_is_shown_with_v(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    host = serve({}, default=Reply.html("\x1b[31mgone\x07", 503))

    run(["diagnose", host.url, "-v"])

    out = capsys.readouterr().out
    assert f"GET {host.url}/config -> 503 text/html \\x1b[31mgone\\x07" in out
    assert "\x1b" not in out


def test_no_answer_exits_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["diagnose", "http://127.0.0.1:9"]) == 1
    assert run(["diagnose", "acme/x"]) == 1


@pytest.mark.parametrize(
    "text", ["what is this", "http://", "ftp://x/y", "http://[::1", "http://u:p@h/", "a/b/c"]
)
def test_what_is_no_target_is_one_sentence(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["diagnose", text])

    err = capsys.readouterr().err
    assert code == 1
    assert "Traceback" not in err
    assert err.startswith("hfspace: ")


def test_an_empty_target_is_an_error_of_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["diagnose", ""]) == 1
    assert "it is empty" in capsys.readouterr().err


def test_several_targets_give_one_document_and_the_worst_code(
    serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = serve(dict(gradio_routes("plain", "5.50.0"))), serve({}, default=Reply.html("no", 401))

    code = run(["diagnose", good.url, bad.url, "http://127.0.0.1:9", "--format", "json"])

    document = json.loads(capsys.readouterr().out)
    assert code == 2
    assert document["format_version"] == 1
    assert [item["code"] for item in document["diagnoses"]] == ["healthy", "private_no_token", "unreachable"]
    assert [item["exit_code"] for item in document["diagnoses"]] == [0, 2, 1]
    endpoint = next(item for item in document["diagnoses"][0]["app"]["endpoints"] if not item["hidden"])
    assert endpoint["payloads"]["data"]["body"] == {"data": [1, 1]}


def test_values_that_do_not_fit_are_refused_unless_no_check_sends_them(
    serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    host = serve(dict(gradio_routes("shapes", "6.31.0")))
    call = ["call", host.url, "--api-name", "generate", "p", "600"]

    assert run(call) == 1
    assert "600 is above 512" in capsys.readouterr().err
    assert {seen.method for seen in host.seen} == {"GET"}
    assert run([*call, "--no-check"]) == 1  # the stand-in has no queue
    assert any(seen.path.startswith("/gradio_api/queue/join") for seen in host.seen)


def test_a_password_goes_to_the_one_app_that_asks_for_a_login(
    serve: Serve, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HFSPACE_APP_USER", "mira")
    monkeypatch.setenv("HFSPACE_APP_PASSWORD", "a secret word")
    closed = [serve({}, default=Reply.json({"detail": "Not authenticated"}, 401)) for _ in range(2)]
    free = serve(dict(gradio_routes("plain", "6.31.0")))

    run(["diagnose", free.url])
    run(["diagnose", *[host.url for host in closed]])
    assert [seen for host in (free, *closed) for seen in host.seen if seen.method == "POST"] == []

    assert run(["diagnose", closed[0].url, "-v"]) == 2
    assert [seen.path for seen in closed[0].seen if seen.method == "POST"] == ["/login"]
    out = capsys.readouterr()
    assert "refuses this user and password" in out.out
    assert "HFSPACE_APP_USER and HFSPACE_APP_PASSWORD" in out.out
    assert "a secret word" not in out.out + out.err


def test_a_user_without_a_password_is_an_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HFSPACE_APP_USER", "mira")

    assert run(["diagnose", "http://127.0.0.1:9"]) == 1
    assert "HFSPACE_APP_PASSWORD is not set" in capsys.readouterr().err


MANIFEST = """version: 1
spaces:
  acme/x:
    endpoint:
      api_name: /predict   # what the guide said
      example: [1, 2]
"""


def test_all_compares_what_the_manifest_declares(
    serve: Serve, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    host = serve(dict(gradio_routes("plain", "6.31.0")))
    monkeypatch.setenv("HF_ENDPOINT", serve({"/api/spaces/acme/x": space_page(host.url)}).url)
    (tmp_path / "spaces.yaml").write_text(MANIFEST)

    code = run(["diagnose", "--all"])

    out = capsys.readouterr().out
    assert code == 2
    assert "since Gradio 6" in out
    assert "spaces.yaml:5:7" in out
    assert "hfspace diagnose acme/x --fix" in out


def test_a_sleeping_space_is_told_and_left_asleep(
    serve: Serve, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    host = serve(dict(gradio_routes("plain", "6.31.0")))
    monkeypatch.setenv("HF_ENDPOINT", serve({"/api/spaces/acme/x": space_page(host.url, "SLEEPING")}).url)

    assert run(["diagnose", "acme/x"]) == 2
    assert "problem: sleeping" in capsys.readouterr().out
    assert host.seen == []


def test_call_refuses_values_that_do_not_fit_before_it_calls(
    serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    host = serve(dict(gradio_routes("shapes", "6.31.0")))

    code = run(["call", host.url, "--api-name", "/generate", "a", "600"])

    assert code == 1
    assert "max_tokens: 600 is above 512" in capsys.readouterr().err
    assert {seen.method for seen in host.seen} == {"GET"}


def test_call_posts_to_an_http_route_and_prints_the_answer(
    serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    schema = {"properties": {"inputs": {"type": "string"}}, "required": ["inputs"]}
    body = {"content": {"application/json": {"schema": schema}}}
    routes = {
        "/openapi.json": Reply.json({"paths": {"/generate": {"post": {"requestBody": body}}}}),
        "/generate": Reply.json({"generated_text": "once\x1b[2J"}),
    }
    host = serve(routes)

    code = run(["call", host.url, "--path", "/generate", "--data", '{"inputs": "hi"}', "--format", "json"])

    assert code == 0
    assert json.loads(capsys.readouterr().out)["answer"] == {"generated_text": "once\x1b[2J"}
    assert run(["call", host.url, "--data", '{"inputs": "hi"}']) == 0
    assert "\x1b" not in capsys.readouterr().out
    assert run(["call", host.url, "--data", '{"inputs": 5}']) == 1
    assert run(["call", host.url, "--data", "{nope"]) == 1
    assert run(["call", host.url, "--data", "@/no/such/file"]) == 1


def test_call_of_a_space_that_does_not_run_says_why(
    serve: Serve, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(
        "HF_ENDPOINT", serve({"/api/spaces/acme/x": space_page("http://127.0.0.1:9", "PAUSED")}).url
    )

    assert run(["call", "acme/x", "1"]) == 1
    err = capsys.readouterr().err
    assert "PAUSED" in err
    assert "hfspace restart acme/x" in err


def test_a_negative_number_is_a_value_and_a_mistyped_option_is_not(
    serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    host = serve(dict(gradio_routes("plain", "6.31.0")))

    assert run(["call", host.url, "--api-name", "/add", "-5", "3", "4"]) == 1
    assert "/add takes" in capsys.readouterr().err
    run(["call", host.url, "--tiemout", "3"])
    assert "No such option: --tiemout" in capsys.readouterr().err
    run(["call", host.url, "--api-name", "/add", "--", "--text"])
    assert "No such option" not in capsys.readouterr().err


def test_several_endpoints_are_answered_with_how_to_name_one(
    serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    host = serve(dict(gradio_routes("shapes", "6.31.0")))

    assert run(["call", host.url, "x"]) == 1
    assert "--api-name" in capsys.readouterr().err


def test_the_only_path_of_an_app_needs_no_name_also_where_it_takes_several_methods(serve: Serve) -> None:
    routes = {"/openapi.json": Reply.json({"paths": {"/notes": {"get": {}, "post": {}}}})}
    host = serve({**routes, "/notes": Reply.json([1])})

    assert run(["call", host.url]) == 0
    assert run(["call", host.url, "a"]) == 0
    assert [seen.method for seen in host.seen if seen.path == "/notes"] == ["GET", "POST"]


def test_a_diagnosis_fits_80_columns_and_what_is_copied_stays_whole(serve: Serve) -> None:
    host = serve(dict(gradio_routes("shapes", "6.31.0")))
    found = examine(host.url, MemoryHub())

    lines = render(found, columns=80).splitlines()

    assert max(len(line) for line in lines if "http" not in line) <= 80
    assert render(found).count("\n") < len(lines)
    assert f"  run   hfspace call {host.url} --api-name /upper text" in lines


def test_the_command_that_is_shown_works(serve: Serve) -> None:
    """Values that look like options, are no text, or hold blanks."""
    parameters = (
        ServedParameter(name="text", schema={"enum": ["-a b"]}),
        ServedParameter(name="count", schema={"type": "integer", "minimum": 3}),
        ServedParameter(name="size", schema={"type": "number"}, has_default=True, default=2),
    )
    endpoint = ServedEndpoint(name="/x", url="http://a/call/x", parameters=parameters)
    app = ServedApp(kind="gradio", version="6.31.0", endpoints=(endpoint,))
    verdict = Verdict(code=Code.HEALTHY, seen="")
    found = Diagnosis(target="acme/x", space="acme/x", verdict=verdict, app=app, base="http://a")

    assert call_command(found, endpoint, app) == "hfspace call acme/x --api-name /x -- '-a b' 3"


def test_call_without_values_says_what_the_endpoint_needs(
    serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    host = serve(dict(gradio_routes("shapes", "6.31.0")))

    assert run(["call", host.url, "--api-name", "/generate"]) == 1
    assert "/generate takes 1 to 5 values, not 0." in capsys.readouterr().err
    assert run(["call", host.url, "--api-name", "/generate", "a", "600", "9"]) == 1
    assert "max_tokens: 600 is above 512. temperature: 9 is above 2." in capsys.readouterr().err


def test_a_typed_host_has_the_declaration_of_its_space(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    schema = {"properties": {"inputs": {"type": "string"}}, "required": ["inputs"]}
    body = {"content": {"application/json": {"schema": schema}}}
    routes = {
        "/openapi.json": Reply.json(
            {"paths": {"/generate": {"post": {"requestBody": body}}, "/x": {"get": {}}}}
        ),
        "/generate": Reply.json({"generated_text": "once"}),
    }
    host = serve(routes)
    named = {"/api/spaces/by-subdomain/acme-x": Reply.json({"id": "acme/x"})}
    monkeypatch.setenv("HF_ENDPOINT", serve({**named, "/api/spaces/acme/x": space_page(host.url)}).url)
    manifest = tmp_path / "spaces.yaml"
    manifest.write_text(
        "version: 1\nspaces:\n  acme/x:\n    endpoint: {path: /generat, example: {inputs: a}}\n"
    )

    assert run(["diagnose", "https://acme-x.hf.space"]) == 2
    assert "The app has no route /generat." in capsys.readouterr().out
    assert run(["diagnose", "https://acme-x.hf.space", "--fix", "--yes"]) == 0
    assert run(["diagnose", "acme-x.hf.space", "--invoke"]) == 0
    assert "was called and completed" in capsys.readouterr().out
    assert run(["call", "https://acme-x.hf.space"]) == 0
    assert "once" in capsys.readouterr().out


def test_text_generation_inference_has_more_routes_than_its_first(serve: Serve) -> None:
    host = serve({"/info": Reply.json({"model_id": "m"}), "/health": Reply(200, b"")})

    assert run(["call", host.url, "--path", "/health"]) == 0
    assert run(["call", host.url, "--path", "/v1/chat/completions", "--data", "{}"]) == 1
    assert [seen.path for seen in host.seen if seen.method == "POST"] == ["/v1/chat/completions"]
