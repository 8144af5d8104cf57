"""A Hub on loopback that repeats in its errors what it is sent, and writes down what reaches it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from tests.badinput.answering import place_of
from tests.badinput.hub_answers import PLACES, SPACE


@dataclass(frozen=True, slots=True)
class Seen:
    """One request, as it came."""

    method: str
    path: str
    headers: str
    body: str


@dataclass(slots=True)
class Manner:
    """How the server answers. `status` is what writes get; reads get it too with `reads`. `elsewhere` is the
    base URL of a redirect, in place of errors; `next_page` the address of the second page of a listing."""

    status: int = 400
    reads: bool = False
    elsewhere: str = ""
    next_page: str = ""
    seen: list[Seen] = field(default_factory=list)


class _Parrot(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    manner: Manner

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode("utf-8", "replace")
        self.manner.seen.append(Seen(self.command, self.path, str(self.headers), body))
        read = self.command in {"GET", "HEAD"}
        if read and not self.manner.reads:
            self._good()
        elif self.manner.elsewhere:
            self._answer(self.manner.status, b"{}", Location=self.manner.elsewhere + self.path)
        else:
            self._repeat(body)

    do_GET = do_POST = do_PUT = do_DELETE = handle_any

    def _repeat(self, body: str) -> None:
        """The token and the body, as words and as a header."""
        token = self.headers.get("Authorization") or ""
        told = f"not with {token} and {body} and {_values(body)}"
        header = token.encode("latin-1", "replace").decode("latin-1")
        self._answer(self.manner.status, json.dumps({"error": told}).encode(), **{"X-Error-Message": header})

    def _good(self) -> None:
        place = place_of(self.path)
        more = {}
        if place == "space":
            value = {**SPACE, "id": "/".join(urlsplit(self.path).path.split("/")[3:5])}
        else:
            value = PLACES.get(place, {})
        if place == "listing" and self.manner.next_page:
            value, more = value[:1], {"Link": f'<{self.manner.next_page}>; rel="next"'}
        self._answer(200, json.dumps(value).encode(), **more)

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response_only(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


def _values(body: str) -> str:
    """The values of a JSON body, out of their quotes: a secret of several lines comes back as it was."""
    try:
        sent = json.loads(body)
    except ValueError:
        return ""
    return " ".join(str(value) for value in sent.values()) if isinstance(sent, dict) else str(sent)


@contextmanager
def serve(manner: Manner) -> Iterator[str]:
    """The URL of a server with these manners."""
    handler = type("Handler", (_Parrot,), {"manner": manner})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
