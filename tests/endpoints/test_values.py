"""Which values are refused before a call, and where the files of a value are: by component and version."""

from __future__ import annotations

from typing import Any

import pytest

from hfspace.live.gradio.components import refusal, with_files
from hfspace.live.gradio.config import gradio_app, read_config
from hfspace.model import Json, ServedParameter

FILE = {"type": "object", "required": ["path"]}
CLIP = {"type": "object", "required": ["video"], "properties": {"video": {}, "subtitles": {}}}


def parameter(kind: str, version: str, props: dict[str, Any], schema: Json = None) -> ServedParameter:
    """The one parameter of an app of that version, read from what the app tells."""
    info = {"parameters": [{"parameter_name": "x", "type": schema or {}}], "returns": []}
    config = read_config({
        "version": version,
        "components": [{"id": 1, "type": kind, "props": props}],
        "dependencies": [{"id": 0, "api_name": "f", "inputs": [1], "outputs": [], "backend_fn": True}],
    })  # fmt: skip
    assert config is not None
    return gradio_app(config, {"named_endpoints": {"/f": info}}, "http://h").endpoints[0].parameters[0]


CHOICES = {"choices": [["A", "a"], ["B", "b"]]}
RANGE = {"minimum": 1, "maximum": 10}


@pytest.mark.parametrize(
    ("kind", "props", "value", "refused_from"),
    [
        ("slider", RANGE, 11, "5.50"),
        ("slider", RANGE, 5, None),
        ("number", RANGE, 11, "4.44"),
        ("number", {}, "text", None),
        ("dropdown", CHOICES, "z", "5.0"),
        ("dropdown", CHOICES, ["a", "b"], None),
        ("dropdown", {**CHOICES, "allow_custom_value": True}, "z", None),
        ("dropdown", {**CHOICES, "multiselect": True}, ["a", "z"], "5.0"),
        ("dropdown", {**CHOICES, "multiselect": True, "allow_custom_value": True}, ["z"], None),
        ("radio", CHOICES, "z", "5.0"),
        ("checkboxgroup", CHOICES, ["z"], "5.0"),
        ("textbox", {}, 5, None),
        ("checkbox", {}, "yes", None),
        ("json", {}, [1], None),
        ("file", {}, 5, "4.44"),
        ("file", {"file_count": "multiple"}, [{"path": "a"}, "b.txt"], None),
        ("file", {"file_count": "multiple"}, [5], "4.44"),
        ("somebodys-own", {}, object, None),
    ],
)
def test_a_value_is_refused_from_the_version_on_that_refuses_it(
    kind: str, props: dict[str, Any], value: Any, refused_from: str | None
) -> None:
    def at(version: str) -> tuple[int, int]:
        major, minor = version.split(".")[:2]
        return int(major), int(minor)

    for version in ("4.44.1", "5.0.2", "5.50.0", "6.31.0"):
        expected = refused_from is not None and at(version) >= at(refused_from)
        assert bool(refusal(value, parameter(kind, version, props))) is expected, version


@pytest.mark.parametrize(
    ("kind", "schema", "value", "expected"),
    [
        ("file", FILE, "a.txt", "<a.txt>"),
        ("file", {"type": "array"}, ["a.txt", "b.txt"], ["<a.txt>", "<b.txt>"]),
        ("file", {"type": "array"}, "a.txt", ["<a.txt>"]),
        ("video", FILE, "a.mp4", "<a.mp4>"),
        ("video", CLIP, "a.mp4", {"video": "<a.mp4>"}),
        ("video", CLIP, {"video": "a.mp4", "subtitles": None}, {"video": "<a.mp4>", "subtitles": None}),
        ("gallery", {"type": "array"}, "a.png", [{"image": "<a.png>"}]),
        ("gallery", {"type": "array"}, ["a.png", "b.mp4"], [{"image": "<a.png>"}, {"video": "<b.mp4>"}]),
        ("gallery", {}, [{"image": "a.png", "caption": "c"}], [{"image": "<a.png>", "caption": "c"}]),
        ("multimodaltextbox", {}, "hi", {"text": "hi", "files": []}),
        ("multimodaltextbox", {}, {"text": "t", "files": ["a"]}, {"text": "t", "files": ["<a>"]}),
        ("imageeditor", {}, "a.png", {"background": "<a.png>", "layers": [], "composite": "<a.png>"}),
        ("imageeditor", {}, {"background": "a", "layers": ["b"]}, {"background": "<a>", "layers": ["<b>"]}),
        ("imageslider", {}, ["a.png", None], ["<a.png>", None]),
        ("textbox", {}, "a.txt", "a.txt"),
    ],
)
def test_a_path_becomes_a_file_where_the_component_has_its_files(
    kind: str, schema: dict[str, Any], value: Any, expected: Any
) -> None:
    given = ServedParameter(name="x", component=kind, schema=schema)

    assert refusal(value, given) == ""
    assert with_files(value, given, lambda path: f"<{path}>") == expected
