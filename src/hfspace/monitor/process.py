"""The end and the fork of a process, as a run must hear of them."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import thread as _pools
from types import ModuleType
from typing import Any

_POOLS: ModuleType = _pools
"""Imported first: its own hook closes the pools, and hooks run last in, first out."""


def at_exit(action: Callable[[], None]) -> Callable[[], None] | None:
    """Run `action` when the process ends, while threads and pools still work. Returns what cancels it; None
    when the process is ending already. Nothing runs it after os._exit or a kill.

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


def after_fork(method: Callable[[], None]) -> None:
    """Call a bound method in every forked child, as long as its object lives."""
    if not hasattr(os, "register_at_fork"):
        return
    reference = weakref.WeakMethod(method)

    def run() -> None:
        found = reference()
        if found is not None:
            found()

    os.register_at_fork(after_in_child=run)
