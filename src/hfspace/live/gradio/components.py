"""What a Gradio component takes: the values that it is sure to refuse, and the files in a value.

An app refuses less than its API document says: a Textbox takes a number, Gradio 4 any choice. What is not
sure is left to the app; a test holds every component against gradio_client's own answer.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hfspace.model import Json, ServedParameter
from hfspace.text import plain

FILE_KINDS = frozenset({"file", "image", "audio", "video", "uploadbutton", "downloadbutton", "model3d"})
CHOICE_KINDS = frozenset({"dropdown", "radio", "checkboxgroup"})
_NUMBER_KINDS = frozenset({"slider", "number"})
_MODEL_KINDS = frozenset(
    {"chatbot", "dataframe", "fileexplorer", "gallery", "highlightedtext", "imageeditor", "imageslider",
     "label", "multimodaltextbox", "plot"}
)  # fmt: skip
"""Components whose value Gradio reads into a class of its own: of another shape, the call fails."""

_FROM_TEXT = frozenset({"gallery", "imageeditor", "multimodaltextbox"})
"""Of these, one file (or the text of a message) may be given alone."""
LONGEST = 60


def is_enforced(kind: str, version: tuple[int, int]) -> bool:
    """Whether Gradio of that version refuses what does not fit its own description of the component."""
    if kind in CHOICE_KINDS:
        return version >= (5, 0)
    if kind == "slider":
        return version >= (5, 50)
    return version >= (4, 0)


def refusal(value: Json, parameter: ServedParameter) -> str:
    """Why the app is sure to refuse `value`, in a few words; "" when it takes it, or only it can say."""
    # Most inputs take null: an empty dropdown, no image.
    if value is None or not parameter.enforced:
        return ""
    kind, schema = parameter.component, parameter.schema
    if kind in CHOICE_KINDS:
        return _no_choice(value, kind, schema)
    if kind in _NUMBER_KINDS:
        return _out_of_range(value, schema)
    if kind in FILE_KINDS:
        return _no_file(value, schema)
    if kind in _MODEL_KINDS and not (isinstance(value, str) and kind in _FROM_TEXT):
        return _wrong_shape(value, schema)
    return ""


def with_files(value: Json, parameter: ServedParameter, file: Callable[[str], Json]) -> Json:
    """`value` with each path or URL of a file replaced by what `file` makes of it, in the place where the
    component has its files."""
    kind = parameter.component

    def at(item: Json, *keys: str) -> Json:
        if isinstance(item, str):
            return file(item)
        if isinstance(item, Mapping):
            return {key: at(inner) if key in keys else inner for key, inner in item.items()}
        return [at(inner, *keys) for inner in item] if isinstance(item, list) else item

    if kind == "video" and "video" in _properties(parameter.schema):
        return {"video": file(value)} if isinstance(value, str) else at(value, "video", "subtitles")
    if kind == "gallery" or (kind in FILE_KINDS and parameter.schema.get("type") == "array"):
        value = [value] if isinstance(value, str) else value
    if kind in FILE_KINDS or kind == "imageslider":
        return at(value)
    if kind == "gallery" and isinstance(value, list):
        return [at(_picture(item), "image", "video") for item in value]
    if kind == "multimodaltextbox":
        return {"text": value, "files": []} if isinstance(value, str) else at(value, "files")
    if kind == "imageeditor":
        drawing = {"background": value, "layers": [], "composite": value} if isinstance(value, str) else value
        return at(drawing, "background", "layers", "composite")
    return value


def _picture(item: Json) -> Json:
    if not isinstance(item, str):
        return item
    return {"video" if (mimetypes.guess_type(item)[0] or "").startswith("video/") else "image": item}


def _choices(schema: Mapping[str, Any]) -> list[Json]:
    """The choices of a list to choose from; [] where there are none, or others may be given."""
    items = schema.get("items")
    holder: Mapping[str, Any] = items if isinstance(items, Mapping) else schema
    choices = holder.get("enum")
    return choices if isinstance(choices, list) else []


def _no_choice(value: Json, kind: str, schema: Mapping[str, Any]) -> str:
    choices = _choices(schema)
    if not choices:
        return ""
    if kind == "checkboxgroup" and not isinstance(value, list | str | Mapping):
        return f"{short(value)} is not a list."
    several = (isinstance(value, list) and kind != "radio") or kind == "checkboxgroup"
    wrong = [item for item in (value if several else [value]) if item not in choices]
    if not wrong:
        return ""
    return f"{short(wrong[0])} is not one of {choice_list(choices)}."


def _out_of_range(value: Json, schema: Mapping[str, Any]) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is None and high is None:
        return ""
    if not isinstance(value, int | float):
        return f"{short(value)} is not a number."
    if low is not None and value < low:
        return f"{short(value)} is below {low}."
    return f"{short(value)} is above {high}." if high is not None and value > high else ""


def _no_file(value: Json, schema: Mapping[str, Any]) -> str:
    if isinstance(value, str):
        return ""
    if schema.get("type") == "array":
        if not isinstance(value, list):
            return f"{short(value)} is not a list of files."
        return next((problem for item in value if (problem := _no_file(item, {}))), "")
    return _wrong_shape(value, schema) if isinstance(value, Mapping) else f"{short(value)} is not a file."


def _wrong_shape(value: Json, schema: Mapping[str, Any]) -> str:
    if schema.get("type") == "array" and not isinstance(value, list):
        return f"{short(value)} is not a list."
    if schema.get("type") != "object":
        return ""
    if not isinstance(value, Mapping):
        return f"{short(value)} is not an object."
    needed = schema.get("required")
    missing = [key for key in needed if key not in value] if isinstance(needed, list) else []
    return f"{plain(missing[0], LONGEST)} is missing." if missing else ""


def _properties(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    properties = schema.get("properties")
    return properties if isinstance(properties, Mapping) else {}


def choice_list(choices: Sequence[Json]) -> str:
    """Choices for a sentence, the first eight of them."""
    return ", ".join(plain(choice, LONGEST) for choice in choices[:8]) + (", …" if len(choices) > 8 else "")


def short(value: Json) -> str:
    """A value for a sentence."""
    return plain(repr(value), LONGEST)
