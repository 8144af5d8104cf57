"""The live views of status and wait: in a terminal only, without colour where none is wanted."""

from __future__ import annotations

import io
import os
import pty
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from rich.console import Console

from hfspace.cli.live import StatusView
from hfspace.localhub import LocalHub
from hfspace.model import Flavor
from hfspace.report.status import SpaceStatus
from hfspace.text import width
from tests.unit.builders import live

COLOR = re.compile(rb"\x1b\[[0-9;]*(3[0-8]|4[0-8]|9[0-7])[0-9;]*m")
SEED = {"spaces": {"acme/x": {"stage": "PAUSED"}, "acme/y": {"stage": "RUNNING"}}}


def status(**stages: str) -> SpaceStatus:
    states = tuple(replace(live(name), stage=stage) for name, stage in stages.items())
    flavors = {"cpu-basic": Flavor(name="cpu-basic", pretty_name="", usd_per_hour=Decimal(0))}
    return SpaceStatus(states=states, flavors=flavors, drift={}, absent={}, undeclared=(), exit_code=0)


def drawn(view: StatusView, columns: int = 90) -> list[str]:
    out = io.StringIO()
    Console(file=out, width=columns, color_system=None).print(view)
    return out.getvalue().splitlines()


def test_the_view_of_a_status_counts_the_seconds_in_a_stage_and_who_is_at_rest() -> None:
    now = 100.0
    view = StatusView(now=lambda: now)
    assert drawn(view) == []
    view.show(status(a="RUNNING", b="BUILDING"))
    now = 130.0
    view.show(status(a="RUNNING", b="RUNNING"))
    now = 175.0
    head, first, second, total, bar = drawn(view)
    assert head.split()[:3] == ["SPACE", "STAGE", "FOR"]
    assert "1 min 15 s" in first
    assert " 45 s" in second
    assert total.startswith("2 Spaces")
    assert bar.endswith("2/2 at rest, read 45 s ago")
    view.show(status(a="RUNNING", b="\x1b[2JBUILDING"), "The Hub did not \x1b[2Janswer.")
    assert drawn(view)[-1].startswith("! The Hub did not \\x1b[2Janswer.")
    assert "\x1b" not in "".join(drawn(view))
    assert max(map(width, drawn(view, 60))) <= 60


class Terminal:
    """A command whose stdout and stderr are a terminal."""

    def __init__(self, process: subprocess.Popen[bytes], screen: int) -> None:
        self.process = process
        self._screen = screen
        self.output = b""

    def read_until(self, *texts: bytes) -> None:
        while not all(text in self.output for text in texts):
            ready, _, _ = select.select([self._screen], [], [], 60)
            assert ready, self.output
            self._more()

    def end(self) -> int:
        try:
            while self._more():
                pass
        except OSError:  # the other side is closed
            pass
        return self.process.wait(60)

    def _more(self) -> bytes:
        more = os.read(self._screen, 65536)
        self.output += more
        return more


@contextmanager
def terminal(hub: LocalHub, folder: Path, *args: str, **env: str) -> Iterator[Terminal]:
    screen, inside = pty.openpty()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "CI", "FORCE_"))}
    process = subprocess.Popen(
        [sys.executable, "-m", "hfspace", *args],
        cwd=folder,
        env={
            **kept, "HF_ENDPOINT": hub.url, "HF_TOKEN": hub.token, "HF_HOME": str(folder),
            "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30",
            "HFSPACE_POLL_SECONDS": "0.2", "HFSPACE_SETTLE_SECONDS": "1", **env,
        },
        stdout=inside,
        stderr=inside,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(inside)
    try:
        yield Terminal(process, screen)
    finally:
        process.kill()
        process.wait()
        os.close(screen)


@pytest.fixture
def hub() -> Iterator[LocalHub]:
    with LocalHub(seed=SEED) as hub:
        yield hub


@pytest.mark.parametrize("env", [{}, {"NO_COLOR": "1"}])
def test_status_is_watched_in_place_until_ctrl_c(hub: LocalHub, tmp_path: Path, env: dict[str, str]) -> None:
    (tmp_path / "spaces.yaml").write_text("version: 1\nspaces: {acme/x: {}, acme/y: {}}\n")
    with terminal(hub, tmp_path, "status", "--watch", **env) as screen:
        screen.read_until(b"acme/x", b"2/2 at rest")
        hub.set_space("acme/x", stage="BUILDING")
        screen.read_until(b"1/2 at rest")
        screen.process.send_signal(signal.SIGINT)
        assert screen.end() == 130
    assert b"\x1b[" in screen.output  # the cursor moves
    assert bool(COLOR.search(screen.output)) == (not env)


def test_wait_shows_each_space_at_work_and_leaves_nothing_of_it(hub: LocalHub, tmp_path: Path) -> None:
    with terminal(hub, tmp_path, "wait", "acme/x", "acme/y", NO_COLOR="1") as screen:
        screen.read_until(b"PAUSED", b"0/2")
        hub.set_space("acme/x", stage="RUNNING")
        assert screen.end() == 0
    assert not COLOR.search(screen.output)
    assert screen.output.replace(b"\r", b"").endswith(b"acme/x is RUNNING.\nacme/y is RUNNING.\n")


@pytest.mark.parametrize("args", [("wait", "acme/y"), ("status", "acme/y")])
def test_a_terminal_that_can_not_move_its_cursor_gets_lines(
    hub: LocalHub, tmp_path: Path, args: tuple[str, ...]
) -> None:
    with terminal(hub, tmp_path, *args, TERM="dumb", NO_COLOR="1") as screen:
        assert screen.end() == 0
    assert b"\x1b" not in screen.output
