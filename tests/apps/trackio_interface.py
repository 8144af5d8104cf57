"""The Gradio Trackio app under a real Gradio: its endpoints, defaults and menus around trackio_store.

Usage: trackio_interface.py PORT; TRACKIO_GENERATION is A1 (create answers a string) or A2 (a pair, menus of
known ids, and a simulate and a demo that raise after having written). TRACKIO_PREFIX stands before all names.
"""

from __future__ import annotations

import os
import sys

import gradio as gr
from gradio.components.plot import PlotData
from trackio_store import METRICS, STATUSES, Store

A2 = os.environ.get("TRACKIO_GENERATION") == "A2"
store = Store(later=A2)


def create_experiment_interface(name: str, description: str):
    said = store.create_experiment_interface(name, description)
    return (said, gr.Dropdown(choices=list(store.rows), value=store.current)) if A2 else said


def create_metrics_plot(experiment_id: str, metric_name: str) -> PlotData:
    return PlotData(type="plotly", plot=store.create_metrics_plot(experiment_id, metric_name))


def create_experiment_comparison(experiment_ids: str) -> PlotData:
    return create_metrics_plot(experiment_ids.split(",")[0].strip(), "loss")


def update_trackio_config(hf_token: str, dataset_repo: str) -> str:
    store.restart()
    return "✅ Configuration updated successfully!\n📊 Dataset: none\n📈 Loaded 2 experiments"


def refresh_experiment_dropdown():
    return gr.Dropdown(choices=list(store.rows))


with gr.Blocks(title="Trackio - Experiment Tracking") as app:
    out, ref = gr.Textbox(), gr.Textbox(label="Experiment ID")
    more = [gr.Textbox() for _ in range(5)] if A2 else []  # what the later simulate and demo fail to fill
    menu = gr.Dropdown(choices=list(store.rows), label="Experiment") if A2 else ref
    plot = gr.Plot()

    def serve(function, inputs, outputs):
        name = os.environ.get("TRACKIO_PREFIX", "") + function.__name__
        gr.Button().click(function, inputs, outputs, api_name=name)

    name = gr.Textbox(value="smollm3_finetune", label="Name")
    about = gr.Textbox(value="SmolLM3 fine-tuning experiment", label="Description")
    status = gr.Dropdown(list(STATUSES), value="running", label="Status")
    metrics = gr.Textbox(value='{"loss": 0.5}', label="Metrics")
    parameters = gr.Textbox(value='{"learning_rate": 3.5e-6, "batch_size": 8}', label="Parameters")
    metric = gr.Dropdown(list(METRICS), value="loss", label="Metric")
    serve(create_experiment_interface, [name, about], [out, menu] if A2 else out)
    serve(store.list_experiments_interface, [], out)
    serve(store.get_experiment_details, [ref], out)
    serve(store.update_experiment_status_interface, [ref, status], out)
    serve(store.log_metrics_interface, [ref, metrics, gr.Textbox(label="Step")], out)
    serve(store.log_parameters_interface, [ref, parameters], out)
    serve(create_metrics_plot, [menu, metric], plot)
    serve(store.simulate_training_data, [ref], [out, *more])
    serve(store.create_demo_experiment, [], [out, *more])
    serve(update_trackio_config, [gr.Textbox(), gr.Textbox(value="acme/trackio-experiments")], out)
    if A2:
        serve(refresh_experiment_dropdown, [], menu)
    else:
        serve(create_experiment_comparison, [gr.Textbox()], plot)

app.launch(server_name="127.0.0.1", server_port=int(sys.argv[1]), quiet=True, show_error=A2, share=False)
