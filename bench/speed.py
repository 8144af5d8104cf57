"""CPU of starting up and of planning, each as a ratio against a peer in the same run.

    python -m venv .venvs/octodns && .venvs/octodns/bin/pip install octodns
    .venv/bin/python bench/speed.py

Prints docs/performance.md's table: `hfspace --help` against `import click`; `plan` of 1,000 Spaces on the
local Hub against `octodns-sync` planning 1,000 records from YAML to YAML; and 20,000 Spaces against 1,000.
CPU is user and system time of the command alone, never the local Hub's; medians of interleaved rounds.
"""

from __future__ import annotations

import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(sys.executable).parent
OCTODNS = Path(".venvs/octodns/bin/octodns-sync").absolute()
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")
ROUNDS = 11


def cpu_seconds(command: list[str], cwd: Path | None = None, env: dict[str, str] | None = None) -> float:
    """User and system seconds of a command that has to succeed."""
    env = {key: value for key, value in (env or os.environ).items() if key != "PYTHONDONTWRITEBYTECODE"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"{command}: exit {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compare(
    ours: list[str], peer: list[str], cwd: Path | None = None, env: dict[str, str] | None = None
) -> tuple[float, float, float]:
    """(our median, the peer's, the median ratio) of interleaved rounds, in seconds."""
    cpu_seconds(ours, cwd, env)  # the first run compiles
    cpu_seconds(peer, cwd, env)
    pairs = [(cpu_seconds(ours, cwd, env), cpu_seconds(peer, cwd, env)) for _ in range(ROUNDS)]
    mine, theirs = zip(*pairs, strict=True)
    ratios = [one / other for one, other in pairs]
    return statistics.median(mine), statistics.median(theirs), statistics.median(ratios)


@contextmanager
def local_hub(folder: Path, count: int) -> Iterator[dict[str, str]]:
    """A local Hub with `count` Spaces, and a manifest that differs from each; the environment to use it."""
    names = [f"acme/space-{number:05}" for number in range(count)]
    (folder / "seed.yaml").write_text(
        "spaces:\n"
        + "".join(f"  {name}: {{sdk: docker, hardware: cpu-upgrade, sleep_time: 3600}}\n" for name in names)
    )
    (folder / "spaces.yaml").write_text(
        "version: 1\nspaces:\n"
        + "".join(f"  {name}: {{hardware: cpu-upgrade, sleep_time: 30m}}\n" for name in names)
    )
    command = [str(HERE / "hfspace"), "hub", "serve", "--seed", "seed.yaml", "--port", "0"]
    server = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert server.stdout
        address = next(
            found[0] for line in server.stdout if (found := re.search(r"http://127\.0\.0\.1:\d+", line))
        )
        yield {**os.environ, "HF_ENDPOINT": address, "HF_TOKEN": "hf_local_write"}
    finally:
        server.terminate()
        server.wait(timeout=30)


def octodns(folder: Path, count: int) -> list[str]:
    """The command that plans `count` records from YAML to YAML."""
    for name in ("source", "target"):
        (folder / name).mkdir()
    (folder / "source" / "example.com.yaml").write_text(
        "---\n"
        + "".join(
            f"space-{n:05}:\n  ttl: 300\n  type: A\n  value: 192.0.2.{n % 250 + 1}\n" for n in range(count)
        )
    )
    (folder / "config.yaml").write_text(
        "providers:\n"
        "  source: {class: octodns.provider.yaml.YamlProvider, directory: ./source}\n"
        "  target: {class: octodns.provider.yaml.YamlProvider, directory: ./target}\n"
        "zones:\n  example.com.: {sources: [source], targets: [target]}\n"
    )
    return [str(OCTODNS), "--config-file", "config.yaml", "--force", "--quiet"]


def main() -> None:
    start = compare([str(HERE / "hfspace"), "--help"], [str(HERE / "python"), "-c", "import click"])
    print("| what | hfspace | peer | ratio |\n| --- | --- | --- | --- |")
    print(f"| `--help` against `import click` | {start[0]:.3f} s | {start[1]:.3f} s | {start[2]:.2f} |")
    plan = [str(HERE / "hfspace"), "plan"]
    with tempfile.TemporaryDirectory() as name, local_hub(Path(name), 1000) as env:
        times = compare(plan, octodns(Path(name), 1000), cwd=Path(name), env=env)
        print(
            f"| plan of 1,000 against octodns-sync | {times[0]:.2f} s | {times[1]:.2f} s | {times[2]:.2f} |"
        )
    with tempfile.TemporaryDirectory() as name, local_hub(Path(name), 20_000) as env:
        many = statistics.median(cpu_seconds(plan, cwd=Path(name), env=env) for _ in range(3))
        share = many / times[0]
        print(
            f"| plan of 20,000 against 1,000 | {many:.2f} s | {times[0]:.2f} s | {share:.1f} (20 is linear) |"
        )


if __name__ == "__main__":
    main()
