"""The local Hub's state in one SQLite file: documents by id, so that separate processes can share it."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_TABLES = """
create table if not exists spaces (id text primary key, doc text not null);
create table if not exists meta (key text primary key, doc text not null);
create table if not exists requests (n integer primary key autoincrement, doc text not null);
"""
KEPT_REQUESTS = 100_000


class Store:
    """Every request of the Hub is one transaction."""

    def __init__(self, path: str) -> None:
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=30)
        if path != ":memory:":
            self._db.execute("pragma journal_mode=wal")
            self._db.execute("pragma synchronous=off")
        self._db.executescript(_TABLES)

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
                raise
            self._db.execute("commit")

    def meta(self, key: str, default: Any = None) -> Any:
        with self._lock:
            row = self._db.execute("select doc from meta where key = ?", (key,)).fetchone()
        return json.loads(row[0]) if row else default

    def set_meta(self, key: str, value: Any) -> None:
        with self._lock:
            self._db.execute("insert or replace into meta values (?, ?)", (key, json.dumps(value)))

    def space(self, space: str) -> dict[str, Any] | None:
        with self._lock:
            row = self._db.execute("select doc from spaces where id = ? collate nocase", (space,)).fetchone()
        return json.loads(row[0]) if row else None

    def spaces(self) -> list[dict[str, Any]]:
        with self._lock:
            rows = self._db.execute("select doc from spaces order by id collate nocase").fetchall()
        return [json.loads(row[0]) for row in rows]

    def put(self, doc: dict[str, Any]) -> None:
        with self._lock:
            self._db.execute("insert or replace into spaces values (?, ?)", (doc["id"], json.dumps(doc)))

    def remove(self, space: str) -> None:
        with self._lock:
            self._db.execute("delete from spaces where id = ? collate nocase", (space,))

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
