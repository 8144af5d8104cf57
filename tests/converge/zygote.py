"""A warm parent: imports hfspace once, then forks a process for every command it is told to run.

Starting an interpreter costs about a second; a sweep starts hundreds. Each command is a process of its own,
with its own sockets, that can be killed like any other.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any


def main() -> None:
    """One JSON object a line on stdin; for each, {"pid"} when it runs and {"status"} when it has ended."""
    _import_everything()
    _say({"ready": os.getpid()})
    for line in sys.stdin:
        told = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _become(told)
        _say({"pid": pid})
        _, status = os.waitpid(pid, 0)
        _say({"status": os.waitstatus_to_exitcode(status)})


def _import_everything() -> None:
    import gradio_client  # noqa: F401
    import huggingface_hub  # noqa: F401
    from huggingface_hub import HfApi  # noqa: F401

    import hfspace.applier.executor
    import hfspace.cli.apply
    import hfspace.cli.main
    import hfspace.cli.plan
    import hfspace.live.apps
    import hfspace.live.hub
    import hfspace.live.transport
    import hfspace.report.apply_text
    import hfspace.report.plan_text  # noqa: F401


def _become(told: dict[str, Any]) -> None:
    """Never returns."""
    code = 99
    try:
        os.environ.clear()
        os.environ.update(told["env"])
        os.chdir(told["folder"])
        out = os.open(told["output"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(out, 1)
        os.dup2(out, 2)
        from hfspace.cli.main import run

        code = run(told["args"])
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _say(what: dict[str, Any]) -> None:
    os.write(3, (json.dumps(what) + "\n").encode())


if __name__ == "__main__":
    main()
