"""A Gradio app whose endpoints have a slash in their names. Usage: gradio_nested.py PORT"""

import sys

import gradio as gr

with gr.Blocks() as demo:
    text, out = gr.Textbox(label="text"), gr.Textbox(label="out")
    button = gr.Button("go")
    button.click(lambda value: value.lower(), text, out, api_name="lower")
    button.click(lambda value: value.upper(), text, out, api_name="v1/upper")

if __name__ == "__main__":
    demo.queue(api_open=True).launch(server_name="127.0.0.1", server_port=int(sys.argv[1]), quiet=True)
