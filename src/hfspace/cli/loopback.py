"""A small web server on 127.0.0.1 that answers its own names only: no page elsewhere can read it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from typing import Any
from urllib.parse import urlsplit
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from hfspace.errors import UsageError

App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@contextmanager
def serving(port: int, app: App) -> Iterator[str]:
    """The URL of a WSGI application that is served while the block runs; port 0 takes any that is free.

    Raises UsageError when the port can't be used.
    """
    try:
        server = make_server("127.0.0.1", port, _guarded(app), _Server, _Quiet)
    except OSError as error:
        raise UsageError(
            f"Port {port} can't be used: {error.strerror}.", hint="Choose another one."
        ) from None
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _guarded(app: App) -> App:
    """`app`, reached only by a loopback name and from no other origin."""

    def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        try:
            host = urlsplit(f"//{environ.get('HTTP_HOST', '')}").hostname
        except ValueError:
            host = None
        if host not in {"127.0.0.1", "localhost"} or "HTTP_ORIGIN" in environ:
            start("403 Forbidden", [("Content-Type", "text/plain")])
            return [b"only on loopback names, and for no other origin\n"]
        return app(environ, start)

    return answer


class _Server(ThreadingMixIn, WSGIServer):
    """A thread for each connection: one that says nothing must not hold the others up."""

    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    timeout = 10  # seconds that a connection may say nothing

    def log_message(self, format: str, *args: Any) -> None:
        return None
