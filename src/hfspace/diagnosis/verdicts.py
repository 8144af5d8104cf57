"""What a diagnosis says: a code, what is seen, why, and what to do, one line each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from hfspace.live.gradio.codes import UNDECIDED, Code
from hfspace.live.gradio.findings import Finding
from hfspace.manifest.models import EndpointSpec, Payload
from hfspace.model import Json, ServedApp, SpaceState


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`seen`, `why` and `todo` are one line each; `evidence` is what was asked and answered, and log lines.
    `problem` is False when the Space can be called."""

    code: Code
    seen: str
    why: str = ""
    todo: str = ""
    evidence: tuple[str, ...] = ()
    problem: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """One real call. `ok` only when the app said complete and the answer satisfies `expect`. `seconds` is
    the latency of the call alone."""

    ok: bool
    seconds: float
    answer: object = None
    problem: str = ""
    queue_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One call of a trial: a POST of `body` to `path`. `outcome` is the status and what it says."""

    path: str
    payload: Payload
    body: Json
    ok: bool
    outcome: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """All that was found out about one Space or app. `target` is what was asked for; `base` where the app is;
    `call_url` the URL that calls the endpoint which is meant, "" when none is. `hub` says why the Hub was not
    asked, "" when it was, or need not be. `declared` is what was compared. `requests` counts ours."""

    target: str
    space: str | None
    verdict: Verdict
    state: SpaceState | None = None
    base: str = ""
    app: ServedApp | None = None
    call_url: str = ""
    findings: tuple[Finding, ...] = ()
    invocation: Invocation | None = None
    attempts: tuple[Trial, ...] = ()
    hub: str = ""
    declared: EndpointSpec | None = None
    cookies: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)
    requests: int = 0
    seconds: float = 0.0

    @property
    def exit_code(self) -> int:
        """0 healthy, 2 a problem was found, 1 could not find out."""
        if not self.verdict.problem:
            return 0
        return 1 if self.verdict.code in UNDECIDED else 2


def verdict(
    code: Code, seen: str, *, todo: str = "", why: str = "", evidence: tuple[str, ...] = ()
) -> Verdict:
    """A verdict with the usual reason and advice of its code, unless others are given."""
    usual_why, usual_todo = _USUAL.get(code, ("", ""))
    return Verdict(
        code=code, seen=seen, why=why or usual_why, todo=todo or usual_todo, evidence=evidence,
        problem=code is not Code.HEALTHY,
    )  # fmt: skip


def for_space(verdict: Verdict, space: str | None) -> Verdict:
    """The verdict with SPACE in its advice replaced by the Space's id."""
    return replace(verdict, todo=re.sub(r"\bSPACE\b", lambda match: space or "OWNER/NAME", verdict.todo))


_USUAL: dict[Code, tuple[str, str]] = {
    Code.MISSING_OR_PRIVATE: (
        "It does not exist, or it is private and this token can't see it: the Hub does not say which.",
        "Check the spelling; for a private Space set HF_TOKEN to a token that may read it.",
    ),
    Code.PRIVATE_NO_TOKEN: (
        "A private Space answers only to a token that may read it.",
        "Set HF_TOKEN and diagnose it as OWNER/NAME; a token is never sent to a typed URL.",
    ),
    Code.WRONG_TOKEN: (
        "The token is invalid, expired, or belongs to somebody who may not see this.",
        "Set HF_TOKEN to a valid token (hfspace doctor shows what it may do).",
    ),
    Code.WRONG_ROLE: (
        "The token is valid, but its role, scope or resource group does not cover this Space.",
        "Use a token with read access to SPACE (hfspace doctor shows what this one may do).",
    ),
    Code.APP_LOGIN: (
        "The app's code asks for a login (auth= in Gradio); a Hub token does not open it.",
        "Set HFSPACE_APP_USER and HFSPACE_APP_PASSWORD, or pass auth=(user, password) to connect().",
    ),
    Code.WRONG_SUBDOMAIN: (
        "The host was spelled from a name, or the Space was renamed or deleted.",
        "Diagnose the Space as OWNER/NAME: the Hub knows its host.",
    ),
    Code.PAUSED: ("Its owner paused it; a visit does not wake it.", "Start it: hfspace restart SPACE"),
    Code.SLEEPING: (
        "It went to sleep after its sleep time; the next visit wakes it, which may start to cost money.",
        "Wake it and look: hfspace diagnose SPACE --wake",
    ),
    Code.BUILDING: (
        "It is being built or started; it can't be called before it runs.",
        "Wait: hfspace wait SPACE (or hfspace diagnose SPACE --wake)",
    ),
    Code.BUILD_ERROR: ("The build failed; nothing runs.", "Read the build log: hfspace logs SPACE --build"),
    Code.RUNTIME_ERROR: (
        "The app stopped with an error after it was built.",
        "Read the log: hfspace logs SPACE; then fix it, or hfspace restart SPACE",
    ),
    Code.CONFIG_ERROR: (
        "The Hub refuses the Space's configuration.",
        "Mend the settings at the top of the README, or a name that is both a variable and a secret.",
    ),
    Code.NO_APP_FILE: (
        "The repository has no file to start.",
        "Push app.py (or what app_file names) to SPACE.",
    ),
    Code.PROXY_UNREACHABLE: (
        "Where the Space runs: the app listens on another port than app_port, or on 127.0.0.1 only.",
        "Listen on 0.0.0.0 and on the app_port of the README (7860 by default).",
    ),
    Code.RATE_LIMITED: (
        "Too many requests came from here.",
        "Wait, then try again; a token raises the limit.",
    ),
    Code.QUEUE_ONLY: (
        "Direct POSTs to it are switched off (api_open=False); calls go through the queue.",
        "Use gradio_client, `hfspace call`, or the /call route.",
    ),
    Code.MOUNTED_BELOW: (
        "The Gradio app is mounted below a path of another web app; / is not Gradio.",
        "Use the path in the URL, and set base_path in the README of the Space.",
    ),
    Code.NOT_GRADIO: (
        "The Space runs something else than a Gradio app; gradio_client can't call it.",
        "Call its HTTP routes directly: `endpoint: {path: …}` in the manifest.",
    ),
    Code.ENDPOINT_MISMATCH: (
        "What is asked for is not what the running app serves.",
        "See the lines below.",
    ),
    Code.INVOKE_FAILED: (
        "The endpoint was called and did not answer as it should.",
        "Read the app's log: hfspace logs SPACE",
    ),
    Code.UNREACHABLE: ("No answer came.", "Check the spelling and the network, then run again."),
    Code.NOT_UNDERSTOOD: ("The answer is none that is known.", "Look at the evidence with -v."),
}
