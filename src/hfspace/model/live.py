"""What is live: Spaces, accounts and prices as the Hub and the apps show them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from enum import Enum
from typing import Any, TypeAlias

from hfspace.model.billing import Billed, LiveGroup
from hfspace.model.files import HubHistory, HubTree


class Unknown(Enum):
    """The type of UNKNOWN."""

    UNKNOWN = "unknown"


UNKNOWN = Unknown.UNKNOWN
"""What was not read, or can't be read: never nothing."""

Json: TypeAlias = Any
"""A value that JSON can hold: None, bool, int, finite float, str, list or dict of such."""

HOURS_PER_MONTH = 730
"""The month that cost ceilings are computed with (365 * 24 / 12)."""

NEVER = -1
"""A sleep time of 'never'; sent to the Hub as -1, read back as null (docs/hub-api.md section 3)."""

FREE_HARDWARE = frozenset({"cpu-basic", "zero-a10g"})
"""Free as of 2026-08 (docs/hub/spaces-gpus.md); with prices at hand, what costs nothing is free."""

RESTART_VARIABLE = "HFSPACE_RESTART"
"""The Space variable that keeps the `restart:` marker. Writing a variable restarts the Space, so the
marker and the restart are one request."""

MARK = "hfspace-"
"""How the tags of a Space's repository begin that are ours: unlike a variable, a tag restarts nothing."""

REBUILD_TAG = "hfspace-rebuild-due"
"""The tag that says that a factory rebuild was begun, and may not have been asked for yet."""

HOLD_TAG = "hfspace-hold-until-"
"""How a tag of a Space's repository begins that says until when the clock of the manifest leaves it alone."""

KEPT_VARIABLES = frozenset({RESTART_VARIABLE})
"""What hfspace itself keeps on a Space: no variable of anybody else."""

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
    """One parameter of a served endpoint. `schema` is JSON Schema as far as the app tells. `place` is where
    an HTTP route takes it: path, query or body; one of the body without a name is the whole of it."""

    name: str | None
    label: str = ""
    component: str = ""
    schema: Mapping[str, Json] = field(default_factory=dict)
    has_default: bool = False
    default: Json = None
    place: str = "body"
    enforced: bool = True  # whether the app is known to refuse what does not fit


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedEndpoint:
    """`name` is a Gradio api_name with its slash, or the path of an HTTP route. `content_type` is that of a
    route's body; `fn_index` stands in it where a Gradio name can't stand in the URL; `refusal` is what the
    app answered when the route was asked, where that was no success; `demands` are headers and cookies that
    it needs, which can't be declared."""

    name: str
    url: str
    parameters: tuple[ServedParameter, ...] = ()
    returns: tuple[ServedParameter, ...] = ()
    generator: bool = False
    hidden: bool = False  # can be called, but the app does not list it
    method: str = "POST"
    content_type: str = "application/json"
    demands: tuple[str, ...] = ()
    fn_index: int | None = None
    refusal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedApp:
    """What the running app says it serves. `problem` is set, and the rest empty, when it can't be read."""

    kind: str  # gradio | openapi | tgi | http (describes nothing) | static | streamlit | unknown
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
    """`backend` is interface, trackio or the name of a package's, or "" with a `problem` when the app could
    not be read. `holds`: what a package's can hold or do beyond names and parameters (status, description,
    projects, delete)."""

    backend: str
    holds: tuple[str, ...] = ()
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
    base_path: str | None = None
    tags: tuple[str, ...] = ()
    card: Mapping[str, Json] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceState:
    """One Space as the Hub shows it.

    None always means *unknown*: not asked for, or not readable with this token; never "empty".
    `sleep_time` is in seconds, NEVER for never. `stage` and flavors are open sets: the Hub may add some.
    `card` is the front matter of the README, `history` who changed its files: each read where it is needed.
    `visibility` is public or private from a listing ("private" may then be protected: see
    `visibility_exact`). `marks` are our tags of its repository, `extensions` is what facets of
    other packages read, by facet.
    """

    id: str
    entity: str | None = None  # the `_id` of the repository, by which usage names it
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
    marks: tuple[str, ...] | None = None
    app: ServedApp | None = None
    experiments: LiveExperiments | None = None
    details: Details | None = None
    card: Mapping[str, Json] | None = None
    tree: HubTree | None = None
    history: HubHistory | None = None
    extensions: Mapping[str, Json] = field(default_factory=dict)

    def with_earlier(self, earlier: SpaceState) -> SpaceState:
        """This, with what is unknown here as `earlier` told it."""
        unknown = [one.name for one in fields(self) if getattr(self, one.name) is None]
        return replace(self, **{name: getattr(earlier, name) for name in unknown})

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
class CreateSource:
    """What a missing Space is to be created from. `visibility` is what the Space gets when it declares none;
    `problem` says why it can't be created from it, "" when it can."""

    sdk: str | None = None
    visibility: str | None = None
    problem: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The world at one moment. A declared id that is not in `spaces` is missing or not visible;
    `unreadable` holds why a read failed for one Space only, `sources` what the missing ones are to be created
    from, by the id of the missing one. `prices_of` is the date of the prices that hfspace ships, where the
    Hub's listing could not be read."""

    hub: str
    account: Account | None
    spaces: Mapping[str, SpaceState]
    flavors: Mapping[str, Flavor]
    unreadable: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, CreateSource] = field(default_factory=dict)
    unmanaged: tuple[SpaceState, ...] = ()
    prices_of: str = ""
    billed: Billed | None = None  # of this month, where it was asked for
    groups: Mapping[str, LiveGroup] = field(default_factory=dict)  # by owner/name, where some are declared
    groups_unknown: Mapping[str, str] = field(default_factory=dict)  # why, by organisation
    names_read: bool = False  # variables and secrets of every Space, declared or not
    requests: int = 0
