"""How long a text takes to read: a Gradio app."""

import os

import gradio as gr

WORDS_PER_MINUTE = int(os.environ.get("WORDS_PER_MINUTE", "200"))


def estimate(text: str) -> str:
    """The words of a text, and the minutes that they take."""
    words = len(text.split())
    minutes = max(1, round(words / WORDS_PER_MINUTE))
    return f"{words} words, {minutes} min"


demo = gr.Interface(
    estimate, gr.Textbox(lines=8, label="Text"), gr.Textbox(label="Time"), api_name="estimate"
)

if __name__ == "__main__":
    demo.launch()
