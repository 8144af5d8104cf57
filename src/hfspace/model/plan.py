"""What differs, what it costs and what stands in the way: the plan, and the plan that was approved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal, TypeAlias

from hfspace.errors import PlanRefused, Refusal
from hfspace.model.files import FileDiff
from hfspace.model.live import FAILED, STARTING, Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A place in a manifest. Lines and columns count from 1."""

    file: str
    line: int
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Action(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    RESTART = "restart"
    PAUSE = "pause"


Effect: TypeAlias = Literal["restart", "bills", "wakes", "stops", "exposes", "hides"]


class Subject(StrEnum):
    """What a change is about: the Space as a whole, whether it runs, one of its settings, what its app holds;
    or a resource group, which is no Space."""

    SPACE = "space"
    STAGE = "stage"
    SETTING = "setting"
    APP = "app"
    GROUP = "group"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference that apply closes.

    `address` is `owner/name`, `owner/name.facet` or `owner/name.facet.key`. `before` and `after` are JSON
    values, None for absent; both None when `sensitive`. `usd_per_hour_*` are set where money moves.
    `needed_by` is the address of a change that can't be made without this one: they are targeted
    together. `early`: comes before a pause, since a paused Space may refuse it. `flavor` is the hardware
    that the Space has afterwards, where this changes it; `rebuild` that a restart builds it anew;
    `commits` that it is written by a commit, whose build is waited for. `note` is for people: nothing
    decides by it, nor by the text of an address or a facet.
    """

    address: str
    space: str
    facet: str
    key: str | None = None
    subject: Subject = Subject.SETTING
    action: Action
    before: Json = None
    after: Json = None
    sensitive: bool = False
    effects: tuple[Effect, ...] = ()
    usd_per_hour_before: Decimal | None = None
    usd_per_hour_after: Decimal | None = None
    flavor: str | None = None
    rebuild: bool = False
    commits: bool = False
    note: str = ""
    needed_by: str = ""
    early: bool = False
    source: Source | None = None

    @property
    def creates_space(self) -> bool:
        return self.subject is Subject.SPACE and self.action is Action.CREATE

    @property
    def power(self) -> bool:
        """Whether it pauses, starts or restarts the Space itself."""
        return self.subject is Subject.STAGE

    @property
    def in_app(self) -> bool:
        """Whether it is kept inside the running app, which a restart may lose."""
        return self.subject is Subject.APP

    @property
    def removes(self) -> bool:
        """Whether afterwards something is no longer there: somebody else may have removed it first."""
        gone = self.action is Action.UPDATE and self.after is None and not self.sensitive
        return self.action is Action.DELETE or gone

    @property
    def deletes_space(self) -> bool:
        return self.subject is Subject.SPACE and self.action is Action.DELETE

    @property
    def pauses(self) -> bool:
        return self.action is Action.PAUSE

    @property
    def starts(self) -> bool:
        """Whether a Space runs after this that did not before."""
        return self.creates_space or "wakes" in self.effects

    @property
    def restarts(self) -> bool:
        """Whether the Space restarts or starts with this."""
        return bool({"restart", "wakes"} & set(self.effects))

    @property
    def mends(self) -> bool:
        """Whether this restarts a Space because it failed, or never comes up (`on_error`)."""
        restarts = self.subject is Subject.STAGE and self.action is Action.RESTART
        return restarts and self.before in FAILED | STARTING


Severity: TypeAlias = Literal["error", "warning", "unknown"]
Scope: TypeAlias = Literal["space", "policy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """Something that apply can't mend. One whose `subject` is the Space leaves nothing else to say of it. An
    `error` stops its Space, if it `blocks`; one of the scope `policy` stops everything, unless it is
    `overridable` and the caller insists; `of_sum`: it judges a sum over the Spaces of this plan, which is
    another in a plan of more of them; `of_policy`: a limit of the policy refuses one Space. `unknown`: what
    was declared or asked for could not be read or compared; an error in a plan that is to be applied, where
    it is `needed_to_apply`.
    """

    address: str
    space: str
    facet: str
    scope: Scope = "space"
    subject: Subject = Subject.SETTING
    severity: Severity
    message: str
    hint: str = ""
    source: Source | None = None
    overridable: bool = False
    of_sum: bool = False
    of_policy: bool = False
    blocks: bool = True
    needed_to_apply: bool = False

    def order(self) -> tuple[str, str, str]:
        """Sorts the checks of a plan."""
        return (self.space, self.severity, self.address + self.message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """USD of all declared Spaces: three figures that are never mixed, and their limits.

    *Ceiling*, `*_usd_per_month`: always on, 730 h, by the Hub's prices. *Scheduled*: the hours that the
    manifest leaves on after the plan, in an average month (730 h) and in the rest of this one (in UTC).
    *Billed*, `spent_usd`: what the Hub says of this month; None where nobody asked, or where it is unknown,
    and `spent_unknown` says why. `*_usd_per_hour` is what bills now, and right after the apply.
    """

    before_usd_per_hour: Decimal
    after_usd_per_hour: Decimal
    before_usd_per_month: Decimal
    after_usd_per_month: Decimal
    limit_usd_per_month: Decimal | None = None
    scheduled_usd_per_month: Decimal | None = None
    scheduled_limit_usd: Decimal | None = None
    scheduled_rest_usd: Decimal | None = None
    spent_usd: Decimal | None = None
    spent_limit_usd: Decimal | None = None
    spent_unknown: str = ""
    hourly_limit_usd: Decimal | None = None

    @property
    def course_usd(self) -> Decimal | None:
        """What this month comes to: billed so far, and scheduled for the rest."""
        if self.spent_usd is None or self.scheduled_rest_usd is None:
            return None
        return self.spent_usd + self.scheduled_rest_usd


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestRef:
    files: tuple[str, ...]
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The difference and its price. Equal inputs give equal plans: changes and checks are sorted.

    `declared` are the ids of the Spaces that were compared, `of` how many the manifest has; `snapshot` a
    fingerprint for each that exists; `unmanaged` ids that their owners have and nobody declared, and
    `undeclared` addresses of variables and secrets that nobody did (both only when asked for). `ignored` are
    differences that the manifest says to leave alone.

    `valid_until`: when the hours of the manifest ask for something else, in UTC; `held`: until when somebody
    holds a Space, "" for until it is released; `timezone` is where people read these times. `at` is set in a
    plan of another time than that at which it was made: it is only looked at.

    `exempt`: why Spaces leave rules of the policy, by Space and rule; `diffs` are the texts of files,
    where they were asked for.
    """

    hub: str
    account: str | None
    role: str
    manifest: ManifestRef
    declared: tuple[str, ...]
    changes: tuple[Change, ...]
    checks: tuple[Check, ...]
    cost: Cost
    requests: int
    snapshot: Mapping[str, str]
    unmanaged: tuple[str, ...] = ()
    ignored: tuple[Change, ...] = ()
    of: int = 0
    undeclared: tuple[str, ...] = ()
    valid_until: str | None = None
    held: Mapping[str, str] = field(default_factory=dict)
    timezone: str = ""
    at: str | None = None
    exempt: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    diffs: tuple[FileDiff, ...] = ()

    def to_apply(self) -> Plan:
        """This plan as one that is to be applied: what only looking can do without is an error."""
        checks = (
            replace(check, severity="error") if check.needed_to_apply else check for check in self.checks
        )
        return replace(self, checks=tuple(sorted(checks, key=Check.order)))

    @property
    def errors(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if check.severity == "error")

    @property
    def is_whole(self) -> bool:
        """Whether all the manifest's Spaces were compared, so that it was made without targets."""
        return len(self.declared) >= self.of

    @property
    def unknowns(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if check.severity == "unknown")

    @property
    def breaches(self) -> tuple[Check, ...]:
        """The errors that stop everything."""
        return tuple(check for check in self.errors if check.scope == "policy")

    @property
    def deletes(self) -> tuple[Change, ...]:
        """The Spaces that it deletes."""
        return tuple(change for change in self.changes if change.deletes_space)

    @property
    def is_empty(self) -> bool:
        return not self.changes

    def approve(
        self, *, allow_delete: bool = False, force: bool = False, strict: bool = False
    ) -> ApprovedPlan:
        """This plan as one that may be applied.

        `allow_delete` lets Spaces be deleted, `force` overrides what a policy lets be overridden, `strict`
        takes warnings for errors. Raises PlanRefused with every reason.
        """
        reasons = [
            *(Refusal(message=check.message, hint=check.hint) for check in self._refusing(force=force)),
            *(self._unwritable() if self.changes else ()),
        ]
        if self.at is not None:
            message = f"It is the plan of {self.at}, not of now."
            reasons.append(Refusal(message=message, hint="Plan without --at."))
        if self.deletes and not allow_delete:
            names = ", ".join(change.space for change in self.deletes)
            reasons.append(Refusal(message=f"It deletes {names}.", hint="Allow it with --allow-delete."))
        if strict and (count := sum(check.severity == "warning" for check in self.checks)):
            reasons.append(Refusal(message=f"There are warnings ({count}), and it is to be strict."))
        if reasons:
            raise PlanRefused(reasons)
        return ApprovedPlan(plan=self, _seal=_SEAL)

    def is_over(self, now: float) -> bool:
        """Whether the hours ask for something else at `now`, in seconds since 1970."""
        return self.valid_until is not None and now >= datetime.fromisoformat(self.valid_until).timestamp()

    def _refusing(self, *, force: bool) -> tuple[Check, ...]:
        return tuple(check for check in self.breaches if not (force and check.overridable))

    def _unwritable(self) -> Iterator[Refusal]:
        if self.account is None and self.role == "anonymous":
            yield Refusal(
                message="There is no token, and without one nothing can be changed.",
                hint="Set HF_TOKEN, log in with `hf auth login`, or give a GitHub job id-token: write.",
            )
        if self.role == "read":
            yield Refusal(
                message="The token found has the role read, and can change nothing.",
                hint="Set HF_TOKEN to one with write access; `hfspace doctor` shows what this one may do.",
            )


_SEAL = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovedPlan:
    """A plan that may be applied. Made by `Plan.approve` only, which says what stands in the way: made
    otherwise it raises PlanRefused."""

    plan: Plan
    _seal: object = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self._seal is not _SEAL:
            raise PlanRefused([Refusal(message="It was not approved.", hint="Call plan.approve().")])
