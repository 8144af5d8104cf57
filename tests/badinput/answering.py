"""A Hub on loopback that answers what it is told to."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from tests.badinput.hub_answers import PLACES, SPACE, Answer, of


def place_of(path: str) -> str:
    """Which of the places a request asks for."""
    parts = urlsplit(path).path.strip("/").split("/")
    if parts[-1] == "whoami-v2":
        return "whoami"
    if parts[1:] == ["spaces"]:
        return "listing"
    if parts[1:] == ["spaces", "hardware"]:
        return "hardware"
    return parts[4] if len(parts) > 4 else "space"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    answers: Mapping[str, Answer]
    seen: list[tuple[str, str]]

    def do_GET(self) -> None:
        place = place_of(self.path)
        self.seen.append((self.path, self.headers.get("Authorization") or ""))
        answer = self.answers.get(place) or self._good(place)
        self.send_response_only(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        length = len(answer.body) if answer.promised is None else answer.promised
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(answer.body)
        self.close_connection = answer.promised is not None

    do_POST = do_GET

    def _good(self, place: str) -> Answer:
        if place == "space":
            return of({**SPACE, "id": "/".join(urlsplit(self.path).path.split("/")[3:5])})
        return of(PLACES.get(place, {}))

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def answering(answers: Mapping[str, Answer]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """The URL of a Hub that gives `answers`, else good ones; (path, Authorization) of each request."""
    seen: list[tuple[str, str]] = []
    handler = type("Handler", (_Handler,), {"answers": answers, "seen": seen})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", seen
        finally:
            server.shutdown()
            thread.join()


def good(place: str) -> bytes:
    return json.dumps(PLACES[place]).encode()
