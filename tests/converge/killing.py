"""Kill a real `hfspace apply` at one request, run it again, and say what is wrong then."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from hfspace.localhub import LocalHub
from tests.converge import fleet

_HERE = Path(__file__).parent
_STEP_SECONDS = 8.0
_PASSING = {
    "since", "visited", "ahead", "writes", "restarts", "restart_calls", "pauses", "created", "modified",
    "started", "before", "sha", "built_sha", "oid", "meter",
}  # fmt: skip
_COUNTED = ("restarts", "restart_calls", "pauses")


class Killed(Exception):
    """Ends a request without its effect: the server drops the connection."""


class Commands:
    """Runs hfspace commands as processes, one at a time, forked from a warm parent."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="hfspace-kill-")
        self.folder = Path(self._folder.name)
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "HF_HOME": str(self.folder / "hf"),
            # Locks are kept there, and several of these are one user.
            "XDG_CACHE_HOME": str(self.folder.parent / "hfspace-tests-cache"),
            "HFSPACE_POLL_SECONDS": "0.005",
            "HFSPACE_SETTLE_SECONDS": "0.2",
            "PYTHONHASHSEED": "0",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            **fleet.ENV,
        }
        read, write = os.pipe()
        self._parent = subprocess.Popen(
            [sys.executable, "-c", f"import os; os.dup2({write}, 3); import runpy; "
             f"runpy.run_path({str(_HERE / 'zygote.py')!r}, run_name='__main__')"],
            stdin=subprocess.PIPE,
            pass_fds=[write],
            env=self.env,
            text=True,
        )  # fmt: skip
        os.close(write)
        self._answers = os.fdopen(read)
        self._answers.readline()

    def __enter__(self) -> Commands:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._parent.stdin is not None
        self._parent.stdin.close()
        self._parent.wait(10)
        self._answers.close()
        self._folder.cleanup()

    def start(self, hub: LocalHub, *args: str) -> int:
        """Starts one; its process id."""
        told = {
            "args": list(args),
            "env": {**self.env, "HF_ENDPOINT": hub.url, "HF_TOKEN": hub.token},
            "folder": str(self.folder),
            "output": str(self.folder / "output"),
        }
        (self.folder / "output").write_text("")
        assert self._parent.stdin is not None
        self._parent.stdin.write(json.dumps(told) + "\n")
        self._parent.stdin.flush()
        return int(json.loads(self._answers.readline())["pid"])

    def end(self) -> tuple[int, str]:
        """Waits for it: the exit code (negative: the signal that killed it) and what it printed."""
        status = int(json.loads(self._answers.readline())["status"])
        return status, (self.folder / "output").read_text()

    def run(self, hub: LocalHub, *args: str) -> tuple[int, str]:
        self.start(hub, *args)
        return self.end()


@dataclass(slots=True)
class Boundary:
    """The hook of a local Hub that kills `pid` at request number `at`, before or after its effect; and that
    moves the Hub's clock at every poll, so that a run makes the same requests each time."""

    hub: LocalHub
    at: int = 0
    when: str = ""
    pid: int = 0
    known: threading.Event = field(default_factory=threading.Event)
    seen: list[tuple[str, str]] = field(default_factory=list)
    hit: tuple[str, str] | None = None

    def __call__(self, when: str, method: str, path: str) -> None:
        if when == "before":
            self.seen.append((method, path))
            if path.endswith("/runtime"):
                self.hub.advance(_STEP_SECONDS)
        if self.hit is None and when == self.when and len(self.seen) == self.at:
            self.known.wait(30)
            self.hit = (method, path)
            os.kill(self.pid, signal.SIGKILL)
            if when == "before":
                raise Killed


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How the Hub stands when all is done, and what it took."""

    spaces: dict[str, dict[str, Any]]
    counts: dict[str, dict[str, int]]
    writes: Counter[tuple[str, str]]
    requests: list[tuple[str, str]]

    def extra(self, name: str, than: Ending) -> int:
        """How many more than in `than`, on the Space where most."""
        return max(
            self.counts[name].get(space, 0) - than.counts[name].get(space, 0)
            for space in {*self.counts[name], *than.counts[name], ""}
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One kill. `wrong` is empty when all promises were held."""

    at: int
    when: str
    request: str
    killed: bool
    wrong: tuple[str, ...]
    ending: Ending | None = None


NOT_REACHED = ("was not reached",)
"""What is wrong with a kill at a request that this run did not make: the count of reads depends on time."""
APPLY = ("apply", "--yes", "--allow-delete", "--parallelism", "1", "--timeout", "60s")


def undisturbed(commands: Commands, text: str, seed: dict[str, Any]) -> Ending:
    """The run that nobody kills: what is needed, and how many boundaries there are."""
    (commands.folder / "spaces.yaml").write_text(text)
    with LocalHub(seed=seed, clock="manual") as hub:
        hook = Boundary(hub=hub)
        hub.set_hook(hook)
        code, output = commands.run(hub, *APPLY)
        assert code == 0, output
        requests = list(hook.seen)
        code, output = commands.run(hub, "plan", "--detailed-exitcode")
        assert code == 0, output
        return _ending(hub, requests)


def kill(commands: Commands, text: str, seed: dict[str, Any], at: int, when: str, needed: Ending) -> Verdict:
    """Kill an apply at request `at` (from 1), `when` its effect; run it again; compare with `needed`."""
    (commands.folder / "spaces.yaml").write_text(text)
    with LocalHub(seed=seed, clock="manual") as hub:
        hook = Boundary(hub=hub, at=at, when=when)
        hub.set_hook(hook)
        hook.pid = commands.start(hub, *APPLY)
        hook.known.set()
        code, output = commands.end()
        if hook.hit is None:
            return Verdict(at=at, when=when, request="", killed=False, wrong=NOT_REACHED)
        request = describe(*hook.hit)
        wrong = [] if code == -signal.SIGKILL else [f"was not killed but exited {code}: {output}"]
        code, output = commands.run(hub, *APPLY)
        if code != 0:
            wrong.append(f"the rerun exited {code}: {output}")
        code, output = commands.run(hub, "plan", "--detailed-exitcode")
        if code != 0:
            wrong.append(f"the next plan is not empty ({code}): {output}")
        ending = _ending(hub, hook.seen)
        wrong += compare(ending, needed)
        return Verdict(at=at, when=when, request=request, killed=True, wrong=tuple(wrong), ending=ending)


def compare(ending: Ending, needed: Ending) -> list[str]:
    """Promises that do not hold, each as a sentence."""
    wrong = []
    if ending.spaces.keys() != needed.spaces.keys():
        wrong.append(f"other Spaces are there: {sorted(ending.spaces.keys() ^ needed.spaces.keys())}")
    for space in ending.spaces.keys() & needed.spaces.keys():
        has, should = ending.spaces[space], needed.spaces[space]
        wrong += [
            f"{space}: {key} is {has[key]}, not {should[key]}" for key in should if has[key] != should[key]
        ]
    for name in ("creates", "deletes"):
        if ending.extra(name, needed) > 0:
            wrong.append(f"more {name} than needed: {ending.counts[name]}")
    for name in _COUNTED:
        if ending.extra(name, needed) > 1:
            wrong.append(f"{ending.extra(name, needed)} more {name} than needed: {ending.counts[name]}")
    for key, count in ending.writes.items():
        if "/secrets" in key[1] or "/variables" in key[1] or "/commit/" in key[1]:
            over = count - needed.writes[key]
            if over > 0:
                wrong.append(f"{key[0]} {key[1]} {over} times more than needed")
    return wrong


def describe(method: str, path: str) -> str:
    """A request without the name of its Space, and of a commit: what rows of the table are called."""
    return f"{method} {re.sub('/[0-9a-f]{40}$', '/…', re.sub('/spaces/[^/]+/[^/]+', '/spaces/…', path))}"


def _ending(hub: LocalHub, requests: list[tuple[str, str]]) -> Ending:
    hub.advance(120)  # what is on its way up arrives; nothing falls asleep
    docs = {name: hub.space(name) for name in hub.spaces()}
    counts = {what: dict(hub.counts(what)) for what in ("creates", "deletes")}
    counts |= {what: {name: doc[what] for name, doc in docs.items()} for what in _COUNTED}
    writes = Counter(
        (entry.method, entry.path) for entry in hub.requests() if entry.method != "GET" and entry.effect
    )
    return Ending(
        spaces={name: _settled(doc) for name, doc in docs.items()},
        counts=counts,
        writes=writes,
        requests=requests,
    )


def _settled(doc: dict[str, Any]) -> dict[str, Any]:
    """What must come out the same every time. A secret's mark has a salt of its own in each run."""
    kept = {key: value for key, value in doc.items() if key not in _PASSING}
    for kind in ("variables", "secrets"):
        kept[kind] = {
            key: (item["value"], re.sub(r"\[hfspace:.*\]", "[mark]", item.get("description") or ""))
            for key, item in doc[kind].items()
        }
    return kept
