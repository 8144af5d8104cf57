"""A Gradio app mounted below /demo of a FastAPI app. Usage: gradio_mounted.py PORT"""

import sys

import gradio as gr
import uvicorn
from fastapi import FastAPI

demo = gr.Interface(lambda text: text, gr.Textbox(label="text"), gr.Textbox(), api_name="echo")
app = FastAPI()


@app.get("/health")
def health():
    return {"ok": True}


app = gr.mount_gradio_app(app, demo, path="/demo")

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
