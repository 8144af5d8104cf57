"""Drawing: any numbers at all give a picture, and the picture shows what there is."""

from __future__ import annotations

import math
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hfspace.live.trackio.port import Point, Series
from hfspace.report.plot_forms import page, terminal
from hfspace.report.plots import number, picture, svg, thinned, ticks

SVG = "{http://www.w3.org/2000/svg}"


def series(values: list[float], name: str = "run", metric: str = "loss", steps: bool = True) -> Series:
    points = tuple(Point(step=at if steps else None, value=value) for at, value in enumerate(values))
    return Series(experiment=name, metric=metric, points=points)


numbers = st.floats(allow_nan=True, allow_infinity=True)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.lists(numbers, max_size=8), max_size=3), st.booleans(), st.booleans())
def test_any_numbers_can_be_drawn(values: list[list[float]], log_y: bool, steps: bool) -> None:
    made = picture([series(one, steps=steps) for one in values], log_y=log_y)
    drawn = svg(made)
    ElementTree.fromstring(drawn)
    assert "nan" not in drawn.replace("<title>", "")
    for color in (True, False):
        text = terminal(made, width=60, height=10, color=color)
        assert len(text.splitlines()) >= 13
    assert page(made).endswith("</html>\n")


@pytest.mark.parametrize(
    "values", [[0.0, 5e-324], [1e16, 1e16 + 2], [-1e299, 1e299], [1e308, 1.0], [10**400, 1], [5e-324] * 2]
)
@pytest.mark.parametrize("log_y", [True, False])
def test_extreme_numbers_can_be_drawn(values: list[float], log_y: bool) -> None:
    points = (*series(values).points, Point(step=10**400, value=1.0))
    made = picture([Series(experiment="run", metric="loss", points=points)], log_y=log_y)
    ElementTree.fromstring(svg(made))
    terminal(made)
    page(made)


def test_points_are_where_their_values_are() -> None:
    root = ElementTree.fromstring(svg(picture([series([0.0, 10.0, 5.0])])))
    (line,) = root.findall(f"{SVG}polyline")
    places = [tuple(map(float, pair.split(","))) for pair in line.attrib["points"].split()]
    (x0, y0), (x1, y1), (x2, y2) = places
    assert x1 - x0 == pytest.approx(x2 - x1)
    assert y2 == pytest.approx((y0 + y1) / 2)
    assert y1 < y0  # up is smaller in SVG


def test_one_value_is_a_dot_and_none_is_said() -> None:
    assert "<circle" in svg(picture([series([1.0])]))
    assert "no values" in svg(picture([series([])]))
    assert "no values" in terminal(picture([series([])]))


def test_a_logarithmic_scale_leaves_out_what_has_no_logarithm() -> None:
    made = picture([series([-1.0, 0.0, 1.0, 100.0])], log_y=True)
    assert [y for _, y in made.lines[0].points] == [1.0, 100.0]


def test_values_without_steps_are_counted() -> None:
    made = picture([series([3.0, 4.0], steps=False)])
    assert [x for x, _ in made.lines[0].points] == [0.0, 1.0]
    assert ">entry</text>" in svg(made)


def test_long_series_keep_their_peaks() -> None:
    points = [(float(at), 0.0) for at in range(100_000)]
    points[54_321] = (54_321.0, 9.0)
    points[77_777] = (77_777.0, -9.0)
    kept = thinned(points)
    assert len(kept) <= 1600
    assert {(54_321.0, 9.0), (77_777.0, -9.0)} <= set(kept)
    assert kept == sorted(kept)


def test_a_drawing_keeps_to_its_width_and_tells_series_apart() -> None:
    made = picture([series([1, 2, 3], "one"), series([3, 2, 1], "two")])
    plainly = terminal(made, width=50, height=8)
    assert max(map(len, plainly.splitlines())) <= 50
    assert "a one: 3" in plainly
    assert "b two: 1" in plainly
    colored = terminal(made, width=50, height=8, color=True)
    assert colored.count("\x1b[36m") > 3
    assert colored.count("\x1b[33m") > 3


def test_rising_values_rise_in_the_terminal() -> None:
    rows = terminal(picture([series([0.0, 1.0])]), width=40, height=6).splitlines()[1:7]
    first = [next(at for at, char in enumerate(row[row.index("┤") + 1 :]) if char != " ") for row in rows]
    assert first == sorted(first, reverse=True)


@pytest.mark.parametrize(
    ("span", "expected"),
    [((0.0, 10.0), ["0", "2", "4", "6", "8", "10"]), ((0.0, 1.0), ["0", "0.2", "0.4", "0.6", "0.8", "1"])],
)
def test_ticks_are_round(span: tuple[float, float], expected: list[str]) -> None:
    assert [number(tick) for tick in ticks(span)] == expected


@given(st.floats(-1e200, 1e200), st.floats(1e-9, 1e200))
def test_ticks_are_few_and_within(low: float, size: float) -> None:
    high = low + size
    if high > low and math.isfinite(high):
        assert len(ticks((low, high))) <= 18


def test_legends_name_what_differs() -> None:
    both = [series([1], "a", "loss"), series([1], "a", "acc")]
    assert [line.label for line in picture(both).lines] == ["loss", "acc"]
    many = [series([1], name, metric) for name in "ab" for metric in ("loss", "acc")]
    assert [line.label for line in picture(many).lines] == ["a: loss", "a: acc", "b: loss", "b: acc"]
    crowd = picture([series([1], f"run-{at}") for at in range(40)])
    assert "and 16 more" in svg(crowd)
