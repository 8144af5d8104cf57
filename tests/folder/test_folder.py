"""A folder becomes the files of a Space: hashed as git does, screened, with the card in its README."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hfspace.folder import read_trees
from hfspace.folder.hashing import cache_file, git_oid, hash_files, sha256_of
from hfspace.folder.listing import listing, too_alike
from hfspace.folder.tree import bad_name
from hfspace.manifest.loader import load
from hfspace.model import LocalTree

HF_TOKEN = "hf_" + "abcdEFGH1234567890abcdEFGH12345678"
KEY = "-----BEGIN " + "RSA PRIVATE KEY-----\n" + "MIIEpAIBAAKCAQEA" * 4 + "\n-----END RSA PRIVATE KEY-----\n"


def folder(base: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = base / "app" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return base / "app"


def tree(base: Path, keys: str = "files: app\n    sdk: gradio", *, cached: bool = False) -> LocalTree:
    text = f"version: 1\nspaces:\n  acme/x:\n    {keys}\n"
    manifest = load([("spaces.yaml", text)], env={})
    return read_trees(manifest, base, {"XDG_CACHE_HOME": str(base / "cache")}, cached=cached)["acme/x"]


def said(base: Path, keys: str = "files: app\n    sdk: gradio") -> list[str]:
    return [str(problem) for problem in tree(base, keys).problems]


def test_files_are_hashed_as_git_and_the_hub_do(tmp_path: Path) -> None:
    folder(tmp_path, {"app.py": "print(1)\n", "data/a.bin": b"\0\1\2", "empty": ""})
    files = tree(tmp_path).files
    assert list(files) == ["app.py", "data/a.bin", "empty"]
    assert files["empty"].oid == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"  # of git
    assert files["app.py"].oid == git_oid(b"print(1)\n")
    assert files["data/a.bin"].sha256 == sha256_of(b"\0\1\2")


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
@settings(max_examples=20, deadline=None)
@given(st.binary(max_size=2000))
def test_the_hash_is_that_of_git(data: bytes) -> None:
    told = subprocess.run(["git", "hash-object", "--stdin"], input=data, capture_output=True, check=True)
    assert git_oid(data) == told.stdout.decode().strip()


def test_what_gitignore_and_exclude_name_is_left_out_and_counted(tmp_path: Path) -> None:
    folder(
        tmp_path,
        {
            ".gitignore": "*.log\n/build/\n!keep.log\n",
            "app.py": "",
            "a.log": "",
            "keep.log": "",
            "build/x": "",
            "src/build/y": "",
            "tests/test_a.py": "",
            "tests/data/b": "",
            "src/.gitignore": "local\n",
            "src/local": "",
            "local": "",
            "__pycache__/app.pyc": "",
            ".git/HEAD": "",
        },
    )
    result = tree(tmp_path, 'files: {from: app, exclude: ["tests/**", "!nothing"]}')
    left = {".gitignore", "app.py", "keep.log", "local", "src/.gitignore", "src/build/y"}
    assert set(result.files) == left
    assert result.left_out == 6  # a.log, build, src/local, tests, __pycache__, .git


def test_exclude_takes_back_what_is_left_out_by_itself(tmp_path: Path) -> None:
    folder(tmp_path, {"app.py": "", "__pycache__/a.pyc": ""})
    assert "__pycache__/a.pyc" in tree(tmp_path, 'files: {from: app, exclude: ["!__pycache__/"]}').files


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("app.py", f"x = 1\ntoken = '{HF_TOKEN}'\n", "app.py:2 holds a token of the Hub"),
        ("keys/id_rsa", KEY, "keys/id_rsa:1 holds a private key"),
        ("k.json", '{"key": "' + KEY.replace("\n", "\\n") + '"}', "k.json:1 holds a private key"),
        ("a.env", "KEY=ghp_" + "a1B2" * 9, "a.env:1 holds a GitHub Token"),
        ("a.env", "KEY=AKIA" + "ABCD" * 4, "a.env:1 holds an AWS Access Key"),
        ("a.env", "K='sk_live_" + "a1B2c3D4" * 3 + "'", "a.env:1 holds a Stripe Access Key"),
        (
            "w.bin",
            "version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 1\n",
            "w.bin is a pointer",
        ),
        ("a\\b", "", "a\\b has a name with a character"),
        ("line\nend", "", "has a name with a character that the Hub can't hold"),
        ("README.md", "---\ntitle: [\n---\n", "README.md:"),
        ("README.md", "---\nsdk: docker\n---\n", "README.md has sdk: docker, and the manifest gradio"),
    ],
)
def test_what_must_not_be_sent_is_refused_with_its_file(
    tmp_path: Path, name: str, content: str, says: str
) -> None:
    folder(tmp_path, {name: content})
    assert any(says in line for line in said(tmp_path)), said(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        "hf_transfer hf_hub_download_with_progress hf_" + "x" * 34,
        "if 'BEGIN PRIVATE KEY' in text: ...\n-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----\n",
        "KEY=ghp_" + "a1B2" * 9 + "  # pragma: allowlist secret",
        "uuid 123e4567-e89b-12d3-a456-426614174000 sha256:" + "ab" * 32,
        "postgres://user:password@localhost/db",
    ],
)
def test_what_only_looks_like_a_secret_is_no_problem(tmp_path: Path, content: str) -> None:
    folder(tmp_path, {"app.py": content})
    assert said(tmp_path) == []


def test_a_token_of_the_hub_is_refused_whatever_its_line_says(tmp_path: Path) -> None:
    folder(tmp_path, {"app.py": f"t = '{HF_TOKEN}'  # pragma: allowlist secret"})
    assert said(tmp_path) == ["app.py:1 holds a token of the Hub"]


def test_a_problem_does_not_show_the_secret(tmp_path: Path) -> None:
    folder(tmp_path, {"app.py": HF_TOKEN})
    assert HF_TOKEN[3:] not in repr(tree(tmp_path))


def test_links_stay_inside(tmp_path: Path) -> None:
    here = folder(tmp_path, {"app.py": "x"})
    (tmp_path / "secret").write_text("s")
    (here / "out").symlink_to(tmp_path / "secret")
    (here / "in").symlink_to("app.py")
    (here / "gone").symlink_to("nothing")
    (here / "sub").mkdir()
    (here / "dir").symlink_to("sub")
    os.mkfifo(here / "pipe")
    result = tree(tmp_path)
    assert sorted(map(str, result.problems)) == [
        "dir is a link to a folder",
        "gone is a link to nothing",
        "out is a link out of the folder",
        "pipe is no regular file",
    ]
    assert result.files["in"].oid == git_oid(b"x")


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    assert said(tmp_path) == ["the folder is not there"]
    (tmp_path / "app").write_text("")
    assert said(tmp_path) == ["the folder is a file, not a folder"]
    (tmp_path / "app").unlink()
    (tmp_path / "app").mkdir()
    assert said(tmp_path) == ["the folder holds no files"]
    (tmp_path / "app").rmdir()
    (tmp_path / "app").symlink_to(tmp_path.parent)
    assert said(tmp_path) == ["the folder is a link out of the manifest's folder"]


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    here = folder(tmp_path, {"app.py": "x", "b.py": "y"})
    (here / "b.py").chmod(0)
    try:
        if os.geteuid() != 0:
            assert said(tmp_path) == ["b.py can't be read: Permission denied"]
    finally:
        (here / "b.py").chmod(0o600)
    entries = listing(here, ()).entries
    (here / "b.py").unlink()
    assert [one.problem for one in hash_files(entries)] == ["", "can't be read: No such file or directory"]


def test_a_file_that_changes_while_it_is_read_is_named(tmp_path: Path) -> None:
    here = folder(tmp_path, {"app.py": "x"})
    entries = listing(here, ()).entries
    (here / "app.py").write_text("xy")
    assert hash_files(entries)[0].problem == "changed while it was read"


def test_names_that_differ_in_case_alone_are_named() -> None:
    assert list(too_alike(["App.py", "app.py", "b"])) == [("App.py", "app.py")]


def test_a_readme_without_an_sdk_gets_the_declared_one(tmp_path: Path) -> None:
    folder(tmp_path, {"README.md": "# Hello\n", "app.py": ""})
    result = tree(tmp_path)
    assert result.sdk == "gradio"
    assert result.files["README.md"].content == b"---\nsdk: gradio\n---\n\n# Hello\n"
    assert said(tmp_path, "files: app") == ["README.md names no sdk, and neither does the manifest"]


def test_the_card_is_put_into_the_readme(tmp_path: Path) -> None:
    readme = "---\nsdk: gradio # ours\nsdk_version: 5.0.0\ntitle: Hello\n---\n# Hello\r\n"
    folder(tmp_path, {"README.md": readme})
    file = tree(tmp_path, "files: app\n    card: {sdk_version: 6.10, fullWidth: true}").files["README.md"]
    assert file.content is not None
    assert file.oid == git_oid(file.content)
    assert file.content.decode() == readme.replace("5.0.0", '"6.10"').replace(
        "Hello\n---", "Hello\nfullWidth: true\n---"
    )


def test_two_spaces_of_one_folder_have_cards_of_their_own(tmp_path: Path) -> None:
    folder(tmp_path, {"README.md": "---\nsdk: gradio\n---\n"})
    text = "version: 1\nspaces:\n  a/x: {files: app, card: {title: X}}\n  a/y: {files: app}\n"
    trees = read_trees(load([("spaces.yaml", text)], env={}), tmp_path, {}, cached=False)
    assert trees["a/x"].files != trees["a/y"].files


def test_the_folder_is_beside_the_file_that_declares_it(tmp_path: Path) -> None:
    folder(tmp_path / "fleet", {"app.py": ""})
    text = "version: 1\nspaces:\n  a/x: {files: app}\n"
    trees = read_trees(load([("fleet/spaces.yaml", text)], env={}), tmp_path, {}, cached=False)
    assert list(trees["a/x"].files) == ["app.py"]


# ------------------------------------------------------------ the cache


def old(path: Path) -> None:
    """As if it had been written long ago: ctime can't be set, so the clock of the cache is."""
    os.utime(path, (1, 1))


def test_a_cached_hash_is_used_and_told_apart_from_a_new_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = folder(tmp_path, {"app.py": "x", "b.py": HF_TOKEN})
    later = time.time_ns() + 10**10
    monkeypatch.setattr("time.time_ns", lambda: later)
    first = tree(tmp_path, cached=True)
    monkeypatch.setattr("hfspace.folder.hashing.hash_file", lambda entry: pytest.fail(entry.path))
    assert tree(tmp_path, cached=True) == first
    monkeypatch.undo()
    (here / "app.py").write_text("y")
    assert tree(tmp_path, cached=True).files["app.py"].oid == git_oid(b"y")


def test_a_hash_of_a_file_just_written_is_not_kept(tmp_path: Path) -> None:
    """Written twice within a tick of the file system's clock, a file may look unchanged."""
    here = folder(tmp_path, {"app.py": "x"})
    entries = listing(here, ()).entries
    cache = cache_file("app", {"XDG_CACHE_HOME": str(tmp_path)})
    hash_files(entries, cache)
    assert '"files": []' in cache.read_text()


def test_a_file_whose_times_were_set_back_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = folder(tmp_path, {"app.py": "x"})
    old(here / "app.py")
    later = time.time_ns() + 10**10
    monkeypatch.setattr("time.time_ns", lambda: later)
    tree(tmp_path, cached=True)
    time.sleep(0.02)
    (here / "app.py").write_text("y")
    old(here / "app.py")
    assert tree(tmp_path, cached=True).files["app.py"].oid == git_oid(b"y")


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"version": "1 1.5.0", "checksum": "", "files": []}'])
def test_a_damaged_cache_is_no_cache(tmp_path: Path, damage: str) -> None:
    here = folder(tmp_path, {"app.py": "x"})
    cache = tmp_path / "cache.json"
    cache.write_text(damage)
    assert hash_files(listing(here, ()).entries, cache)[0].oid == git_oid(b"x")


def test_an_edited_cache_is_no_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = folder(tmp_path, {"app.py": "x"})
    cache = tmp_path / "cache.json"
    later = time.time_ns() + 10**10
    monkeypatch.setattr("time.time_ns", lambda: later)
    entries = listing(here, ()).entries
    hash_files(entries, cache)
    cache.write_text(cache.read_text().replace(git_oid(b"x"), git_oid(b"y")))
    assert hash_files(entries, cache)[0].oid == git_oid(b"x")


# ------------------------------------------------------------ the keys


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ("files: ../app", "'../app' is above the manifest's folder"),
        ("files: a/../../b", "is above the manifest's folder"),
        ("files: /etc", "'/etc' is not relative to the manifest"),
        ("files: 'C:/app'", "is not relative to the manifest"),
        ("files: 'apps\\whisper'", "is written for Windows"),
        ("files: 'C:\\app'", "is not relative to the manifest"),
        ("files: '\\app'", "is not relative to the manifest"),
        ("files: '..\\app'", "is above the manifest's folder"),
        ("files: ''", "the folder has no name"),
        ("files: {exclude: [a]}", "'from' is missing"),
        ("files: {form: app}", "Did you mean 'from'?"),
        ("files: {from: app, exclude: ['!']}", "'!' is no pattern"),
        ("files: {from: app, on_failure: undo}", "'on_failure' can't be 'undo'"),
        ("card: {sdk_versoin: 6.0.0}", "Did you mean 'sdk_version'?"),
        ("card: {colorfrom: red}", "Did you mean 'colorFrom'?"),
        ("card: {colorFrom: rde}", "Did you mean 'red'?"),
        ("card: {sdk_version: newest}", "'newest' is no version"),
        ("card: {python_version: '2.7'}", "'2.7' is no version of Python"),
        ("card: {app_port: 99999}", "99999 is no port"),
        ("card: {app_port: 80}\n    sdk: gradio", "only a Docker Space has a port"),
        (f"card: {{title: {HF_TOKEN}}}", "'title' holds a token"),
    ],
)
def test_a_key_that_makes_no_sense_is_refused(keys: str, says: str) -> None:
    from hfspace.errors import ManifestError

    with pytest.raises(ManifestError) as caught:
        load([("spaces.yaml", f"version: 1\nspaces:\n  acme/x:\n    {keys}\n")], env={})
    assert says in "; ".join(f"{one.message}: {one.hint}" for one in caught.value.problems)


def test_versions_are_read_as_they_are_written() -> None:
    text = "version: 1\nspaces:\n  acme/x: {card: {sdk_version: 6.10, python_version: 3.10, title: 2048}}\n"
    card = load([("spaces.yaml", text)], env={}).spaces["acme/x"].card
    assert card is not None
    assert card.owned == {"title": "2048", "sdk_version": "6.10", "python_version": "3.10"}


def test_a_folder_of_too_many_files_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hfspace.folder.listing.MOST_FILES", 3)
    folder(tmp_path, {f"{number}.txt": "" for number in range(10)})
    assert said(tmp_path) == ["the folder holds more than 3 files"]


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("a" * 300, "has a name of more than 255 bytes"),
        ("ü" * 200, "has a name of more than 255 bytes"),
        ("sub/.GIT/config", "has a name that git keeps for itself"),
        ("a\udcff", "has a name that is not UTF-8"),
        ("a/" * 200 + "b", ""),
    ],
)
def test_a_name_that_the_hub_can_not_hold(path: str, says: str) -> None:
    assert bad_name(path) == says
