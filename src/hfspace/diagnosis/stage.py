"""What the Hub alone can tell: a Space that does not run is explained without touching its host."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Protocol

from hfspace.diagnosis.verdicts import Verdict, verdict
from hfspace.errors import HubError, HubUnreachable, NeedsWrite, NotVisible, RateLimited, Unauthorized
from hfspace.live.gradio.codes import Code
from hfspace.model import SpaceState
from hfspace.text import one_line

SERVING = frozenset({"RUNNING", "RUNNING_BUILDING", "RUNNING_APP_STARTING"})
"""Stages in which some version of the app answers; looking at it starts nothing."""

WAKEABLE = frozenset({"SLEEPING", "STOPPED", "BUILDING", "APP_STARTING"})
_LOG_LINES = 6
_LOG_SECONDS = 10.0
_LONGEST_LINE = 400

_STAGES = {
    "PAUSED": Code.PAUSED,
    "SLEEPING": Code.SLEEPING,
    "STOPPED": Code.SLEEPING,
    "BUILDING": Code.BUILDING,
    "APP_STARTING": Code.BUILDING,
    "BUILD_ERROR": Code.BUILD_ERROR,
    "RUNTIME_ERROR": Code.RUNTIME_ERROR,
    "CONFIG_ERROR": Code.CONFIG_ERROR,
    "NO_APP_FILE": Code.NO_APP_FILE,
    "DELETING": Code.MISSING_OR_PRIVATE,
}


class SpaceLookup(Protocol):
    """The few questions that a diagnosis asks the Hub. Every method raises HubError and nothing else."""

    @property
    def endpoint(self) -> str: ...
    @property
    def requests(self) -> int: ...
    def space_with_card(self, space: str) -> tuple[SpaceState, dict[str, Any]]: ...
    def by_subdomain(self, subdomain: str) -> str | None: ...
    def token_for(self, space: str) -> str | None: ...
    def logs(
        self,
        space: str,
        *,
        build: bool,
        follow: bool = False,
        tail: int | None = None,
        seconds: float | None = None,
    ) -> Iterator[str]: ...


def refused(error: HubError, *, has_token: bool) -> Verdict:
    """What it means that the Hub does not show the Space."""
    code = _refusal(error, has_token)
    todo = error.hint if code in {Code.UNREACHABLE, Code.NOT_UNDERSTOOD} else ""
    if code is Code.UNREACHABLE:
        todo = f"{todo} Or name the app's own host: --url https://….hf.space".strip()
    return verdict(code, error.message, todo=todo, evidence=(f"Hub: {error.message}",))


def _refusal(error: HubError, has_token: bool) -> Code:
    # Without a token, a missing Space and a private one are the same 401 (docs/hub-api.md section 13).
    if isinstance(error, NotVisible) or (isinstance(error, Unauthorized) and not has_token):
        return Code.MISSING_OR_PRIVATE
    if isinstance(error, Unauthorized):
        return Code.WRONG_TOKEN
    if isinstance(error, NeedsWrite):
        return Code.WRONG_ROLE
    if isinstance(error, RateLimited):
        return Code.RATE_LIMITED
    return Code.UNREACHABLE if isinstance(error, HubUnreachable) else Code.NOT_UNDERSTOOD


def not_running(state: SpaceState, hub: SpaceLookup) -> Verdict | None:
    """Why a Space that does not run does not; None when its host may be asked."""
    stage = state.stage or "unknown"
    if state.is_static:
        return verdict(
            Code.NOT_GRADIO, "It is a static Space: files only, there is no app to call.",
            why="A static Space has no process.", todo="Read its files from its host, or use another SDK.",
        )  # fmt: skip
    if stage in SERVING:
        return None
    code = _STAGES.get(stage)
    if code is None:
        seen = f"The Hub says that its stage is {stage}."
        return verdict(
            Code.NOT_UNDERSTOOD, seen, why="That stage is not known.", todo="Look at its page on the Hub."
        )
    said = f' "{one_line(state.error_message, _LONGEST_LINE)}"' if state.error_message else ""
    seen = f"The Hub says {stage}{':' if said else '.'}{said}"
    lines = _log_tail(state.id, hub, code)
    return verdict(code, seen, evidence=(f"Hub: {state.id} stage {stage}", *lines))


def log_title(code: Code) -> str:
    return "build log" if code is Code.BUILD_ERROR else "log"


def _log_tail(space: str, hub: SpaceLookup, code: Code) -> tuple[str, ...]:
    """The last lines of the log that explains the stage; () when the token may not read it."""
    if code not in {Code.BUILD_ERROR, Code.RUNTIME_ERROR}:
        return ()
    try:
        build = code is Code.BUILD_ERROR
        log = hub.logs(space, build=build, tail=_LOG_LINES, seconds=_LOG_SECONDS)
        lines = list(islice(log, _LOG_LINES))
    except HubError as error:
        return (f"{log_title(code)}: {error.message}",)
    return tuple(f"{log_title(code)}: {one_line(line, _LONGEST_LINE)}" for line in lines if line.strip())


def card_text(card: Mapping[str, Any], key: str) -> str | None:
    """A setting of the README as text; None when it is not there."""
    value = card.get(key)
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else None
