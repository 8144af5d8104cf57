"""Every way in which hfspace says no: each error explains itself in one sentence and names the next step.

HfspaceError
 ├─ UsageError             the command line was wrong
 ├─ ManifestError          a manifest can't be read as one (holds every problem found)
 ├─ ExtensionError         the package that brings a key of the manifest can't be used
 ├─ SecretSourceError      a declared secret has no value to send
 ├─ PlanFileError          a saved plan is damaged, newer than us, or not a plan
 ├─ StalePlanError         a saved plan no longer describes the world
 ├─ ChangedMeanwhile       somebody else changed what this run had written
 ├─ FilesLeftOut           a commit was made, and the Hub left out files of it
 ├─ PlanRefused            the plan may not be applied (holds every reason)
 ├─ Interrupted            Ctrl-C or SIGTERM
 ├─ WaitTimeout            something did not happen in time
 ├─ HubError               the Hub refused or could not be understood
 │   ├─ HubUnreachable     no answer
 │   ├─ Unauthorized       401: no token, or an invalid one
 │   │   └─ NotTrusted     keyless: the Space has no trusted publisher for this job
 │   ├─ NeedsWrite         403: the token may not do this
 │   ├─ BillingRefused     402/403: a plan, a payment method or a quota is missing
 │   ├─ NotVisible         404: missing, or private for this token
 │   ├─ Conflict           409: somebody else is doing something to it
 │   ├─ Outdated           412: somebody else's commit came first
 │   ├─ Rejected           400/422: the Hub does not accept the value
 │   ├─ RateLimited        429 that did not pass within the deadline
 │   └─ HubFault           5xx, or an answer that is not what the Hub documents
 └─ AppError               an app behind a Space refused or could not be understood
     ├─ TrackioError
     │   ├─ ExperimentNotFound
     │   ├─ AmbiguousExperiment   several have the name
     │   ├─ TrackioRejected       the app says no
     │   ├─ TrackioUnavailable    no usable answer; or this is no Trackio app
     │   ├─ NotSupported          this kind of Trackio can't
     │   └─ DataLoss              an experiment that was there is gone or was overwritten
     └─ EndpointError …    see hfspace.live.gradio
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class HfspaceError(Exception):
    """Base of all errors a person can cause or meet.

    `message` is one sentence: what is wrong, and where. `hint` is the next step, or "".
    `exit_code` is what the command line exits with when this error ends a command. `partly`: something was,
    or may have been, changed.
    """

    exit_code = 1
    partly = False

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip() if self.hint else self.message


class UsageError(HfspaceError):
    """The command line asks for something that makes no sense."""


class Problem(NamedTuple):
    """One thing wrong in a manifest. `line` and `column` count from 1; 0 means the file as a whole."""

    file: str
    message: str
    line: int = 0
    column: int = 0
    hint: str = ""
    source_line: str = ""

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


class ManifestError(HfspaceError):
    """The manifest can't be used. `problems` holds every one found, in file order."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        super().__init__(f"{count} problem{'s' if count != 1 else ''} in the manifest.")


class ExtensionError(HfspaceError):
    """A key of the manifest is another package's, and that package can't be used."""


class SecretSourceError(HfspaceError):
    """A declared secret's source (environment variable or file) has no value."""


class PlanFileError(HfspaceError):
    """A saved plan can't be read: not JSON, not ours, damaged, or from a newer hfspace."""


class StalePlanError(HfspaceError):
    """The manifest, the account, the Hub or a touched Space moved since the plan was saved."""


class ChangedMeanwhile(HfspaceError):
    """Somebody else, such as a second run, changed what this run had written or read."""


class Refusal(NamedTuple):
    """One reason why a plan may not be applied, and what to do about it."""

    message: str
    hint: str = ""


class PlanRefused(HfspaceError):
    """The plan may not be applied, and nothing was changed. `reasons` holds every one of them."""

    def __init__(self, reasons: Sequence[Refusal]) -> None:
        self.reasons = tuple(reasons)
        lines = [f"{reason.message} {reason.hint}".strip() for reason in self.reasons]
        one = len(lines) == 1
        super().__init__(
            f"Nothing was changed: {self.reasons[0].message}"
            if one
            else f"Nothing was changed, for {len(lines)} reasons: " + "; ".join(lines),
            hint=self.reasons[0].hint if one else "",
        )


class AuditLogIncomplete(HfspaceError):
    """The plan was carried out, and the audit log of it lacks these entries."""

    exit_code = 3

    def __init__(self, path: str, missing: Sequence[str]) -> None:
        super().__init__(
            f"The audit log {path} could not be written to the end. Missing: {', '.join(missing)}.",
            hint="What was done to the Hub is in the report above: keep it.",
        )


class FilesLeftOut(HfspaceError):
    """A commit was made, and the Hub left out files of it."""

    partly = True


class Interrupted(HfspaceError):
    """Ctrl-C or SIGTERM."""

    exit_code = 130


class WaitTimeout(HfspaceError):
    """Something that was waited for did not happen in time."""


class HubError(HfspaceError):
    """The Hub refused a request. `status` is the HTTP status, or 0 when there was no answer."""

    def __init__(self, message: str, *, hint: str = "", status: int = 0) -> None:
        super().__init__(message, hint=hint)
        self.status = status


class HubUnreachable(HubError):
    """No usable answer came: no connection, a timeout, or a connection that broke."""


class Unauthorized(HubError):
    """401: the token is missing, invalid, or of a kind that may not do this."""


class NotTrusted(Unauthorized):
    """Keyless: the Hub gives this job no token for a Space."""


class NeedsWrite(HubError):
    """403: the token or the account has no right to do this."""


class BillingRefused(HubError):
    """402, or a 403 about plans, payment or quota."""


class NotVisible(HubError):
    """404: the Space does not exist, or this token can't see it; the Hub does not say which."""


class Conflict(HubError):
    """409: it exists already, or another operation is in progress."""


class Outdated(HubError):
    """412: a commit came in between."""


class Rejected(HubError):
    """400 or 422: the Hub does not accept the value."""


class RateLimited(HubError):
    """429, and the window does not open before the deadline. `reset_in` is in seconds."""

    def __init__(self, message: str, *, hint: str = "", reset_in: float = 0.0) -> None:
        super().__init__(message, hint=hint, status=429)
        self.reset_in = reset_in


class HubFault(HubError):
    """5xx, or an answer that is not what the Hub documents."""


class AppError(HfspaceError):
    """The app behind a Space refused, or its answer could not be understood."""


class TrackioError(AppError):
    """Base of what can go wrong with a Trackio app."""


class ExperimentNotFound(TrackioError):
    """No experiment has this id or exact name."""


class AmbiguousExperiment(TrackioError):
    """Several experiments have this name; only an id tells them apart."""


class TrackioRejected(TrackioError):
    """The app was understood and says no."""


class TrackioUnavailable(TrackioError):
    """No usable answer. `not_trackio` is True when the app was reached and is something else."""

    def __init__(self, message: str, *, hint: str = "", not_trackio: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.not_trackio = not_trackio


class NotSupported(TrackioError):
    """This kind of Trackio has no such operation."""


class DataLoss(TrackioError):
    """An experiment that was there before is gone, or now belongs to somebody else."""

    partly = True


FINAL = (Unauthorized, NeedsWrite, BillingRefused, Rejected, NotSupported, SecretSourceError)
"""Refusals that stay until a person changes something: the same run again ends the same way."""
