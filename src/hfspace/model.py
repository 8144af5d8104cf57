"""The values that the layers pass to each other: what is live, what differs, what it costs. No behaviour
beyond invariants; imports nothing but the errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal, TypeAlias

from hfspace.errors import PlanRefused, Refusal

Json: TypeAlias = Any
"""A value that JSON can hold: None, bool, int, finite float, str, list or dict of such."""

HOURS_PER_MONTH = 730
"""The month that cost ceilings are computed with (365 * 24 / 12)."""

NEVER = -1
"""A sleep time of 'never'; sent to the Hub as -1, read back as null (hub-api 2.3)."""

FREE_HARDWARE = frozenset({"cpu-basic", "zero-a10g"})
"""Free as of 2026-08 (docs/hub/spaces-gpus.md); with prices at hand, what costs nothing is free."""

RESTART_VARIABLE = "HFSPACE_RESTART"
"""The Space variable that keeps the `restart:` marker. Writing a variable restarts the Space, so the
marker and the restart are one request."""


# ------------------------------------------------------------------ places


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A place in a manifest. Lines and columns count from 1."""

    file: str
    line: int
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


# ------------------------------------------------------------------ what is live

MOVING = frozenset({"BUILDING", "APP_STARTING", "RUNNING_BUILDING", "RUNNING_APP_STARTING", "DELETING"})
HELD = frozenset({"PAUSED"})
IDLE = frozenset({"SLEEPING", "STOPPED"})
STARTING = frozenset({"BUILDING", "APP_STARTING"})
"""Stages in which nothing serves, and which are to end by themselves."""
FAILED = frozenset({"NO_APP_FILE", "CONFIG_ERROR", "BUILD_ERROR", "RUNTIME_ERROR"})
BILLED = frozenset({"RUNNING", "APP_STARTING", "RUNNING_BUILDING", "RUNNING_APP_STARTING"})
"""Stages that the Hub bills for (docs/hub/spaces-gpus.md: starting or running; not building, not paused)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    value: str
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A secret as the Hub shows it: never a value.

    `matches` says whether the fingerprint in the description fits the value of the declared source:
    None when there is no fingerprint of ours, or no source was given to compare with.
    """

    description: str | None = None
    fingerprint: str | None = None
    matches: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """`type` is bucket, model, dataset or space; `source` is its id; masked sources are None."""

    type: str
    source: str | None
    mount_path: str
    read_only: bool | None = None
    revision: str | None = None
    path: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedParameter:
    """One parameter of a served endpoint. `schema` is JSON Schema as far as the app tells."""

    name: str | None
    label: str = ""
    component: str = ""
    schema: Mapping[str, Json] = field(default_factory=dict)
    has_default: bool = False
    default: Json = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedEndpoint:
    """`name` is a Gradio api_name with its slash, or the path of an HTTP route."""

    name: str
    url: str
    parameters: tuple[ServedParameter, ...] = ()
    returns: tuple[ServedParameter, ...] = ()
    generator: bool = False
    hidden: bool = False  # can be called, but the app does not list it
    method: str = "POST"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedApp:
    """What the running app says it serves. `problem` is set, and the rest empty, when it can't be read."""

    kind: str  # gradio | openapi | tgi | static | streamlit | unknown
    version: str | None = None
    prefix: str = ""
    protocol: str | None = None
    endpoints: tuple[ServedEndpoint, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveExperiment:
    """`key` is the name as a manifest spells it. None means: this backend does not hold it."""

    key: str
    id: str
    status: str | None = None
    description: str | None = None
    parameters: Mapping[str, Json] = field(default_factory=dict)
    metrics: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveExperiments:
    """`backend` is interface or trackio, or "" with a `problem` when the app could not be read."""

    backend: str
    items: tuple[LiveExperiment, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What the Hub tells of a Space beside its settings. Times are ISO 8601 in UTC; None is unknown."""

    title: str | None = None
    likes: int | None = None
    created: str | None = None
    modified: str | None = None
    sdk_version: str | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceState:
    """One Space as the Hub shows it.

    None always means *unknown*: not asked for, or not readable with this token; never "empty".
    `sleep_time` is in seconds, NEVER for never. `stage` and flavors are open sets: the Hub may add some.
    `visibility` is public or private from a listing ("private" may then be protected: see
    `visibility_exact`).
    """

    id: str
    sdk: str | None = None
    visibility: str | None = None
    visibility_exact: bool = False
    stage: str | None = None
    error_message: str | None = None
    hardware: str | None = None  # requested, else current
    hardware_current: str | None = None
    sleep_time: int | None = None
    dev_mode: bool | None = None
    replicas: int | None = None
    host: str | None = None
    subdomain: str | None = None
    sha: str | None = None
    runtime_sha: str | None = None
    variables: Mapping[str, Variable] | None = None
    secrets: Mapping[str, Secret] | None = None
    volumes: tuple[Volume, ...] | None = None
    app: ServedApp | None = None
    experiments: LiveExperiments | None = None
    details: Details | None = None

    @property
    def is_static(self) -> bool:
        return self.sdk == "static"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who the token belongs to. `role` is read, write, fineGrained, oauth, oidc or anonymous."""

    name: str
    role: str
    can_pay: bool = False
    is_pro: bool = False
    orgs: Mapping[str, str] = field(default_factory=dict)  # name -> role in it
    plans: Mapping[str, str] = field(default_factory=dict)  # org -> plan
    payers: tuple[str, ...] = ()  # orgs with canPay


@dataclass(frozen=True, slots=True, kw_only=True)
class Flavor:
    """One hardware flavor and its price, as GET /api/spaces/hardware lists it."""

    name: str
    pretty_name: str
    usd_per_hour: Decimal
    cpu: str = ""
    ram: str = ""
    accelerator: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The world at one moment. A declared id that is not in `spaces` is missing or not visible;
    `unreadable` holds why a read failed for one Space only. `now` is when, in seconds since 1970; without
    it nothing is old."""

    hub: str
    account: Account | None
    spaces: Mapping[str, SpaceState]
    flavors: Mapping[str, Flavor]
    unreadable: Mapping[str, str] = field(default_factory=dict)
    unset_secrets: Mapping[tuple[str, str], str] = field(default_factory=dict)  # (space, key) -> why no value
    unmanaged: tuple[SpaceState, ...] = ()
    now: float | None = None
    names_read: bool = False  # variables and secrets of every Space, declared or not
    requests: int = 0


# ------------------------------------------------------------------ what differs


class Action(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    RESTART = "restart"
    PAUSE = "pause"


Effect: TypeAlias = Literal["restart", "bills", "wakes", "stops", "exposes", "hides"]


class Subject(StrEnum):
    """What a change is about: the Space as a whole, whether it runs, one of its settings, or what its app
    holds."""

    SPACE = "space"
    STAGE = "stage"
    SETTING = "setting"
    APP = "app"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference that apply closes.

    `address` is `owner/name`, `owner/name.facet` or `owner/name.facet.key`. `before` and `after` are JSON
    values, None for absent; both None when `sensitive`. `usd_per_hour_*` are set where money moves.
    `needed_by` is the address of a change that can't be made without this one: they are targeted together.
    `early`: comes before a pause, since a paused Space may refuse it. `flavor` is the hardware that the Space
    has afterwards, where this changes it; `rebuild` that a restart builds it anew. `note` is for people:
    nothing decides by it, nor by the text of an address or a facet.
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
    """Something that apply can't mend. An `error` stops its Space, if it `blocks`; one of the scope `policy`
    stops everything, unless it is `overridable` and the caller insists. `unknown`: what was declared or asked
    for could not be read or compared."""

    address: str
    space: str
    facet: str
    scope: Scope = "space"
    severity: Severity
    message: str
    hint: str = ""
    source: Source | None = None
    overridable: bool = False
    blocks: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """USD of all declared Spaces. Per hour: what bills now, and what bills right after the apply. Per month:
    the ceiling, always on, 730 h."""

    before_usd_per_hour: Decimal
    after_usd_per_hour: Decimal
    before_usd_per_month: Decimal
    after_usd_per_month: Decimal
    limit_usd_per_month: Decimal | None = None


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
        if self.deletes and not allow_delete:
            names = ", ".join(change.space for change in self.deletes)
            reasons.append(Refusal(message=f"It deletes {names}.", hint="Allow it with --allow-delete."))
        if strict and (count := sum(check.severity == "warning" for check in self.checks)):
            reasons.append(Refusal(message=f"There are warnings ({count}), and it is to be strict."))
        if reasons:
            raise PlanRefused(reasons)
        return ApprovedPlan(plan=self, _seal=_SEAL)

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


# ------------------------------------------------------------------ what was done


class Status(StrEnum):
    DONE = "done"
    FAILED = "failed"
    NOT_TRIED = "not tried"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one Space in an apply. `applied` are the changes that the Hub took. `final`: it was
    refused for a reason that stays, so that the same run again ends the same way."""

    space: str
    status: Status
    applied: tuple[Change, ...] = ()
    pending: tuple[Change, ...] = ()
    stage: str | None = None
    seconds: float = 0.0
    error: str = ""
    hint: str = ""
    log_tail: tuple[str, ...] = ()
    final: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyResult:
    outcomes: tuple[Outcome, ...]
    interrupted: bool = False

    @property
    def changed(self) -> bool:
        return any(outcome.applied for outcome in self.outcomes)

    @property
    def failed(self) -> bool:
        return any(outcome.status is not Status.DONE for outcome in self.outcomes)

    @property
    def exit_code(self) -> int:
        """0 done, 1 nothing was changed, 3 something was changed and something failed, 130 interrupted."""
        if self.interrupted:
            return 130
        if not self.failed:
            return 0
        return 3 if self.changed else 1
