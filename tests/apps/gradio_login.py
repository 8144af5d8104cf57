"""A Gradio app with a login of its own. Usage: gradio_login.py PORT"""

import sys

import gradio as gr

demo = gr.Interface(lambda text: text, gr.Textbox(), gr.Textbox())

if __name__ == "__main__":
    demo.launch(
        server_name="127.0.0.1", server_port=int(sys.argv[1]), auth=("someone", "a password"), quiet=True
    )
