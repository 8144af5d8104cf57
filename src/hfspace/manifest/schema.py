"""The JSON Schema of what a person writes: the models, with the shorthands that the loader takes."""

from __future__ import annotations

from typing import Any

from hfspace.manifest.models import ExperimentSpec, Policy, SpaceSpec
from hfspace.manifest.shape import NOT_FOR_ALL

DESCRIPTIONS = {
    "sdk": "gradio, docker or static; streamlit for Spaces that exist. Checked, never changed.",
    "visibility": "public, private, or protected (the app is public, its files are not).",
    "hardware": "Any flavor that the Hub lists, such as cpu-basic, cpu-upgrade, t4-small.",
    "sleep_time": "After how long without a visit it sleeps: 90s, 30m, 1h, 2d, seconds, or never.",
    "state": "running (a sleeping Space counts), paused, or absent (deleted, with --allow-delete).",
    "on_error": "What a RUNTIME_ERROR asks for: report, restart or factory-rebuild.",
    "restart": "A marker: a new value restarts the Space once.",
    "dev_mode": "SSH and VS Code into the running Space.",
    "variables": "Public settings, by key.",
    "secrets": "Where each secret's value comes from: {env: NAME} or {file: path}.",
    "volumes": "Buckets and repositories mounted into the Space.",
    "prune": "Maps that the manifest makes exact: what it does not name is removed.",
    "protect": "Never deleted, whatever the manifest says.",
    "ignore": "Observed and shown, never changed.",
    "depends_on": "Spaces that are changed before this one.",
    "create": "Lets apply create the Space when it is missing.",
    "endpoint": "What the app is to serve; compared, never written.",
    "trackio": "How the experiments of this Space are reached.",
    "experiments": "Trackio experiments, by name.",
}


def json_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of a manifest file."""
    space = SpaceSpec.model_json_schema(ref_template="#/$defs/{model}")
    policy = Policy.model_json_schema()
    definitions = space.pop("$defs")
    definitions["ExperimentSpec"] = ExperimentSpec.model_json_schema()
    properties = {name: _described(name, part) for name, part in space["properties"].items()}
    definitions["Space"] = {**space, "properties": properties, "title": "Space", "type": ["object", "null"]}
    general = {name: part for name, part in properties.items() if name not in NOT_FOR_ALL}
    general["state"] = {**general["state"], "enum": ["running", "paused"]}
    definitions["Defaults"] = {**definitions["Space"], "title": "Defaults", "properties": general}
    definitions["Policy"] = _policy(policy)
    _shorthands(definitions)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "hfspace manifest",
        "description": "Declares Hugging Face Spaces; see `hfspace plan`.",
        "type": "object",
        "additionalProperties": False,
        "required": ["version"],
        "properties": {
            "version": {"const": 1},
            "defaults": {"$ref": "#/$defs/Defaults"},
            "policy": {"$ref": "#/$defs/Policy"},
            "spaces": {"type": "object", "additionalProperties": {"$ref": "#/$defs/Space"}},
        },
        "$defs": definitions,
    }


def _described(name: str, part: dict[str, Any]) -> dict[str, Any]:
    """One key of a Space, with its meaning; null is not a value that a person writes."""
    options = [one for one in part.get("anyOf", []) if one.get("type") != "null"]
    if len(options) == 1:
        part = {**{key: item for key, item in part.items() if key != "anyOf"}, **options[0]}
    part = {key: item for key, item in part.items() if key not in {"default", "title"}}
    return {"description": DESCRIPTIONS[name], **part}


def _shorthands(definitions: dict[str, Any]) -> None:
    for name in ("Space", "Defaults"):
        properties = definitions[name]["properties"]
        duration = {"type": "string", "pattern": r"^(never|-1|[0-9]+\s*[smhdSMHD]?|.*\$\{.*)$"}
        description = properties["sleep_time"]["description"]
        properties["sleep_time"] = {"description": description, "anyOf": [{"type": "integer"}, duration]}
        variables = {"type": ["string", "number"]}
        properties["variables"]["additionalProperties"] = {
            "anyOf": [variables, {"$ref": "#/$defs/VariableSpec"}]
        }
        properties["volumes"].pop("prefixItems", None)
        if "create" not in properties:
            continue
        create = {"anyOf": [{"$ref": "#/$defs/CreateSpec"}, {"type": "null"}, {"const": True}]}
        properties["create"] = {"description": properties["create"]["description"], **create}
    definitions["VariableSpec"]["properties"]["value"] = {"type": ["string", "number"]}


def _policy(policy: dict[str, Any]) -> dict[str, Any]:
    properties = dict(policy["properties"])
    properties["max_monthly_usd"] = {
        "description": "Ceiling, always on, 730 h.",
        "anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": r"\$\{"}],
    }
    properties["allowed_hardware"] = {"type": "array", "items": {"type": "string"}}
    return {**policy, "properties": properties}
