"""Kill `hfspace apply` at every request of a run that uses every facet, before and after the effect, and
run it again each time. Prints a table in Markdown; --write FILE puts it between the markers of that file.

    python bench/kill_sweep.py [--every N [--first N]] [--easy] [--write docs/reliability.md]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.converge import fleet
from tests.converge.killing import NOT_REACHED, Commands, Ending, Verdict, describe, kill, undisturbed

BEGIN, END = "<!-- kill sweep: begin -->", "<!-- kill sweep: end -->"
HEAD = (
    "| killed at | requests | kills | reruns that converged | Spaces lost or doubled | extra pauses, at most "
    "| extra restarts, at most | settings written twice |\n| --- | --: | --: | --: | --: | --: | --: | --: |"
)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--every", type=int, default=1, help="only every N-th boundary")
    parser.add_argument("--first", type=int, default=0, help="the first boundary, from 0; to share a sweep")
    parser.add_argument("--easy", action="store_true", help="the local Hub's easier switches")
    parser.add_argument("--write", type=Path, help="put the table into this file")
    options = parser.parse_args()
    switches = EASY if options.easy else {}
    seed = {**fleet.SEED, "hub": {"switches": switches}}
    started = time.monotonic()
    with Commands() as commands:
        manifest = fleet.with_files(fleet.manifest(), commands.folder)
        needed = undisturbed(commands, manifest, seed)
        verdicts = []
        points = [(at, when) for at in range(1, len(needed.requests) + 1) for when in ("before", "after")]
        for at, when in points[options.first :: options.every]:
            verdict = kill(commands, manifest, seed, at, when, needed)
            if verdict.wrong == NOT_REACHED:
                print(
                    f"request {at} was not made in this run: nothing was killed.", file=sys.stderr, flush=True
                )
                continue
            verdicts.append(verdict)
            if verdict.wrong:
                line = f"{at} {when} {verdict.request or describe(*needed.requests[at - 1])}"
                print(line, *verdict.wrong, sep="\n    ", file=sys.stderr, flush=True)
    table = render(verdicts, needed, time.monotonic() - started)
    print(table)
    if options.write:
        _write(options.write, table)
    return 1 if any(verdict.wrong for verdict in verdicts) else 0


EASY = {
    "hardware_change_wakes_paused": False,
    "hardware_resets_sleep": False,
    "sleeptime_on_free": "ignore",
    "description_dropped": False,
    "list_runtime_has_volumes": True,
    "list_runtime_has_error": True,
    "identical_post_restarts": False,
    "coalesce_restarts": True,
}


def render(verdicts: list[Verdict], needed: Ending, seconds: float) -> str:
    """One row for each kind of request, and the sum."""
    rows: dict[str, list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        rows[verdict.request].append(verdict)
    order = sorted(rows, key=lambda name: (name.startswith("GET"), name))
    lines = [_row(f"`{name}`", rows[name], needed) for name in order]
    bad = sum(1 for verdict in verdicts if verdict.wrong)
    return "\n".join(
        [
            f"{len(verdicts)} kills at {len(needed.requests)} requests, {bad} violations ({seconds:.0f} s).",
            "",
            HEAD,
            *lines,
            _row("**all**", verdicts, needed),
        ]
    )


def _row(name: str, verdicts: list[Verdict], needed: Ending) -> str:
    endings = [verdict.ending for verdict in verdicts if verdict.ending is not None]
    at = len({verdict.at for verdict in verdicts})
    good = sum(1 for verdict in verdicts if not verdict.wrong)
    moved = sum(1 for one in endings if _spaces_moved(one, needed))
    twice = sum(1 for one in endings if _settings_twice(one, needed))
    pauses = max((one.extra("pauses", needed) for one in endings), default=0)
    restarts = max((one.extra("restarts", needed) for one in endings), default=0)
    cells = [at, len(verdicts), good, moved, max(pauses, 0), max(restarts, 0), twice]
    return f"| {name} | " + " | ".join(map(str, cells)) + " |"


def _spaces_moved(ending: Ending, needed: Ending) -> bool:
    return (
        ending.spaces.keys() != needed.spaces.keys()
        or ending.extra("creates", needed) > 0
        or ending.extra("deletes", needed) > 0
    )


def _settings_twice(ending: Ending, needed: Ending) -> bool:
    return any(
        count > needed.writes[key]
        for key, count in ending.writes.items()
        if "/secrets" in key[1] or "/variables" in key[1] or "/commit/" in key[1]
    )


def _write(path: Path, table: str) -> None:
    text = path.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    path.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
