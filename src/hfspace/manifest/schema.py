"""The JSON Schema of what a person writes: the models, with the shorthands that the loader takes."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from hfspace.manifest import extensions
from hfspace.manifest.group_models import GroupSpec
from hfspace.manifest.keys import keys
from hfspace.manifest.models import CardSpec, Policy, SpaceSpec
from hfspace.manifest.shape import NOT_FOR_ALL
from hfspace.manifest.trackio_models import ExperimentSpec


def json_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of a manifest file, with the keys that installed packages bring.

    Raises ExtensionError when one of these can't be used."""
    space = SpaceSpec.model_json_schema(ref_template="#/$defs/{model}")
    policy = Policy.model_json_schema()
    definitions = space.pop("$defs")
    definitions["ExperimentSpec"] = ExperimentSpec.model_json_schema()
    properties = {name: _short(part) for name, part in space["properties"].items()}
    for name, facet in extensions.installed().items():
        brought = _brought(name, facet)
        definitions |= brought.pop("$defs", {})
        properties[name] = brought
        properties["ignore"]["items"]["enum"].append(name)
    definitions["Space"] = {**space, "properties": properties, "title": "Space", "type": ["object", "null"]}
    general = {name: part for name, part in properties.items() if name not in NOT_FOR_ALL}
    general["state"] = {**general["state"], "enum": ["running", "awake", "paused"]}
    definitions["Defaults"] = {**definitions["Space"], "title": "Defaults", "properties": general}
    definitions["Policy"] = _policy(policy)
    definitions["GroupSpec"] = _group(GroupSpec.model_json_schema())
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
            "timezone": {"type": "string", "description": "The zone of every time, such as Europe/Paris."},
            "defaults": {"$ref": "#/$defs/Defaults"},
            "policy": {"$ref": "#/$defs/Policy"},
            "groups": {"type": "object", "additionalProperties": {"$ref": "#/$defs/GroupSpec"}},
            "spaces": {"type": "object", "additionalProperties": {"$ref": "#/$defs/Space"}},
        },
        "$defs": definitions,
    }


def _brought(name: str, facet: Any) -> dict[str, Any]:
    """What the key of a package takes; its definitions have the key's name before their own."""
    schema = TypeAdapter(facet.type).json_schema(ref_template=f"#/$defs/{name}.{{model}}")
    definitions = {f"{name}.{key}": part for key, part in schema.pop("$defs", {}).items()}
    described = {**schema, "description": extensions.meaning(facet)}
    return {**described, "$defs": definitions} if definitions else described


def _short(part: dict[str, Any]) -> dict[str, Any]:
    """One key; null is not a value that a person writes."""
    options = [one for one in part.get("anyOf", []) if one.get("type") != "null"]
    if len(options) == 1:
        # The text of the key says more than that of its type.
        part = {**options[0], **{key: item for key, item in part.items() if key != "anyOf"}}
    return {key: item for key, item in part.items() if key not in {"default", "title"}}


def _or(part: dict[str, Any], *others: dict[str, Any]) -> dict[str, Any]:
    """`part`, or one of its short forms."""
    item = {key: value for key, value in part.items() if key != "description"}
    return {"description": part["description"], "anyOf": [*others, item]}


def _shorthands(definitions: dict[str, Any]) -> None:
    words = definitions["OnErrorSpec"]["properties"]["do"]["enum"]
    for name in ("Space", "Defaults"):
        properties = definitions[name]["properties"]
        text = {"type": ["string", "number"]}
        properties["variables"]["additionalProperties"] = {"anyOf": [text, {"$ref": "#/$defs/VariableSpec"}]}
        properties["on_error"] = _or(properties["on_error"], {"enum": words})
        properties["restart"] = _or(properties["restart"], {"type": "string"})
        properties["volumes"].pop("prefixItems", None)
        if "files" in properties:
            properties["files"] = _or(properties["files"], {"type": "string"})
        properties["when"].pop("prefixItems", None)
        if "create" in properties:
            properties["create"] = _or(properties["create"], {"type": "null"}, {"const": True})
        properties["labels"]["additionalProperties"] = text
    definitions["VariableSpec"]["properties"]["value"]["type"] = ["string", "number"]
    card = {name: _short(part) for name, part in definitions["CardSpec"]["properties"].items()}
    for name in (name for name, one in keys(CardSpec).items() if one.as_written):
        card[name]["type"] = ["string", "number"]
    definitions["CardSpec"]["properties"] = card


def _group(group: dict[str, Any]) -> dict[str, Any]:
    """A model whose limits are numbers or words, none of them null."""
    properties = {name: _short(part) for name, part in group["properties"].items()}
    for part in properties.values():
        part["anyOf"] = [one for one in part["anyOf"] if one != {"type": "null"}]
    return {**group, "properties": properties}


def _policy(policy: dict[str, Any]) -> dict[str, Any]:
    properties = {name: _short(part) for name, part in policy["properties"].items()}
    for part in properties.values():
        if "anyOf" in part:
            part["anyOf"] = [one for one in part["anyOf"] if one != {"type": "null"}]
    properties["max_monthly_usd"] = {
        "description": properties["max_monthly_usd"]["description"],
        "anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": r"\$\{"}],
    }
    return {**policy, "properties": properties}
