"""Bad input that is better made than kept: too large, of the wrong kind, or not to be read at all."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

HEAD = "version: 1\nspaces:\n"
Maker = Callable[[Path], list[str]]


def _file(folder: Path, content: str | bytes) -> list[str]:
    path = folder / "spaces.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return ["spaces.yaml"]


def _folder(folder: Path) -> list[str]:
    (folder / "fleet").mkdir()
    return ["fleet"]


def _folder_of_others(folder: Path) -> list[str]:
    (folder / "fleet").mkdir()
    (folder / "fleet" / "spaces.json").write_text("{}")
    return ["fleet"]


def _folder_named_like_a_file(folder: Path) -> list[str]:
    (folder / "fleet" / "spaces.yaml").mkdir(parents=True)
    return ["fleet"]


def _socket(folder: Path) -> list[str]:
    here = Path.cwd()
    os.chdir(folder)  # the path of a socket has to be short
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind("spaces.yaml")
    finally:
        os.chdir(here)
    return ["spaces.yaml"]


def _device(folder: Path) -> list[str]:
    (folder / "spaces.yaml").symlink_to("/dev/zero")
    return ["spaces.yaml"]


def _loop(folder: Path) -> list[str]:
    (folder / "spaces.yaml").symlink_to("spaces.yaml")
    return ["spaces.yaml"]


def _dangling(folder: Path) -> list[str]:
    (folder / "spaces.yaml").symlink_to("nowhere.yaml")
    return ["spaces.yaml"]


def _below_a_file(folder: Path) -> list[str]:
    (folder / "spaces.yaml").write_text(HEAD)
    return ["spaces.yaml/more.yaml"]


MADE: dict[str, Maker] = {
    "too_large": lambda folder: _file(folder, b"#" * (5 * 1024 * 1024 + 1)),
    "too_many_values": lambda folder: _file(
        folder, HEAD + "".join(f"  a/s{n}: [{'1,' * 400}]\n" for n in range(600))
    ),
    "very_deep_flow": lambda folder: _file(folder, HEAD + "  a/b: " + "[" * 1_000_000),
    "very_deep_block": lambda folder: _file(folder, HEAD + "  a/b:\n    " + "- " * 1_000_000),
    "very_deep_maps": lambda folder: _file(folder, HEAD + "  a/b: " + "{a: " * 500_000),
    "one_long_key": lambda folder: _file(folder, HEAD + "  " + "k" * 2_000_000 + ": {}\n"),
    "one_long_value": lambda folder: _file(folder, HEAD + "  a/b:\n    sdk: " + "v" * 2_000_000 + "\n"),
    "one_long_line_with_a_mistake": lambda folder: _file(
        folder, HEAD + "  a/b: {restart: '" + "v" * 100_000 + "', hardwar: x}\n"
    ),
    "many_anchors": lambda folder: _file(folder, HEAD + "".join(f"  a/s{n}: &a{n} x\n" for n in range(3000))),
    "merge_chain": lambda folder: _file(
        folder, "a0: &a0 {}\n" + "".join(f"a{n}: &a{n} {{<<: *a{n - 1}}}\n" for n in range(1, 5000))
    ),
    "merge_wide": lambda folder: _file(
        folder,
        f"z: &z {{}}\na: &a {{<<: [{', '.join(['*z'] * 1000)}]}}\n"
        + "".join(f"b{n}: {{<<: [{', '.join(['*a'] * 100)}]}}\n" for n in range(100)),
    ),
    "long_cycle": lambda folder: _file(
        folder,
        HEAD + "".join(f"  a/s{n}: {{depends_on: [a/s{(n + 1) % 3000}]}}\n" for n in range(3000)),
    ),
    "many_documents": lambda folder: _file(folder, "---\nversion: 1\n" * 1000),
    "long_number": lambda folder: _file(folder, HEAD + "  a/b:\n    sleep_time: " + "9" * 100_000 + "\n"),
    # Not kept as a file: scanners of secrets would take it for a real one.
    "token_as_variable": lambda folder: _file(
        folder, HEAD + "  a/b:\n    variables:\n      API_KEY: hf_" + "abcdefghij" * 3 + "wxyz\n"
    ),
    "random_bytes": lambda folder: _file(folder, bytes(range(256)) * 8),
    "directory_without_manifests": _folder,
    "directory_of_other_files": _folder_of_others,
    "directory_named_like_a_file": _folder_named_like_a_file,
    "socket": _socket,
    "device": _device,
    "link_to_itself": _loop,
    "dangling_link": _dangling,
    "below_a_file": _below_a_file,
    "no_such_file": lambda folder: ["fleet.yaml"],
    "no_default_file": lambda folder: [],
    "no_match": lambda folder: ["fleet/*.yaml"],
    "name_too_long": lambda folder: ["x" * 300 + ".yaml"],
    "name_with_escapes": lambda folder: ["\x1b[31mred\u202e.yaml"],
    "standard_input_is_empty": lambda folder: ["-"],
}
