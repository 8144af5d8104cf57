"""What satisfies a declaration, what is a change, and what is only a check: design section 5."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from hfspace.manifest.models import CreateSpec, SecretSpec, SpaceSpec, VariableSpec, VolumeSpec
from hfspace.model import NEVER, RESTART_VARIABLE, Details, LocalInputs, Plan, Volume
from tests.unit.builders import checks, live, planned, secret, told, variable

ENV = SecretSpec(env="TOKEN")


def test_what_is_not_declared_is_never_compared() -> None:
    odd = live(stage="PAUSED", hardware="a10g-small", variables={"A": variable("1")}, secrets={"S": secret()})
    made = planned(SpaceSpec(), odd)
    assert (told(made), checks(made)) == ([], [])


# ------------------------------------------------------------ existence


def test_a_missing_space_without_create_is_an_error() -> None:
    assert checks(planned(SpaceSpec(), None)) == [
        "error existence: does not exist, or this token can't see it."
    ]


def test_a_missing_space_with_create_is_one_change_that_carries_everything() -> None:
    spec = SpaceSpec(
        sdk="gradio",
        hardware="t4-small",
        sleep_time=3600,
        variables={"A": VariableSpec(value="1")},
        secrets={"S": ENV},
        create=CreateSpec(),
    )
    made = planned(spec, None)
    assert told(made) == [
        "space create None -> {'sdk': 'gradio', 'visibility': 'public', 'hardware': 't4-small', "
        "'sleep_time': 3600, 'variables': {'A': '1'}, 'secrets': ['S']}"
    ]


def test_a_create_on_hardware_that_the_hub_does_not_list_is_refused() -> None:
    made = planned(SpaceSpec(sdk="gradio", hardware="t4-smal", create=CreateSpec()), None)
    assert told(made) == []
    assert made.checks[0].hint.startswith("Did you mean t4-small")


def test_an_absent_space_that_is_missing_is_satisfied() -> None:
    made = planned(SpaceSpec(state="absent"), None)
    assert (told(made), checks(made)) == ([], [])


def test_protect_wins_over_absent() -> None:
    made = planned(SpaceSpec(state="absent", protect=True), live())
    assert told(made) == []
    assert checks(made) == ["error existence: is protected and will not be deleted."]


def test_a_delete_is_the_only_change_of_its_space() -> None:
    made = planned(SpaceSpec(state="absent", hardware="t4-small"), live())
    assert [change.action for change in made.changes] == ["delete"]


def test_a_renamed_space_is_an_error_that_names_the_new_id() -> None:
    made = planned(SpaceSpec(hardware="t4-small"), None)
    moved = live(name="y")
    from tests.unit.builders import manifest, plan, snapshot

    made = plan(manifest(x=SpaceSpec(hardware="t4-small")), _answering("acme/x", moved, snapshot()))
    assert checks(made) == ["error existence: was renamed: the Hub answers with acme/y."]


def _answering(asked: str, state: object, empty: object) -> object:
    from dataclasses import replace

    return replace(empty, spaces={asked: state})  # type: ignore[type-var]


# ------------------------------------------------------------ hardware and sleep time


def test_hardware_is_compared_with_the_requested_flavor() -> None:
    moving = live(hardware="t4-small", hardware_current="cpu-basic", stage="RUNNING_BUILDING")
    assert told(planned(SpaceSpec(hardware="t4-small"), moving)) == []


def test_an_upgrade_shows_what_it_costs() -> None:
    made = planned(SpaceSpec(hardware="t4-small", sleep_time=3600), live())
    assert told(made) == [
        "hardware update 'cpu-basic' -> 't4-small'",
        "sleep_time update 172800 -> 3600",
    ]
    assert str(made.cost.after_usd_per_hour) == "0.40"
    assert str(made.cost.after_usd_per_month) == "292.00"


def test_a_flavor_of_the_future_is_fine_when_it_is_live_and_undeclared() -> None:
    made = planned(SpaceSpec(visibility="public"), live(hardware="b900x64", stage="HOVERING"))
    assert (told(made), checks(made)) == ([], [])


def test_a_sleep_time_on_live_free_hardware_is_a_check_not_a_change() -> None:
    made = planned(SpaceSpec(sleep_time=60), live())
    assert told(made) == []
    assert checks(made) == ["error sleep_time: runs on cpu-basic, whose sleep time is fixed."]


def test_an_unknown_sleep_time_of_a_paused_space_is_not_drift() -> None:
    paused = live(stage="PAUSED", hardware="t4-small", sleep_time=None)
    assert told(planned(SpaceSpec(sleep_time=3600), paused)) == []


def test_never_is_a_sleep_time_like_any_other() -> None:
    awake = live(hardware="t4-small", sleep_time=NEVER)
    assert told(planned(SpaceSpec(sleep_time=NEVER), awake)) == []
    assert told(planned(SpaceSpec(sleep_time=60), awake)) == ["sleep_time update -1 -> 60"]


# ------------------------------------------------------------ state


@pytest.mark.parametrize(
    "stage",
    ["RUNNING", "RUNNING_BUILDING", "RUNNING_APP_STARTING", "APP_STARTING", "BUILDING", "SLEEPING", "NEW"],
)
def test_running_is_satisfied_by(stage: str) -> None:
    made = planned(SpaceSpec(state="running"), live(stage=stage))
    assert (told(made), checks(made)) == ([], [])


@pytest.mark.parametrize("stage", ["PAUSED", "STOPPED"])
def test_a_space_that_is_down_is_started(stage: str) -> None:
    made = planned(SpaceSpec(state="running"), live(stage=stage))
    assert told(made) == [f"state restart '{stage}' -> 'RUNNING'"]


def test_a_runtime_error_is_reported_by_default() -> None:
    made = planned(SpaceSpec(), live(stage="RUNTIME_ERROR", error_message="boom"))
    assert told(made) == []
    assert checks(made) == ["warning stage: RUNTIME_ERROR: boom. Reported only (on_error: report)."]


def test_a_runtime_error_is_restarted_when_asked_for() -> None:
    made = planned(SpaceSpec(on_error="restart"), live(stage="RUNTIME_ERROR"))
    assert told(made) == ["state restart 'RUNTIME_ERROR' -> 'RUNNING'"]


@pytest.mark.parametrize("stage", ["BUILD_ERROR", "CONFIG_ERROR", "NO_APP_FILE"])
def test_a_restart_does_not_mend(stage: str) -> None:
    made = planned(SpaceSpec(state="running", on_error="restart"), live(stage=stage))
    assert told(made) == []
    assert made.checks[0].severity == "warning"


def test_a_factory_rebuild_may_mend_a_build() -> None:
    made = planned(SpaceSpec(on_error="factory-rebuild"), live(stage="BUILD_ERROR"))
    assert made.changes[0].note == "factory rebuild"


def test_pause_comes_first_and_waking_last() -> None:
    spec = SpaceSpec(state="paused", variables={"A": VariableSpec(value="1")}, hardware="t4-small")
    assert [c.facet for c in planned(spec, live()).changes] == ["state", "variables", "hardware"]
    wake = SpaceSpec(state="running", variables={"A": VariableSpec(value="1")}, hardware="t4-small")
    paused = live(stage="PAUSED")
    assert [c.facet for c in planned(wake, paused).changes] == ["variables", "hardware", "state"]


# ------------------------------------------------------------ variables and secrets


def test_unchanged_variables_are_never_posted() -> None:
    state = live(variables={"A": variable("1", "one"), "OTHER": variable("2")})
    assert told(planned(SpaceSpec(variables={"A": VariableSpec(value="1")}), state)) == []


def test_prune_makes_the_map_exact_but_spares_the_restart_marker() -> None:
    state = live(variables={"A": variable("1"), "B": variable("2"), RESTART_VARIABLE: variable("x")})
    spec = SpaceSpec(variables={"A": VariableSpec(value="1")}, prune=frozenset({"variables"}))
    assert told(planned(spec, state)) == ["variables.B delete '2' -> None"]


def test_a_variable_that_becomes_a_secret_is_deleted_first() -> None:
    state = live(variables={"KEY": variable("open")})
    made = planned(SpaceSpec(secrets={"KEY": ENV}), state)
    assert [(c.address, str(c.action)) for c in made.changes] == [
        ("acme/x.variables.KEY", "delete"),
        ("acme/x.secrets.KEY", "create"),
    ]


def test_a_secret_that_becomes_a_variable_is_deleted_first() -> None:
    made = planned(SpaceSpec(variables={"KEY": VariableSpec(value="v")}), live(secrets={"KEY": secret()}))
    assert [(c.address, str(c.action)) for c in made.changes] == [
        ("acme/x.secrets.KEY", "delete"),
        ("acme/x.variables.KEY", "create"),
    ]


def test_secrets_are_known_by_their_fingerprint() -> None:
    spec = SpaceSpec(secrets={"S": ENV})
    assert told(planned(spec, live(secrets={"S": secret(matches=True)}))) == []
    assert told(planned(spec, live(secrets={"S": secret(matches=False)}))) == [
        "secrets.S update None -> None"
    ]
    assert told(planned(spec, live(secrets={"S": secret()}))) == ["secrets.S update None -> None"]
    assert all(change.sensitive for change in planned(spec, live()).changes)


def test_what_the_token_may_not_read_is_unknown_and_nothing_is_planned_from_it() -> None:
    spec = SpaceSpec(
        variables={"A": VariableSpec(value="1")},
        secrets={"S": ENV},
        prune=frozenset({"variables", "secrets"}),
    )
    made = planned(spec, live(variables=None, secrets=None))
    assert told(made) == []
    assert {check.severity for check in made.checks} == {"unknown"}


UNSET = {("acme/x", "S"): "$TOKEN is not set"}


def test_an_unset_source_is_an_error_where_the_hub_lacks_the_secret() -> None:
    made = planned(SpaceSpec(secrets={"S": ENV}), live(), LocalInputs(unset_secrets=UNSET))
    assert told(made) == []
    assert checks(made) == ["error secrets: S: $TOKEN is not set"]


def test_an_unset_source_is_not_compared_where_the_hub_has_the_secret() -> None:
    made = planned(
        SpaceSpec(secrets={"S": ENV}), live(secrets={"S": secret()}), LocalInputs(unset_secrets=UNSET)
    )
    assert told(made) == []
    assert checks(made) == ["unknown secrets: S: not compared ($TOKEN is not set here)"]
    assert [check.severity for check in made.to_apply().checks] == ["error"]


def test_an_optional_secret_is_left_alone_when_its_source_is_unset() -> None:
    spec = SpaceSpec(sdk="gradio", create=CreateSpec(), secrets={"S": SecretSpec(env="T", optional=True)})
    for state in (live(), live(secrets={"S": secret()})):
        assert not checks(planned(spec, state, LocalInputs(unset_secrets=UNSET)))
    assert not checks(planned(spec, None, LocalInputs(unset_secrets=UNSET)))
    assert told(planned(spec, live())) == ["secrets.S create None -> None"]


def test_a_live_static_space_gets_no_secrets() -> None:
    made = planned(SpaceSpec(secrets={"S": ENV}), live(sdk="static", secrets={}))
    assert told(made) == []
    assert [check.severity for check in made.checks] == ["error"]


# ------------------------------------------------------------ the rest


def test_a_new_restart_marker_is_one_change() -> None:
    state = live(variables={RESTART_VARIABLE: variable("old")})
    assert told(planned(SpaceSpec(restart="new"), state)) == ["restart restart 'old' -> 'new'"]
    assert told(planned(SpaceSpec(restart="old"), state)) == []


def test_private_is_not_taken_for_protected() -> None:
    protected = live(visibility="protected")
    assert told(planned(SpaceSpec(visibility="private"), protected)) == [
        "visibility update 'protected' -> 'private'"
    ]
    unknown = live(visibility="private", visibility_exact=False)
    assert told(planned(SpaceSpec(visibility="protected"), unknown)) == []
    assert planned(SpaceSpec(visibility="protected"), unknown).checks[0].severity == "unknown"


def test_volumes_keep_what_is_not_declared_unless_pruned() -> None:
    other = Volume(type="model", source="a/m", mount_path="/m", read_only=True)
    declared = (VolumeSpec(source="hf://buckets/acme/audio", mount_path="/data"),)
    made = planned(SpaceSpec(volumes=declared), live(volumes=(other,)))
    assert [item["mount_path"] for item in made.changes[0].after] == ["/data", "/m"]
    exact = planned(SpaceSpec(volumes=declared, prune=frozenset({"volumes"})), live(volumes=(other,)))
    assert [item["mount_path"] for item in exact.changes[0].after] == ["/data"]
    same = (Volume(type="bucket", source="acme/audio", mount_path="/data"), other)
    assert told(planned(SpaceSpec(volumes=declared), live(volumes=same))) == []


def test_a_masked_volume_is_never_sent_back() -> None:
    masked = Volume(type="model", source=None, mount_path="/m")
    declared = (VolumeSpec(source="hf://buckets/acme/audio", mount_path="/data"),)
    made = planned(SpaceSpec(volumes=declared), live(volumes=(masked,)))
    assert told(made) == []
    assert made.checks[0].severity == "error"


def test_ignored_facets_are_shown_and_never_changed() -> None:
    made = planned(SpaceSpec(hardware="t4-small", ignore=frozenset({"hardware"})), live())
    assert made.is_empty
    assert [change.address for change in made.ignored] == ["acme/x.hardware"]


def test_dev_mode_unknown_is_not_drift() -> None:
    assert told(planned(SpaceSpec(dev_mode=True), live(dev_mode=None))) == []
    assert told(planned(SpaceSpec(dev_mode=True), live())) == ["dev_mode update False -> True"]


def test_a_create_with_a_sleep_time_on_free_hardware_is_refused() -> None:
    """Found by tests/converge/history.py: it was created without the sleep time, and called done."""
    wanted = SpaceSpec(sdk="gradio", sleep_time=3600, create=CreateSpec())
    made = planned(wanted, None)
    assert checks(made) == ["error sleep_time: runs on cpu-basic, whose sleep time is fixed."]
    assert made.changes == ()


# ------------------------------------------------------------ a build that hangs

COMMIT = "2026-11-24T07:00:00.000Z"
HOURS_25 = datetime.fromisoformat(COMMIT).timestamp() + 25 * 3600


def hanging(on_error: Any, stage: str = "BUILDING", now: float | None = HOURS_25) -> Plan:
    state = live(stage=stage, details=Details(modified=COMMIT))
    return planned(SpaceSpec(state="running", on_error=on_error), state, LocalInputs(now=now))


@pytest.mark.parametrize("stage", ["BUILDING", "APP_STARTING"])
def test_a_build_that_hangs_is_told_with_the_age_of_its_commit(stage: str) -> None:
    made = hanging("restart", stage)
    assert made.changes == ()
    assert checks(made) == [f"warning stage: {stage}, its commit is 25 h old."]


def test_a_build_that_has_hung_for_longer_than_declared_is_restarted_as_a_failed_one() -> None:
    made = hanging({"do": "restart", "after": "30m"})
    assert told(made) == ["state restart 'BUILDING' -> 'RUNNING'"]
    assert (made.changes[0].mends, made.changes[0].rebuild) == (True, False)
    assert hanging({"do": "factory-rebuild", "after": "30m"}).changes[0].rebuild
    assert checks(hanging({"do": "report", "after": "30m"})) == [
        "warning stage: BUILDING, its commit is 25 h old."
    ]


@pytest.mark.parametrize("now", [None, HOURS_25 - 24.9 * 3600])
def test_a_build_that_is_young_or_of_unknown_age_is_left_to_end(now: float | None) -> None:
    made = hanging({"do": "restart", "after": "30m"}, now=now)
    assert (made.changes, made.checks) == ((), ())
