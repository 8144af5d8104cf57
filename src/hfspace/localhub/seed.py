"""What is there at the start: the seed file, checked strictly, with defaults for all but ids."""

from __future__ import annotations

import json
import re
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, Field, ValidationError

from hfspace.files import read_limited
from hfspace.localhub.fields import (
    Count,
    Model,
    Moment,
    Sdk,
    Seconds,
    Text,
    Time,
    Url,
    Visibility,
    Word,
    step,
)
from hfspace.localhub.seed_hub import HubSeed, LargeSeed, RateLimit, Switches

_ID = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}")
_LARGEST_SEED = 64 << 20
DEFAULT_TOKEN = "hf_local_write"  # noqa: S105 - the documented token of a Hub that has no secrets
_SHOWN_PROBLEMS = 5


class LocalHubError(Exception):
    """The local Hub can't be started or told to do something: one sentence that says why."""


class GroupSeed(Model):
    """A resource group: its Spaces, and what they may cost in a calendar month, in cents."""

    spaces: list[str] = Field(default_factory=list)
    limits: dict[Literal["total", "spaces", "jobs", "endpoints", "inferenceProviders"], Count] = Field(
        default_factory=dict
    )


class AccountSeed(Model):
    type: Literal["user", "org"] = "user"
    plan: Literal["free", "pro", "team", "enterprise", "plus", "academia"] = "pro"
    can_pay: bool = True
    orgs: dict[str, Literal["admin", "write", "contributor", "read", "no_access"]] = Field(
        default_factory=dict
    )
    zero_gpu_spaces: int | None = None
    """How many ZeroGPU Spaces this account may have; None: by plan (free 0, pro 10, others 50)."""
    cpu_basic_running: int | None = None
    """How many cpu-basic Spaces may run at once; None: 8 on the free plan, else no limit."""
    groups: dict[str, GroupSeed] = Field(default_factory=dict)
    """Resource groups of an organisation, by name."""


class TokenSeed(Model):
    account: str
    role: Literal["read", "write", "fineGrained", "oauth"] = "write"
    spaces: list[str] = Field(default_factory=list)
    """What a fine-grained token may write: Space ids, or a namespace for all that it has."""
    read: list[str] = Field(default_factory=list)
    """What a fine-grained token may read besides: Space ids or namespaces."""
    billing: bool | None = None
    """Whether it may read what was used; None: a read or write token may, others may not."""

    @property
    def reads_billing(self) -> bool:
        return self.role in {"read", "write"} if self.billing is None else self.billing


class Entry(Model):
    value: Text = ""
    description: str | None = None


class Publisher(Model):
    """Who may exchange an OIDC token for a token of a Space."""

    repository: str
    issuer: str | None = None
    workflow: str | None = None
    ref: str | None = None
    environment: str | None = None


class Volume(Model):
    type: Literal["bucket", "model", "dataset", "space"] = "bucket"
    source: str
    mountPath: str
    revision: str | None = None
    readOnly: bool | None = None
    path: str | None = None
    hidden: bool = False
    """Nobody who asks may see the source: it is shown as ****/******."""


class Uptime(Model):
    """A time before the start in which the Space was billed."""

    started: Time
    stopped: Time
    hardware: Word
    replicas: Annotated[int, Field(ge=1, le=100)] = 1


class SpaceSeed(Model):
    sdk: Sdk = "gradio"
    stage: Word | None = None
    hardware: Word | None = None
    requested_hardware: Word | None = None
    sleep_time: Seconds | None = None
    visibility: Visibility = "public"
    variables: dict[str, Entry | Text] = Field(default_factory=dict)
    secrets: dict[str, Entry | Text] = Field(default_factory=dict)
    volumes: list[Volume] = Field(default_factory=list)
    host: Url | None = None
    error: str | None = None
    files: dict[str, str] = Field(default_factory=dict)
    dev_mode: bool = False
    replicas: Count | Literal["auto"] = 1
    build: Literal["ok", "fail", "stuck"] = "ok"
    start: Literal["ok", "crash", "flip", "stuck"] = "ok"
    logs: dict[Literal["build", "run"], list[str]] = Field(default_factory=dict)
    likes: Count = 0
    tags: list[str] = Field(default_factory=list)
    moved_from: list[str] = Field(default_factory=list)
    runtime_missing: bool = False
    """The item of a listing has no runtime, as seen now and then on the real Hub."""
    trusted_publishers: list[Publisher] = Field(default_factory=list)
    uptime: list[Uptime] = Field(default_factory=list)
    free_grant: bool = False
    """A community grant: paid hardware that costs its owner nothing."""


class SetEntry(Entry):
    updated: str | None = None


_UNSET: Any = None


class SpacePatch(Model):
    """What may be set of a Space that is there, in the form of the seed or as the Space itself is shown."""

    sdk: Sdk = _UNSET
    stage: Word = _UNSET
    since: Moment = _UNSET
    visited: Moment = _UNSET
    created: Moment = _UNSET
    modified: Moment = _UNSET
    started: Moment = _UNSET
    ahead: list[Annotated[list[float | str | None], AfterValidator(step)]] = _UNSET
    error: str | None = _UNSET
    current: Word | None = _UNSET
    requested: Word | None = _UNSET
    sleep_time: Seconds = _UNSET
    visibility: Visibility = _UNSET
    variables: dict[str, SetEntry | Text] = _UNSET
    secrets: dict[str, SetEntry | Text] = _UNSET
    volumes: list[Volume] = _UNSET
    dev_mode: bool = _UNSET
    replicas: Count | Literal["auto"] = _UNSET
    host: Url | None = _UNSET
    domains: list[Word] = _UNSET
    card: dict[str, Any] = _UNSET
    build: Literal["ok", "fail", "stuck"] = _UNSET
    start: Literal["ok", "crash", "flip", "stuck"] = _UNSET
    logs: dict[Literal["build", "run"], list[str]] = _UNSET
    likes: Count = _UNSET
    tags: list[str] = _UNSET
    region: Literal["us", "eu"] = _UNSET
    runtime_missing: bool = _UNSET
    wakes_after: Count = _UNSET
    trusted_publishers: list[Publisher] = _UNSET


class Seed(Model):
    accounts: dict[str, AccountSeed] = Field(default_factory=dict)
    tokens: dict[str, TokenSeed] = Field(default_factory=dict)
    spaces: dict[str, SpaceSeed] = Field(default_factory=dict)
    hub: HubSeed = Field(default_factory=HubSeed)


def read(source: dict[str, Any] | str | Path | None) -> Seed:
    """The seed in a mapping, a YAML text or a file; None is an empty Hub. Raises LocalHubError."""
    name = str(source) if isinstance(source, Path) else "the seed"
    raw = _raw(source, name)
    if not isinstance(raw, dict):
        raise LocalHubError(f"{name} must be a mapping with accounts, tokens, spaces or hub.")
    try:
        seed = Seed.model_validate({key: value for key, value in raw.items() if value is not None})
    except ValidationError as error:
        raise LocalHubError(f"{name}: {problems(error)}") from None
    return _completed(seed, name)


def read_patch(values: dict[str, Any]) -> dict[str, Any]:
    """The fields of a Space that somebody sets, checked as those of a seed are. Raises LocalHubError."""
    try:
        json.dumps(values, allow_nan=False)
        return SpacePatch.model_validate(values).model_dump(exclude_unset=True)
    except ValidationError as error:
        raise LocalHubError(problems(error)) from None
    except ValueError:
        raise LocalHubError("A number of it is none that JSON has.") from None


def _raw(source: dict[str, Any] | str | Path | None, name: str) -> Any:
    raw: Any = source or {}
    if isinstance(source, Path):
        try:
            raw = read_limited(source, _LARGEST_SEED).decode()
        except OSError as error:
            raise LocalHubError(f"The seed {source} can't be read: {error.strerror or error}.") from None
        except UnicodeDecodeError:
            raise LocalHubError(f"The seed {source} can't be read: it is no UTF-8 text.") from None
    if isinstance(raw, str):
        try:
            raw = yaml.safe_load(raw) or {}
        except (yaml.YAMLError, RecursionError) as error:
            raise LocalHubError(f"{name} is not valid YAML: {' '.join(str(error).split())}") from None
    if isinstance(raw, dict) and isinstance(raw.get("spaces"), dict):
        empty = {space: item or {} for space, item in raw["spaces"].items()}
        raw = {**raw, "spaces": empty}
    return raw


def problems(error: ValidationError) -> str:
    """The first few places that are wrong, each with what is wrong there."""
    every = error.errors(include_url=False, include_input=False)
    messages: dict[str, str] = {}
    for item in every:  # the first of a union's several complaints about one place is enough
        path = [str(part) for part in item["loc"]]
        place = ".".join(path[:-1] if path[-1] in {"Entry", "auto", "int", "function-before[_text(), str]"}
                         or "literal[" in path[-1] else path) or "the top"  # fmt: skip
        messages.setdefault(place, _advice(path, item["type"]) or item["msg"].removeprefix("Value error, "))
    parts = [f"{place}: {text}" for place, text in list(messages.items())[:_SHOWN_PROBLEMS]]
    left = len(messages) - len(parts)
    return "; ".join(parts) + (f"; and {left} more." if left > 0 else ".")


def _advice(path: list[str], kind: str) -> str | None:
    """The nearest known key for an unknown one."""
    if kind != "extra_forbidden":
        return None
    models: dict[tuple[str, ...], type[BaseModel]] = {
        ("accounts",): AccountSeed, ("tokens",): TokenSeed, ("spaces",): SpaceSeed,
    }  # fmt: skip
    nested: dict[tuple[str, ...], type[BaseModel]] = {
        (): Seed, ("hub",): HubSeed, ("hub", "switches"): Switches, ("hub", "rate_limit"): RateLimit,
        ("hub", "large_files"): LargeSeed,
    }  # fmt: skip
    model = nested.get(tuple(path[:-1]))
    if model is None and len(path) == 3:
        model = models.get((path[0],))
    near = get_close_matches(path[-1], list(model.model_fields), 1) if model else []
    return "no such key" + (f"; did you mean '{near[0]}'?" if near else "")


def _completed(seed: Seed, name: str) -> Seed:
    """Accounts for every owner, and the default token."""
    if bad := [space for space in seed.spaces if not _ID.fullmatch(space)]:
        raise LocalHubError(f"{name}: spaces: '{bad[0]}' is not owner/name.")
    owners = {space.partition("/")[0] for space in seed.spaces}
    users = [key for key, account in seed.accounts.items() if account.type == "user"]
    user = users[0] if users else "alice"
    accounts = {owner: AccountSeed(type="org", plan="team") for owner in sorted(owners)} | seed.accounts
    if user not in accounts or accounts[user].type == "org":
        orgs = {owner: "admin" for owner, account in accounts.items() if account.type == "org"}
        accounts[user] = AccountSeed.model_validate({"orgs": orgs})
    tokens = seed.tokens or {DEFAULT_TOKEN: TokenSeed(account=user)}
    for token, item in tokens.items():
        if item.account not in accounts:
            raise LocalHubError(f"{name}: tokens.{token}.account: nobody is called '{item.account}'.")
    return seed.model_copy(update={"accounts": accounts, "tokens": tokens})
