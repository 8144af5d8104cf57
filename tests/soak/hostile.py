"""Servers that answer at random as nobody should: a proxy before a Hub, and an app behind a Space.

What an answer is depends on the seed and the path only, so that a run can be repeated.
"""

from __future__ import annotations

import copy
import gzip
import http.client
import json
import random
import threading
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from tests.endpoints.stand_in import recorded

MIB = 1 << 20
HOSTILE = "\x1b[31mred\x1b]0;t\x07\u202e\n::error::x\r\n##[error]y\x00<script>alert(1)</script>\ud800 canary"
CHARSETS = ("utf-16", "utf-7", "latin-1", "idna", "zlib", "hex", "rot13", "unicode_escape", "bogus", "\x80")
STATUSES = (100, 103, 200, 201, 204, 206, 299, 301, 302, 304, 307, 308, 400, 401, 402, 403, 404, 405, 408)
STATUSES += (409, 418, 422, 429, 451, 500, 501, 502, 503, 504, 599, 799, 999)
JUNK: tuple[Any, ...] = (
    *(
        None,
        True,
        0,
        -1,
        10**40,
        1e308,
        float("nan"),
        float("inf"),
        "",
        "x",
        HOSTILE,
        "../../etc/passwd",
        [],
        {},
    ),
    *([None], [[]], {"": None}, {"$ref": "http://127.0.0.1:1/x"}, {"$ref": "#"}, "x" * 100_000),
)
SCHEMAS: tuple[Any, ...] = (
    {"$ref": "#"},
    {"$ref": "http://127.0.0.1:1/schema.json"},
    {"$ref": "file:///etc/passwd"},
    {"type": "string", "pattern": "^(a+)+$"},
    {"type": "string", "pattern": "(" * 20_000},
    {"$defs": {"a": {"anyOf": [{"$ref": "#/$defs/a"}] * 9}}, "$ref": "#/$defs/a"},
    {"enum": list(range(50_000))},
    {"type": ["string", 7, None], "properties": [1], "required": "x"},
    {"type": "no type"},
)
SSE = {"content-type": "text/event-stream"}


class Hostile(ThreadingHTTPServer):
    """A server with `good(request) → (status, headers, body)` whose answers are hostile in a share of
    `share`. `served` counts the hostile ones by kind."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, good: Callable[[_Handler], Answer], seed: str, share: float) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.good, self.seed, self.share = good, seed, share
        self.closing = threading.Event()
        self.served: Counter[str] = Counter()
        self.asked: Counter[str] = Counter()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # who reads a bomb hangs up


Answer = tuple[int, Mapping[str, str], bytes]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Hostile
    body: bytes

    def answer(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("content-length") or 0))
        path = urlsplit(self.path).path
        count = self.server.asked[path]
        self.server.asked[path] += 1
        # The same for the first few of a path; threads ask in any order.
        rng = random.Random(f"{self.server.seed} {self.command} {path} {count}")
        if rng.random() >= self.server.share:
            status, headers, body = self.server.good(self)
            self.whole(status, headers, body)
            return
        kind = rng.choice(list(KINDS))
        self.server.served[kind] += 1
        self.close_connection = True
        KINDS[kind](self, rng)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = answer

    def whole(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.begin(status, {**headers, "content-length": str(len(body))})
        self.wfile.write(body)

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value.encode("utf-8", "surrogateescape").decode("latin-1"))
        self.end_headers()

    def drip(self, parts: Iterator[bytes], pause: float) -> None:
        for part in parts:
            self.wfile.write(part)
            self.wfile.flush()
            if self.server.closing.wait(pause):
                return

    def document(self) -> Any:
        """The good answer as JSON, None where it is none."""
        try:
            return json.loads(self.server.good(self)[2])
        except ValueError:
            return None

    def log_message(self, format: str, *args: object) -> None:
        pass


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _kind(rng: random.Random) -> dict[str, str]:
    return {
        "content-type": rng.choice(["application/json", "text/html", "text/plain", "text/event-stream", ""])
    }


def _for_ever(part: bytes) -> Iterator[bytes]:
    while True:
        yield part


def _big(handler: _Handler, rng: random.Random) -> None:
    size = rng.choice([1, 9, 65, 200])
    part = rng.choice(
        [b" " * MIB, b"[" * MIB, b"9" * MIB, (b'{"a":"%s"},' % (b"x" * 100)) * 9_000, b"\n" * MIB]
    )
    handler.begin(200, _kind(rng))
    handler.drip((part for _ in range(size)), 0)


def _deep(handler: _Handler, rng: random.Random) -> None:
    count = rng.choice([1_000, 100_000])
    text = rng.choice([b"[" * count, b"[" * count + b"]" * count, b'{"a":' * count])
    handler.whole(200, {"content-type": "application/json"}, text)


def _number(handler: _Handler, rng: random.Random) -> None:
    text = rng.choice([b"9" * 100_000, b"1e999999999", b"-0.0", b'{"a": ' + b"9" * 5_000 + b"}"])
    handler.whole(200, {"content-type": "application/json"}, text)


def _bomb(handler: _Handler, rng: random.Random) -> None:
    part = rng.choice([b"\0", b" ", b"[", b'"'])
    if rng.random() < 0.5:
        body, encoding = gzip.compress(part * (300 * MIB), 1), "gzip"
    else:
        body, encoding = zlib.compress(part * (300 * MIB), 1), "deflate"
    if rng.random() < 0.3:
        body, encoding = gzip.compress(body), f"{encoding}, gzip"
    handler.whole(200, {**_kind(rng), "content-encoding": encoding}, body)


def _no_encoding(handler: _Handler, rng: random.Random) -> None:
    encoding = rng.choice(["gzip", "deflate", "br", "zstd", "x", "gzip, gzip, gzip", "identity"])
    handler.whole(200, {**_kind(rng), "content-encoding": encoding}, rng.randbytes(500))


def _dripping_body(handler: _Handler, rng: random.Random) -> None:
    handler.begin(200, _kind(rng))
    handler.drip(_for_ever(rng.choice([b" ", b"{", b"\n", b": \n\n"])), 0.1)


def _dripping_head(handler: _Handler, rng: random.Random) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    handler.drip((b"x-%d: y\r\n" % number for number in range(10**6)), 0.2)


def _silence(handler: _Handler, rng: random.Random) -> None:
    handler.server.closing.wait(rng.choice([0.5, 60]))


def _half(handler: _Handler, rng: random.Random) -> None:
    status, headers, body = handler.server.good(handler)
    handler.begin(status, {**headers, "content-length": str(len(body) + rng.choice([1, 10**9]))})
    handler.wfile.write(body[: len(body) // 2])
    if rng.random() < 0.3:
        handler.wfile.flush()
        handler.server.closing.wait(60)


def _no_http(handler: _Handler, rng: random.Random) -> None:
    handler.wfile.write(
        rng.choice([
            rng.randbytes(2_000), b"HTTP/1.1 200\r\n\r\n", b"HTTP/9.9 abc OK\r\n\r\n", b"\r\n\r\n", b"",
            b"HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\nabc", b"HTTP/1.1 200 OK\r\n : \r\n\r\n",
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFFF\r\nabc",
            b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 9\r\n\r\nabc",
            b"HTTP/1.1 200 OK\r\nset-cookie: " + b"x" * 200_000 + b"\r\n\r\n",
            b"HTTP/1.1 100 Continue\r\n\r\n" * 5_000,
        ])
    )  # fmt: skip


def _status(handler: _Handler, rng: random.Random) -> None:
    status = rng.choice(STATUSES)
    headers = {"content-type": "application/json", "x-error-message": "a\tb \udce9 canary"}
    if 300 <= status < 400:
        headers["location"] = rng.choice(
            [handler.path, "http://127.0.0.1:1/", "file:///etc/passwd", "//", "\u00e9"]
        )
    if status in {429, 503}:
        headers["retry-after"] = rng.choice(
            ["0", "1", "-1", "nan", "99999999999999999999", "Wed, 21 Oct 2099", "²"]
        )
    error = rng.choice([HOSTILE, {"message": HOSTILE}, ["x"], None, 5, "x" * 100_000])
    body = b"" if status in {100, 103, 204, 304} else _json({"error": error})
    handler.whole(status, headers, body)


def _odd_headers(handler: _Handler, rng: random.Random) -> None:
    status, headers, body = handler.server.good(handler)
    here = f"{handler.server.url}{handler.path}"
    odd = rng.choice([
        {"link": f'<{here}>; rel="next"'},
        {"link": f'<{here}{"&" if "?" in here else "?"}x={rng.random()}>; rel="next"'},
        {"link": '<http://[>; rel="next"'},
        {"ratelimit": '"api";r=0;t=1', "ratelimit-policy": '"fixed window";"api";q=0;w=0'},
        {"ratelimit": f'"api";r={"9" * 5_000};t={"9" * 5_000}'},
        {"content-type": f"application/json; charset={rng.choice(CHARSETS)}"},
        {"content-type": "application/json; " * 1_000},
        {f"x-{number}": "y" * 100 for number in range(90)},
    ])  # fmt: skip
    handler.whole(status, {**headers, **odd}, body)


def _bytes(handler: _Handler, rng: random.Random) -> None:
    _, headers, body = handler.server.good(handler)
    text = body.decode("utf-8", "replace")
    odd = rng.choice([
        b"\xff\xfe" + text.encode("utf-16-le"), b"\xef\xbb\xbf" + body, body[:-1] + b"\xff",
        rng.randbytes(5_000),
        body * 2, body[: len(body) // 2], b"", b"\0", text.encode("utf-32"), b"<html>" * 1_000,
    ])  # fmt: skip
    handler.whole(200, headers, odd)


def _type(handler: _Handler, rng: random.Random) -> None:
    handler.whole(200, {"content-type": "application/json"}, _json(rng.choice(JUNK)))


def _mutated(handler: _Handler, rng: random.Random) -> None:
    value = handler.document()
    for _ in range(rng.choice([1, 1, 2, 8])):
        value = mutate(value, rng)
    handler.whole(200, {"content-type": "application/json"}, _json(value))


def _stream(handler: _Handler, rng: random.Random) -> None:
    message = rng.choice([
        {"msg": "heartbeat"}, {"msg": "progress", "progress_data": [{"index": 1}]}, {"msg": HOSTILE}, [],
        None,
        {"msg": "process_completed", "success": True, "output": {"data": rng.choice(JUNK)}},
        {"msg": "process_generating", "output": {"data": ["x" * 100_000]}, "success": True},
        {"msg": "estimation", "rank": -1, "rank_eta": "x"}, {"msg": "close_stream"},
        {"msg": "unexpected_error"},
    ])  # fmt: skip
    line = rng.choice(
        [b"data: " + _json(message) + b"\n\n", b"data: " + b"x" * MIB, b"event: x\nid: y\nretry: -1\n\n"]
    )
    handler.begin(200, SSE)
    handler.drip(_for_ever(line), rng.choice([0.0, 0.05]))


KINDS: dict[str, Callable[[_Handler, random.Random], None]] = {
    function.__name__.strip("_"): function
    for function in (
        _big, _deep, _number, _bomb, _no_encoding, _dripping_body, _dripping_head, _silence, _half, _no_http,
        _status, _odd_headers, _bytes, _type, _mutated, _stream,
    )
}  # fmt: skip


def mutate(value: Any, rng: random.Random) -> Any:
    """A copy with one place replaced, removed, renamed or repeated."""
    value = copy.deepcopy(value)
    at, places = value, []
    while isinstance(at, dict | list) and at and rng.random() < 0.85:
        key = rng.choice(list(at)) if isinstance(at, dict) else rng.randrange(len(at))
        places.append((at, key))
        at = at[key]
    if not places:
        return rng.choice(JUNK)
    holder, key = places[-1]
    match rng.randrange(4):
        case 0 if isinstance(holder, dict):
            holder[rng.choice([HOSTILE, "", "x" * 1_000, "__proto__"])] = holder.pop(key)
        case 1:
            del holder[key]
        case 2 if isinstance(holder, list):
            holder.extend([copy.deepcopy(holder[key])] * rng.choice([2, 2_000]))
        case _:
            holder[key] = rng.choice(SCHEMAS if key == "schema" or rng.random() < 0.2 else JUNK)
    return value


@contextmanager
def serving(good: Callable[[_Handler], Answer], seed: str, share: float) -> Iterator[Hostile]:
    with Hostile(good, seed, share) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.closing.set()
            server.shutdown()
            thread.join()


def proxy(target: str) -> Callable[[_Handler], Answer]:
    """Good answers are those of `target`."""
    address = urlsplit(target).netloc

    def good(handler: _Handler) -> Answer:
        kept = {
            name: handler.headers[name]
            for name in ("authorization", "content-type")
            if name in handler.headers
        }
        connection = http.client.HTTPConnection(address, timeout=30)
        try:
            connection.request(handler.command, handler.path, handler.body, kept)
            response = connection.getresponse()
            if "event-stream" in response.headers.get("content-type", ""):
                return 200, SSE, b'data: {"data": "a line", "timestamp": "2026-01-01T00:00:00Z"}\n\n'
            passed = {name.lower(): text for name, text in response.headers.items()}
            for name in ("connection", "transfer-encoding", "content-length", "date", "server"):
                passed.pop(name, None)
            return response.status, passed, response.read()
        finally:
            connection.close()

    return good


def app(kind: str) -> Callable[[_Handler], Answer]:
    """Good answers are those of a Gradio app, an HTTP app, or either kind of Trackio."""
    told = recorded("plain", "6.31.0")
    completed = {"msg": "process_completed", "success": True, "output": {"data": [2]}, "event_id": "e"}
    names = ("create_experiment_interface", "list_experiments_interface", "get_experiment_details")
    names += ("log_parameters_interface", "update_experiment_status_interface", "log_metrics_interface")
    interface = {"named_endpoints": {f"/{name}": {"parameters": [], "returns": []} for name in names}}
    echo = {"post": {"requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}}}}
    answers: dict[str, Any] = {
        "gradio": {"/config": told["config"], "/gradio_api/info": told["info"]},
        "http": {"/openapi.json": {"openapi": "3.1.0", "paths": {"/echo": echo}}, "/echo": {"said": "ok"}},
        "interface": {"/config": told["config"], "/gradio_api/info": interface},
        "trackio": {"/version": {"version": "0.30.0", "api_version": 1, "api_transport": "http"}},
    }[kind]

    def good(handler: _Handler) -> Answer:
        path = urlsplit(handler.path).path
        if path == "/gradio_api/queue/join":
            return 200, {"content-type": "application/json"}, _json({"event_id": "e"})
        if path == "/gradio_api/queue/data":
            return 200, SSE, b"data: " + _json(completed) + b"\n\n"
        if kind == "trackio" and path.startswith("/api/"):
            return 200, {"content-type": "application/json"}, _json({"data": []})
        if path in answers:
            return 200, {"content-type": "application/json"}, _json(answers[path])
        return 404, {"content-type": "application/json"}, b'{"detail":"Not Found"}'

    return good
