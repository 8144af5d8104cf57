"""Finding the app and speaking to it: what it is, who gets a token, and every answer that is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from hfspace.errors import (
    AmbiguousExperiment,
    DataLoss,
    ExperimentNotFound,
    NotSupported,
    TrackioRejected,
    TrackioUnavailable,
    UsageError,
)
from hfspace.live.experiments.client import TrackioClient
from hfspace.live.trackio.app_http import AppHttp
from hfspace.live.trackio.detect import detect
from hfspace.live.trackio.endpoints import NEEDED as USES
from hfspace.live.trackio.endpoints import USUAL
from hfspace.live.trackio.official import OfficialTracker
from hfspace.live.trackio.official_api import OfficialApi
from hfspace.live.trackio.port import LogEntry
from hfspace.live.trackio.values import number, run_id
from hfspace.localhub import LocalHub
from hfspace.manifest.trackio_models import TrackioUse
from hfspace.monitor import ExperimentMonitor
from hfspace.monitor.records import read_header
from hfspace.monitor.sync import header_target
from tests.endpoints.stand_in import Reply, StandIn, gradio_routes
from tests.trackio.runner import SPACE, AppRunner, hub_for

NEEDED = [USUAL[use] for use in USES]
VERSION = Reply.json({"version": "0.43.0", "api_version": 1, "api_transport": "http"})
PAGE = Reply.html("<html>Trackio</html>")


@pytest.fixture
def serve() -> Iterator[Callable[..., StandIn]]:
    running: list[StandIn] = []

    def start(routes: dict[str, Reply] | None = None, default: Reply = PAGE) -> StandIn:
        running.append(StandIn(routes or {}, default))
        return running[-1]

    yield start
    for item in running:
        item.close()


def info(*names: str) -> Reply:
    return Reply.json({"named_endpoints": {f"/{name}": {} for name in names}, "unnamed_endpoints": {}})


# ------------------------------------------------------------------ what it is


def test_each_kind_is_told_by_what_it_serves(serve: Any) -> None:
    official = serve({"/version": VERSION})
    interface = serve({"/gradio_api/info": info(*NEEDED, "more")}, Reply.json({"detail": "Not Found"}, 404))
    older = serve({"/info": info(*NEEDED)}, Reply.html("no", 404))

    assert detect(official.url, token=None, timeout=5).kind == "trackio"
    assert detect(interface.url, token=None, timeout=5).kind == "interface"
    assert detect(older.url, token=None, timeout=5).kind == "interface"
    assert {seen.method for seen in official.seen} == {"GET"}


@pytest.mark.parametrize(
    ("routes", "default", "message", "other"),
    [
        ({"/gradio_api/info": info("get_all_projects", "bulk_log")}, PAGE, "older than 0.24", True),
        ({"/gradio_api/info": info("predict")}, PAGE, "a Gradio app, and no Trackio", True),
        ({}, Reply.json({"detail": "Not Found"}, 404), "no Trackio app", True),
        ({}, PAGE, "answers with a page", False),
        ({}, Reply.html("starting", 503), "not ready", False),
        ({}, Reply.json({}, 500), "not ready", False),
        ({}, Reply.html("sign in", 401), "does not let this token in", False),
        ({}, Reply(200, b"{", {"content-type": "application/json"}), "no Trackio app", True),
        (
            {"/version": Reply.json({"api_transport": "http", "api_version": 2, "version": "9"})},
            PAGE,
            "API version 2",
            False,
        ),
        ({"/version": Reply.json({"version": "1.0"})}, PAGE, "answers with a page", False),
    ],
)
def test_anything_else_is_named_and_never_empty(
    serve: Any, routes: dict[str, Reply], default: Reply, message: str, other: bool
) -> None:
    app = serve(routes, default)

    with pytest.raises(TrackioUnavailable, match=message) as caught:
        TrackioClient(url=app.url, env={}).list()

    assert caught.value.not_trackio is other


def test_a_real_gradio_app_is_no_trackio_and_silence_is_not_ready() -> None:
    app = StandIn(dict(gradio_routes("plain", "6.31.0")))

    with pytest.raises(TrackioUnavailable, match="a Gradio app, and no Trackio") as caught:
        detect(app.url, token=None, timeout=5)
    app.close()

    assert caught.value.not_trackio
    with pytest.raises(TrackioUnavailable, match="refuses connections") as caught:
        detect(app.url, token=None, timeout=5)
    assert not caught.value.not_trackio


def test_a_pinned_backend_is_asserted(serve: Any) -> None:
    app = serve({"/version": VERSION})

    with pytest.raises(
        TrackioUnavailable, match="official trackio, and the Gradio app was asked for"
    ) as caught:
        TrackioClient(url=app.url, backend="interface", env={}).list()

    assert caught.value.not_trackio


# ------------------------------------------------------------------ where it is, and who gets a token


@pytest.mark.parametrize("visibility", ["public", "private"])
def test_reads_carry_the_token_only_to_a_private_space(serve: Any, visibility: str) -> None:
    empty = {"/api/get_all_projects": Reply.json({"data": []})}
    app = serve({"/version": VERSION, **empty})
    with (
        hub_for(app.url, visibility=visibility) as hub,
        TrackioClient(SPACE, token=hub.token, endpoint=hub.url, env={}) as client,
    ):
        assert client.list() == ()

    sent = {seen.headers.get("authorization") for seen in app.seen}
    assert sent == ({f"Bearer {hub.token}"} if visibility == "private" else {None})


def test_a_typed_url_gets_no_hugging_face_token(serve: Any) -> None:
    app = serve({"/version": VERSION, "/api/bulk_log": Reply.json({"error": "no"}, 400)})
    env = {"HF_TOKEN": "hf_secret"}
    client = TrackioClient(url=app.url, token="hf_secret", project="p", env=env)
    with client, pytest.raises(TrackioUnavailable):
        client.create("run")

    assert not any("hf_secret" in str(seen.headers) for seen in app.seen)


def test_the_environment_names_the_space_the_token_and_the_hub(serve: Any) -> None:
    app = serve({"/version": VERSION, "/api/get_all_projects": Reply.json({"data": []})})
    with hub_for(app.url, visibility="private") as hub:
        env = {"TRACKIO_SPACE_ID": SPACE, "HF_TOKEN": hub.token, "HF_ENDPOINT": hub.url}
        with TrackioClient(env=env) as client:
            assert client.list() == ()
            assert client.space == SPACE

    assert TrackioClient(f"https://huggingface.co/spaces/{SPACE}", env={}).space == SPACE


def test_several_spaces_at_once(serve: Any) -> None:
    apps = [serve({"/version": VERSION, "/api/get_all_projects": Reply.json({"data": []})}) for _ in "ab"]
    spaces = {
        f"acme/{name}": {"sdk": "gradio", "stage": "RUNNING", "host": app.url}
        for name, app in zip("ab", apps, strict=True)
    }
    with LocalHub(seed={"spaces": spaces}) as hub:
        clients = TrackioClient.many(list(spaces), token=hub.token, endpoint=hub.url, env={})
        assert {space: client.list() for space, client in clients.items()} == {"acme/a": (), "acme/b": ()}
        for client in clients.values():
            client.close()
    assert all(app.seen for app in apps)


def test_a_plan_reads_every_app_of_a_listing_where_the_hub_says_that_it_is(serve: Any) -> None:
    apps = {
        f"acme/{name}": serve({"/version": VERSION, "/api/get_all_projects": Reply.json({"data": ["runs"]})})
        for name in "abcd"
    }
    wanted = {"trackio": {"backend": "trackio", "project": "runs"}, "experiments": {"first": {}}}
    seed = {"spaces": {space: {"host": app.url} for space, app in apps.items()}}
    with LocalHub(seed=seed) as hub:
        AppRunner(hub, {"version": 1, "spaces": dict.fromkeys(apps, wanted)}).plan()
        assert not [one for one in hub.requests() if one.path.startswith("/api/spaces/acme/")]
    assert all(app.seen for app in apps.values())


def test_nothing_is_asked_before_the_first_use() -> None:
    with hub_for(None) as hub:
        with TrackioClient(SPACE, endpoint=hub.url, token=hub.token, env={}):
            pass
        assert hub.requests() == []


@pytest.mark.parametrize(
    "arguments",
    [{}, {"space": "no space"}, {"url": "ftp://x"}, {"space": "a/b", "backend": "wandb"}],
)
def test_arguments_that_make_no_sense(arguments: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        TrackioClient(**arguments, env={})


@pytest.mark.parametrize(
    ("doc", "message"),
    [
        ({"stage": "PAUSED"}, "is PAUSED"),
        ({"stage": "RUNTIME_ERROR"}, "is RUNTIME_ERROR"),
        ({"sdk": "static"}, "static"),
    ],
)
def test_a_space_that_cannot_answer_is_not_asked(serve: Any, doc: dict[str, Any], message: str) -> None:
    app = serve()
    with hub_for(app.url, **doc) as hub, pytest.raises(TrackioUnavailable, match=message):
        TrackioClient(SPACE, token=hub.token, endpoint=hub.url, env={}).list()
    assert app.seen == []


def test_a_space_that_is_not_there() -> None:
    with hub_for(None) as hub, pytest.raises(TrackioUnavailable, match="acme/none"):
        TrackioClient("acme/none", token=hub.token, endpoint=hub.url, env={}).list()


# ------------------------------------------------------------------ official trackio's answers


def quick(app: StandIn, timeout: float = 5) -> AppHttp:
    """Repeats reads without a pause."""
    return AppHttp(app.url, timeout=timeout, pauses=(0, 0))


@pytest.fixture
def official() -> Callable[..., OfficialTracker]:
    def connect(app: StandIn, timeout: float = 5) -> OfficialTracker:
        return OfficialTracker(OfficialApi(quick(app, timeout)), project="p")

    return connect


def runs(*pairs: tuple[str, str]) -> Reply:
    return Reply.json({"data": [{"id": ref, "name": name, "created_at": "now"} for ref, name in pairs]})


@pytest.mark.parametrize(
    ("reply", "error", "message"),
    [
        (PAGE, TrackioUnavailable, "not ready, or not understood"),
        (Reply.html("x", 502), TrackioUnavailable, "502"),
        (Reply.json({"error": "Unknown API: get_runs_for_project"}, 404), NotSupported, "has no /api/"),
        (Reply.json({"error": "'metrics'"}, 500), TrackioRejected, "'metrics'"),
        (Reply.json({"error": "Writes are paused"}, 503), TrackioUnavailable, "paused"),
        (Reply.json({"data": "?"}), TrackioUnavailable, "not what it documents"),
        (Reply.json({"data": [{"id": "x"}]}), TrackioUnavailable, "not what it documents"),
        (Reply.json([1]), TrackioUnavailable, "not understood"),
        (Reply.html("no", 401), TrackioRejected, "does not let this token in"),
        (Reply(302, b"", {"location": "http://elsewhere"}), TrackioUnavailable, "302"),
    ],
)
def test_an_answer_that_is_none_is_an_error(
    serve: Any, official: Any, reply: Reply, error: type[Exception], message: str
) -> None:
    app = serve({"/api/get_runs_for_project": reply, "/api/get_run_configs": Reply.json({"data": {}})})

    with pytest.raises(error, match=message):
        official(app).list()


def test_only_reads_are_repeated(serve: Any, official: Any) -> None:
    app = serve({"/api/get_runs_for_project": runs(), "/api/get_run_configs": Reply.json({"data": {}})}, PAGE)

    with pytest.raises(TrackioUnavailable):
        official(app).create("run")
    assert [seen.path for seen in app.seen].count("/api/bulk_log") == 1

    app.seen.clear()
    app.routes["/api/get_runs_for_project"] = Reply.html("x", 503)
    with pytest.raises(TrackioUnavailable):
        official(app).list()
    assert len(app.seen) == 3


def test_a_yes_is_no_evidence(serve: Any, official: Any) -> None:
    routes = {
        "/api/bulk_log": Reply.json({"data": None}),
        "/api/delete_run": Reply.json({"data": True}),
        "/api/get_runs_for_project": runs(),
        "/api/get_run_configs": Reply.json({"data": {}}),
        "/api/get_run_summary": Reply.json({"data": {"num_logs": 0}}),
    }
    app = serve(routes)
    with pytest.raises(DataLoss, match="does not list it"):
        official(app).create("run")

    app.routes["/api/get_runs_for_project"] = runs(("1", "run"))
    with pytest.raises(TrackioRejected, match="reads otherwise: a"):
        official(app).log_parameters("run", {"a": 1})
    with pytest.raises(DataLoss, match="from 0 to 0"):
        official(app).log_metrics("run", [LogEntry(metrics={"loss": 1})])
    with pytest.raises(TrackioRejected, match="it is there"):
        official(app).delete("run")


def test_runs_are_told_apart(serve: Any, official: Any) -> None:
    configs = {"/api/get_run_configs": Reply.json({"data": {}})}
    twins = serve({"/api/get_runs_for_project": runs(("1", "run"), ("2", "run")), **configs})
    renamed = serve({"/api/get_runs_for_project": runs((run_id("p", "run"), "other")), **configs})

    with pytest.raises(AmbiguousExperiment, match="p: 1, p: 2"):
        official(twins).create("run")
    with pytest.raises(AmbiguousExperiment):
        official(twins).log_parameters("run", {"a": 1})
    with pytest.raises(TrackioRejected, match="is called 'other' now"):
        official(renamed).create("run")
    with pytest.raises(ExperimentNotFound, match="nope"):
        official(renamed).show("nope")
    assert not any(seen.path == "/api/bulk_log" for app in (twins, renamed) for seen in app.seen)


def test_a_run_belongs_to_a_project(serve: Any, official: Any) -> None:
    with pytest.raises(TrackioRejected, match="projects"):
        OfficialTracker(OfficialApi(quick(serve()))).create("run")


def test_what_official_trackio_has_not(serve: Any, official: Any) -> None:
    tracker = official(serve())

    for call, sentence in (
        (lambda: tracker.update_status("run", "failed"), "Official trackio keeps no status of a run. Give"),
        (lambda: tracker.simulate("run"), "Official trackio can't simulate training. Log metrics instead."),
        (tracker.demo, "Official trackio has no demo experiment. Create one instead."),
        (lambda: tracker.create("run", description="d"), "Official trackio keeps no description. Give"),
    ):
        with pytest.raises(NotSupported) as caught:
            call()
        assert str(caught.value).startswith(sentence)


def test_an_app_that_never_answers_is_given_up(serve: Any, official: Any) -> None:
    app = serve({"/api/get_runs_for_project": Reply(hang=30)})
    tracker = official(app, timeout=0.2)

    with pytest.raises(TrackioUnavailable, match=r"within 0\.2 s"):
        tracker.list()
    assert len(app.seen) == 1


def test_an_answer_that_drips_is_given_up_in_time(serve: Any, official: Any) -> None:
    app = serve({"/api/get_runs_for_project": Reply(endless=True, body=b" ")})

    with pytest.raises(TrackioUnavailable, match=r"within 0\.3 s"):
        official(app, timeout=0.3).list()


def test_an_endless_answer_is_cut(serve: Any, official: Any) -> None:
    app = serve({"/api/get_runs_for_project": Reply(endless=True, body=b" " * (1 << 20))})

    with pytest.raises(TrackioUnavailable, match="more than 8 MiB"):
        official(app).list()


@pytest.mark.parametrize(
    ("value", "drawn"),
    [(1, 1.0), (0.5, 0.5), (10**400, None), (True, None), ("1", None), (float("nan"), None), (None, None)],
)
def test_only_numbers_that_a_float_holds_are_drawn(value: Any, drawn: float | None) -> None:
    assert number(value) == drawn


def test_tokens_that_an_app_repeats_are_in_no_answer_and_no_error(serve: Any) -> None:
    both = "hf_local_write and sesame-open"
    app = serve({
        "/version": VERSION,
        "/api/get_runs_for_project": runs(("1", both)),
        "/api/get_run_configs": Reply.json({"data": {"1": {"seen": both}}}),
        "/api/bulk_log": Reply.json({"error": f"bad write_token {both}"}, 400),
    })  # fmt: skip
    with hub_for(app.url) as hub:
        env = {"TRACKIO_WRITE_TOKEN": "sesame-open"}
        with TrackioClient(SPACE, token=hub.token, endpoint=hub.url, project="p", env=env) as client:
            shown = client.backend.runs("p")  # type: ignore[union-attr]
            with pytest.raises(TrackioRejected) as caught:
                client.create("run")

    assert shown[0].name == "… and …"
    assert shown[0].parameters == {"seen": "… and …"}
    assert "sesame-open" not in str(caught.value)
    assert "hf_local_write" not in str(caught.value)


@pytest.mark.parametrize(
    ("said", "tokens", "hint"),
    [
        ("Unauthorized: a valid write_token is needed", {}, "Set TRACKIO_WRITE_TOKEN"),
        ("Unauthorized: a valid write_token is needed", {"write_token": "sesame"}, "trackio 0.24 off Spaces"),
        ("Expected a HF_TOKEN to be provided", {}, "Set HF_TOKEN"),
        ("Expected a HF_TOKEN to be provided", {"write_token": "sesame"}, "trackio 0.24 off Spaces"),
        ("Expected a HF_TOKEN to be provided", {"token": "hf_x"}, "is not taken"),
    ],
)
def test_a_hint_never_asks_for_what_is_set(serve: Any, said: str, tokens: dict[str, str], hint: str) -> None:
    api = OfficialApi(quick(serve({"/api/bulk_log": Reply.json({"error": said}, 500)})), **tokens)

    with pytest.raises(TrackioRejected) as caught:
        api.write("bulk_log")

    assert hint in caught.value.hint


def test_names_of_endpoints_that_the_app_has_not_are_told(serve: Any) -> None:
    app = serve({"/gradio_api/info": info(*NEEDED)}, Reply.json({"detail": "Not Found"}, 404))

    with pytest.raises(TrackioUnavailable, match=r"no endpoint of these names: /my_create") as caught:
        TrackioClient(url=app.url, env={}, endpoints={"create": "/my_create"}).list()
    assert caught.value.not_trackio
    with pytest.raises(UsageError, match="'creat' is no use of an endpoint"):
        TrackioClient(url=app.url, env={}, endpoints={"creat": "/x"})


@pytest.mark.parametrize("wrong", [{"creat": "/x"}, {"create": 5}, {"create": "/"}, ["create"], 5])
def test_a_monitor_says_at_once_that_its_endpoints_are_none(wrong: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="endpoint"):
        ExperimentMonitor("x", space="acme/track", endpoints=wrong, spool_dir=tmp_path, env={})


def test_the_endpoints_of_a_monitor_reach_the_app_and_stay_in_its_spool(
    serve: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    app = serve({"/gradio_api/info": info(*NEEDED)}, Reply.json({"detail": "Not Found"}, 404))
    names = {"create": "/my_create"}
    run = ExperimentMonitor(
        "x",
        url=app.url,
        endpoints=names,
        spool_dir=tmp_path,
        flush_timeout=5.0,
        retry_pauses=(0.1, 0.1),
        env={},
    )
    with run:
        run.log({"loss": 1.0})
    assert "no endpoint of these names: /my_create" in caplog.text
    (spool,) = tmp_path.glob("*.jsonl")
    with spool.open("rb") as file:
        assert header_target(read_header(file.readline(), "it")).endpoints == {"create": "my_create"}


def test_the_manifest_and_the_client_know_the_same_uses() -> None:
    assert set(USUAL) == set(get_args(TrackioUse))
