"""A small HTTP server that answers what a test tells it to, and remembers what it was asked."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

RECORDED = Path(__file__).parent / "recorded"


@dataclass
class Reply:
    """`endless` sends chunks until the reader leaves; `hang` seconds pass before anything is sent."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    endless: bool = False
    hang: float = 0.0

    @staticmethod
    def json(value: Any, status: int = 200, **headers: str) -> Reply:
        return Reply(status, json.dumps(value).encode(), {"content-type": "application/json", **headers})

    @staticmethod
    def html(text: str, status: int = 200, **headers: str) -> Reply:
        return Reply(status, text.encode(), {"content-type": "text/html", **headers})


@dataclass
class Seen:
    method: str
    path: str
    headers: Mapping[str, str]


NOT_FOUND = Reply.json({"detail": "Not Found"}, 404)


class StandIn:
    """Routes are paths; a path that is none of them gets `default`."""

    def __init__(self, routes: Mapping[str, Reply], default: Reply = NOT_FOUND) -> None:
        self.routes, self.default, self.seen = dict(routes), default, []  # type: ignore[var-annotated]
        self.closing = threading.Event()
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                self.rfile.read(length)
                stand_in.seen.append(
                    Seen(self.command, self.path, {k.lower(): v for k, v in self.headers.items()})
                )
                stand_in.send(self, stand_in.routes.get(self.path.split("?")[0], stand_in.default))

            do_GET = do_POST = do_HEAD = do_PUT = answer

            def log_message(self, *args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

            def handle_error(self, request: object, address: object) -> None:
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def send(self, handler: BaseHTTPRequestHandler, reply: Reply) -> None:
        if reply.hang:
            self.closing.wait(reply.hang)
        handler.send_response(reply.status)
        for key, value in reply.headers.items():
            handler.send_header(key, value)
        if reply.endless:
            handler.send_header("connection", "close")
            handler.end_headers()
            while not self.closing.is_set():
                handler.wfile.write(reply.body or b"x" * 4096)
                handler.wfile.flush()
                time.sleep(0.001)
            return
        handler.send_header("content-length", str(len(reply.body)))
        handler.end_headers()
        handler.wfile.write(reply.body)

    def close(self) -> None:
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def recorded(app: str, version: str) -> dict[str, Any]:
    """What a real app answered: {"config", "info"}, cut to the fields that anything reads."""
    return json.loads((RECORDED / f"{app}-{version}.json").read_text())


def gradio_routes(app: str, version: str, mount: str = "") -> Iterator[tuple[str, Reply]]:
    told = recorded(app, version)
    prefix = told["config"].get("api_prefix", "")
    yield f"{mount}/config", Reply.json(told["config"])
    yield f"{mount}{prefix}/info", Reply.json(told["info"])
