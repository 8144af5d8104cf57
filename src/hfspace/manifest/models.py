"""What a manifest can say: frozen models, one field at a time; rules across fields are in rules.py.

None means *not declared*: such a field is never compared and never changed (design section 5).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import Annotated, Any, Literal, Self

from pydantic import (
    ModelWrapValidatorHandler,
    PrivateAttr,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from hfspace.manifest import extensions
from hfspace.manifest.clock_models import RestartSpec, Visibility, Window
from hfspace.manifest.files_models import CardSpec, FilesSpec
from hfspace.manifest.group_models import GroupSpec
from hfspace.manifest.keys import Duration, Model, OneOf, SpaceId, Unstrict, key, keys, parts
from hfspace.manifest.policy_models import Policy
from hfspace.manifest.setting_models import (
    CreateSpec,
    EndpointSpec,
    Label,
    OnErrorSpec,
    Payload,
    SecretSpec,
    VariableSpec,
    VolumeSpec,
)
from hfspace.manifest.trackio_models import ExperimentSpec, TrackioSpec
from hfspace.model import ManifestRef, Source

__all__ = [
    "CardSpec",
    "CreateSpec",
    "EndpointSpec",
    "FilesSpec",
    "Manifest",
    "Moment",
    "OnErrorSpec",
    "Payload",
    "Policy",
    "RestartSpec",
    "SecretSpec",
    "SpaceSpec",
    "VariableSpec",
    "VolumeSpec",
    "Window",
]

Sdk = Literal["gradio", "docker", "static", "streamlit"]
State = Literal["running", "awake", "paused", "absent"]


@cache
def _named(meaning: str) -> tuple[str, ...]:
    """The keys of a Space whose declaration says so."""
    return tuple(name for name, one in keys(SpaceSpec).items() if getattr(one, meaning))


Prunable = Annotated[str, OneOf(lambda: _named("prunable"))]
Ignorable = Annotated[str, OneOf(lambda: _named("ignorable"))]


def _ignorable(value: Any, ours: ValidatorFunctionWrapHandler) -> Any:
    """A word of `ignore`: one of ours, or a key that another package brings."""
    try:
        return ours(value)
    except ValidationError:
        if isinstance(value, str) and extensions.find(value) is not None:
            return value
        raise


class SpaceSpec(Model):
    """One declared Space. `sleep_time` is in seconds, -1 for never."""

    noun = "a Space"
    _extensions: dict[str, Any] = PrivateAttr(default_factory=dict)

    @property
    def is_up(self) -> bool:
        """Whether it is to run, asleep or not."""
        return self.state in {"running", "awake"}

    @property
    def is_on(self) -> bool:
        """Whether nobody says that it is off."""
        return self.state is None or self.is_up

    @property
    def has_hours(self) -> bool:
        """Whether a time decides what is to be: such a Space can be held (`hfspace hold`)."""
        return bool(self.when) or bool(self.restart and self.restart.every)

    @property
    def in_windows(self) -> frozenset[str]:
        """The keys that windows set."""
        return frozenset(key for window in self.when or () for key in window.settings.given)

    @property
    def ruled(self) -> frozenset[str]:
        """The keys that a time decides."""
        return self.in_windows | ({"restart"} if self.restart and self.restart.every else set())

    @property
    def stays_paused(self) -> bool:
        """Whether it is to be paused, and that is not ignored."""
        return self.state == "paused" and "state" not in self.ignore

    def paused(self) -> Self:
        """The same Space, to be paused."""
        return self.model_copy(update={"state": "paused"})

    @property
    def extensions(self) -> Mapping[str, Any]:
        """The values of keys that other packages bring."""
        return self._extensions

    @model_validator(mode="wrap")
    @classmethod
    def _with_extensions(cls, value: Any, ours: ModelWrapValidatorHandler[Self]) -> Self:
        others = value.keys() - parts(cls).keys() if isinstance(value, dict) else set()
        brought = {key: facet for key in others if (facet := extensions.find(key)) is not None}
        if not brought:
            return ours(value)
        spec = ours({key: item for key, item in value.items() if key not in brought})
        spec._extensions.update(
            {key: extensions.validated(facet, value[key]) for key, facet in sorted(brought.items())}
        )
        return spec

    sdk: Sdk | None = key("Checked, never changed; used for `create`.", example="gradio")
    visibility: Visibility | None = key(
        "Who may see it; protected: the app is public, its files are not.", example="private", ignorable=True
    )
    hardware: str | None = key(
        "Compared with the requested flavor: a move under way is no difference.",
        values="any flavor that the Hub lists",
        example="t4-small",
        static=False,
        ignorable=True,
    )
    sleep_time: Duration | None = key(
        "After how long without a visit it sleeps; paid hardware only, free hardware has a fixed one.",
        values="90s, 30m, 1h, 2d, seconds, never",
        example="1h",
        static=False,
        ignorable=True,
    )
    state: State | None = key(
        "A sleeping Space counts as running, not as awake; absent deletes, with `--allow-delete`.",
        example="running",
        static=False,
        ignorable=True,
    )
    on_error: OnErrorSpec = key(
        "What a RUNTIME_ERROR asks for (a rebuild may mend a BUILD_ERROR too); "
        "`{do: restart, after: 30m}` counts a Space that builds or starts for longer as failed.",
        default=OnErrorSpec(),
        values="report, restart, factory-rebuild, or `{do, after}`",
        example="restart",
        static=False,
    )
    when: Annotated[tuple[Window, ...], Unstrict] | None = key(
        "Windows of time with the settings that hold inside; the first that holds wins (docs/clock.md).",
        values="list of `{during, set}` or `{from, until, set}`",
        example='[{during: "Mon-Fri 08:00-19:00", set: {state: running}}]',
        static=False,
    )
    restart: RestartSpec | None = key(
        "A new value restarts the Space once (kept in the variable `HFSPACE_RESTART`); `every` restarts it "
        "at each tick, `rebuild` builds it anew.",
        values="any text, `{value, rebuild}`, `{every: cron}`, `{on: files}`",
        example='"2026-11-21"',
        static=False,
        ignorable=True,
    )
    dev_mode: bool | None = key(
        "SSH and VS Code into the running Space.", example="true", static=False, ignorable=True
    )
    variables: Mapping[str, VariableSpec] | None = key(
        "Public settings; numbers keep the way they are written.",
        values="`KEY: value` or `{value, description}`",
        example="{MODEL_ID: openai/whisper-small}",
        prunable=True,
        ignorable=True,
    )
    secrets: Mapping[str, SecretSpec] | None = key(
        "The value is read where hfspace runs, never written here. `optional` leaves it alone when unset.",
        values="`{env: NAME}` or `{file: path}`, `description`, `optional`",
        example="{HF_TOKEN: {env: WHISPER_HF_TOKEN}}",
        static=False,
        prunable=True,
        ignorable=True,
    )
    volumes: Annotated[tuple[VolumeSpec, ...], Unstrict] | None = key(
        "Buckets and repositories in the Space: `hf://buckets/owner/name`, or models, datasets, spaces.",
        values="list of `{source, mount_path, read_only}`",
        example="[{source: hf://buckets/acme/audio, mount_path: /data}]",
        static=False,
        prunable=True,
        ignorable=True,
    )
    files: FilesSpec | None = key(
        "The folder with the Space's files: one commit brings the Hub in line, and is waited for.",
        values="a folder, or `{from, exclude, prune, on_failure}`",
        example="./apps/whisper",
        ignorable=True,
        not_in_defaults="Each Space has files of its own: write them there.",
    )
    card: CardSpec | None = key(
        "Keys of the README's front matter that are ours; the rest of the README is not.",
        values="map of keys: `sdk_version, python_version, app_port, models, tags, …`",
        example="{sdk_version: 6.31.0}",
        ignorable=True,
        not_in_defaults="Each Space has a card of its own: write it there.",
    )
    prune: Annotated[frozenset[Prunable], Unstrict] = key(
        "Makes these exact: what is not declared is removed.", default=frozenset(), example="[variables]"
    )
    protect: bool = key(
        "Never deleted, whatever the manifest says.",
        default=False,
        example="true",
        not_in_defaults="It would not reach a Space that is marked absent: write it under the Spaces it is "
        "meant for.",
    )
    ignore: Annotated[frozenset[Annotated[Ignorable, WrapValidator(_ignorable)]], Unstrict] = key(
        "Shown, never changed.",
        default=frozenset(),
        values="names of the keys above",
        example="[hardware]",
    )
    labels: Mapping[str, Label] | None = key(
        "Never sent to the Hub: they group the bill, and `--target team=speech` selects by them.",
        example="{team: speech}",
    )
    free_hardware: bool = key(
        "Paid hardware that is given for nothing (a community grant): $0.", default=False, example="true"
    )
    exempt: Mapping[str, str] = key(
        "Rules of the policy that this Space leaves, each with the reason, which every plan shows.",
        default={},
        values="map of rules to reasons",
        example='{require_sleep_time: "demo day, until 2026-12-05"}',
        not_in_defaults="A reason is one Space's: write it there.",
    )
    depends_on: Annotated[tuple[SpaceId, ...], Unstrict] = key(
        "Spaces that are changed before this one.",
        default=(),
        values="list of Spaces",
        example="[acme/backend]",
        not_in_defaults="A Space would depend on itself: write it under the Spaces it is meant for.",
    )
    create: CreateSpec | None = key(
        "Lets apply create the Space when it is missing.",
        values="`{}`, `{template: …}`, `{duplicate_from: …}`",
        example="{template: SpacesExamples/jupyterlab}",
        not_in_defaults="What may be created is said for each Space: write it there.",
    )
    endpoint: EndpointSpec | None = key(
        "What the app is to serve: compared, never written.",
        values="`{api_name or path, payload, example, expect}`; a path has `method, params, query, body`",
        example="{api_name: /predict}",
        ignorable=True,
    )
    trackio: TrackioSpec | None = key(
        "Which Trackio the Space runs (docs/trackio.md).",
        values="`{backend: auto \\| interface \\| trackio \\| a package's, project, endpoints, artifacts}`",
        example="{backend: auto}",
        static=False,
    )
    experiments: Mapping[str, ExperimentSpec] | None = key(
        "Trackio experiments: created once, then status and declared parameters kept in line.",
        values="map by name: `{description, status, parameters, id, project}`",
        example="{smollm3-ft: {status: running}}",
        static=False,
        prunable=True,
        ignorable=True,
        not_in_defaults="Each Space has experiments of its own: write them there.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What a time makes of one Space: the window that holds, None outside all; why, in words, and until when;
    the next tick of `restart.every`. `declared` is the Space as it is written. Times are in UTC."""

    declared: SpaceSpec
    window: Window | None = None
    reason: str = ""
    until: datetime | None = None
    next_tick: datetime | None = None

    @property
    def ends(self) -> datetime | None:
        """When something else is to be than now; None for never."""
        return min((one for one in (self.until, self.next_tick) if one is not None), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A whole manifest: all its files merged, defaults applied, ids normalised to owner/name.

    `positions` maps a path of keys, such as ("spaces", "acme/x", "hardware"), to its place; paths use the
    normalised id, and list items their index as text. `hosts` are ids still written as a *.hf.space
    host (only the Hub can say which Space that is): `with_hosts` puts the answer in. `clock.at` gives the
    manifest of one time, `as_of`, with a Moment in `clock` for each Space that has hours.
    """

    ref: ManifestRef
    policy: Policy
    spaces: Mapping[str, SpaceSpec]
    positions: Mapping[tuple[str, ...], Source] = field(default_factory=dict)
    timezone: str = "UTC"
    groups: Mapping[str, GroupSpec] = field(default_factory=dict)
    as_of: datetime | None = None
    clock: Mapping[str, Moment] = field(default_factory=dict)

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
        return replace(
            self,
            spaces={key: spec for key, spec in self.spaces.items() if key in ids},
            clock={key: moment for key, moment in self.clock.items() if key in ids},
        )
