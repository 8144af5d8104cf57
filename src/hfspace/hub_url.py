"""Which Hub is meant."""

from __future__ import annotations

from collections.abc import Mapping

DEFAULT_ENDPOINT = "https://huggingface.co"


def hub_url(env: Mapping[str, str]) -> str:
    """The address that HF_ENDPOINT names, else that of the Hub itself; without a slash at its end."""
    return (env.get("HF_ENDPOINT") or DEFAULT_ENDPOINT).rstrip("/")
