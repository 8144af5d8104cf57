"""The app of examples/tracker: runs as JSON, in memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@contextmanager
def runbook() -> Iterator[tuple[str, dict[str, dict[str, Any]]]]:
    """The URL of the app, and its runs by their id."""
    runs: dict[str, dict[str, Any]] = {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)) or b"null")
            _, _, ref, *rest = [*self.path.split("/"), ""]
            if self.path == "/runs" and body is None:
                self.say(200, list(runs.values()))
            elif self.path == "/runs":
                ref = f"run-{len(runs) + 1}"
                runs[ref] = {"id": ref, "status": "running", "metrics": [], **body}
                self.say(201, runs[ref])
            elif ref not in runs:
                self.say(404, {"error": "no such run"})
            elif rest[0] == "metrics":
                keys = {row["key"] for row in runs[ref]["metrics"]}
                runs[ref]["metrics"] += [row for row in body if row["key"] not in keys]
                self.say(200, {})
            else:
                runs[ref]["parameters"].update(body.pop("parameters", {}))
                runs[ref].update(body)
                self.say(200, runs[ref])

        def say(self, status: int, value: Any) -> None:
            data = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = answer

        def log_message(self, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", runs
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
