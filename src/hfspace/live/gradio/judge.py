"""The child process that holds a value against a schema which could take for ever."""

from __future__ import annotations

import json
import sys

from hfspace.live.gradio.values import problem_here


def main() -> None:
    """Read [value, schema] from stdin; write the problem as JSON."""
    value, schema = json.load(sys.stdin)
    json.dump(problem_here(value, schema), sys.stdout)


if __name__ == "__main__":
    main()
