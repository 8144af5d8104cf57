"""Two runners, and people who click while an apply is at work: nobody fights, and who loses says so."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from hfspace.applier.events import Event, Kind
from hfspace.localhub import LocalHub
from hfspace.model import ApplyResult, Status
from tests.converge.harness import Runner
from tests.converge.killing import Commands

ENV = {"MINE": "my-secret-value", "THEIRS": "their-secret-value"}
LIVE = {
    "stage": "RUNNING",
    "hardware": "cpu-upgrade",
    "sleep_time": 600,
    "variables": {"A": "old"},
    "secrets": {"S": "old"},
}


@pytest.fixture
def hub() -> Iterator[LocalHub]:
    with LocalHub(seed={"spaces": {"acme/x": LIVE}}, clock="manual") as hub:
        yield hub


def spaces(**spec: Any) -> dict[str, Any]:
    return {"version": 1, "spaces": {"acme/x": spec}}


class Meanwhile:
    """Does something once, right after a request of the run has had its effect."""

    def __init__(self, hub: LocalHub, end: str, what: Callable[[], object], method: str = "") -> None:
        self._hub, self._end, self._method, self._what, self.done = hub, end, method, what, False
        hub.set_hook(self)

    def __call__(self, when: str, method: str, path: str) -> None:
        hit = path.endswith(self._end) and (method == self._method or (not self._method and method != "GET"))
        if when == "after" and not self.done and hit:
            self.done = True
            self._what()


def click(hub: LocalHub, kind: str, key: str, value: str) -> Callable[[], None]:
    def do() -> None:
        entries = hub.space("acme/x")[kind]
        entries[key] = {"value": value, "updated": "2026-01-01T00:00:00.000Z"}
        hub.set_space("acme/x", **{kind: entries})

    return do


def failed(result: ApplyResult) -> str:
    assert result.exit_code == 3
    return result.outcomes[0].error


def writes(hub: LocalHub, end: str) -> int:
    return sum(1 for entry in hub.writes() if entry.path.endswith(end))


def test_hardware_that_somebody_else_changed_is_not_fought_for(hub: LocalHub) -> None:
    Meanwhile(hub, "/hardware", lambda: hub.set_space("acme/x", requested="a10g-small"))
    error = failed(Runner(hub, spaces(hardware="t4-small")).apply())
    assert "acme/x.hardware was changed by somebody else meanwhile" in error
    assert "this run had set it to t4-small, and now it is a10g-small" in error
    assert writes(hub, "/hardware") == 1
    assert hub.space("acme/x")["requested"] == "a10g-small"


def test_hardware_that_somebody_else_changed_back_is_not_fought_for(hub: LocalHub) -> None:
    Meanwhile(hub, "/hardware", lambda: hub.set_space("acme/x", requested="cpu-upgrade"))
    error = failed(Runner(hub, spaces(hardware="t4-small")).apply())
    assert "reads as before, although the Hub took the change" in error
    assert writes(hub, "/hardware") == 1


@pytest.mark.parametrize(
    ("spec", "kind", "key", "said"),
    [
        ({"variables": {"A": "mine"}}, "variables", "A", 'set it to "mine", and now it is "theirs"'),
        ({"restart": "two"}, "variables", "HFSPACE_RESTART", "set it to two, and now it is theirs"),
        # Neither has a mark, so which of the two it is can't be told.
        ({"secrets": {"S": {"env": "MINE"}}}, "secrets", "S", "reads as before, although the Hub took"),
    ],
)
def test_settings_that_somebody_else_changed_are_named(
    hub: LocalHub, spec: dict[str, Any], kind: str, key: str, said: str
) -> None:
    Meanwhile(hub, kind, click(hub, kind, key, "theirs"))
    error = failed(Runner(hub, spaces(**spec), ENV).apply())
    assert "meanwhile: this run" in error or kind == "secrets"
    assert said in error
    assert "theirs" not in error or kind == "variables"
    assert writes(hub, kind) == 1


def test_a_space_that_somebody_else_paused_stays_paused(hub: LocalHub) -> None:
    hub.set_space("acme/x", stage="PAUSED")
    Meanwhile(hub, "/restart", lambda: hub.set_space("acme/x", stage="PAUSED"))
    error = failed(Runner(hub, spaces(state="running")).apply())
    assert error == "acme/x was paused by somebody else meanwhile: this run had started it."
    assert hub.space("acme/x")["restart_calls"] == 1


def test_a_space_that_somebody_else_started_stays_started(hub: LocalHub) -> None:
    Meanwhile(hub, "/pause", lambda: hub.set_space("acme/x", stage="RUNNING"))
    error = failed(Runner(hub, spaces(state="paused")).apply())
    assert error == "acme/x was started by somebody else meanwhile: this run had paused it."
    assert hub.space("acme/x")["pauses"] == 1


def test_a_space_that_is_gone_is_not_done_and_not_made_again(hub: LocalHub) -> None:
    """Was reported as done: with the Space gone there was nothing left to change."""
    runner = Runner(hub, spaces(hardware="t4-small", variables={"A": "mine"}))
    snapshot = runner.snapshot()
    hub._store.remove("acme/x")
    from hfspace.applier.executor import apply
    from hfspace.planner.plan import plan

    result = apply(plan(runner.manifest, snapshot).approve(), runner.run(snapshot))
    assert (result.exit_code, "is gone since the plan was made" in result.outcomes[0].error) == (1, True)


@pytest.mark.parametrize("create", [None, {}])
def test_a_space_that_goes_in_the_middle_is_not_made_again(hub: LocalHub, create: Any) -> None:
    Meanwhile(hub, "/variables", lambda: hub._store.remove("acme/x"))
    spec = {"sdk": "gradio", "variables": {"A": "mine", "B": "1"}}
    error = failed(Runner(hub, spaces(**spec, **({} if create is None else {"create": create}))).apply())
    assert "is gone since the plan was made" in error
    assert hub.counts("creates") == {}


def test_a_space_that_somebody_else_deleted_first_is_deleted(hub: LocalHub) -> None:
    runner = Runner(hub, spaces(state="absent") | {"policy": {"max_deletes": 1}})
    seen: list[bool] = []

    def vanish(when: str, method: str, path: str) -> None:
        if when == "before" and method == "DELETE" and not seen:
            seen.append(True)
            hub._store.remove("acme/x")

    hub.set_hook(vanish)
    result = runner.apply()
    assert seen
    assert result.exit_code == 0


def test_volumes_that_somebody_else_detached_first_are_detached(hub: LocalHub) -> None:
    mounted = [{"type": "model", "source": "acme/m", "mountPath": "/m", "readOnly": True}]
    hub.set_space("acme/x", volumes=mounted)

    def detach(when: str, method: str, path: str) -> None:
        if when == "before" and method == "DELETE":
            hub.set_space("acme/x", volumes=[])

    hub.set_hook(detach)
    assert Runner(hub, spaces(volumes=[], prune=["volumes"])).apply().exit_code == 0


def test_what_can_no_longer_be_held_is_an_error_and_not_a_success(hub: LocalHub) -> None:
    """Was reported as done: a sleep time can't be set on free hardware, and nothing was left to change."""
    Meanwhile(hub, "/variables", lambda: hub.set_space("acme/x", requested="cpu-basic", sleep_time=172800))
    error = failed(Runner(hub, spaces(sleep_time=600, variables={"A": "mine"})).apply())
    assert "runs on cpu-basic, whose sleep time is fixed" in error


class Timed(list[Event]):
    """Events, and when the last write was acknowledged."""

    wrote: float = 0.0
    ended: float = 0.0

    def append(self, event: Event) -> None:
        super().append(event)
        if event.kind is Kind.APPLIED:
            self.wrote = time.monotonic()


def together(hub: LocalHub, *manifests: dict[str, Any], events: Sequence[Timed] = ()) -> list[ApplyResult]:
    """Applies at once, each in a thread with a client of its own; they meet before the first write."""
    runners = [Runner(hub, manifest, ENV) for manifest in manifests]
    for runner, own in zip(runners, events, strict=False):
        runner.events = own
    barrier = threading.Barrier(len(runners))
    results: list[ApplyResult | None] = [None] * len(runners)

    def go(number: int, runner: Runner) -> None:
        from hfspace.applier.executor import apply
        from hfspace.planner.plan import plan

        snapshot = runner.snapshot()
        barrier.wait(10)
        results[number] = apply(plan(runner.manifest, snapshot).approve(), runner.run(snapshot))
        if isinstance(runner.events, Timed):
            runner.events.ended = time.monotonic()

    threads = [threading.Thread(target=go, args=item) for item in enumerate(runners)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert None not in results
    return [result for result in results if result is not None]


@pytest.mark.parametrize("turn", range(3))
def test_two_runs_of_one_manifest_both_succeed(hub: LocalHub, turn: int) -> None:
    wanted = spaces(
        hardware="t4-small",
        sleep_time="1h",
        visibility="private",
        variables={"A": "mine", "B": "1"},
        secrets={"S": {"env": "MINE"}},
        restart="two",
    )
    wanted["spaces"]["acme/new"] = {"sdk": "gradio", "create": {}, "variables": {"A": "1"}}
    results = together(hub, wanted, wanted)
    assert [[o.error for o in result.outcomes if o.error] for result in results] == [[], []]
    assert Runner(hub, wanted, ENV).plan().changes == ()
    assert hub.counts("creates") == {"acme/new": 1}


@pytest.mark.parametrize("turn", range(4))
def test_of_two_runs_of_different_manifests_who_loses_a_setting_says_so(hub: LocalHub, turn: int) -> None:
    mine = spaces(
        hardware="t4-small", sleep_time="1h", variables={"A": "mine"}, secrets={"S": {"env": "MINE"}}
    )
    theirs = spaces(
        hardware="a10g-small", sleep_time="2h", variables={"A": "theirs"}, secrets={"S": {"env": "THEIRS"}}
    )
    events = (Timed(), Timed())
    results = together(hub, mine, theirs, events=events)
    doc = hub.space("acme/x")
    assert doc["requested"] in {"t4-small", "a10g-small"}
    assert doc["variables"]["A"]["value"] in {"mine", "theirs"}
    assert doc["secrets"]["S"]["value"] in set(ENV.values())
    left = [Runner(hub, manifest, ENV).plan().changes for manifest in (mine, theirs)]
    assert any(left)
    for number, (result, changes) in enumerate(zip(results, left, strict=True)):
        overtaken = events[1 - number].wrote > events[number].ended
        if changes and not overtaken:  # else it was as declared when this run ended, and changed later
            assert result.outcomes[0].status is Status.FAILED
            assert "meanwhile" in result.outcomes[0].error
        elif not changes:
            assert result.exit_code == 0


@pytest.mark.xdist_group("kill")
def test_of_two_processes_the_one_that_lost_exits_3_and_says_so() -> None:
    """As a person meets it: two terminals, two manifests, one Space."""
    live = {"spaces": {"acme/x": {"stage": "RUNNING", "hardware": "cpu-upgrade"}}, "hub": {"time_scale": 20}}
    flavors = ("t4-small", "a10g-small")
    with LocalHub(seed=live) as hub, Commands() as here, Commands() as there:
        for commands, flavor in zip((here, there), flavors, strict=True):
            text = json.dumps({"version": 1, "spaces": {"acme/x": {"hardware": flavor}}})
            (commands.folder / "spaces.yaml").write_text(text)
        for commands in (here, there):
            commands.start(hub, "apply", "--yes")
        ends = dict(zip(flavors, (here.end(), there.end()), strict=True))
        won = hub.space("acme/x")["requested"]
    code, output = ends.pop(won)
    assert code == 0, output
    [(code, output)] = ends.values()
    assert code == 3, output
    assert "acme/x.hardware was changed by somebody else meanwhile" in output
    assert f"now it is {won}" in output
