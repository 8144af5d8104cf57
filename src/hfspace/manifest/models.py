"""What a manifest can say: frozen models, one field at a time; rules across fields are in rules.py.

None means *not declared*: such a field is never compared and never changed (design section 5).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from hfspace.model import ManifestRef, Source, Volume

Sdk = Literal["gradio", "docker", "static", "streamlit"]
Visibility = Literal["public", "private", "protected"]
State = Literal["running", "paused", "absent"]
OnError = Literal["report", "restart", "factory-rebuild"]
Prunable = Literal["variables", "secrets", "volumes", "experiments"]
Ignorable = Literal[
    "visibility", "hardware", "sleep_time", "state", "restart", "dev_mode", "variables", "secrets",
    "volumes", "endpoint", "experiments",
]  # fmt: skip
ExperimentStatus = Literal["running", "completed", "failed", "paused"]
Payload = Literal["data", "inputs"]
Backend = Literal["auto", "interface", "trackio"]


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class VariableSpec(Model):
    """A variable; a plain scalar in the manifest is short for {value: ...}. Numbers are turned into text."""

    value: str
    description: str | None = None


class SecretSpec(Model):
    """Where a secret's value comes from: exactly one of env and file. The value is never in the manifest."""

    env: str | None = None
    file: str | None = None
    description: str | None = None


class VolumeSpec(Model):
    """`source` is hf://TYPE/OWNER/NAME[@REV][/PATH], TYPE one of buckets, models, datasets, spaces."""

    source: str
    mount_path: str
    read_only: bool | None = None

    def volume(self) -> Volume:
        """The volume that the source URL names. Raises ValueError when it is not one."""
        from hfspace.manifest.values import parse_volume_source

        parsed = parse_volume_source(self.source)
        # Repositories are always mounted read-only; buckets are writable unless told otherwise (hub-api 1.7).
        read_only = self.read_only if self.read_only is not None else parsed.type != "bucket"
        return replace(parsed, mount_path=self.mount_path, read_only=read_only)


class CreateSpec(Model):
    """How a missing Space is created. With neither: an empty repository with the declared sdk."""

    template: str | None = None
    duplicate_from: str | None = None


class EndpointSpec(Model):
    api_name: str | None = None
    path: str | None = None
    payload: Payload = "data"
    example: Any = None
    expect: Mapping[str, Any] | None = None


class TrackioSpec(Model):
    backend: Backend = "auto"
    project: str | None = None


class ExperimentSpec(Model):
    description: str | None = None
    status: ExperimentStatus | None = None
    parameters: Mapping[str, Any] = Field(default_factory=dict)
    id: str | None = None
    project: str | None = None


class SpaceSpec(Model):
    """One declared Space. `sleep_time` is in seconds, -1 for never."""

    sdk: Sdk | None = None
    visibility: Visibility | None = None
    hardware: str | None = None
    sleep_time: int | None = None
    state: State | None = None
    on_error: OnError = "report"
    restart: str | None = None
    dev_mode: bool | None = None
    variables: Mapping[str, VariableSpec] | None = None
    secrets: Mapping[str, SecretSpec] | None = None
    volumes: tuple[VolumeSpec, ...] | None = None
    prune: frozenset[Prunable] = frozenset()
    protect: bool = False
    ignore: frozenset[Ignorable] = frozenset()
    depends_on: tuple[str, ...] = ()
    create: CreateSpec | None = None
    endpoint: EndpointSpec | None = None
    trackio: TrackioSpec | None = None
    experiments: Mapping[str, ExperimentSpec] | None = None


class Policy(Model):
    """Guardrails of the whole manifest; None means no limit of that kind."""

    max_monthly_usd: Annotated[Decimal, Field(ge=0)] | None = None
    allowed_hardware: tuple[str, ...] | None = None
    require_sleep_time: bool = False
    max_deletes: Annotated[int, Field(ge=0)] | None = None
    max_running: Annotated[int, Field(ge=0)] | None = None
    max_change_percent: Annotated[float, Field(ge=0, le=100)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A whole manifest: all its files merged, defaults applied, ids normalised to owner/name.

    `positions` maps a path of keys, such as ("spaces", "acme/x", "hardware"), to its place; paths use the
    normalised id, and list items their index as text. `hosts` are ids still written as a *.hf.space
    host (only the Hub can say which Space that is): `with_hosts` puts the answer in.
    """

    ref: ManifestRef
    policy: Policy
    spaces: Mapping[str, SpaceSpec]
    positions: Mapping[tuple[str, ...], Source] = field(default_factory=dict)

    @property
    def hosts(self) -> tuple[str, ...]:
        return tuple(key for key in self.spaces if key.endswith(".hf.space"))

    def source(self, *path: str) -> Source | None:
        """The place of `path`, else of its nearest ancestor that is written down."""
        while path:
            if path in self.positions:
                return self.positions[path]
            path = path[:-1]
        return None

    def only(self, ids: frozenset[str]) -> Manifest:
        """The same manifest with these Spaces alone."""
        return replace(self, spaces={key: spec for key, spec in self.spaces.items() if key in ids})
