"""Under which names a Gradio Trackio app serves what hfspace calls; a manifest may name others."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from hfspace.errors import UsageError

USUAL: Mapping[str, str] = MappingProxyType(
    {
        "create": "create_experiment_interface",
        "list": "list_experiments_interface",
        "show": "get_experiment_details",
        "log_parameters": "log_parameters_interface",
        "log_metrics": "log_metrics_interface",
        "update_status": "update_experiment_status_interface",
        "plot": "create_metrics_plot",
        "refresh": "refresh_experiment_dropdown",
        "simulate": "simulate_training_data",
        "demo": "create_demo_experiment",
    }
)
"""From what it does to the app's own name for it, without the slash."""

NEEDED = ("create", "list", "show", "log_parameters", "update_status")
"""What an app must serve to be a Trackio."""


def endpoint_names(changes: Mapping[Any, str] | None) -> Mapping[str, str]:
    """The usual names with `changes` over them. Raises UsageError as `chosen_names`."""
    return {**USUAL, **chosen_names(changes or {})}


def chosen_names(changes: Mapping[Any, str]) -> dict[str, str]:
    """`changes` as the app has the names; a slash in front may be left out. Raises UsageError for a use that
    is none, and for a name that is no text."""
    for use, name in changes.items():
        if use not in USUAL:
            raise UsageError(f"'{use}' is no use of an endpoint.", hint=f"It is one of {', '.join(USUAL)}.")
        if not isinstance(name, str) or not name.strip(" /"):
            raise UsageError(f"The endpoint to {use} has no name.", hint=f"The usual one is {USUAL[use]}.")
    return {use: name.strip().lstrip("/") for use, name in changes.items()}
