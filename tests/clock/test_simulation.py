"""Hours are kept over days, whatever breaks: awake minutes, restarts, and what is left in the end."""

from __future__ import annotations

import pytest

from tests.clock.simulation import START, Simulation, is_up, mismatches, ticks, wanted

MINUTE = 60.0


def check(simulation: Simulation, days: float, interval: float) -> dict[str, float]:
    """Nothing is otherwise than the manifest says for longer than the runner takes to come: each run of wrong
    minutes ends within one interval of the first good end of a turn after it began. No restart is lost or
    doubled."""
    result = simulation.run()
    longest = 0.0
    for space, runs in mismatches(simulation, result).items():
        for first, count in runs:
            begins, ends = START.timestamp() + first * MINUTE, START.timestamp() + (first + count) * MINUTE
            done = next((turn for turn in result.turns if turn > begins), ends)
            longest = max(longest, count * MINUTE)
            assert ends <= done + interval + 2 * MINUTE, (space, first, count)
    assert result.left == []
    for space, spec in simulation.declared.items():
        if "restart" in spec:
            assert result.restarts[space] == ticks(spec["restart"]["every"], days), space
    up = sum(is_up(stages[space]) for stages in result.minutes for space in simulation.declared)
    asked = sum(
        wanted(spec, START.timestamp() + number * MINUTE)
        for number in range(len(result.minutes))
        for spec in simulation.declared.values()
    )
    return {
        "space minutes": len(result.minutes) * len(simulation.declared),
        "awake as declared": asked,
        "awake": up,
        "longest wrong, min": longest / MINUTE,
        "restarts": sum(result.restarts[space] for space in simulation.declared if "regular" in space),
        **result.counts,
    }


def test_a_day_of_five_spaces() -> None:
    figures = check(Simulation(spaces=5, days=1.5, interval=1800, seed=4), 1.5, 1800)
    assert figures["turns"] > 40
    assert figures["clicks"] > 0
    assert figures["lost runners"] > 0


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_week_of_twenty_spaces() -> None:
    """The figures are those of docs/reliability.md."""
    figures = check(Simulation(spaces=20, days=7, interval=1800, seed=7), 7, 1800)
    print(figures)
    assert figures["lost runners"] > 10
    assert figures["clicks"] > 30
