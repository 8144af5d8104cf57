"""The spool file: what a crash, a full disk or a stranger leaves in it."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from hfspace.monitor import spool as spools
from hfspace.monitor.records import Record, SpoolBusy, SpoolError
from tests.monitor.test_sender import header, metrics


def made(folder: Path, records: Sequence[Record]) -> Path:
    spool = spools.create(folder, header("a run/with: odd name"))
    spool.append(records)
    spool.close()
    return spool.path


def steps(path: Path) -> list[int | None]:
    spool = spools.open_spool(path)
    found = [record.step for record in spool.batch(1000)]
    spool.close()
    return found


def test_a_spool_is_for_its_owner_only_and_says_its_version(tmp_path: Path) -> None:
    path = made(tmp_path, metrics(1))
    assert json.loads(path.read_text().splitlines()[0])["hfspace_spool"] == 1
    assert path.name.startswith("a-run-with-odd-name-")
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o600


def test_half_a_last_line_costs_that_line_only(tmp_path: Path) -> None:
    path = made(tmp_path, metrics(3))
    path.write_bytes(path.read_bytes()[:-9])
    spool = spools.open_spool(path)
    assert [record.step for record in spool.batch(10)] == [0, 1]
    assert spool.damaged == 1
    spool.mark_sent(spool.batch(1))
    spool.close()
    assert steps(path) == [1]


@pytest.mark.parametrize("cut", range(1, 60))
def test_a_file_cut_anywhere_opens_or_is_refused_in_one_sentence(tmp_path: Path, cut: int) -> None:
    path = made(tmp_path, metrics(2))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * cut // 60])
    if len(data) * cut // 60 < data.index(b"\n"):
        with pytest.raises(SpoolError, match="not a spool"):
            steps(path)
    else:
        assert steps(path) in ([], [0], [0, 1])


def test_damage_in_the_middle_is_counted_and_skipped(tmp_path: Path) -> None:
    path = made(tmp_path, metrics(3))
    lines = path.read_bytes().splitlines(keepends=True)
    lines[2] = b'\xff{"n": "x"}\x00\n'
    path.write_bytes(b"".join(lines))
    spool = spools.open_spool(path)
    assert ([record.step for record in spool.batch(10)], spool.damaged) == ([0, 2], 1)
    spool.close()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not a spool"),
        ("hello\n", "not a spool"),
        ("[1]\n", "not a spool"),
        ('{"hfspace_spool": 2}\n', "newer hfspace"),
        ('{"hfspace_spool": 1}\n', "damaged first line"),
        ('{"hfspace_spool": 1, "spool": "x", "name": 3, "created": ""}\n', "damaged first line"),
    ],
)
def test_what_is_no_spool_is_refused(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(text)
    with pytest.raises(SpoolError, match=says):
        spools.open_spool(path)
    assert path.read_text() == text


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SpoolError, match="no spool file"):
        spools.open_spool(tmp_path / "none.jsonl")
    with pytest.raises(SpoolError, match="can't be opened"):
        spools.open_spool(tmp_path)


def test_only_one_may_have_a_spool(tmp_path: Path) -> None:
    running = spools.create(tmp_path, header())
    with pytest.raises(SpoolBusy):
        spools.open_spool(running.path)
    running.close()
    first = spools.open_spool(running.path)
    with pytest.raises(SpoolBusy):
        spools.open_spool(running.path)
    first.close()


def test_how_far_sending_came_survives(tmp_path: Path) -> None:
    spool = spools.create(tmp_path, header())
    spool.append([*metrics(4), Record(n=0, kind="status", body="failed")])
    spool.mark_experiment("exp_1", 7)
    spool.mark_sent(spool.batch(2))
    spool.mark_sending(spool.batch(2), 9)
    spool.close()
    again = spools.open_spool(spool.path)
    assert (again.experiment, again.base, again.sent, again.metrics_sent) == ("exp_1", 7, 2, 2)
    assert (again.last, again.left, again.status) == (5, 3, "failed")
    assert again.pending is not None
    assert (again.pending.first, again.pending.last, again.pending.base) == (3, 4, 9)
    again.close()


def test_a_write_that_a_full_disk_cut_is_repeated_whole(tmp_path: Path) -> None:
    spool = spools.create(tmp_path, header())
    file = spool._file

    class Full:
        def __init__(self) -> None:
            self.calls = 0

        def write(self, data: bytes) -> int:
            self.calls += 1
            if self.calls == 2:
                raise OSError(28, "No space left on device")
            return file.write(bytes(data[: len(data) * 2 // 3]) if self.calls == 1 else data)

    full = Full()
    spool._file = full  # type: ignore[assignment]
    records = metrics(3)
    with pytest.raises(OSError, match="No space"):
        spool.append(records)
    spool.append(records)
    spool._file = file
    assert [record.step for record in spool.batch(10)] == [0, 1, 2]
    assert spool.left == 3
    spool.close()
    assert steps(spool.path) == [0, 1, 2]
