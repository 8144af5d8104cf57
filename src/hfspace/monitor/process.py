"""The end and the fork of a process, as a run must hear of them, and which status an end gives."""

from __future__ import annotations

import os
import sys
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import thread as _pools
from types import ModuleType
from typing import Any

_POOLS: ModuleType = _pools
"""Imported first: its own hook closes the pools, and hooks run last in, first out."""


class ProcessEnd:
    """Calls `action` when the process ends, while threads and pools still work. Nothing calls it after
    os._exit or a kill."""

    def __init__(self, action: Callable[[], None]) -> None:
        self.exit_code: object = None
        self._action = action
        self._cancel: Callable[[], None] | None = None
        self._unwatch: Callable[[], None] | None = None

    def watch(self) -> bool:
        """False when the process is ending already."""
        if self._cancel is None:
            self._cancel = _at_exit(self._action)
        if self._unwatch is None:
            self._unwatch = _NotedExit(self._note).undo
        return self._cancel is not None

    def forget(self) -> None:
        for undo in (self._cancel, self._unwatch):
            if undo is not None:
                undo()
        self._cancel = self._unwatch = self.exit_code = None

    def status(self, unknown: str) -> str:
        """The status of a run that the end of the process ends; `unknown` after an end without a failure."""
        if self.exit_code:
            return "failed"
        if hasattr(sys, "ps1"):  # a notebook or a prompt: its last exception may be of yesterday
            return "paused"
        kind = getattr(sys, "last_type", None)
        return outcome(kind) if kind is not None else unknown

    def _note(self, code: object) -> None:
        self.exit_code = code


def outcome(kind: type[BaseException] | None, error: BaseException | None = None) -> str:
    """The status of a run that ended with this exception, or without one. sys.exit(0) is no failure."""
    if kind is None or (isinstance(error, SystemExit) and not error.code):
        return "completed"
    return "paused" if issubclass(kind, KeyboardInterrupt) else "failed"


def _at_exit(action: Callable[[], None]) -> Callable[[], None] | None:
    """Run `action` at the end. Returns what cancels it; None when the process is ending already.

    `atexit` comes too late: by then no pool takes work (Python 3.9 to 3.14)."""
    pending = [action]

    def run() -> None:
        if pending:
            pending.pop()()

    register: Any = threading._register_atexit  # type: ignore[attr-defined]
    try:
        register(run)
    except RuntimeError:
        return None
    return pending.clear


class _NotedExit:
    """Stands for sys.exit and notes the code: Python forgets that of a SystemExit before anything hears of
    the end. Only in the main thread does it end the process."""

    def __init__(self, note: Callable[[object], None]) -> None:
        self._note: Callable[[object], None] | None = note
        self._wrapped: Any = sys.exit
        sys.exit = self  # type: ignore[assignment]

    def __call__(self, code: Any = None, /) -> None:
        if self._note is not None and threading.current_thread() is threading.main_thread():
            self._note(code)
        self._wrapped(code)

    def undo(self) -> None:
        self._note = None
        while isinstance(sys.exit, _NotedExit) and sys.exit._note is None:
            sys.exit = sys.exit._wrapped


def after_fork(method: Callable[[], None]) -> None:
    """Call a bound method in every forked child, as long as its object lives."""
    if not hasattr(os, "register_at_fork"):
        return
    reference = weakref.WeakMethod(method)

    def run() -> None:
        monitor = reference()
        if monitor is not None:
            monitor()

    os.register_at_fork(after_in_child=run)
