"""Every bad manifest, and to the letter what `hfspace validate` says of it.

`HFSPACE_UPDATE_GOLDEN=1 pytest tests/badinput` writes the expected output anew: read the difference then.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from hfspace.cli.main import run
from hfspace.manifest import files
from tests.badinput.generated import MADE

UPDATE_GOLDEN = bool(os.environ.get("HFSPACE_UPDATE_GOLDEN"))
HERE = Path(__file__).parent
MANIFESTS, EXPECTED = HERE / "manifests", HERE / "expected"
CASES = sorted(str(path.relative_to(MANIFESTS)) for path in MANIFESTS.glob("*/*"))
ENVIRONMENT = {
    "A_TOKEN": "hf_" + "x" * 34,
    "MARK": "a-mark",
    "YES": "yes",
    "WITH_ESCAPE": "\x1b[31m",
    "OWNER": "acme",
}
WITHOUT_PLACE = re.compile(
    r"(there is no such file|can't be read|is larger than|is a directory|matches no file|it is no)"
)
CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")

pytestmark = pytest.mark.skipif(not yaml.__with_libyaml__, reason="the places are those of libyaml")


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("HF", "NOT_SET", "OTHER")):
            monkeypatch.delenv(name)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


def arguments(case: str) -> list[str]:
    """What follows `hfspace validate`, below the folder of the manifests."""
    path = MANIFESTS / case
    if not path.is_dir():
        return [path.name]
    names = sorted(f"{path.name}/{child.name}" for child in path.iterdir())
    overlays = [name for name in names if name.endswith("overlay.yaml")]
    return [*(name for name in names if name not in overlays), *(f"--overlay={name}" for name in overlays)]


def validated(args: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The exit code and all that is printed."""
    code = run(["validate", *args])
    out, err = capsys.readouterr()
    return f"exit {code}\n{out}{err}"


def compare(name: str, said: str) -> None:
    golden = EXPECTED / f"{name}.txt"
    if UPDATE_GOLDEN:
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(said)
    assert said == golden.read_text(), f"{golden} differs"


def demand(said: str) -> None:
    """What holds for every message, whatever it says."""
    first, *lines = said.splitlines()
    assert first == "exit 1"
    assert "Traceback" not in said
    assert "this is a bug" not in said
    assert not CONTROL.search(said), CONTROL.search(said)
    assert max(len(line) for line in lines) < 500
    *body, count = lines
    assert re.fullmatch(r"[\d,]+ problems?; nothing was read from the Hub\.", count)
    heads = [at for at, line in enumerate(body) if not line.startswith("    ")]
    for start, end in zip(heads, [*heads[1:], len(body)], strict=True):
        head = body[start]
        if head.startswith("… and "):
            continue
        assert re.match(r"\S+:\d+:\d+: ", head) or WITHOUT_PLACE.search(head), f"no place: {head}"
        assert end - start >= 2, f"no next step: {head}"
        assert re.match(r"    \S", body[end - 1]), body[end - 1]
        assert body[end - 1].endswith((".", "?")), f"no sentence: {body[end - 1]}"


@pytest.mark.parametrize("case", CASES)
def test_a_bad_manifest(
    case: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir((MANIFESTS / case).parent)
    start = time.monotonic()
    said = validated(arguments(case), capsys)
    assert time.monotonic() - start < 10
    demand(said)
    compare(case.removesuffix(".yaml"), said)


@pytest.mark.parametrize("name", MADE)
def test_bad_input_that_is_made(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    start = time.monotonic()
    said = validated(MADE[name](tmp_path), capsys)
    assert time.monotonic() - start < 20
    demand(said)
    compare(f"made/{name}", said)


def test_a_file_that_may_not_be_read(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """By a stand-in: the tests may run as root, who may read everything."""

    def refuse(name: str, here: Path) -> bytes:
        raise PermissionError(13, "Permission denied", name)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(files, "_bytes", refuse)
    said = validated(["spaces.yaml"], capsys)
    demand(said)
    compare("made/unreadable", said)


def test_there_are_enough_cases_and_none_is_left_over() -> None:
    wanted = {case.removesuffix(".yaml") for case in CASES} | {f"made/{name}" for name in MADE}
    assert len(wanted) >= 150
    found = {str(path.relative_to(EXPECTED).with_suffix("")) for path in EXPECTED.glob("*/*.txt")}
    assert found == wanted | {"made/unreadable"}


@pytest.mark.parametrize("case", ["bombs/nested_flow.yaml", "files/png.yaml", "hostile/escaped_ansi.yaml"])
def test_a_process_says_the_same(case: str) -> None:
    path = MANIFESTS / case
    done = subprocess.run(
        [sys.executable, "-m", "hfspace", "validate", path.name],
        cwd=path.parent,
        env={**os.environ, **ENVIRONMENT, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        timeout=60,
    )
    said = f"exit {done.returncode}\n{(done.stdout + done.stderr).decode()}"
    assert said == (EXPECTED / f"{case.removesuffix('.yaml')}.txt").read_text()
