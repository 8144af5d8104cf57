"""Sending a spool: order, nothing lost, nothing twice, whatever the app does in between."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hfspace.errors import ExperimentNotFound, TrackioError, TrackioRejected, TrackioUnavailable
from hfspace.live.trackio.port import LogEntry
from hfspace.monitor import spool as spools
from hfspace.monitor.records import Header, Record, new_spool_id
from hfspace.monitor.sender import Lost, Sender
from hfspace.monitor.spool import Spool
from tests.monitor.fake import FakeTracker


def header(name: str = "run", **changes: str) -> Header:
    return Header(spool=new_spool_id(), name=name, created="2026-11-21T00:00:00", **changes)


def metrics(count: int, start: int = 0) -> list[Record]:
    return [
        Record(n=0, kind="metrics", body={"loss": float(at)}, step=at) for at in range(start, start + count)
    ]


def send_all(sender: Sender, tries: int = 400) -> None:
    for _ in range(tries):
        try:
            if not sender.send_some():
                return
        except TrackioError:
            continue
    raise AssertionError("never done")


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    made = spools.create(tmp_path, header())
    yield made
    made.close()


@pytest.mark.parametrize("keyed", [True, False])
def test_everything_arrives_in_order(spool: Spool, keyed: bool) -> None:
    tracker = FakeTracker(keyed=keyed)
    spool.append([Record(n=0, kind="parameters", body={"lr": 0.1})])
    spool.append(metrics(70))
    spool.append([Record(n=0, kind="status", body="completed")])
    send_all(Sender(spool, lambda: tracker))
    assert tracker.logged("run") == [(at, {"loss": float(at)}) for at in range(70)]
    assert tracker.named("run").parameters == {"lr": 0.1}
    assert tracker.named("run").status == (None if keyed else "completed")
    assert spool.left == 0


def test_an_experiment_of_the_name_is_continued(spool: Spool) -> None:
    tracker = FakeTracker()
    first = tracker.create("run")
    spool.append(metrics(3))
    send_all(Sender(spool, lambda: tracker))
    assert list(tracker.experiments) == [first.id]
    assert len(tracker.logged("run")) == 3


FAULTS = st.lists(st.sampled_from([None, None, "before", "after", 0, 1, 3]), max_size=60)


@settings(deadline=None, max_examples=150)
@given(
    keyed=st.booleans(),
    sizes=st.lists(st.integers(1, 40), min_size=1, max_size=6),
    faults=FAULTS,
    reopen=st.lists(st.booleans(), max_size=30),
)
def test_a_flaky_app_loses_and_doubles_nothing(
    keyed: bool, sizes: list[int], faults: list[str | int | None], reopen: list[bool]
) -> None:
    """Answers are lost, batches stop half-way, and the sender dies and starts again from the file."""
    pending, restarts = list(faults), list(reopen)

    def fault(call: str) -> str | int | None:
        found = pending.pop() if pending else None
        return ("before" if isinstance(found, int) else found) if call != "log_metrics" else found

    tracker = FakeTracker(keyed=keyed, fault=fault)
    with tempfile.TemporaryDirectory() as folder:
        spool = spools.create(Path(folder), header())
        done = 0
        for size in sizes:
            spool.append(metrics(size, done))
            done += size
            sender = Sender(spool, lambda: tracker)
            for _ in range(300):
                try:
                    if not sender.send_some():
                        break
                except TrackioError:
                    pass
                if restarts and restarts.pop():
                    spool.close()
                    spool = spools.open_spool(spool.path)
                    sender = Sender(spool, lambda: tracker)
        assert spool.left == 0
        spool.close()
    assert tracker.logged("run") == [(at, {"loss": float(at)}) for at in range(done)]


@settings(deadline=None, max_examples=150)
@given(
    sizes=st.lists(st.integers(1, 40), min_size=1, max_size=4),
    faults=FAULTS,
    others=st.lists(st.integers(0, 3), max_size=60),
    drawn=st.booleans(),
)
def test_beside_another_writer_nothing_is_lost(
    sizes: list[int], faults: list[str | int | None], others: list[int], drawn: bool
) -> None:
    """A stranger logs to the experiment at any moment, before or after an answer of ours is lost."""
    pending, strangers = list(faults), list(others)

    def fault(call: str) -> str | int | None:
        if call == "plot" and not drawn:
            raise TrackioRejected("The app draws no such metric.")
        for _ in range(strangers.pop() if strangers and tracker.entries else 0):
            stranger = LogEntry(metrics={"loss": -1.0}, step=-1)
            next(iter(tracker.entries.values())).append(stranger)
        found = pending.pop() if pending else None
        return ("before" if isinstance(found, int) else found) if call != "log_metrics" else found

    tracker = FakeTracker(fault=fault)
    with tempfile.TemporaryDirectory() as folder:
        spool = spools.create(Path(folder), header())
        spool.append(metrics(sum(sizes)))
        send_all(Sender(spool, lambda: tracker))
        spool.close()
    ours = [step for step, _ in tracker.logged("run") if step != -1]
    assert list(dict.fromkeys(ours)) == list(range(sum(sizes)))
    if drawn:
        assert len(ours) == sum(sizes)


@pytest.mark.parametrize(("drawn", "doubled"), [(True, []), (False, [0, 1, 2])])
def test_a_strangers_entries_are_not_taken_for_ours(spool: Spool, drawn: bool, doubled: list[int]) -> None:
    """A batch of five stops after three; two entries of somebody else make five."""
    answers = [3]

    def fault(call: str) -> str | int | None:
        if call == "plot" and not drawn:
            raise TrackioRejected("The app draws no such metric.")
        return answers.pop() if call == "log_metrics" and answers else None

    tracker = FakeTracker(fault=fault)
    spool.append(metrics(5))
    sender = Sender(spool, lambda: tracker)
    with pytest.raises(TrackioUnavailable):
        sender.send_some()
    tracker.entries["exp_1"] += [LogEntry(metrics={"loss": -1.0})] * 2
    send_all(sender)
    assert [step for step, _ in tracker.logged("run")] == [0, 1, 2, None, None, *doubled, 3, 4]


def test_a_lost_answer_to_a_create_makes_no_second_experiment(spool: Spool) -> None:
    answers = ["after"]
    tracker = FakeTracker(fault=lambda call: answers.pop() if call == "create" and answers else None)
    spool.append(metrics(2))
    send_all(Sender(spool, lambda: tracker))
    assert len(tracker.experiments) == 1
    assert len(tracker.logged("run")) == 2


@pytest.mark.parametrize("keyed", [True, False])
def test_what_the_app_forgot_is_sent_again(spool: Spool, keyed: bool) -> None:
    """A Space of the Gradio kind without persistence forgets everything at a restart."""
    tracker = FakeTracker(keyed=keyed)
    lost: list[Lost] = []
    sender = Sender(spool, lambda: tracker, on_loss=lost.append)
    spool.append([Record(n=0, kind="parameters", body={"lr": 0.1}), *metrics(30)])
    send_all(sender)
    tracker.forget()
    spool.append([*metrics(5, 30), Record(n=0, kind="status", body="completed")])
    send_all(sender)
    assert tracker.logged("run") == [(at, {"loss": float(at)}) for at in range(35)]
    assert tracker.named("run").parameters == {"lr": 0.1}
    assert [item.entries for item in lost] == [30]


def test_entries_that_an_older_state_of_the_app_lacks_are_sent_again(spool: Spool) -> None:
    tracker = FakeTracker()
    sender = Sender(spool, lambda: tracker)
    spool.append(metrics(10))
    send_all(sender)
    del tracker.entries["exp_1"][6:]
    spool.append(metrics(2, 10))
    send_all(sender)
    assert [step for step, _ in tracker.logged("run")] == list(range(12))


def test_an_experiment_taken_over_by_another_client_is_made_anew(spool: Spool) -> None:
    """Two creates in one second of the Gradio app share an id: the later one replaces the earlier."""
    from dataclasses import replace

    tracker = FakeTracker()
    sender = Sender(spool, lambda: tracker)
    spool.append(metrics(4))
    send_all(sender)
    tracker.experiments["exp_1"] = replace(tracker.experiments["exp_1"], name="attacker")
    tracker.entries["exp_1"] = []
    spool.append(metrics(2, 4))
    send_all(sender)
    assert [step for step, _ in tracker.logged("run")] == list(range(6))
    assert tracker.entries["exp_1"] == []


def test_a_pinned_experiment_is_never_made(tmp_path: Path) -> None:
    tracker = FakeTracker()
    spool = spools.create(tmp_path, header(id="exp_9"))
    spool.append(metrics(1))
    with pytest.raises(ExperimentNotFound):
        Sender(spool, lambda: tracker).send_some()
    assert tracker.experiments == {}
    spool.close()
