"""Backends of experiments from other packages, made safe: what breaks in one is a sentence that names it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from hfspace.errors import HfspaceError, TrackioUnavailable, UsageError
from hfspace.live.trackio.base import TrackerApp, TrackerBase
from hfspace.live.trackio.port import Experiment, Tracker
from hfspace.live.trackio.values import one_line
from hfspace.manifest.plugins import package
from hfspace.manifest.trackers import plugin

_ONE = frozenset({"show", "create", "ensure", "update_status", "log_parameters", "simulate", "demo"})


def open_backend(name: str, app: TrackerApp) -> Tracker:
    """The backend that an installed package brings as `name`, for this app. Raises TrackioUnavailable when
    there is none, or it can't be used."""
    try:
        point = plugin(name)
    except UsageError as error:
        raise TrackioUnavailable(error.message, hint=error.hint, not_trackio=True) from None
    whose = f"The backend '{name}' ({package(point)})"
    try:
        backend = point.load()(app)
    except HfspaceError:
        raise
    except Exception as error:  # noqa: BLE001 - it is anybody's code
        raise _broken(whose, "can't be used", error) from None
    if not isinstance(backend, TrackerBase):
        raise TrackioUnavailable(
            f"{whose} is no TrackerBase, but {type(backend).__name__}.",
            hint="Mend or uninstall that package.",
            not_trackio=True,
        )
    backend.kind = name
    return _Guarded(backend, whose)


class _Guarded:
    """The methods of a backend, whose mistakes are TrackioUnavailable."""

    def __init__(self, backend: TrackerBase, whose: str) -> None:
        self._backend = backend
        self._whose = whose

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._backend, name)
        return self._guarded(name, value) if callable(value) else value

    def _guarded(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def call(*args: Any, **options: Any) -> Any:
            try:
                answer = method(*args, **options)
            except HfspaceError:
                raise
            except Exception as error:  # noqa: BLE001 - it is anybody's code
                raise _broken(self._whose, f"fails in {name}", error) from None
            answers = tuple(answer) if name == "list" and isinstance(answer, list | tuple) else (answer,)
            if (name == "list" or name in _ONE) and not all(isinstance(one, Experiment) for one in answers):
                raise TrackioUnavailable(
                    f"{self._whose} answers {name} with something else than experiments."
                )
            return answers if name == "list" else answer

        return call


def _broken(whose: str, how: str, error: Exception) -> TrackioUnavailable:
    text = f"{whose} {how}: {type(error).__name__}: {one_line(error)}".rstrip(".")
    return TrackioUnavailable(f"{text}.", hint="Mend or uninstall that package.", not_trackio=True)
