"""A value that a parameter takes, to show and to fill gaps with."""

from __future__ import annotations

from hfspace.live.gradio.components import FILE_KINDS, with_files
from hfspace.model import Json, ServedParameter

_BY_TYPE: dict[str, Json] = {
    "string": "text", "number": 1, "integer": 1, "boolean": True, "array": [], "object": {},
}  # fmt: skip


def sample(parameter: ServedParameter) -> Json:
    """Its default, its first choice, its minimum, or a value of its type."""
    schema = parameter.schema
    if parameter.component in FILE_KINDS:
        url = "https://example.com/file"
        return with_files([url] if schema.get("type") == "array" else url, parameter, _file)
    if parameter.has_default and parameter.default is not None:
        return parameter.default
    if isinstance(schema.get("enum"), list) and schema["enum"]:
        return schema["enum"][0]
    kind = schema.get("type")
    if "minimum" in schema:
        return schema["minimum"]
    return _BY_TYPE.get(kind) if isinstance(kind, str) else None


def _file(url: str) -> Json:
    return {"path": url, "meta": {"_type": "gradio.FileData"}}
