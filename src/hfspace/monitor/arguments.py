"""What a script gives a monitor, checked before anything starts: a wrong type is a sentence."""

from __future__ import annotations

import os
from pathlib import Path

from hfspace.errors import UsageError
from hfspace.live.experiments.names import number_of
from hfspace.monitor.recording import SendingPace


def experiment_name(name: str | None, alias: str | None) -> str:
    """Raises UsageError for two names, and for one that no app can hold."""
    if name is not None and alias is not None and name != alias:
        raise UsageError("The experiment has two names.", hint="Give name or experiment_name, not both.")
    name = name if name is not None else alias
    trimmed = name.strip() if isinstance(name, str) else ""
    if not trimmed or not trimmed.isprintable():
        raise UsageError(
            f"{name!r} can't be the name of an experiment.",
            hint="A name has at least one character, and no line breaks or control characters.",
        )
    return trimmed


def folder(path: str | os.PathLike[str] | None) -> Path | None:
    if path is not None and not isinstance(path, str | os.PathLike):
        raise UsageError(f"spool_dir= is a path, not {type(path).__name__}.")
    return None if path is None else Path(path)


def pace(flush_every: float, retry_pauses: tuple[float, float], most_queued: int) -> SendingPace:
    if not isinstance(retry_pauses, tuple | list) or len(retry_pauses) != 2:
        raise UsageError("retry_pauses= are two numbers: the first pause, and the longest.")
    first, longest = (number_of(pause, "A pause") for pause in retry_pauses)
    return SendingPace(
        flush_every=max(0.01, number_of(flush_every, "flush_every=")),
        first_pause=first,
        longest_pause=longest,
        most_queued=int(number_of(most_queued, "most_queued=")),
    )
