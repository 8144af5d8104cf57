"""A Gradio app with every shape of endpoint that a manifest can name. Usage: gradio_shapes.py PORT"""

import sys
import time

import gradio as gr

MAJOR = int(gr.__version__.split(".")[0])
HIDDEN = {3: {}, 4: {"show_api": False}, 5: {"show_api": False}}.get(MAJOR, {"api_visibility": "private"})


def upper(text):
    return text.upper()


def generate(prompt, max_tokens=25, temperature=0.1, strategy="greedy", verbose=False):
    return f"{prompt}|{max_tokens}|{temperature}|{strategy}|{verbose}"


def count(n):
    for step in range(int(n)):
        yield f"step {step}"


def slow(seconds):
    time.sleep(float(seconds))
    return "slept"


def boom(text):
    raise gr.Error(f"no {text} today")


def remember(text, seen):
    seen = [*(seen or []), text]
    return ",".join(seen), seen


def size(path):
    with open(getattr(path, "name", path), "rb") as file:
        return len(file.read())


def copy(path):
    return getattr(path, "name", path)


def whoami():
    return "nobody"


with gr.Blocks(title="shapes") as demo:
    text, out = gr.Textbox(label="text"), gr.Textbox(label="out")
    prompt = gr.Textbox(label="prompt")
    tokens = gr.Slider(1, 512, value=25, step=1, label="max_tokens")
    heat = gr.Slider(0, 2, value=0.1, label="temperature")
    strategy = gr.Dropdown(["greedy", "sample"], value="greedy", label="strategy")
    verbose = gr.Checkbox(label="verbose")
    number, size_out = gr.Number(label="n"), gr.Number(label="size")
    file, file_out = gr.File(label="file"), gr.File(label="copy")
    state = gr.State([])
    button = gr.Button("go")
    button.click(upper, text, out, api_name="upper")
    button.click(generate, [prompt, tokens, heat, strategy, verbose], out, api_name="generate")
    button.click(count, number, out, api_name="count")
    button.click(slow, number, out, api_name="slow")
    button.click(boom, text, out, api_name="boom")
    button.click(remember, [text, state], [out, state], api_name="remember")
    button.click(size, file, size_out, api_name="size")
    button.click(copy, file, file_out, api_name="copy")
    button.click(whoami, None, out, api_name="whoami", **HIDDEN)

if __name__ == "__main__":
    demo.queue(api_open=True).launch(
        server_name="127.0.0.1", server_port=int(sys.argv[1]), show_error=True, quiet=True
    )
