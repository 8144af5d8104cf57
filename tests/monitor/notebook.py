"""Runs cells in a kernel, restarts it in the middle, and prints what the cells wrote to stderr, one JSON
string for each cell.

Usage: python notebook.py PYTHON ask|kill < cells.json   (two lists of cells: before and after the restart)
"""

from __future__ import annotations

import json
import sys
from typing import Any

from jupyter_client import KernelManager
from jupyter_client.kernelspec import KernelSpec

TIMEOUT = 60


def run(client: Any, code: str) -> str:
    told: list[str] = []

    def hear(message: dict[str, Any]) -> None:
        content = message["content"]
        if message["msg_type"] == "stream" and content["name"] == "stderr":
            told.append(content["text"])
        elif message["msg_type"] == "error":
            told.append(content["ename"])

    client.execute_interactive(code, output_hook=hear, timeout=TIMEOUT)
    return "".join(told)


def main(python: str, how: str) -> None:
    before, after = json.load(sys.stdin)
    manager = KernelManager()
    argv = [python, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    manager._kernel_spec = KernelSpec(argv=argv, display_name="test", language="python")
    manager.start_kernel()
    client = manager.blocking_client()
    try:
        client.start_channels()
        client.wait_for_ready(timeout=TIMEOUT)
        for code in before:
            print(json.dumps(run(client, code)))
        manager.restart_kernel(now=how == "kill")
        client.wait_for_ready(timeout=TIMEOUT)
        for code in after:
            print(json.dumps(run(client, code)))
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=False)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
