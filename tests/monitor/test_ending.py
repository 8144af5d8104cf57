"""However a training uses the monitor and however it ends, each entry is at the app or in a spool, and after
`experiments sync` all of them are at the app, once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pytest

from hfspace import TrackioClient
from hfspace.errors import ExperimentNotFound
from hfspace.live.trackio.port import Experiment
from hfspace.monitor.spool import open_spool
from tests.endpoints.real_apps import running, trackio_running
from tests.monitor.ending import ENTRIES, FORMS, WAYS
from tests.monitor.fake import FakeTracker

HERE = Path(__file__).parent
WRITE = {"TRACKIO_WRITE_TOKEN": "sesame"}
ONE_WRITER = [form for form in FORMS if form != "all_ranks"]
"""What the stand-in, a file, can take; the real apps take all."""
STATUS = {
    "normal": "completed", "exception": "failed", "exit_0": "completed", "exit_1": "failed",
    "interrupt": "paused", "fork": "completed", "restart": "completed",
}  # fmt: skip
"""Of a run whose process ended by itself."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One training: its steps, those at the app when it had ended, those in spools that were not sent."""

    logged: list[int]
    found: list[int]
    spooled: list[int]
    status: str | None
    said: str


def expected(form: str, way: str) -> list[int]:
    ranks = 2 if form == "all_ranks" else 1
    count = 2 * ENTRIES if way == "restart" else ENTRIES
    steps = [100 * rank + step for rank in range(ranks) for step in range(count)]
    return sorted(steps + [100 * rank + 50 for rank in range(ranks)]) if way == "fork" else steps


def train(form: str, way: str, env: dict[str, str]) -> str:
    """Run it; what its log said."""
    ranks = 2 if form in {"rank_0", "all_ranks"} else 1
    command = [sys.executable, str(HERE / "ending.py"), form, way]
    processes = [
        subprocess.Popen(command, env=env | {"RANK": str(rank)}, stderr=subprocess.PIPE, text=True)
        for rank in range(ranks)
    ]
    return "".join(process.communicate(timeout=90)[1] for process in processes)


def unsent(folder: Path) -> list[int]:
    steps: list[int] = []
    for path in folder.glob("*.jsonl"):
        spool = open_spool(path)
        sent = spool.sent
        for line in path.read_text().splitlines()[1:]:
            record = json.loads(line)
            if "metrics" in record and record["n"] > sent:
                steps.append(record["step"])
        spool.close()
    return sorted(steps)


def environment(folder: Path, **more: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "HFSPACE_SPOOL_DIR": str(folder / "spool"),
        "TMPDIR": str(folder),
        **more,
    }


def check(cell: Cell, form: str, way: str) -> None:
    assert sorted(cell.found + cell.spooled) == cell.logged, cell.said
    if way in STATUS:
        paused = form == "callback" and way == "exit_0"  # the Trainer did not say that it was done
        assert cell.status in (None, "paused" if paused else STATUS[way]), cell.said
    if way in STATUS.keys() - {"fork", "restart"}:
        assert cell.found == cell.logged, cell.said
        assert cell.spooled == []
    if way == "restart" and cell.spooled:
        assert "not been sent in full" in cell.said
    assert "Traceback" not in cell.said.replace(
        "Traceback", "", 2 if way in {"exception", "interrupt"} else 0
    )


@pytest.mark.parametrize(
    ("form", "way"),
    [
        pytest.param(form, way, marks=[] if form == "bare" or way == "normal" else [pytest.mark.slow])
        for form, way in product(ONE_WRITER, WAYS)
    ],
)
def test_nothing_is_lost(form: str, way: str, tmp_path: Path) -> None:
    store = tmp_path / "store.json"
    env = environment(tmp_path, FAKE_STORE=str(store))
    said = train(form, way, env)

    def found() -> list[int]:
        tracker = FakeTracker(store=store)
        return sorted(step for step, _ in tracker.logged("run") if step is not None) if store.exists() else []

    status = FakeTracker(store=store).named("run").status if store.exists() else None
    spooled = unsent(tmp_path / "spool")
    check(
        Cell(logged=expected(form, way), found=found(), spooled=spooled, status=status, said=said), form, way
    )
    command = [sys.executable, str(HERE / "run_cli.py"), "cli", "experiments", "sync"]
    subprocess.run(command, env=env, check=True)
    assert found() == expected(form, way)
    assert list((tmp_path / "spool").iterdir()) == []


@pytest.fixture(scope="module")
def app(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "official":
        with trackio_running(folder, WRITE) as url:
            yield url
        return
    with running("trackio_interface.py", "5.50.0", folder, {"TRACKIO_GENERATION": "A2"}) as url:
        yield url


SMALL = {("bare", "normal"), ("bare", "os_exit"), ("with", "kill")}
CELLS = [
    pytest.param(form, way, marks=[] if (form, way) in SMALL else [pytest.mark.slow])
    for form, way in product(FORMS, WAYS)
]


@pytest.mark.apps
@pytest.mark.parametrize(("form", "way"), CELLS)
@pytest.mark.parametrize("app", ["A2", "official"], indirect=True)
def test_nothing_is_lost_on_a_real_trackio(
    app: str, form: str, way: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    name = f"{form}-{way}"
    project = "ending" if "official" in request.node.name else None
    env = environment(tmp_path, PLACE_URL=app, RUN_NAME=name, **WRITE)
    if project:
        env["PLACE_PROJECT"] = project
    said = train(form, way, env)
    with TrackioClient(url=app, env=WRITE) as client:

        def live() -> Experiment | None:
            try:
                return client.show(name, project)
            except ExperimentNotFound:
                return None

        def found() -> list[int]:
            return sorted(steps_of(client.plot(name, "loss", project).points)) if live() else []

        item = live()
        cell = Cell(
            logged=expected(form, way),
            found=found(),
            spooled=unsent(tmp_path / "spool"),
            status=item.status if item else None,
            said=said,
        )
        record(request, form, way, cell)
        check(cell, form, way)
        command = [sys.executable, "-m", "hfspace", "experiments", "sync"]
        subprocess.run(command, env=env, check=True)
        assert found() == expected(form, way)


def steps_of(points: Sequence[object]) -> list[int]:
    return [step for point in points if (step := getattr(point, "step", None)) is not None]


@pytest.mark.parametrize(
    ("label", "form"),
    [
        ("`with`, `start`+`finish`, `start` alone, bare, decorator, callback, rank 0 only", "bare"),
        ("all ranks", "all_ranks"),
    ],
)
def test_the_table_of_the_docs_is_what_is_asserted(label: str, form: str) -> None:
    logged, forked, anew = (len(expected(form, way)) for way in ("normal", "fork", "restart"))
    cells = [
        f"{logged} / {logged} / 0",
        f"{logged} / 0 / {logged}",
        f"{forked} / {logged} / {forked - logged}",
        f"{anew} / {logged} / {anew - logged}",
    ]
    page = (HERE.parents[1] / "docs/experiments.md").read_text()
    assert f"| {' | '.join([label, *cells])} |" in page


def record(request: pytest.FixtureRequest, form: str, way: str, cell: Cell) -> None:
    """A line of the matrix, where MATRIX names a file."""
    if path := os.environ.get("MATRIX"):
        backend = "official" if "official" in request.node.name else "Gradio app"
        line = [form, way, backend, len(cell.logged), len(cell.found), len(cell.spooled)]
        with Path(path).open("a") as file:
            file.write(json.dumps(line) + "\n")
