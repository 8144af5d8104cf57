"""Every input component of this Gradio, each with an endpoint that tells what its function got.

Usage: gradio_components.py PORT"""

import json
import os
import sys
import warnings

import gradio as gr

warnings.simplefilter("ignore")

# Name of the endpoint -> (component, arguments). What a version does not have or take is left out.
COMPONENTS = {
    "audio": ("Audio", {}),
    "audio_path": ("Audio", {"type": "filepath"}),
    "barplot": ("BarPlot", {}),
    "browserstate": ("BrowserState", {}),
    "button": ("Button", {}),
    "chatbot": ("Chatbot", {}),
    "chatbot_messages": ("Chatbot", {"type": "messages"}),
    "checkbox": ("Checkbox", {}),
    "checkboxgroup": ("CheckboxGroup", {"choices": ["a", "b"]}),
    "checkboxgroup_index": ("CheckboxGroup", {"choices": ["a", "b"], "type": "index"}),
    "code": ("Code", {}),
    "colorpicker": ("ColorPicker", {}),
    "dataframe": ("Dataframe", {}),
    "dataframe_array": ("Dataframe", {"type": "array"}),
    "dataset": ("Dataset", {"components": ["textbox"], "samples": [["a"], ["b"]]}),
    "datetime": ("DateTime", {}),
    "datetime_text": ("DateTime", {"type": "string"}),
    "dialogue": ("Dialogue", {"speakers": ["A", "B"]}),
    "downloadbutton": ("DownloadButton", {}),
    "dropdown": ("Dropdown", {"choices": ["a", "b"]}),
    "dropdown_custom": ("Dropdown", {"choices": ["a", "b"], "allow_custom_value": True}),
    "dropdown_index": ("Dropdown", {"choices": ["a", "b"], "type": "index"}),
    "dropdown_labels": ("Dropdown", {"choices": [("A", "a"), ("B", "b")]}),
    "dropdown_many": ("Dropdown", {"choices": ["a", "b"], "multiselect": True}),
    "dropdown_many_custom": ("Dropdown", {"choices": ["a"], "multiselect": True, "allow_custom_value": True}),
    "dropdown_most": ("Dropdown", {"choices": ["a", "b"], "multiselect": True, "max_choices": 1}),
    "dropdown_none": ("Dropdown", {"choices": []}),
    "dropdown_numbers": ("Dropdown", {"choices": [1, 2.5]}),
    "file": ("File", {}),
    "file_binary": ("File", {"type": "binary"}),
    "file_kinds": ("File", {"file_types": [".png"]}),
    "files": ("File", {"file_count": "multiple"}),
    "fileexplorer": ("FileExplorer", {"root_dir": "."}),
    "fileexplorer_single": ("FileExplorer", {"root_dir": ".", "file_count": "single"}),
    "gallery": ("Gallery", {}),
    "highlightedtext": ("HighlightedText", {}),
    "html": ("HTML", {}),
    "image": ("Image", {}),
    "image_path": ("Image", {"type": "filepath"}),
    "imageeditor": ("ImageEditor", {}),
    "imagemask": ("ImageMask", {}),
    "imageslider": ("ImageSlider", {}),
    "json": ("JSON", {}),
    "label": ("Label", {}),
    "lineplot": ("LinePlot", {}),
    "markdown": ("Markdown", {}),
    "model3d": ("Model3D", {}),
    "multimodaltextbox": ("MultimodalTextbox", {"file_count": "multiple"}),
    "number": ("Number", {}),
    "number_range": ("Number", {"minimum": 1, "maximum": 10}),
    "number_whole": ("Number", {"precision": 0}),
    "paint": ("Paint", {}),
    "plot": ("Plot", {}),
    "radio": ("Radio", {"choices": ["a", "b"]}),
    "radio_index": ("Radio", {"choices": ["a", "b"], "type": "index"}),
    "radio_numbers": ("Radio", {"choices": [1, 2]}),
    "scatterplot": ("ScatterPlot", {}),
    "sketchpad": ("Sketchpad", {}),
    "slider": ("Slider", {"minimum": 1, "maximum": 10, "step": 1}),
    "textbox": ("Textbox", {}),
    "textbox_short": ("Textbox", {"max_length": 3}),
    "timer": ("Timer", {}),
    "uploadbutton": ("UploadButton", {}),
    "uploadbutton_many": ("UploadButton", {"file_count": "multiple"}),
    "video": ("Video", {}),
}


def describe(value):
    """What the function got, so that two calls with the same value say the same."""
    if isinstance(value, str | os.PathLike) and os.path.sep in str(value) and os.path.isfile(str(value)):
        return f"file of {os.path.getsize(str(value))}"
    if isinstance(value, dict):
        return {str(key): describe(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [describe(item) for item in value]
    if hasattr(value, "shape"):
        return f"{type(value).__name__} {tuple(value.shape)}"
    if hasattr(value, "model_dump"):
        return describe(value.model_dump())
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if value is None or isinstance(value, bool | int | float):
        return value
    return str(value) if isinstance(value, str) else f"{type(value).__name__}"


def answer(value):
    return json.dumps(describe(value))


def component(name):
    kind, arguments = COMPONENTS[name]
    if not hasattr(gr, kind):
        return None
    try:
        made = getattr(gr, kind)(**arguments)
        made.api_info()
    except (TypeError, ValueError, NotImplementedError):
        return None
    return made


with gr.Blocks(title="components") as demo:
    out = gr.Textbox()
    go = gr.Button("go")
    for name in COMPONENTS:
        if (made := component(name)) is not None:
            go.click(answer, made, out, api_name=name)

if __name__ == "__main__":
    demo.queue().launch(server_name="127.0.0.1", server_port=int(sys.argv[1]), show_error=True, quiet=True)
