"""The seed's section `hub`: how the Hub itself behaves."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from hfspace.localhub.fields import Count, Model, Time


class Switches(Model):
    """What is not known of the real Hub (docs/local-hub.md); the default is the harder setting."""

    read_token_reads_settings: bool = False
    hardware_change_wakes_paused: bool = True
    config_change_wakes_paused: bool = False
    config_change_wakes_sleeping: bool = False
    hardware_resets_sleep: bool = True
    sleeptime_on_free: Literal["error", "ignore"] = "error"
    description_dropped: bool = True
    max_page: Annotated[int, Field(ge=1)] = 1000
    list_runtime_has_volumes: bool = False
    list_runtime_has_error: bool = False
    protected_in_private: bool = True
    list_protected_in_private: bool = True
    oidc_covers_settings: bool = False
    identical_post_restarts: bool = True
    coalesce_restarts: bool = False
    paused_forgets_after: float = 0
    restart_needs_admin: bool = True
    restart_lag: float = 0
    runtime_lags_reads: Annotated[int, Field(ge=0)] = 0
    change_wakes_after_reads: Annotated[int, Field(ge=0)] = 0
    sleep_time_when_paused: Literal["accept", "refuse"] = "accept"
    trims_values: bool = False
    trims_descriptions: bool = True
    static_secrets_on_page: bool = True
    logs_stay_open: bool = False
    billing_entity_is_space_id: bool = True
    billing_label_is_space: bool = True
    billing_refusal: Literal[401, 403] = 403
    billing_v2_missing: bool = False


class RateLimit(Model):
    requests: int | None = None
    """None: by plan, as the Hub's table of limits says."""
    window: Annotated[int, Field(ge=1)] = 300


class LargeSeed(Model):
    """Sizes in bytes at which files take another way."""

    over: Count = 10 * 2**20
    """Files above this go through the large file mechanism."""
    multipart_over: Count = 100 * 2**20
    part_size: Annotated[int, Field(ge=1)] = 16 * 2**20


class Issuer(Model):
    """A fake OIDC issuer. Tokens are not signed; `secret` None takes any that names the issuer."""

    audience: str | None = None


class HubSeed(Model):
    rate_limit: RateLimit = Field(default_factory=RateLimit)
    large_files: LargeSeed = Field(default_factory=LargeSeed)
    latency_ms: float = 0
    time_scale: Annotated[float, Field(gt=0)] = 1
    clock_ahead: float = 0
    """Seconds by which the Date of its answers is ahead of this machine's clock."""
    now: Time | None = None
    """Where the Hub's clock starts; None: now."""
    edge: bool = False
    faults: list[dict[str, Any]] = Field(default_factory=list)
    switches: Switches = Field(default_factory=Switches)
    issuers: dict[str, Issuer] = Field(
        default_factory=lambda: {"https://token.actions.githubusercontent.com": Issuer()}
    )
