"""What a Space is to be created from is looked at in the plan, before anything that costs money is made."""

from __future__ import annotations

from typing import Any

import pytest

from hfspace.errors import Rejected
from hfspace.live.hub import connect
from hfspace.live.ports import NewSpace
from hfspace.localhub import LocalHub
from hfspace.localhub.faults import Fault
from hfspace.manifest.models import CreateSpec, SpaceSpec
from hfspace.model import CreateSource
from tests.converge.harness import Runner
from tests.unit.builders import checks, planned, told

SEED = {
    "accounts": {"acme": {"type": "org"}, "alice": {"type": "user", "orgs": {"acme": "admin"}}},
    "spaces": {
        "acme/app": {"sdk": "docker", "visibility": "private"},
        "acme/page": {"sdk": "static"},
    },
}
PAID = {"hardware": "t4-small", "sleep_time": "1h"}


def made(hub: LocalHub, **spaces: Any) -> Any:
    return Runner(hub, {"version": 1, "spaces": {f"acme/{key}": spec for key, spec in spaces.items()}}).plan()


@pytest.mark.parametrize(
    ("spec", "message", "hint"),
    [
        (
            {"create": {"duplicate_from": "acme/none"}, **PAID},
            "error existence: its source acme/none does not exist, or this token can't see it.",
            "what the token may read",
        ),
        (
            {"create": {"template": "SpacesExamples/jupiterlab"}, "sdk": "docker", **PAID},
            "error existence: its template SpacesExamples/jupiterlab is none that the Hub lists.",
            "Did you mean SpacesExamples/jupyterlab?",
        ),
        (
            {"create": {"template": "SpacesExamples/jupyterlab"}, "sdk": "gradio", **PAID},
            "error existence: sdk is gradio, and what it is to be created from is docker.",
            "Write sdk: docker",
        ),
        (
            {"create": {"duplicate_from": "acme/app"}, "sdk": "gradio", **PAID},
            "error existence: sdk is gradio, and what it is to be created from is docker.",
            "Write sdk: docker",
        ),
        (
            {"create": {"duplicate_from": "acme/app"}, "hardware": "zero-a10g"},
            "error hardware: ZeroGPU runs gradio Spaces only, and this one is docker.",
            "other hardware",
        ),
        (
            {"create": {"template": "static-templates/plain"}, "hardware": "t4-small"},
            "error hardware: a static Space runs on no hardware.",
            "Remove",
        ),
        (
            {"create": {"duplicate_from": "acme/page"}, "state": "paused"},
            "error state: a static Space can't be paused.",
            "Remove",
        ),
    ],
)
def test_what_could_not_be_created_is_an_error_of_the_plan_and_nothing_is_made(
    spec: dict[str, Any], message: str, hint: str
) -> None:
    with LocalHub(seed=SEED, clock="manual") as hub:
        plan = made(hub, x=spec)
        assert checks(plan) == [message]
        assert hint in plan.checks[0].hint
        assert plan.changes == ()
        assert plan.cost.after_usd_per_hour == 0


def test_sources_are_read_once_and_only_where_something_is_to_be_created() -> None:
    copies = {f"c{number}": {"create": {"duplicate_from": "acme/page"}} for number in range(3)}
    templates = {f"t{number}": {"create": {"template": "gradio-templates/chatbot"}} for number in range(3)}
    with LocalHub(seed=SEED, clock="manual") as hub:
        assert checks(made(hub, **copies, **templates)) == []
        asked = [one.path for one in hub.requests()]
        assert asked.count("/api/spaces/templates") == 1
        assert asked.count("/api/spaces/acme/page") == 1

        made(hub, app={"create": {"template": "gradio-templates/chatbot"}}, gone={"state": "absent"})
        assert [one.path for one in hub.requests()].count("/api/spaces/templates") == 1


def test_a_source_that_the_same_apply_creates_has_to_come_first() -> None:
    first = {"create": {}, "sdk": "docker", "visibility": "private"}
    second = {"create": {"duplicate_from": "acme/first"}}
    with LocalHub(seed=SEED, clock="manual") as hub:
        assert checks(made(hub, first=first, second=second)) == [
            "error existence: its source acme/first does not exist yet, and may come after this one."
        ]
        plan = made(hub, first=first, second={**second, "depends_on": ["acme/first"]})
        assert checks(plan) == []
        assert [change.after["visibility"] for change in plan.changes] == ["private", "private"]


@pytest.mark.parametrize(
    ("declared", "source", "becomes"),
    [
        (None, None, "public"),
        ("private", CreateSource(visibility="public"), "private"),
        (None, CreateSource(visibility="private"), "private"),
        (None, CreateSource(), "public"),
    ],
)
def test_the_plan_says_who_will_see_a_created_space(
    declared: Any, source: CreateSource | None, becomes: str
) -> None:
    spec = SpaceSpec(create=CreateSpec(), sdk="gradio", visibility=declared)
    plan = planned(spec, None, sources={"acme/x": source} if source else {})
    assert plan.changes[0].after["visibility"] == becomes


def test_a_copy_is_as_visible_as_the_plan_said() -> None:
    with LocalHub(seed=SEED, clock="manual") as hub:
        runner = Runner(hub, {"version": 1, "spaces": {"acme/x": {"create": {"duplicate_from": "acme/app"}}}})
        said = runner.plan().changes[0].after["visibility"]
        runner.apply()
        assert hub.space("acme/x")["visibility"] == said == "private"


@pytest.mark.parametrize(
    ("spec", "warned"),
    [
        ({"create": {}, "sdk": "gradio", "state": "running"}, True),
        ({"create": {}, "sdk": "gradio"}, False),
        ({"create": {}, "sdk": "static", "state": "running"}, False),
        ({"create": {"template": "gradio-templates/chatbot"}, "state": "running"}, False),
    ],
)
def test_a_space_without_files_that_is_to_run_is_told(spec: dict[str, Any], warned: bool) -> None:
    plan = planned(SpaceSpec.model_validate(spec), None)
    text = "warning state: is created without files, and nothing runs until its app is pushed."
    assert checks(plan) == ([text] if warned else [])
    assert len(told(plan)) == 1


def test_a_template_list_that_can_not_be_read_is_no_go_ahead() -> None:
    with LocalHub(seed=SEED, clock="manual") as hub:
        hub.add_fault(Fault(path="/api/spaces/templates", status=403))
        (check,) = made(hub, x={"create": {"template": "gradio-templates/chatbot"}}).checks
        assert check.severity == "error"
        assert "its template could not be checked" in check.message


def test_a_source_that_went_away_since_the_plan_is_named_by_the_refusal() -> None:
    with (
        LocalHub(seed=SEED) as hub,
        pytest.raises(Rejected, match=r"acme/x can't be created: acme/none does not"),
    ):
        connect(hub.url, hub.token).create(NewSpace(id="acme/x", duplicate_from="acme/none"))
