"""Histories: people edit the manifest and click in the browser, the Hub and the network fail, processes die,
and apply is run until it exits 0. Beside it, a twin: the same edits and clicks, and nothing ever fails.

After every apply the two must look the same, the next plan must be empty, and what was created, deleted,
restarted, paused or sent as a secret is counted on both.
"""

from __future__ import annotations

import atexit
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any, TypeAlias

from hypothesis import strategies as st

from hfspace.errors import HfspaceError, ManifestError
from hfspace.localhub import LocalHub, machine, repo
from hfspace.model import Status
from tests.converge.direct import Crash, Wire
from tests.converge.direct import hub as hub_on
from tests.converge.harness import OPTIONS, HubPace, Runner
from tests.converge.readings import declared_differs, undeclared_differs

ENV = {"ONE": "s3cret-value-one", "TWO": "s3cret-value-two"}
NAMES = ("acme/a", "acme/b", "acme/c")
BYSTANDER = {
    "stage": "RUNNING",
    "hardware": "t4-small",
    "sleep_time": -1,
    "variables": {"V": "1"},
    "secrets": {"S": "x"},
}
_PASSING = {
    "since", "visited", "ahead", "writes", "restarts", "restart_calls", "pauses", "created", "error",
    "modified", "started", "before", "sha", "built_sha", "oid", "meter",
}  # fmt: skip
FOLDERS = {
    "one": {
        "README.md": "---\nsdk: gradio\n---\n# One\n",
        "app.py": "print(1)\n",
        "old.py": "print('old')\n",
    },
    "two": {"README.md": "---\ntitle: Two\nsdk: gradio\n---\n", "app.py": "print(2)\n", "lib/x.py": ""},
    "three": {"app.py": "print(1)\n", "lib/x.py": "x = 3\n"},
}
"""The folders that a manifest may name, with their files."""
_VOLUME = {"type": "model", "source": "acme/m", "mountPath": "/m", "readOnly": True}


# ------------------------------------------------------------ what is drawn

_key = st.sampled_from(["A", "B", "S", "T"])
spec = st.fixed_dictionaries(
    {},
    optional={
        "hardware": st.sampled_from(["cpu-basic", "cpu-upgrade", "t4-small"]),
        "sleep_time": st.sampled_from([36000, 72000, "never"]),
        "state": st.sampled_from(["running", "paused", "absent"]),
        "on_error": st.sampled_from(["report", "restart"]),
        "visibility": st.sampled_from(["public", "private", "protected"]),
        "variables": st.dictionaries(_key, st.sampled_from(["1", "2"]), max_size=2),
        "secrets": st.dictionaries(
            _key, st.sampled_from(["ONE", "TWO"]).map(lambda name: {"env": name}), max_size=2
        ),
        "volumes": st.sampled_from([[], [{"source": "hf://buckets/acme/audio", "mount_path": "/data"}]]),
        "prune": st.lists(st.sampled_from(["variables", "secrets", "volumes"]), unique=True, max_size=3),
        "files": st.sampled_from(["one", {"from": "two", "prune": True}, {"from": "three"}]),
        "card": st.sampled_from([{"title": "Ours"}, {"pinned": True, "tags": ["a"]}]),
        "restart": st.sampled_from(["one", "two"]),
        "dev_mode": st.booleans(),
        "ignore": st.lists(st.sampled_from(["hardware", "visibility"]), unique=True, max_size=1),
    },
)
live = st.fixed_dictionaries(
    {"stage": st.sampled_from(["RUNNING", "PAUSED", "SLEEPING", "RUNTIME_ERROR", "STOPPED"])},
    optional={
        "hardware": st.sampled_from(["cpu-basic", "cpu-upgrade", "t4-small"]),
        "sleep_time": st.sampled_from([-1, 36000, 72000]),
        "visibility": st.sampled_from(["public", "private", "protected"]),
        "variables": st.dictionaries(_key, st.sampled_from(["1", "2"]), max_size=2),
        "volumes": st.sampled_from([[], [_VOLUME]]),
    },
)
click = st.one_of(
    st.fixed_dictionaries({"stage": st.sampled_from(["RUNNING", "PAUSED", "RUNTIME_ERROR", "STOPPED"])}),
    st.fixed_dictionaries({"requested": st.sampled_from(["cpu-upgrade", "t4-small"])}),
    st.fixed_dictionaries({"sleep_time": st.sampled_from([36000, 72000])}),
    st.fixed_dictionaries({"visibility": st.sampled_from(["public", "private", "protected"])}),
    st.fixed_dictionaries({"variable": _key, "value": st.sampled_from(["1", "9"])}),
    st.fixed_dictionaries({"secret": _key}),
    st.fixed_dictionaries({"commit": st.sampled_from(["app.py", "old.py", "theirs.txt"])}),
)


def faults(most_times: int, most_reads: int) -> st.SearchStrategy[dict[str, Any]]:
    """A lost answer, refusals up to so often, or so many reads that lag."""
    return st.one_of(
        st.builds(
            lambda method, drop, after: {"method": method, "drop": drop, "times": 1, "after": after},
            st.sampled_from(["POST", "PUT", "DELETE", "GET"]),
            st.sampled_from(["before", "after"]),
            st.integers(0, 6),
        ),
        st.builds(
            lambda status, after, times: {"status": status, "times": times, "after": after},
            st.sampled_from([429, 500, 502, 503, 504]),
            st.integers(0, 12),
            st.integers(1, most_times),
        ),
        st.builds(lambda reads: {"path": "/none", "stale": reads}, st.integers(1, most_reads)),
    )


fault = faults(most_times=6, most_reads=4)
crash = st.one_of(st.none(), st.tuples(st.integers(1, 30), st.sampled_from(["before", "after"])))
switches = st.fixed_dictionaries(
    {
        name: st.booleans()
        for name in (
            "hardware_change_wakes_paused",
            "hardware_resets_sleep",
            "description_dropped",
            "list_runtime_has_volumes",
            "list_runtime_has_error",
            "identical_post_restarts",
            "coalesce_restarts",
            "protected_in_private",
            "trims_values",
            "trims_descriptions",
            "logs_stay_open",
        )
    }
    | {
        "runtime_lags_reads": st.sampled_from([0, 0, 1, 3]),
        "sleep_time_when_paused": st.sampled_from(["accept", "refuse"]),
    }
)


# ------------------------------------------------------------ what is done


Crashing: TypeAlias = "tuple[int, str] | None"
"""At which request a run dies, and whether before or after its effect."""


class SlowPace(HubPace):
    """The Hub's clock runs slower than the run's: every stage takes longer."""

    def __init__(self, hub: LocalHub, slow: float) -> None:
        super().__init__(hub, timeout=100_000)
        self._slow = slow

    def sleep(self, seconds: float, what: str) -> None:
        super().sleep(seconds, what)
        self._hub.advance(seconds / self._slow - seconds)


@dataclass(slots=True)
class Counts:
    """What a soak has seen."""

    histories: int = 0
    applies: int = 0
    refused: int = 0
    reruns: int = 0
    clicks: int = 0
    edits: int = 0
    left_awake: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    requests: int = 0


class History:
    """One history and its twin. Every method is a step; a broken promise is an AssertionError."""

    def __init__(
        self,
        wire: Wire,
        spaces: Mapping[str, Any],
        hub_switches: Mapping[str, bool],
        counts: Counts | None = None,
    ) -> None:
        self._stack = ExitStack()
        self._coalesces = bool(hub_switches.get("coalesce_restarts", False))
        self._wire = wire
        self.counts = counts or Counts()
        self.counts.histories += 1
        seed = {"spaces": {**spaces, "acme/bystander": BYSTANDER}, "hub": {"switches": dict(hub_switches)}}
        self.hub = self._stack.enter_context(hub_on(wire, seed))
        self.twin = self._stack.enter_context(hub_on(wire, seed))
        self.specs: dict[str, Any] = {}
        self._untold: set[tuple[str, str]] = set()
        self._bystander = _settled(self.hub.space("acme/bystander"))

    def close(self) -> None:
        self.counts.requests += self._wire.requests
        self._wire.requests = 0
        self.counts.faults.update(self._wire.struck)
        self._wire.struck.clear()
        self._stack.close()

    def edit(self, space: str, wanted: Mapping[str, Any]) -> None:
        """Declare a Space, or declare it differently."""
        self.specs[space] = _allowed(wanted)
        self.counts.edits += 1

    def click(self, space: str, what: Mapping[str, Any]) -> None:
        """Somebody changes something in the browser, at rest."""
        if space not in self.hub.spaces():
            return
        self.counts.clicks += 1
        for one in (self.hub, self.twin):
            if "commit" in what:
                _commit(one, space, what["commit"])
            else:
                one.set_space(space, **_clicked(one.space(space), what))

    def apply(self, faults: list[Mapping[str, Any]], crashes: list[Crashing], slow: float) -> None:
        """Apply until it exits 0, under faults and crashes; the twin once, undisturbed. Then compare."""
        manifest = {
            "version": 1,
            "policy": {"max_deletes": 3, "max_change_percent": 100},
            "spaces": self.specs,
        }
        if not self.specs or not self._possible(manifest):
            self.counts.refused += 1
            return
        self.counts.applies += 1
        before = {name: _counted(one) for name, one in (("hub", self.hub), ("twin", self.twin))}
        was = {name: self.hub.space(name) for name in self.hub.spaces()}
        died = self._wire.struck["crash"]
        result = Runner(self.twin, manifest, ENV, base()).apply()
        assert not result.failed, [outcome.error for outcome in result.outcomes]
        for one in faults:
            self.hub.add_fault(dict(one))
        self._until_done(manifest, list(crashes), slow)
        self.hub.clear_faults()
        for one in (self.hub, self.twin):
            one.advance(600)
        crashes_struck = self._wire.struck["crash"] - died
        if crashes_struck:
            self._pause_what_was_left_awake(was)
        self._check(manifest, before, crashes_struck)
        for name, spec in self.specs.items():
            if name in self.hub.spaces():
                doc = self.hub.space(name)
                assert declared_differs(spec, doc, ENV, FOLDERS) == [], name
                if name in was:
                    assert undeclared_differs(spec, was[name], doc, FOLDERS) == [], name

    def _pause_what_was_left_awake(self, was: Mapping[str, Any]) -> None:
        """The known exception (docs/reliability.md): nobody declares that it is paused, a change of hardware
        woke it, and the run died before it could pause it again. Counted, and mended as a person would."""
        for name in set(was) & set(self.hub.spaces()):
            held = was[name]["stage"] == "PAUSED" and "state" not in self.specs.get(name, {})
            if held and self.hub.space(name)["stage"] != "PAUSED":
                self.hub.set_space(name, stage="PAUSED", current=None)
                self.counts.left_awake += 1

    def _possible(self, manifest: dict[str, Any]) -> bool:
        """A manifest that can be loaded, and a plan without errors."""
        try:
            return not Runner(self.twin, manifest, ENV, base()).plan().errors
        except ManifestError:
            return False

    def _until_done(self, manifest: dict[str, Any], crashes: list[Crashing], slow: float) -> None:
        last: object = None
        for attempt in range(12):
            runner = Runner(self.hub, manifest, ENV, base())
            pace = SlowPace(self.hub, slow)
            runner.pace, runner.client.limiter.pace = pace, pace
            planned = crashes.pop(0) if crashes else None
            self._wire.crash_at, self._wire.crash_when = planned or (None, "before")
            try:
                result = runner.apply(options=replace(OPTIONS, rounds=12))
            except Crash:
                last = "killed"
                continue
            except HfspaceError as error:
                last = error
                continue
            finally:
                self._wire.crash_at = None
                self.counts.reruns += attempt > 0
            if not result.failed:
                return
            last = [outcome.error for outcome in result.outcomes if outcome.status is not Status.DONE]
        raise AssertionError(f"did not converge: {last}")

    def _check(self, manifest: dict[str, Any], before: dict[str, Any], crashes: int) -> None:
        left = Runner(self.hub, manifest, ENV, base()).plan()
        assert left.changes == (), [change.address for change in left.changes]
        assert self.hub.spaces() == self.twin.spaces()
        for name in self.hub.spaces():
            if name == "acme/bystander":
                assert _settled(self.hub.space(name)) == self._bystander
            else:
                self._same(name, _settled(self.hub.space(name)), _settled(self.twin.space(name)))
        took = _counted(self.hub) - before["hub"]
        needed = _counted(self.twin) - before["twin"]
        for what, times in took.items():
            # Lost answers, refusals and stale reads cost nothing twice. A process that died forgets what it
            # has done, and a stale read may hide that from the next one: once more, each time.
            if what[0] == "restarts" and self._coalesces:
                continue  # how many of them fall together depends on how long requests are held up
            spare = 0 if what[0] in {"creates", "deletes", "commits"} else crashes
            assert times <= needed[what] + spare, (what, times, needed[what])

    def _same(self, name: str, has: dict[str, Any], should: dict[str, Any]) -> None:
        differ = {key: (has[key], should[key]) for key in should if has[key] != should[key]}
        for key in ("sleep_time", "dev_mode"):
            # A paused Space tells neither (docs/reliability.md): a run that died right after the pause leaves
            # them as they were, to the first run that finds the Space awake and declares them.
            if key in differ and should["stage"] == "PAUSED" and key in self.specs.get(name, {}):
                self._untold.add((name, key))
            if key not in differ:
                self._untold.discard((name, key))
            elif (name, key) in self._untold:
                del differ[key]
        assert differ == {}, f"{name}: (here, at the twin): {differ}"


def _allowed(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """`wanted` without what a manifest may not say."""
    spec = {**wanted, "sdk": "gradio", "create": {}}
    if spec.get("state") == "absent":
        del spec["create"]
    if spec.get("hardware") == "cpu-basic":
        spec.pop("sleep_time", None)
    if "secrets" in spec:
        taken = spec.get("variables", {})
        spec["secrets"] = {key: source for key, source in spec["secrets"].items() if key not in taken}
    return spec


def _clicked(doc: dict[str, Any], what: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a document that a click changes."""
    for kind, key in (("variables", "variable"), ("secrets", "secret")):
        if key in what:
            other = "secrets" if kind == "variables" else "variables"
            if what[key] in doc[other]:
                return {}
            entry = {"value": what.get("value", "theirs"), "updated": "2026-01-01T00:00:00.000Z"}
            return {kind: {**doc[kind], what[key]: entry}}
    if "requested" in what:
        return {"requested": what["requested"], "current": what["requested"], "sleep_time": -1}
    if "sleep_time" in what and doc["requested"] == "cpu-basic":
        return {}
    if "stage" in what:
        return {**what, "current": doc["requested"] if what["stage"] == "RUNNING" else None}
    return dict(what)


def _settled(doc: dict[str, Any]) -> dict[str, Any]:
    """What two Hubs must agree on. A RUNNING and a SLEEPING Space are both up, and marks have salts."""
    kept = {key: value for key, value in doc.items() if key not in _PASSING}
    kept["stage"] = "UP" if doc["stage"] in {"RUNNING", "SLEEPING"} else doc["stage"]
    kept["current"] = None
    for kind in ("variables", "secrets"):
        kept[kind] = {
            key: (item["value"], (item.get("description") or "").partition("[hfspace:")[0])
            for key, item in doc[kind].items()
        }
    return kept


def _counted(hub: LocalHub) -> Counter[tuple[str, str]]:
    """How often things took effect so far, by Space."""
    counts: Counter[tuple[str, str]] = Counter()
    for what in ("creates", "deletes"):
        counts.update({(what, space): times for space, times in hub.counts(what).items()})
    for space in hub.spaces():
        doc = hub.space(space)
        counts.update({(what, space): doc[what] for what in ("restarts", "restart_calls", "pauses")})
    for entry in hub.requests():
        space, _, what = entry.path.removeprefix("/api/spaces/").rpartition("/")
        if entry.effect and entry.method == "POST" and what == "secrets":
            counts[("secrets", space)] += 1
        elif entry.effect and entry.path.endswith("/commit/main"):
            counts[("commits", space.removesuffix("/commit"))] += 1
    return counts


@cache
def base() -> Path:
    """The folder of the manifest, with all folders that it may name."""
    folder = Path(mkdtemp(prefix="hfspace-histories-"))
    atexit.register(rmtree, folder, ignore_errors=True)
    for name, files in FOLDERS.items():
        for path, text in files.items():
            (folder / name / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / name / path).write_text(text)
    return folder


def _commit(hub: LocalHub, space: str, path: str) -> None:
    """Somebody commits a file on the Hub, and waits until it runs."""
    with hub._store.transaction():
        doc = hub.space(space)
        repo.commit(hub._store, doc, {path: b"theirs\n"}, now=hub._world.now, title="By hand", author="bob")
        machine.committed(doc, hub._world.now)
        hub._store.put(doc)
    hub.advance(60)
