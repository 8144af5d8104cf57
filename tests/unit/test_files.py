from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from hfspace.files import read_limited, replacing, write_atomically


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_an_existing_file_keeps_its_mode_and_a_new_one_has_what_is_asked(tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.write_text("x")
    old.chmod(0o640)
    write_atomically(old, "é\r\n")
    assert (old.read_bytes(), _mode(old)) == ("é\r\n".encode(), 0o640)
    write_atomically(old, b"y", mode=0o600)
    assert _mode(old) == 0o600
    write_atomically(tmp_path / "new", b"z", mode=0o600)
    assert _mode(tmp_path / "new") == 0o600
    assert sorted(item.name for item in tmp_path.iterdir()) == ["new", "old"]


def test_the_target_of_a_link_is_replaced_and_the_link_stays(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "there" / "target")
    write_atomically(link, "x")
    assert link.is_symlink()
    assert (tmp_path / "there" / "target").read_text() == "x"


def test_a_fifo_is_written_to_and_stays_one(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    received: list[str] = []
    reader = threading.Thread(target=lambda: received.append(fifo.read_text()), daemon=True)
    reader.start()
    write_atomically(fifo, "through", mode=0o600)
    reader.join(10)
    assert received == ["through"]
    assert stat.S_ISFIFO(fifo.stat().st_mode)


def test_a_device_is_written_to_and_stays_one() -> None:
    write_atomically(Path("/dev/null"), "x", mode=0o600)
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    assert _mode(Path("/dev/null")) == 0o666


def test_nothing_is_left_behind_by_a_failure(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text("before")

    def fail() -> None:
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert [item.name for item in tmp_path.iterdir()] == ["plan.json"]
    assert path.read_text() == "before"
    with pytest.raises(IsADirectoryError):
        write_atomically(tmp_path, "x")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(path, "\ud800")
    assert [item.name for item in tmp_path.iterdir()] == ["plan.json"]


def test_only_regular_files_within_the_limit_are_read(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 10)
    assert read_limited(path, 10) == b"x" * 10
    with pytest.raises(OSError, match="larger than 9 bytes"):
        read_limited(path, 9)
    os.mkfifo(tmp_path / "fifo")
    for odd in (tmp_path / "fifo", Path("/dev/zero")):
        with pytest.raises(OSError, match="not a regular file"):
            read_limited(odd, 10)
    with pytest.raises(IsADirectoryError):
        read_limited(tmp_path, 10)
