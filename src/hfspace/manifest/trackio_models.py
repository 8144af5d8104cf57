"""What a manifest says of Trackio: which app it is, and the experiments that it is to hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from hfspace.manifest.keys import Model, key

ExperimentStatus = Literal["running", "completed", "failed", "paused"]
TrackioUse = Literal[
    "create", "list", "show", "log_parameters", "log_metrics", "update_status", "plot", "refresh",
    "simulate", "demo",
]  # fmt: skip


class TrackioSpec(Model):
    """How the experiments of a Space are reached."""

    backend: str = key(
        "Which Trackio it is: auto asks the app; or the name of a backend that an installed package brings.",
        values="auto, interface, trackio, or a package's",
        default="auto",
        example="interface",
    )
    project: str | None = key("The project of official trackio.", example="smollm3")
    endpoints: Mapping[TrackioUse, str] | None = key(
        "Endpoint names of a Gradio app that are not the usual ones (docs/trackio.md).",
        example="{create: /my_create}",
    )
    artifacts: str | None = key(
        "The bucket or dataset that keeps artifacts where Trackio does not (docs/trackio.md).",
        example="hf://buckets/acme/artifacts",
    )


class ExperimentSpec(Model):
    """One experiment of a Trackio Space."""

    noun = "an experiment"
    blank = (None,)

    description: str | None = key("Text beside it.", example="SmolLM3 fine-tuning")
    status: ExperimentStatus | None = key("running, completed, failed or paused.", example="running")
    parameters: Mapping[str, Any] = key(
        "Values that are kept in line.", default_factory=dict, example="{learning_rate: 2.0e-5}"
    )
    id: str | None = key("Pins one of several with the same name.", example="exp_20261121_014534")
    project: str | None = key("Its project on official trackio.", example="smollm3")
