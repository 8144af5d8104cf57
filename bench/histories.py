"""Draw histories by the thousand (tests/converge/history.py) and print what they went through, in Markdown.

python bench/histories.py [--seconds 600] [--seed 1] [--write docs/reliability.md]
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from tests.converge.direct import plugged
from tests.converge.history import Counts
from tests.converge.test_history import COUNTS, WIRE, Histories

BEGIN, END = "<!-- histories: begin -->", "<!-- histories: end -->"
ROUND = 100


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=1, help="of the first round; each round takes the next")
    parser.add_argument("--write", type=Path, help="put the table into this file")
    options = parser.parse_args()
    chosen = settings(
        max_examples=ROUND,
        stateful_step_count=10,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    started, number, violations = time.monotonic(), options.seed, 0
    with plugged(WIRE):
        while time.monotonic() - started < options.seconds:
            try:
                run_state_machine_as_test(seed(number)(Histories), settings=chosen)
            except AssertionError as broken:
                violations += 1
                print(
                    f"seed {number}: {broken}", *getattr(broken, "__notes__", ()), sep="\n", file=sys.stderr
                )
            number += 1
    table = render(COUNTS, violations, f"seeds {options.seed} to {number - 1}", time.monotonic() - started)
    print(table)
    if options.write:
        text = options.write.read_text(encoding="utf-8")
        before, _, rest = text.partition(BEGIN)
        _, _, after = rest.partition(END)
        options.write.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", encoding="utf-8")
    return 1 if violations else 0


def render(counts: Counts, violations: int, seeds: str, seconds: float) -> str:
    faults = counts.faults
    rows = {
        "histories": counts.histories,
        "edits of the manifest": counts.edits,
        "clicks of somebody else": counts.clicks,
        "applies until done": counts.applies,
        "manifests refused at plan time": counts.refused,
        "reruns that were needed": counts.reruns,
        "requests": counts.requests,
        "429 answered": faults["429"],
        "500, 502, 503, 504 answered": sum(faults[code] for code in ("500", "502", "503", "504")),
        "connections broken, before or after the effect": faults["broken connection"],
        "processes that died in the middle": faults["crash"],
        "logs that were read and stay open": faults["open log"],
        "paused Spaces left awake by a death in between (see below)": counts.left_awake,
        "violations": violations,
    }
    lines = [f"| {name} | {value:,} |" for name, value in rows.items()]
    return "\n".join([f"{seeds}, {seconds:.0f} s", "", "| | |", "| --- | --: |", *lines])


if __name__ == "__main__":
    sys.exit(main())
