"""Folders: their hashing against git's, and a plan with and without them: requests, time and memory.

    python bench/files.py            the whole table (makes about 1.3 GB of files in a temporary folder)
    python bench/files.py --small    a tenth of it

Every figure is of the same run; times are medians of interleaved rounds. Memory is the largest resident set
of `hfspace plan` itself, as it says when it ends. A folder is listed, hashed (git's way, and SHA-256 too) and
screened for secrets; git hashes only.
"""

from __future__ import annotations

import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from hfspace.folder import screen
from hfspace.folder.hashing import hash_files
from hfspace.folder.listing import listing
from hfspace.localhub import LocalHub

ROUNDS = 5
FILES = 200
GIB = 1 << 30


PLAN = """
import atexit, re, sys
from pathlib import Path
peak = lambda: re.search("VmHWM:[^0-9]*([0-9]+)", Path("/proc/self/status").read_text())[1]
atexit.register(lambda: Path(sys.argv.pop()).write_text(peak()))
from hfspace.cli.main import main
main(sys.argv[1:-1])
"""
"""A plan that tells its peak: the kernel's figure for a child has its parent's memory in it."""


class Process(NamedTuple):
    """What one `hfspace plan` took: seconds of CPU, MB of memory, and requests to the Hub."""

    seconds: float
    memory: float
    requests: int
    text: str


def write_folders(root: Path, spaces: int) -> dict[str, Path]:
    """`spaces` folders of 200 files, of 200 bytes to 20 kB, in a dozen folders each."""
    source = random.Random(15)
    folders = {}
    for number in range(spaces):
        folder = root / f"app-{number:03d}"
        for name in range(FILES):
            path = folder / f"part-{name % 12}" / f"module_{name}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            words = source.choices(
                ("value", "return", "import", "self", "(", ")", "\n", "=", "def"), k=source.randint(40, 4000)
            )
            path.write_text(" ".join(words))
        (folder / "README.md").write_text("---\nsdk: gradio\n---\n")
        folders[f"acme/app-{number:03d}"] = folder
    return folders


def median(*functions: Callable[[], object]) -> list[float]:
    """The median seconds of each, interleaved."""
    times: list[list[float]] = [[] for _ in functions]
    for _ in range(ROUNDS):
        for function, taken in zip(functions, times, strict=True):
            started = time.perf_counter()
            function()
            taken.append(time.perf_counter() - started)
    return [statistics.median(one) for one in times]


def hashing(folders: dict[str, Path]) -> tuple[list[float], int]:
    """Seconds of git, of hashing alone and of all that is done with a folder; the bytes of the files."""
    listings = [listing(folder, ()).entries for folder in folders.values()]
    names = "\n".join(entry.place for entries in listings for entry in entries).encode()

    def git() -> list[str]:
        command = ["git", "hash-object", "--no-filters", "--stdin-paths"]
        return subprocess.run(command, input=names, capture_output=True, check=True).stdout.decode().split()

    def alone() -> None:
        screened, screen.findings = screen.findings, lambda data: ()
        for entries in listings:
            hash_files(entries)
        screen.findings = screened

    def whole() -> list[str]:
        return [one.oid for folder in folders.values() for one in hash_files(listing(folder, ()).entries)]

    if git() != whole():
        raise SystemExit("git and hfspace name the same files differently")
    return median(git, alone, whole), sum(entry.status.st_size for entries in listings for entry in entries)


def plan(hub: LocalHub, manifest: Path, cache: Path) -> Process:
    hub.clear_requests()
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith("HF_")},
        "HF_ENDPOINT": hub.url, "HF_TOKEN": hub.token, "XDG_CACHE_HOME": str(cache),
    }  # fmt: skip
    peak = cache / "peak"
    cache.mkdir(exist_ok=True)
    command = [sys.executable, "-c", PLAN, "-f", str(manifest), "plan", str(peak)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise SystemExit(f"plan ended with {done.returncode}: {done.stdout}{done.stderr}")
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Process(seconds, int(peak.read_text()) / 1024, len(hub.requests()), done.stdout)


def write_manifest(path: Path, folders: dict[str, Path], *, files: bool) -> Path:
    spaces: dict[str, Any] = {}
    for space, folder in folders.items():
        spaces[space] = {"hardware": "cpu-basic"}
        if files:
            spaces[space]["files"] = f"./{folder.name}"
    path.write_text(yaml.safe_dump({"version": 1, "spaces": spaces}))
    return path


def large_file(root: Path, size: int) -> Path:
    folder = root / "large"
    folder.mkdir()
    (folder / "README.md").write_text("---\nsdk: gradio\n---\n")
    block = random.Random(1).randbytes(1 << 20)
    with (folder / "model.safetensors").open("wb") as file:
        for _ in range(size >> 20):
            file.write(block)
    return folder


def main() -> None:
    small = "--small" in sys.argv[1:]
    spaces, large = (10, GIB // 10) if small else (100, GIB)
    with tempfile.TemporaryDirectory(prefix="hfspace-files-") as name:
        root = Path(name)
        folders = write_folders(root, spaces)
        (git, alone, whole), size = hashing(folders)
        print(f"{len(folders) * (FILES + 1):,} files, {size / 1e6:.0f} MB: git hash-object {git:.2f} s")
        print(f"  hashed: {alone:.2f} s, {git / alone:.2f} of git's speed (goal 0.8)")
        print(f"  listed, hashed and screened: {whole:.2f} s, {git / whole:.2f} of git's speed")

        bare = write_manifest(root / "bare.yaml", folders, files=False)
        manifest = write_manifest(root / "spaces.yaml", folders, files=True)
        with LocalHub(
            seed={"spaces": {space: {"files": held(folder)} for space, folder in folders.items()}}
        ) as hub:
            without = plan(hub, bare, root / "cache")
            first = plan(hub, manifest, root / "cache")
            second = plan(hub, manifest, root / "cache")
        print(f"plan of {spaces} Spaces: {told(without)}")
        for label, run in (("every file read", first), ("hashes known", second)):
            more = run.requests - without.requests
            print(f"  with {FILES} files each, {label}: {told(run)} (goal 200)")
            print(f"    {more} requests more (goal {spaces})")
        print(second.text.strip().splitlines()[-1])

        folder = large_file(root, large)
        one = write_manifest(root / "large.yaml", {"acme/large": folder}, files=True)
        with LocalHub(seed={"spaces": {"acme/large": {}}}) as hub:
            print(f"a file of {large / 1e9:.2f} GB: {told(plan(hub, one, root / 'cache'))} (goal 100)")


def held(folder: Path) -> dict[str, str]:
    """The files of a folder as a seed has them."""
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def told(run: Process) -> str:
    return f"{run.requests} requests, {run.seconds:.2f} s of CPU, {run.memory:.0f} MB"


if __name__ == "__main__":
    main()
