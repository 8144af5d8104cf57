"""Spend limits of resource groups against the local Hub: compared, set, and never fought over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from hfspace.applier.watch import Auto, allowed
from hfspace.errors import ManifestError
from hfspace.live.hub import connect
from hfspace.localhub import LocalHub
from hfspace.manifest.loader import load
from hfspace.model import Plan, Status
from hfspace.report import plan_text
from hfspace.session import Session, open_session
from tests.converge.harness import HubPace

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
ON_T4 = "spaces:\n  acme/x: {hardware: t4-small, sleep_time: never, state: running}\n"
SEED: dict[str, Any] = {
    "hub": {"now": NOON.isoformat()},
    "accounts": {
        "acme": {
            "type": "org",
            "plan": "team",
            "groups": {"speech": {"spaces": ["acme/x"], "limits": {"spaces": 100, "jobs": 500}}},
        },
        "alice": {"type": "user", "orgs": {"acme": "admin"}},
    },
    "tokens": {
        "hf_local_write": {"account": "alice"},
        "hf_fine": {"account": "alice", "role": "fineGrained", "spaces": ["acme"]},
    },
    "spaces": {"acme/x": {"hardware": "t4-small", "sleep_time": -1}},
}


@pytest.fixture
def hub() -> Iterator[LocalHub]:
    with LocalHub(seed=SEED, clock="manual") as hub:
        yield hub


def session(hub: LocalHub, text: str, token: str = "") -> Session:
    manifest = load([("spaces.yaml", f"version: 1\n{text}")], env={})
    client = connect(hub.url, token or hub.token, pace=HubPace(hub))
    made = open_session(manifest=manifest, hub=client, env={})
    made.clock = lambda: NOON.timestamp() + 4 * 3600
    return made


def applied(hub: LocalHub, text: str) -> Plan:
    """Applies, and gives the plan after it."""
    made = session(hub, text)
    result = made.apply(made.plan(to_apply=True).approve())
    assert [one.status for one in result.outcomes if one.status is not Status.DONE] == []
    return session(hub, text).plan()


def limits(hub: LocalHub) -> dict[str, Any]:
    group = connect(hub.url, hub.token).billing.resource_groups("acme", 1793491200, NOON.timestamp())
    return {name: str(usd) for name, usd in group["acme/speech"].limits.items()}


def test_limits_are_compared_in_dollars_and_set_and_what_is_left_out_stays(hub: LocalHub) -> None:
    text = "groups:\n  acme/speech: {spaces: 50, total: 99.5}\n"
    made = session(hub, text).plan()
    assert [(one.address, one.before, one.after) for one in made.changes] == [
        ("groups.acme/speech.spaces", "$1.00", "$50.00"),
        ("groups.acme/speech.total", "no limit", "$99.50"),
    ]
    assert "groups.acme/speech" in plan_text.render(made, color=False)
    assert applied(hub, text).is_empty
    assert limits(hub) == {"spaces": "50.00", "total": "99.50", "jobs": "5.00"}
    assert applied(hub, "groups:\n  acme/speech: {jobs: none}\n").is_empty
    assert "jobs" not in limits(hub)


def test_a_space_that_the_hub_paused_at_the_limit_is_not_started_in_a_fight(hub: LocalHub) -> None:
    hub.advance(3 * 3600)  # a dollar is spent after two and a half hours
    assert hub.space("acme/x")["stage"] == "PAUSED"
    text = "groups:\n  acme/speech: {spaces: 1}\n" + ON_T4
    made = session(hub, text).plan(to_apply=True)
    assert made.changes == ()
    (check,) = made.checks
    assert (check.severity, check.space) == ("warning", "acme/x")
    assert check.message == (
        "stays as it is: the resource group speech has spent $1.00 of its limit of $1.00 this month, "
        "and the Hub starts and upgrades none of its paid Spaces."
    )
    hub.clear_requests()
    applying = session(hub, text)
    applying.apply(applying.plan().approve())
    assert hub.writes() == []


def test_a_limit_that_the_plan_raises_lets_the_space_start_in_the_same_apply(hub: LocalHub) -> None:
    hub.advance(3 * 3600)
    after = applied(hub, "groups:\n  acme/speech: {spaces: 50}\n" + ON_T4)
    assert after.is_empty
    assert hub.space("acme/x")["stage"] in {"RUNNING", "APP_STARTING", "BUILDING"}


def test_without_groups_in_the_manifest_the_hubs_refusal_says_what_to_do(hub: LocalHub) -> None:
    hub.advance(3 * 3600)
    made = session(hub, ON_T4)
    (outcome,) = made.apply(made.plan().approve()).outcomes
    assert "spend limit of the resource group speech is reached" in outcome.error
    assert "resource group" in outcome.hint


def test_what_can_t_be_read_is_unknown_and_what_is_not_there_an_error(hub: LocalHub) -> None:
    text = "groups:\n  acme/speech: {spaces: 50}\n"
    (check,) = session(hub, text, "hf_fine").plan().checks
    assert (check.severity, check.message.startswith("its limits are unknown:")) == ("unknown", True)
    (check,) = session(hub, "groups:\n  acme/vision: {spaces: 50}\n").plan().checks
    assert (check.severity, check.message) == ("error", "acme has no resource group of this name.")


def test_no_request_where_no_group_is_declared(hub: LocalHub) -> None:
    session(hub, ON_T4).plan()
    assert [one.path for one in hub.requests() if "resource-group" in one.path] == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("groups: {speech: {spaces: 1}}", "'speech' is no resource group"),
        ("groups: {acme/speech: {space: 1}}", "a resource group has no key 'space'"),
        ("groups: {acme/speech: {spaces: -1}}", "'spaces' can't be '-1'"),
        ("groups: {acme/speech: {spaces: 0.001}}", "'spaces' can't be '0.001'"),
        ("groups: {acme/speech: 5}", "'acme/speech' must be a map of limits"),
        ("groups: [acme/speech]", "'groups' must be a map"),
    ],
)
def test_a_group_that_is_none_is_an_error_at_its_place(text: str, says: str) -> None:
    with pytest.raises(ManifestError) as refused:
        load([("spaces.yaml", f"version: 1\n{text}\n")], env={})
    (problem,) = refused.value.problems
    assert (problem.message, problem.line) == (says, 2)


def test_the_loop_changes_no_limit_unless_it_may_do_all(hub: LocalHub) -> None:
    (change,) = session(hub, "groups:\n  acme/speech: {spaces: 50}\n").plan().changes
    assert [auto for auto in Auto if allowed(change, auto)] == [Auto.ALL]
