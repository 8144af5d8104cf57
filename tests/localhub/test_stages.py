"""Stages over time as a state machine: whatever is done in whatever order, a Space is in a possible state."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from hfspace.localhub import machine, wire
from hfspace.localhub.routes import answer
from hfspace.localhub.routes.call import Call
from hfspace.localhub.seed import read
from hfspace.localhub.store import Store
from hfspace.localhub.wire import Answer
from hfspace.localhub.world import World

STAGES = {
    "NO_APP_FILE", "CONFIG_ERROR", "BUILDING", "BUILD_ERROR", "APP_STARTING", "RUNNING", "RUNNING_BUILDING",
    "RUNNING_APP_STARTING", "RUNTIME_ERROR", "PAUSED", "SLEEPING",
}  # fmt: skip
SERVING = {"RUNNING", "RUNNING_BUILDING", "RUNNING_APP_STARTING"}
REST = {"NO_APP_FILE", "CONFIG_ERROR", "BUILD_ERROR", "RUNTIME_ERROR", "PAUSED", "SLEEPING", "RUNNING"}
TOKEN = "hf_local_write"
SPACES = "/api/spaces/acme/x"


class Stages(RuleBasedStateMachine):
    keys = Bundle("keys")

    @initialize(
        start=st.sampled_from(sorted(STAGES - {"CONFIG_ERROR"})),
        build=st.sampled_from(["ok", "ok", "fail", "stuck"]),
        run=st.sampled_from(["ok", "ok", "crash", "flip", "stuck"]),
        flavor=st.sampled_from(["cpu-basic", "t4-small"]),
        switches=st.fixed_dictionaries(
            {},
            optional={
                "hardware_change_wakes_paused": st.booleans(),
                "config_change_wakes_paused": st.booleans(),
                "config_change_wakes_sleeping": st.booleans(),
                "coalesce_restarts": st.booleans(),
                "restart_lag": st.sampled_from([0, 3]),
            },
        ),
    )
    def seeded(self, start: str, build: str, run: str, flavor: str, switches: dict[str, Any]) -> None:
        self.store = Store(":memory:")
        space = {"stage": start, "build": build, "start": run, "hardware": flavor}
        seed = read({"spaces": {"acme/x": space}, "hub": {"switches": switches}})
        self.world = World(self.store, seed, manual_clock=True)
        self.switches = seed.hub.switches
        self.restarts = 0

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()

    def ask(self, method: str, path: str, body: Any = None, **query: list[str]) -> Answer:
        data = b"" if body is None else json.dumps(body).encode()
        call = Call(world=self.world, method=method, path=SPACES + path, body=data, token=TOKEN, query=query)
        with self.store.transaction():
            return answer(call)

    @property
    def doc(self) -> dict[str, Any]:
        doc = self.store.space("acme/x")
        assert doc is not None
        return machine.settled(doc, self.world.now)

    # ------------------------------------------------------------ what may happen

    @rule(seconds=st.sampled_from([1, 9, 31, 61, 400, 1900, 200_000]))
    def time_passes(self, seconds: int) -> None:
        self.world.advance(seconds)

    @rule()
    def paused(self) -> None:
        assert self.ask("POST", "/pause").status == 200
        assert self.doc["stage"] == "PAUSED"

    @rule(factory=st.booleans())
    def restarted(self, factory: bool) -> None:
        before = self.doc
        assert self.ask("POST", "/restart", factory=[str(factory).lower()]).status == 200
        if before["stage"] != "NO_APP_FILE" and before["files"] and not self.switches.restart_lag:
            assert self.doc["stage"] in {"BUILDING", "CONFIG_ERROR"}

    @rule(flavor=st.sampled_from(["cpu-basic", "cpu-upgrade", "t4-small"]))
    def hardware(self, flavor: str) -> None:
        before = self.doc
        assert self.ask("POST", "/hardware", {"flavor": flavor}).status == 200
        assert self.doc["requested"] == flavor
        if before["stage"] == "RUNNING" and flavor != before["requested"]:
            assert self.doc["current"] == before["current"]  # the old machine serves until the new one is up

    @rule(seconds=st.sampled_from([-1, 60, 3600]))
    def sleep_time(self, seconds: int) -> None:
        free = self.doc["requested"] == "cpu-basic"
        assert self.ask("POST", "/sleeptime", {"seconds": seconds}).status == (400 if free else 200)

    @rule(target=keys, kind=st.sampled_from(["variables", "secrets"]), key=st.sampled_from("AB"))
    def put(self, kind: str, key: str) -> tuple[str, str]:
        assert self.ask("POST", f"/{kind}", {"key": key, "value": "v"}).status == 200
        return kind, key

    @rule(entry=consumes(keys))
    def removed(self, entry: tuple[str, str]) -> None:
        kind, key = entry
        assert self.ask("DELETE", f"/{kind}", {"key": key}).status == 200
        assert key not in self.doc[kind]

    @rule()
    def committed(self) -> None:
        lines = (
            {"key": "header", "value": {"summary": "s"}},
            {"key": "file", "value": {"path": "app.py", "content": "", "encoding": "base64"}},
        )
        call = Call(
            world=self.world, method="POST", path=f"{SPACES}/commit/main", token=TOKEN,
            body=b"\n".join(json.dumps(line).encode() for line in lines),
        )  # fmt: skip
        before = self.doc
        with self.store.transaction():
            assert answer(call).status == 200
        assert self.doc["sha"] != before["sha"]
        assert (self.doc["stage"] == "PAUSED") == (before["stage"] == "PAUSED")

    @rule()
    def visited(self) -> None:
        doc = self.doc
        machine.visit(doc, self.world.now)
        self.store.put(doc)
        assert doc["stage"] != "SLEEPING"

    # ------------------------------------------------------------ what always holds

    @invariant()
    def the_state_is_possible(self) -> None:
        if not hasattr(self, "world"):
            return
        doc = self.doc
        assert doc["stage"] in STAGES
        assert (doc["current"] is None) == (
            doc["stage"] not in SERVING | {"APP_STARTING", "RUNTIME_ERROR"}
        ) or (doc["stage"] in {"APP_STARTING", "RUNTIME_ERROR"})
        if doc["stage"] == "RUNNING":
            assert doc["current"] == doc["requested"]
            assert doc["error"] is None
        if doc["stage"] in {"BUILD_ERROR", "RUNTIME_ERROR", "CONFIG_ERROR"}:
            assert doc["error"]
        if doc["stage"] == "SLEEPING":
            assert doc["current"] is None
        if set(doc["variables"]) & set(doc["secrets"]):
            assert doc["stage"] not in SERVING
        assert doc["restarts"] >= self.restarts
        self.restarts = doc["restarts"]

    @invariant()
    def the_answer_says_what_is(self) -> None:
        if not hasattr(self, "world"):
            return
        doc, said = self.doc, self.ask("GET", "/runtime").body
        assert said["stage"] == doc["stage"]
        assert said["hardware"] == {"current": doc["current"], "requested": doc["requested"]}
        assert ("gcTimeout" in said) <= (doc["sleep_time"] != machine.NEVER)

    @invariant()
    def it_comes_to_rest(self) -> None:
        """Unless it is stuck in a build, which the seed asked for."""
        if hasattr(self, "world"):
            later = machine.settled(self.doc, self.world.now + 1_000_000)
            assert later["stage"] in REST or later["build"] == "stuck"
            if later["stage"] == "RUNNING":
                assert later["sleep_time"] == machine.NEVER


Stages.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestStages = Stages.TestCase


@pytest.mark.slow
@pytest.mark.timeout(1800)
class TestStagesLong(Stages.TestCase):  # type: ignore[misc, name-defined]
    settings = settings(max_examples=3000, stateful_step_count=50, deadline=None)


def test_the_recorded_way_of_a_hardware_change() -> None:
    """Requested before current, the old app serving meanwhile, then equal."""
    store = Store(":memory:")
    world = World(store, read({"spaces": {"acme/x": {"hardware": "cpu-upgrade"}}}), manual_clock=True)
    doc = store.space("acme/x")
    assert doc is not None
    doc["requested"] = "t4-small"
    machine.hardware_changed(doc, world.now, wakes_paused=True)
    seen = []
    for seconds in (0, machine.BUILD_SECONDS, machine.BUILD_SECONDS + machine.START_SECONDS):
        now = machine.settled(doc, world.now + seconds)
        seen.append((now["stage"], now["current"], now["requested"]))
    assert seen == [
        ("RUNNING_BUILDING", "cpu-upgrade", "t4-small"),
        ("RUNNING_APP_STARTING", "cpu-upgrade", "t4-small"),
        ("RUNNING", "t4-small", "t4-small"),
    ]
    assert wire.runtime(doc, world.view("http://x"))["hardware"]["requested"] == "t4-small"
    store.close()
