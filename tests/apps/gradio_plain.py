"""The smallest Gradio app: one function, its endpoint named by the version. Usage: gradio_plain.py PORT"""

import sys

import gradio as gr


def add(a, b):
    return a + b


demo = gr.Interface(add, [gr.Number(label="a"), gr.Number(label="b")], gr.Number(label="sum"))

if __name__ == "__main__":
    demo.launch(server_name="127.0.0.1", server_port=int(sys.argv[1]), quiet=True)
