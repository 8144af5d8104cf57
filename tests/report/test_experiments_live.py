"""The live view of experiments, without an app: the same views in a terminal, as a page and as JSON."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from hfspace.live.trackio.overview import AppView, Curves
from hfspace.live.trackio.port import Experiment, Point, Series
from hfspace.report.experiments_live import page, screen, sparkline, to_json
from hfspace.text import width
from tests.monitor.command_line import HOSTILE

GOLDEN = Path(__file__).parents[1] / "golden"
NOW = datetime(2026, 11, 25, 10, 0, 5, tzinfo=UTC)


def series(metric: str, values: list[float]) -> Series:
    points = tuple(Point(step=10 * at, value=value) for at, value in enumerate(values))
    return Series(experiment="run", metric=metric, points=points)


def view(name: str = "smollm3-ft", values: list[float] | None = None) -> AppView:
    losses = [3 / (1 + at / 8) for at in range(80)] if values is None else values
    experiments = (
        Curves(
            experiment=Experiment(id="exp_1", name=name, status="running", metrics=80, latest_step=790),
            series=(series("loss", losses), series("accuracy", [at / 100 for at in range(80)])),
        ),
        Curves(experiment=Experiment(id="exp_2", name="diverged", status="failed", metrics=3),
               series=(series("loss", [1.0, 1e12, float("nan")]),)),
        Curves(experiment=Experiment(id="exp_3", name="just begun", status="running")),
    )  # fmt: skip
    return AppView(
        place="acme/track", kind="interface", experiments=experiments, hidden=4, read_at=NOW.replace(second=2)
    )


VIEWS = (
    view(),
    AppView(
        place="acme/paused", problem="acme/paused is PAUSED.", hint="See why: hfspace diagnose acme/paused"
    ),
    replace(
        view(), place="acme/silent", problem="It has not answered for 31 s.", hidden=0,
        experiments=view().experiments[:1], read_at=datetime(2026, 11, 24, 23, 59, 58, tzinfo=UTC),
    ),
    AppView(place="acme/next"),
)  # fmt: skip


def drawn(views: tuple[AppView, ...], columns: int, *, color: bool = False) -> str:
    file = StringIO()
    console = Console(file=file, width=columns, force_terminal=color, no_color=not color)
    console.print(screen(views, NOW))
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()) + "\n"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("experiments-watch.txt", drawn(VIEWS, 100)),
        ("experiments-watch.html", page(VIEWS, NOW, seconds=5)),
    ],
)
def test_the_view_looks_as_agreed(name: str, text: str) -> None:
    if os.environ.get("HFSPACE_UPDATE_GOLDEN"):
        (GOLDEN / name).write_text(text)
    assert (GOLDEN / name).read_text() == text


@pytest.mark.parametrize("columns", [200, 80, 60, 40, 20])
def test_no_line_is_wider_than_the_terminal(columns: int) -> None:
    assert max(map(width, drawn(VIEWS, columns).splitlines())) <= columns


def test_in_eighty_columns_only_names_and_curves_give_way() -> None:
    text = drawn((view("a-name-that-is-much-longer-than-the-room-for-it"),), 80)
    assert "a-name-that-is" in text
    for whole in ("running", "790", "accuracy", "diverged", "nan", "▁"):
        assert whole in text


class Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [
            name for name, _ in attributes if name in {"src", "href", "action", "style"} or name[:2] == "on"
        ]


def test_hostile_text_stays_text() -> None:
    hostile = AppView(
        place=HOSTILE,
        kind=HOSTILE,
        problem=HOSTILE,
        hint=HOSTILE,
        read_at=NOW,
        experiments=(
            Curves(
                experiment=Experiment(id=HOSTILE, name=HOSTILE, status=HOSTILE, metrics=1),
                series=(Series(experiment=HOSTILE, metric=HOSTILE, points=(Point(step=1, value=1.0),)),),
            ),
        ),
    )
    text, document = drawn((hostile,), 200), page((hostile,), NOW, seconds=5)
    for one in (text, document, to_json((hostile,), NOW)):
        assert not {char for char in one if not char.isprintable() and char != "\n"}
    elements = Elements()
    elements.feed(document)
    assert elements.tags <= {
        "html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "section",
        "table", "thead", "tbody", "tr", "th", "td", "svg", "circle", "polyline",
    }  # fmt: skip
    assert elements.links == []


def test_the_page_refreshes_itself_and_runs_no_script() -> None:
    document = page(VIEWS, NOW, seconds=5)
    assert '<meta http-equiv="refresh" content="5">' in document
    assert "default-src 'none'" in document
    assert 'http-equiv="refresh"' not in page(VIEWS, NOW, seconds=None)
    assert "Experiments (2 of 4 not read)" in document


def test_json_is_one_line_and_knows_no_nan() -> None:
    text = to_json(VIEWS, NOW)
    assert "\n" not in text
    document = json.loads(text, parse_constant=pytest.fail)
    assert document["format_version"] == 1
    track, paused, silent, following = document["apps"]
    assert track["experiments"][1]["series"][0]["points"][-1] == {"step": 20, "value": None, "time": None}
    assert (paused["read_at"], paused["problem"]) == (None, "acme/paused is PAUSED.")
    assert (silent["read_at"], silent["problem"]) == (
        "2026-11-24T23:59:58+00:00",
        "It has not answered for 31 s.",
    )
    assert (following["read_at"], following["problem"]) == (None, None)


@pytest.mark.parametrize(
    ("values", "bars"),
    [
        ([], ""),
        ([1.0], "▅"),
        ([0.0, 1.0], "▁█"),
        ([float(at) for at in range(8)], "▁▂▃▄▅▆▇█"),
        ([0.0, 0.0, 10.0, 10.0] * 4, "▁█▁█▁█▁█"),
    ],
)
def test_a_sparkline_has_a_bar_for_each_column(values: list[float], bars: str) -> None:
    assert sparkline(values, 8) == bars


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats() | st.just(10**400) | st.just(1e299), max_size=50), st.integers(1, 40))
def test_any_numbers_can_be_shown(values: list[float], columns: int) -> None:
    views = (view(values=values),)
    assert "smollm3-ft" in drawn(views, 100)
    assert "nan," not in page(views, NOW, seconds=5)
    json.loads(to_json(views, NOW), parse_constant=pytest.fail)
    kept = [float(value) for value in values if abs(value) < 1e300]
    assert len(sparkline(kept, columns)) == min(len(kept), columns)
