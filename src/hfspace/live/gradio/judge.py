"""The child process that holds a value against a schema which could take for ever."""

from __future__ import annotations

import json
import signal
import sys

from hfspace.live.gradio.values import SCHEMA_SECONDS, problem_here


def main() -> None:
    """Read [value, schema] from stdin; write the problem as JSON. The kernel ends this process after
    SCHEMA_SECONDS of work, whatever it is doing: the time of its start, on a busy machine, does not count."""
    signal.setitimer(signal.ITIMER_PROF, SCHEMA_SECONDS)
    value, schema = json.load(sys.stdin)
    json.dump(problem_here(value, schema), sys.stdout)


if __name__ == "__main__":
    main()
