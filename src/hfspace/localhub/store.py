"""The local Hub's state in one SQLite file: documents by id, so that separate processes can share it."""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hfspace.localhub.large import LargeFiles
from hfspace.localhub.seed import LocalHubError

_TABLES = """
create table if not exists spaces (id text primary key collate nocase, doc text not null);
create table if not exists meta (key text primary key, doc text not null);
create table if not exists requests (n integer primary key autoincrement, doc text not null);
create table if not exists blobs (oid text primary key, data blob not null);
create table if not exists commits (oid text primary key, repo text not null, n integer not null, doc text);
create table if not exists uploads (id text primary key, doc text not null);
create table if not exists windows (who text primary key, used integer not null, opened real not null);
"""
KEPT_REQUESTS = 100_000
Docs = dict[str, dict[str, Any]]


def _private(path: str) -> None:
    """Make the file readable by its owner only, before anything is in it: it holds secrets' values. SQLite
    gives its side files the same mode."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        os.chmod(path, 0o600)
    except OSError as error:
        raise LocalHubError(f"The database {path} can't be used: {error.strerror}.") from None


class Store:
    """Every request of the Hub is one transaction.

    Parsed documents are kept as long as no other process writes (SQLite's data_version says so), since
    parsing a thousand of them is most of the work of a listing.
    """

    def __init__(self, path: str) -> None:
        self._lock = threading.RLock()
        self._docs: Docs | None = None
        self._version: int | None = None
        self._frozen: Docs | None = None
        self.large = LargeFiles(None if path == ":memory:" else Path(f"{path}.large"))
        if path != ":memory:":
            _private(path)
        try:
            self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=30)
            if path != ":memory:":
                self._db.execute("pragma journal_mode=wal")
                self._db.execute("pragma synchronous=off")
            self._db.executescript(_TABLES)
        except sqlite3.Error as error:
            raise LocalHubError(f"The database {path} can't be used: {error}.") from None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self._lock:
            if self._db.in_transaction:
                yield
                return
            self._db.execute("begin immediate")
            try:
                yield
            except BaseException:
                self._db.execute("rollback")
                self._docs = None
                raise
            self._db.execute("commit")

    @contextmanager
    def frozen(self, docs: Docs) -> Iterator[None]:
        """Reads inside see these documents instead: a Hub that lags behind its own writes."""
        self._frozen = docs
        try:
            yield
        finally:
            self._frozen = None

    @property
    def is_frozen(self) -> bool:
        return self._frozen is not None

    # ------------------------------------------------------------ Spaces

    def docs(self) -> Docs:
        """All documents by lower-case id, in order. Not to be changed; `space` gives a copy."""
        with self._lock:
            if self._frozen is not None:
                return self._frozen
            version = self._db.execute("pragma data_version").fetchone()[0]
            if self._docs is None or version != self._version:
                rows = self._db.execute("select id, doc from spaces order by id").fetchall()
                self._docs, self._version = {key.lower(): json.loads(doc) for key, doc in rows}, version
            return self._docs

    def space(self, space: str) -> dict[str, Any] | None:
        doc = self.docs().get(space.lower())
        return None if doc is None else json.loads(json.dumps(doc))

    def put(self, doc: dict[str, Any]) -> None:
        text = json.dumps(doc)
        with self._lock:
            new = self._docs is not None and doc["id"].lower() not in self._docs
            self._db.execute("insert or replace into spaces values (?, ?)", (doc["id"], text))
            if self._docs is None or new:
                self._docs = None  # read again in order
            else:
                self._docs = {**self._docs, doc["id"].lower(): json.loads(text)}

    def remove(self, space: str) -> None:
        with self._lock:
            self._db.execute("delete from spaces where id = ?", (space,))
            self._docs = None

    # ------------------------------------------------------------ files

    def blob(self, oid: str) -> bytes:
        with self._lock:
            row = self._db.execute("select data from blobs where oid = ?", (oid,)).fetchone()
        return bytes(row[0]) if row else b""

    def put_blob(self, oid: str, data: bytes) -> None:
        with self._lock:
            self._db.execute("insert or ignore into blobs values (?, ?)", (oid, data))

    def commits(self, repo: str) -> list[dict[str, Any]]:
        """Newest first."""
        with self._lock:
            rows = self._db.execute(
                "select doc from commits where repo = ? order by n desc", (repo,)
            ).fetchall()
        return [json.loads(row[0]) for row in rows]

    def put_commit(self, repo: str, commit: dict[str, Any]) -> None:
        with self._lock:
            n = self._db.execute("select count(*) from commits where repo = ?", (repo,)).fetchone()[0]
            row = (commit["oid"], repo, n, json.dumps(commit))
            self._db.execute("insert or replace into commits values (?, ?, ?, ?)", row)

    def upload(self, key: str) -> dict[str, Any] | None:
        """What is known of an upload of a large file that has begun."""
        with self._lock:
            row = self._db.execute("select doc from uploads where id = ?", (key,)).fetchone()
        return json.loads(row[0]) if row else None

    def put_upload(self, upload: dict[str, Any]) -> str:
        """The key of a new upload."""
        key = secrets.token_hex(16)
        with self._lock:
            self._db.execute("insert into uploads values (?, ?)", (key, json.dumps(upload)))
        return key

    # ------------------------------------------------------------ the rest

    def meta(self, key: str, default: Any = None) -> Any:
        with self._lock:
            row = self._db.execute("select doc from meta where key = ?", (key,)).fetchone()
        return json.loads(row[0]) if row else default

    def set_meta(self, key: str, value: Any) -> None:
        with self._lock:
            self._db.execute("insert or replace into meta values (?, ?)", (key, json.dumps(value)))

    def window(self, who: str) -> tuple[int, float] | None:
        """(requests used, when it opened) of an account's rate limit window."""
        row = self._db.execute("select used, opened from windows where who = ?", (who,)).fetchone()
        return (int(row[0]), float(row[1])) if row else None

    def set_window(self, who: str, used: int, opened: float) -> None:
        self._db.execute("insert or replace into windows values (?, ?, ?)", (who, used, opened))

    def log(self, entry: dict[str, Any]) -> None:
        with self._lock:
            cursor = self._db.execute("insert into requests (doc) values (?)", (json.dumps(entry),))
            if cursor.lastrowid and cursor.lastrowid % 1000 == 0:
                self._db.execute("delete from requests where n <= ?", (cursor.lastrowid - KEPT_REQUESTS,))

    def requests(self) -> list[dict[str, Any]]:
        with self._lock:
            rows = self._db.execute("select doc from requests order by n").fetchall()
        return [json.loads(row[0]) for row in rows]

    def clear_requests(self) -> None:
        with self._lock:
            self._db.execute("delete from requests")

    def close(self) -> None:
        with self._lock:
            self._db.close()
        self.large.close()
