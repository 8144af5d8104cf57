"""A manifest of 10,000 Spaces in twenty files, to try sharding on: python generate.py FOLDER [COUNT]."""

from __future__ import annotations

import sys
from pathlib import Path

PER_FILE = 500


def write(folder: Path, count: int = 10_000) -> None:
    """`count` Spaces of four teams, PER_FILE in a file; policy.yaml guards them all."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "policy.yaml").write_text("version: 1\npolicy: {max_monthly_usd: 100000, max_deletes: 0}\n")
    for first in range(0, count, PER_FILE):
        lines = ["version: 1", "spaces:"]
        for number in range(first, min(first + PER_FILE, count)):
            paid = number % 10 == 0
            hardware = "{hardware: t4-small, sleep_time: 15m}" if paid else "{hardware: cpu-basic}"
            lines.append(f"  team-{number % 4}/demo-{number:05}: {hardware}")
        (folder / f"spaces-{first // PER_FILE:02}.yaml").write_text("\n".join([*lines, ""]))


if __name__ == "__main__":
    write(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 10_000)
