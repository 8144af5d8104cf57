"""Gradio's own /config and info answers, read into endpoints with parameters (gradio facts 1.3 and 1.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hfspace.live.gradio.components import CHOICE_KINDS, FILE_KINDS, is_enforced
from hfspace.live.gradio.urls import call_url, is_nested, version_of
from hfspace.model import Json, ServedApp, ServedEndpoint, ServedParameter
from hfspace.text import plain

_SIMPLE = {
    "textbox": "string", "text": "string", "code": "string", "markdown": "string", "html": "string",
    "label": "object", "number": "number", "slider": "number", "checkbox": "boolean", "dataframe": "object",
    "json": "any", "checkboxgroup": "array", "chatbot": "array",
}  # fmt: skip
_MAX_ENDPOINTS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class GradioConfig:
    """The parts of /config that matter. `components` is by id; `prefix` is "" below Gradio 5."""

    version: str
    prefix: str
    protocol: str | None
    components: Mapping[Json, Mapping[str, Any]] = field(default_factory=dict)
    dependencies: tuple[Mapping[str, Any], ...] = ()


def read_config(raw: Json) -> GradioConfig | None:
    """The config of a Gradio app; None when this JSON is not one. Never raises for odd input."""
    if not isinstance(raw, dict) or not isinstance(raw.get("version"), str):
        return None
    # 2.x has no dependencies, but knows about flagging; some other app's /config has neither.
    if not isinstance(raw.get("dependencies"), list) and "allow_flagging" not in raw:
        return None
    prefix = raw.get("api_prefix")
    return GradioConfig(
        version=_line(raw["version"]),
        prefix="/" + prefix.strip("/") if isinstance(prefix, str) and prefix.strip("/") else "",
        protocol=raw["protocol"] if isinstance(raw.get("protocol"), str) else "ws",
        components={
            item["id"]: item
            for item in _dicts(raw.get("components"))
            if isinstance(item.get("id"), int | str)
        },
        dependencies=tuple(_dicts(raw.get("dependencies"))[:_MAX_ENDPOINTS]),
    )


def gradio_app(config: GradioConfig, info: Json, base: str) -> ServedApp:
    """What the app serves. `info` is the API info document, or anything else when it could not be had."""
    named = info.get("named_endpoints") if isinstance(info, dict) else None
    names = named if isinstance(named, dict) else {}
    endpoints = [
        _endpoint(config, index, dependency, name, names.get(name), base)
        for index, dependency in enumerate(config.dependencies)
        if (name := _name(dependency)) is not None
    ]
    if not config.dependencies and config.version.startswith("2."):
        endpoints = [ServedEndpoint(name="/predict", url=f"{base}/api/predict/")]
    # Several triggers of one listener share a name; the first is the one that a call reaches.
    unique = {endpoint.name: endpoint for endpoint in reversed(endpoints)}
    return ServedApp(
        kind="gradio",
        version=config.version,
        prefix=config.prefix,
        protocol=config.protocol,
        endpoints=tuple(reversed(unique.values())),
    )


def is_hidden(dependency: Mapping[str, Any]) -> bool:
    """Works when called, but the app does not list it: 'private' hides, it does not close (facts 1.3)."""
    visibility = dependency.get("api_visibility")
    return visibility in ("private", "undocumented") or dependency.get("show_api") is False


def _name(dependency: Mapping[str, Any]) -> str | None:
    name = dependency.get("api_name")
    if not isinstance(name, str) or not name or dependency.get("backend_fn") is False:
        return None
    return "/" + _line(name).lstrip("/")


def _endpoint(
    config: GradioConfig, index: int, dependency: Mapping[str, Any], name: str, info: Json, base: str
) -> ServedEndpoint:
    types = dependency.get("types")
    return ServedEndpoint(
        name=name,
        url=call_url(base, config.prefix, config.version, name),
        parameters=_parameters(config, dependency.get("inputs"), _side(info, "parameters")),
        returns=_parameters(config, dependency.get("outputs"), _side(info, "returns")),
        generator=isinstance(types, Mapping) and types.get("generator") is True,
        hidden=is_hidden(dependency),
        fn_index=_fn_index(dependency, index) if is_nested(name) else None,
    )


def _fn_index(dependency: Mapping[str, Any], index: int) -> int:
    own = dependency.get("id")
    return own if isinstance(own, int) else index


def _side(info: Json, key: str) -> list[Mapping[str, Any]]:
    return _dicts(info.get(key)) if isinstance(info, dict) else []


def _parameters(
    config: GradioConfig, ids: Json, info: Sequence[Mapping[str, Any]]
) -> tuple[ServedParameter, ...]:
    """One parameter per component. States are in /config only: their place in `data` must be kept (1.4)."""
    known = [item for item in ids if isinstance(item, int | str)] if isinstance(ids, list) else []
    components = [config.components.get(item, {}) for item in known]
    visible = [item for item in components if _kind(item) != "state"]
    if info and len(info) != len(visible):
        return tuple(_parameter(config, item, {}) for item in info)
    queue = list(info)
    parameters = []
    for component in components:
        if _kind(component) == "state":
            parameters.append(ServedParameter(name=None, component="state", has_default=True))
        else:
            parameters.append(_parameter(config, queue.pop(0) if queue else {}, component))
    return tuple(parameters)


def _parameter(
    config: GradioConfig, info: Mapping[str, Any], component: Mapping[str, Any]
) -> ServedParameter:
    raw = component.get("props")
    props: Mapping[str, Any] = raw if isinstance(raw, Mapping) else {}
    kind = _kind(component) or str(info.get("component", "")).lower()
    name = info.get("parameter_name")
    return ServedParameter(
        name=_line(name) if isinstance(name, str) else None,
        label=_line(str(info.get("label") or props.get("label") or "")),
        component=kind,
        schema=_schema(info, component, kind, props),
        has_default=info.get("parameter_has_default") is True,
        default=info.get("parameter_default"),
        enforced=is_enforced(kind, version_of(config.version)),
    )


def _schema(
    info: Mapping[str, Any], component: Mapping[str, Any], kind: str, props: Mapping[str, Any]
) -> dict[str, Json]:
    """JSON Schema with the ranges and choices that the info document only has as prose."""
    own = info.get("type") if isinstance(info.get("type"), dict) else component.get("api_info")
    schema: dict[str, Json] = dict(own) if isinstance(own, dict) else _from_kind(kind)
    if not isinstance(schema.get("type", ""), str | list):
        del schema["type"]  # gr.JSON says {}: anything
    if kind in FILE_KINDS and props.get("file_count") in {"multiple", "directory"}:
        schema = {**schema, "type": "array"}
    elif kind in FILE_KINDS and schema.get("type") != "array":
        schema = {**schema, "type": "object"}
    if kind in {"slider", "number"}:
        schema |= {key: props[key] for key in ("minimum", "maximum") if _is_number(props.get(key))}
    return _with_choices(schema, kind, props) if kind in CHOICE_KINDS else schema


def _with_choices(schema: dict[str, Json], kind: str, props: Mapping[str, Any]) -> dict[str, Json]:
    choices = [] if props.get("allow_custom_value") else _choices(props.get("choices"))
    if kind == "checkboxgroup" or props.get("multiselect"):
        return {"type": "array", **({"items": {"enum": choices}} if choices else {})}
    text = all(isinstance(choice, str) for choice in choices) and schema.get("type") == "string"
    return {**({"enum": choices} if choices else {}), **({"type": "string"} if text else {})}


def _from_kind(kind: str) -> dict[str, Json]:
    schema = _SIMPLE.get(kind)
    return {"type": schema} if schema and schema != "any" else {}


def _choices(raw: Json) -> list[Json]:
    """Values of a choice list: plain values below Gradio 4, [label, value] pairs from then on."""
    if not isinstance(raw, list):
        return []
    return [item[1] if isinstance(item, list) and len(item) == 2 else item for item in raw]


def _kind(component: Mapping[str, Any]) -> str:
    return str(component.get("type", "")).lower()


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _dicts(raw: Json) -> list[Mapping[str, Any]]:
    return [item for item in raw if isinstance(item, dict)] if isinstance(raw, list) else []


def _line(text: str) -> str:
    """Text of an app, safe to show: one line without control characters, cut to a sane length."""
    return plain(text.strip(), 200)
