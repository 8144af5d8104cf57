"""Sending what is left over: after crashes, twice, two at once, and in the order of the runs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hfspace.errors import HfspaceError, TrackioRejected
from hfspace.monitor import spool as spools
from hfspace.monitor.connection import RecordingTarget
from hfspace.monitor.records import Header, Record, new_spool_id
from hfspace.monitor.sync import Doors, Synced, sync
from hfspace.monitor.sync_report import synced_table, synced_to_json
from tests.monitor.fake import FakeTracker
from tests.monitor.test_sender import metrics

SCRIPT = Path(__file__).with_name("run_cli.py")


def left_over(folder: Path, name: str = "run", created: str = "1", count: int = 3, start: int = 0) -> Path:
    header = Header(spool=new_spool_id(), name=name, created=created, space="acme/track")
    spool = spools.create(folder, header)
    spool.append([*metrics(count, start), Record(n=0, kind="status", body="completed")])
    spool.close()
    return spool.path


def run_sync(paths: list[Path], tracker: FakeTracker, **options: Any) -> list[Synced]:
    doors = Doors(connect=lambda target: tracker, notify=lambda text: None, sleep=lambda seconds: None)
    return sync(paths, doors, **options)


def test_runs_go_in_the_order_in_which_they_began(tmp_path: Path) -> None:
    tracker = FakeTracker()
    second = left_over(tmp_path, created="2026-02", start=3)
    first = left_over(tmp_path, created="2026-01")
    results = run_sync([second, first], tracker)
    assert [item.path for item in results] == [first, second]
    assert [step for step, _ in tracker.logged("run")] == [0, 1, 2, 3, 4, 5]
    assert [(item.sent, item.left, item.status) for item in results] == [(4, 0, "completed")] * 2


def test_sending_twice_sends_once(tmp_path: Path) -> None:
    tracker = FakeTracker()
    path = left_over(tmp_path)
    run_sync([path], tracker)
    (again,) = run_sync([path, path], tracker)
    assert (again.sent, again.left, again.error) == (0, 0, None)
    assert len(tracker.logged("run")) == 3


def test_what_was_sent_is_deleted_only_when_asked(tmp_path: Path) -> None:
    path = left_over(tmp_path)
    run_sync([path], FakeTracker())
    assert path.exists()
    (done,) = run_sync([path], FakeTracker(), clean=True)
    assert done.removed
    assert not path.exists()


def test_an_app_that_is_down_for_a_moment_is_tried_again(tmp_path: Path) -> None:
    answers = ["before", "before", "after"]
    tracker = FakeTracker(fault=lambda call: answers.pop(0) if answers else None)
    (done,) = run_sync([left_over(tmp_path)], tracker)
    assert done.error is None
    assert len(tracker.logged("run")) == 3


def test_a_failed_run_holds_back_the_next_one_of_its_experiment_only(tmp_path: Path) -> None:
    def reject(call: str) -> None:
        if call == "log_metrics" and len(tracker.experiments) == 1:
            raise TrackioRejected("No.")

    tracker = FakeTracker(fault=reject)
    paths = [left_over(tmp_path, created=str(at)) for at in range(2)]
    paths.append(left_over(tmp_path, name="other", created="9"))
    first, second, other = run_sync(paths, tracker)
    assert first.error is not None
    assert first.error.message == "No."
    assert second.error is not None
    assert "waits" in second.error.message
    assert other.error is None


def test_a_run_that_was_killed_gets_the_status_one_says(tmp_path: Path) -> None:
    tracker = FakeTracker()
    header = Header(spool=new_spool_id(), name="run", created="1", space="acme/track")
    spool = spools.create(tmp_path, header)
    spool.append([Record(n=0, kind="status", body="running"), *metrics(1)])
    spool.close()
    run_sync([spool.path], tracker, status="failed")
    run_sync([spool.path, left_over(tmp_path, "ended")], tracker, status="failed")
    assert tracker.named("run").status == "failed"
    assert tracker.named("ended").status == "completed"


def test_where_to_is_said_by_the_options_then_the_spool_then_the_default(tmp_path: Path) -> None:
    asked: list[RecordingTarget] = []

    def connect(target: RecordingTarget) -> FakeTracker:
        asked.append(target)
        return FakeTracker()

    doors = Doors(connect=connect, notify=lambda text: None)
    sync([left_over(tmp_path)], doors, default=RecordingTarget(space="no/no"))
    sync([left_over(tmp_path)], doors, over=RecordingTarget(url="http://127.0.0.1:1", project="p"))
    nowhere = spools.create(tmp_path, Header(spool=new_spool_id(), name="x", created="1"))
    nowhere.append(metrics(1))
    nowhere.close()
    sync([nowhere.path], doors, default=RecordingTarget(space="a/b"))
    (refused,) = sync([nowhere.path], doors)
    assert asked == [
        RecordingTarget(space="acme/track"),
        RecordingTarget(url="http://127.0.0.1:1", project="p"),
        RecordingTarget(space="a/b"),
    ]
    assert refused.error is None  # nothing was left to send


# ------------------------------------------------------------------ real processes


class Processes:
    def __init__(self, folder: Path) -> None:
        self.store = folder / "store.json"
        self.down = folder / "down"
        self.spools = folder / "spools"
        self.env = {
            **{name: text for name, text in os.environ.items() if not name.startswith(("HF_", "TRACKIO"))},
            "FAKE_STORE": str(self.store),
            "FAKE_DOWN": str(self.down),
            "HFSPACE_SPOOL_DIR": str(self.spools),
            "HF_HOME": str(folder / "hf"),
        }
        self.folder = folder

    def start(self, *args: str, **env: str) -> subprocess.Popen[str]:
        command = [sys.executable, str(SCRIPT), *args]
        pipe = subprocess.PIPE
        return subprocess.Popen(
            command, env={**self.env, **env}, cwd=self.folder, stdout=pipe, stderr=pipe, text=True
        )

    def run(self, *args: str, **env: str) -> tuple[int, str, str]:
        process = self.start(*args, **env)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    def steps(self, name: str = "run") -> list[int | None]:
        return [step for step, _ in FakeTracker(store=self.store).logged(name)]


@pytest.fixture
def processes(tmp_path: Path) -> Processes:
    return Processes(tmp_path)


def killed_training(processes: Processes, **env: str) -> int:
    """A training that is killed in the middle; the number of the last step that it has logged."""
    process = processes.start("train", "100000", "0.001", **env)
    assert process.stdout is not None
    process.stdout.readline()
    last = -1
    while last < 300:
        last = int(process.stdout.readline())
    process.kill()
    rest = process.stdout.read().split()
    process.wait()
    process.stdout.close()
    assert process.stderr is not None
    process.stderr.close()
    return int(rest[-1]) if rest else last


@pytest.mark.skipif(os.name != "posix", reason="kills with a signal")
@pytest.mark.parametrize(("keyed", "down"), [("0", False), ("0", True), ("1", False)])
def test_a_killed_training_is_sent_from_its_spool(processes: Processes, keyed: str, down: bool) -> None:
    if down:
        processes.down.touch()
    last = killed_training(processes, FAKE_KEYED=keyed)
    processes.down.unlink(missing_ok=True)
    code, out, err = processes.run("cli", "experiments", "sync", FAKE_KEYED=keyed)
    assert code == 0, err
    steps = processes.steps()
    assert steps == list(range(len(steps)))
    assert 200 <= len(steps) <= last + 1  # what was logged in the last tenth of a second may be missing
    assert "did not say how it ended" in out


@pytest.mark.parametrize(("how", "status"), [("raise", "failed"), ("return", "completed")])
def test_a_run_that_nobody_ends_is_ended_with_the_interpreter(
    processes: Processes, how: str, status: str
) -> None:
    processes.run("forget", how)
    assert processes.steps() == [1]
    assert FakeTracker(store=processes.store).named("run").status == status
    assert list(processes.spools.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="kills with a signal")
@pytest.mark.parametrize("keyed", ["0", "1"])
def test_a_sync_killed_again_and_again_sends_each_entry_once(processes: Processes, keyed: str) -> None:
    path = left_over(processes.spools, count=1100)
    for moment in ("save 2", "save 4", "call 4", "save 3", "save 5"):
        code, _, _ = processes.run(
            "cli", "experiments", "sync", "--keep", str(path), FAKE_KEYED=keyed, FAKE_DIES=moment
        )
        assert code in (-signal.SIGKILL, 0)
    code, _, err = processes.run("cli", "experiments", "sync", str(path), FAKE_KEYED=keyed)
    assert code == 0, err
    assert processes.steps() == list(range(1100))


def test_two_syncs_at_once_do_not_double(processes: Processes) -> None:
    path = left_over(processes.spools, count=200)
    both = [processes.start("cli", "experiments", "sync", str(path), FAKE_SLOW="0.02") for _ in range(2)]
    ended = [(process.communicate(timeout=60), process.returncode) for process in both]
    codes = sorted(code for _, code in ended)
    assert processes.steps() == list(range(200))
    # The second one is refused, or comes after the first and finds nothing left.
    assert codes in ([0, 1], [0, 0])


def test_a_running_training_is_left_alone(processes: Processes, tmp_path: Path) -> None:
    header = Header(spool=new_spool_id(), name="run", created="1", space="acme/track")
    running = spools.create(processes.spools, header)
    running.append(metrics(3))
    code, out, _ = processes.run("cli", "experiments", "sync")
    assert (code, out) == (0, "")
    code, out, _ = processes.run("cli", "experiments", "sync", str(running.path))
    assert code == 1
    assert "in use" in out
    running.close()


def test_the_exit_code_says_whether_something_was_sent(processes: Processes) -> None:
    good = left_over(processes.spools)
    bad = processes.spools / "bad.jsonl"
    bad.write_text("nothing\n")
    assert processes.run("cli", "experiments", "sync", str(bad))[0] == 1
    code, out, _ = processes.run("cli", "experiments", "sync", str(bad), str(good), "--format", "json")
    assert code == 3
    spools_said = json.loads(out)["spools"]
    assert {item["sent"] for item in spools_said} == {0, 4}
    assert any("not a spool" in (item["error"] or "") for item in spools_said)


def test_interrupted_while_the_app_is_down(processes: Processes) -> None:
    processes.down.touch()
    path = left_over(processes.spools)
    process = processes.start("cli", "experiments", "sync", str(path))
    assert process.stderr is not None
    process.stderr.readline()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
    processes.down.unlink()
    assert processes.run("cli", "experiments", "sync")[0] == 0
    assert processes.steps() == [0, 1, 2]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
KEYS = (
    "n", "metrics", "parameters", "status", "step", "time", "sent", "sending", "experiment", "base",
    "not_finite", "first", "last", "hfspace_spool", "name", "created", "artifact", "not_held",
)  # fmt: skip
FILES = st.lists(
    st.fixed_dictionaries({"path": JSON, "size": JSON, "sha256": JSON | st.just("0" * 64)}) | JSON
)
ARTIFACTS = st.fixed_dictionaries(
    {
        "name": JSON | st.just("model"),
        "type": JSON | st.just("file"),
        "aliases": JSON | st.just([]),
        "files": FILES,
    }
)
PICTURES = st.fixed_dictionaries(
    {"_type": st.just("trackio.image") | JSON, "file_path": JSON | st.just("../x")}
)
METRICS = st.dictionaries(st.text(max_size=3), PICTURES)
ODD_LINES = (
    st.dictionaries(st.sampled_from(KEYS), JSON, max_size=4)
    | st.fixed_dictionaries({"n": st.integers(1, 9), "artifact": ARTIFACTS})
    | st.fixed_dictionaries(
        {"n": st.integers(1, 9), "metrics": st.dictionaries(st.text(max_size=3), PICTURES)}
    )
).map(lambda item: json.dumps(item).encode())


@settings(deadline=None, max_examples=150)
@given(
    odd=st.lists(st.tuples(st.integers(1, 8), ODD_LINES | st.binary(max_size=20)), max_size=4),
    flips=st.lists(st.tuples(st.integers(0, 600), st.integers(0, 255)), max_size=3),
    keyed=st.booleans(),
)
def test_whatever_is_in_a_spool_is_sent_or_refused_in_words(
    odd: list[tuple[int, bytes]], flips: list[tuple[int, int]], keyed: bool
) -> None:
    tracker = FakeTracker(keyed=keyed)
    with tempfile.TemporaryDirectory() as folder:
        path = left_over(Path(folder))
        lines = path.read_bytes().splitlines(keepends=True)
        for at, line in odd:
            lines.insert(at % (len(lines) + 1), line + b"\n")
        data = bytearray(b"".join(lines))
        for at, byte in flips:
            data[at % len(data)] = byte
        path.write_bytes(data)
        for _ in range(2):
            (result,) = run_sync([path], tracker)
            assert isinstance(result.error, HfspaceError | None)
            synced_table([result])
            json.dumps(synced_to_json(result))
