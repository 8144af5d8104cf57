"""A Space's files written to a folder: whole, checked, nothing of ours lost, nothing outside of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from hfspace.errors import HubFault, HubUnreachable, UsageError
from hfspace.folder.writing import Fetch, Sink, compare
from hfspace.model.files import HubFile

FILES = {
    "README.md": b"---\nsdk: gradio\n---\n",
    "src/app.py": b"print(1)\n",
    "empty": b"",
    "big.bin": b"\0" * 99,
}


def hub_file(data: bytes, *, large: bool = False) -> HubFile:
    oid = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
    return HubFile(size=len(data), oid=oid, sha256=hashlib.sha256(data).hexdigest() if large else None)


def tree(files: dict[str, bytes]) -> dict[str, HubFile]:
    return {path: hub_file(data, large=path.endswith(".bin")) for path, data in files.items()}


def fetching(files: dict[str, bytes]) -> Fetch:
    def fetch(path: str, file: HubFile, sink: Sink) -> None:
        for start in range(0, len(files[path]), 7):
            sink(files[path][start : start + 7])

    return fetch


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if not path.is_dir()
    }


def test_all_files_are_written_but_the_one_that_is_for_git(tmp_path: Path) -> None:
    files = {**FILES, ".gitattributes": b"*.bin filter=lfs\n"}
    done = compare(tmp_path / "new", tree(files)).write(fetching(files))
    assert content(tmp_path / "new") == FILES
    assert (done.new, done.replaced, done.same) == (tuple(sorted(FILES)), (), 0)
    again = compare(tmp_path / "new", tree(files))
    assert (dict(again.new), dict(again.changed), again.same) == ({}, {}, 4)


def test_what_is_ours_is_not_lost_unasked(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"mine")
    (tmp_path / "other").write_bytes(b"mine, too")
    writing = compare(tmp_path, tree(FILES))
    with pytest.raises(UsageError, match="other contents than the Hub in empty") as caught:
        writing.refuse_changed()
    assert "--force" in caught.value.hint
    assert content(tmp_path) == {"empty": b"mine", "other": b"mine, too"}
    writing.write(fetching(FILES))
    assert content(tmp_path) == {**FILES, "other": b"mine, too"}


@pytest.mark.parametrize(
    "path",
    [
        "../x", "a/../../x", "/etc/x", "a//b", "a/./b", "", ".git/hooks/post-checkout", "a/.GIT/config",
        ".g\u200cit/config", ".git./config", "git~1/config", ".git::$DATA/x", "a\\b", "a\nb", "a\x1b[2Jb",
        "x" * 300,
    ],
)  # fmt: skip
def test_a_hostile_name_is_refused_before_anything_is_written(path: str, tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "folder"
    with pytest.raises(UsageError, match="not written here"):
        compare(folder, tree({"a": b"1", path: b"2"}))
    assert content(tmp_path) == {}


@pytest.mark.parametrize(
    ("paths", "message"),
    [(("a/B", "a/b"), "differ in case alone"), (("a", "a/b"), "name of a folder and of a file")],
)
def test_names_that_can_not_stand_together_are_refused(
    paths: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=message):
        compare(tmp_path, tree(dict.fromkeys(paths, b"x")))


def test_no_link_leads_out(tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "folder"
    outside.mkdir()
    folder.mkdir()
    (folder / "src").symlink_to(outside)
    with pytest.raises(UsageError, match="src is no folder"):
        compare(folder, tree({"src/app.py": b"x"}))
    (folder / "a").symlink_to(outside / "a")
    with pytest.raises(UsageError, match="no regular file"):
        compare(folder, tree({"a": b"x"}))
    (folder / "b").write_bytes(b"")
    with pytest.raises(UsageError, match="b is no folder"):
        compare(folder, tree({"b/c": b"x"}))
    assert content(outside) == {}


@pytest.mark.parametrize("data", [b"print(2)\n", b"print", b"print(1)\nand more", b""])
def test_what_is_not_what_the_hub_said_is_not_kept(data: bytes, tmp_path: Path) -> None:
    for files in ({"src/app.py": b"print(1)\n"}, {"big.bin": b"print(1)\n"}):
        with pytest.raises(HubFault, match="was not kept"):
            compare(tmp_path, tree(files)).write(fetching(dict.fromkeys(files, data)))
    assert content(tmp_path) == {}


def breaking(times: int, *, by: Callable[[], BaseException]) -> Fetch:
    left = [times]

    def fetch(path: str, file: HubFile, sink: Sink) -> None:
        sink(FILES[path][:3])
        if path == "src/app.py" and left[0]:
            left[0] -= 1
            raise by()
        sink(FILES[path][3:])

    return fetch


def test_a_download_that_breaks_off_is_begun_again(tmp_path: Path) -> None:
    compare(tmp_path, tree(FILES)).write(breaking(2, by=lambda: HubUnreachable("broke off")))
    assert content(tmp_path) == FILES


def test_an_interrupted_pull_leaves_no_half_file_and_goes_on_where_it_was(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        compare(tmp_path, tree(FILES)).write(breaking(1, by=KeyboardInterrupt))
    done = content(tmp_path)
    assert done == {path: FILES[path] for path in done}
    assert "src/app.py" not in done
    left = compare(tmp_path, tree(FILES))
    assert (set(left.new), left.same) == (set(FILES) - set(done), len(done))
    left.write(fetching(FILES))
    assert content(tmp_path) == FILES
