"""What is there at the start: the seed file, checked strictly, with defaults for all but ids."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError


class LocalHubError(Exception):
    """The local Hub can't be started: one sentence that says why."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AccountSeed(_Model):
    type: Literal["user", "org"] = "user"
    plan: str = "pro"
    can_pay: bool = True
    orgs: dict[str, str] = Field(default_factory=dict)


class TokenSeed(_Model):
    account: str
    role: Literal["read", "write", "fineGrained", "oauth"] = "write"
    spaces: list[str] = Field(default_factory=list)


class SpaceSeed(_Model):
    sdk: str = "gradio"
    stage: str | None = None
    hardware: str | None = None
    requested_hardware: str | None = None
    sleep_time: int | None = None
    visibility: Literal["public", "private", "protected"] = "public"
    variables: dict[str, str | int | float | dict[str, str]] = Field(default_factory=dict)
    secrets: dict[str, str | dict[str, str]] = Field(default_factory=dict)
    volumes: list[dict[str, Any]] = Field(default_factory=list)
    host: str | None = None
    error: str | None = None
    files: dict[str, str] = Field(default_factory=dict)
    dev_mode: bool = False
    replicas: int = 1
    build: Literal["ok", "fail", "stuck"] = "ok"
    start: Literal["ok", "crash", "stuck"] = "ok"
    logs: dict[str, list[str]] = Field(default_factory=dict)


class Switches(_Model):
    """What is not known of the real Hub (docs/local-hub.md); the default is the harder setting."""

    read_token_reads_settings: bool = False
    hardware_change_wakes_paused: bool = True
    hardware_resets_sleep: bool = True
    sleeptime_on_free: Literal["error", "ignore"] = "error"
    description_dropped: bool = True
    max_page: int = 1000
    list_runtime_has_volumes: bool = False
    list_runtime_has_error: bool = False
    identical_post_restarts: bool = True
    coalesce_restarts: bool = False


class RateLimit(_Model):
    requests: int = 1000
    window: int = 300


class HubSeed(_Model):
    rate_limit: RateLimit = Field(default_factory=RateLimit)
    latency_ms: float = 0
    time_scale: float = 1
    faults: list[dict[str, Any]] = Field(default_factory=list)
    switches: Switches = Field(default_factory=Switches)


class Seed(_Model):
    accounts: dict[str, AccountSeed] = Field(default_factory=dict)
    tokens: dict[str, TokenSeed] = Field(default_factory=dict)
    spaces: dict[str, SpaceSeed] = Field(default_factory=dict)
    hub: HubSeed = Field(default_factory=HubSeed)


def read(source: dict[str, Any] | str | Path | None) -> Seed:
    """The seed in a mapping, a YAML text or a file; None is an empty Hub. Raises LocalHubError."""
    raw: Any = source or {}
    name = "the seed"
    if isinstance(source, Path):
        name = str(source)
        try:
            raw = source.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise LocalHubError(f"The seed {source} can't be read: {error}.") from None
    if isinstance(raw, str):
        try:
            raw = yaml.safe_load(raw) or {}
        except yaml.YAMLError as error:
            raise LocalHubError(f"{name} is not valid YAML: {' '.join(str(error).split())}") from None
    try:
        seed = Seed.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the top"
        raise LocalHubError(f"{name}: {where}: {first['msg']}.") from None
    return _completed(seed, name)


def _completed(seed: Seed, name: str) -> Seed:
    """Accounts for every owner, and the default token hf_local_write."""
    owners = {space.partition("/")[0] for space in seed.spaces}
    if bad := [space for space in seed.spaces if space.count("/") != 1]:
        raise LocalHubError(f"{name}: spaces: '{bad[0]}' is not owner/name.")
    users = [key for key, account in seed.accounts.items() if account.type == "user"]
    user = users[0] if users else "alice"
    accounts = {owner: AccountSeed(type="org", plan="team") for owner in owners} | seed.accounts
    if user not in accounts:
        orgs = {owner: "admin" for owner, account in accounts.items() if account.type == "org"}
        accounts[user] = AccountSeed(orgs=orgs)
    tokens = seed.tokens or {"hf_local_write": TokenSeed(account=user)}
    for token, item in tokens.items():
        if item.account not in accounts:
            raise LocalHubError(f"{name}: tokens.{token}.account: nobody is called '{item.account}'.")
    return seed.model_copy(update={"accounts": accounts, "tokens": tokens})
