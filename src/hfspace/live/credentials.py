"""Where the token comes from: the environment, else the login of `hf auth login`. There is no token flag."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def find_token(env: Mapping[str, str]) -> str | None:
    """HF_TOKEN, HUGGINGFACE_TOKEN, HUGGING_FACE_HUB_TOKEN, else the saved login; None when there is none.

    The saved login is the file that huggingface_hub writes (HF_TOKEN_PATH, else HF_HOME/token).
    """
    for name in ("HF_TOKEN", "HUGGINGFACE_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        if value := _clean(env.get(name, "")):
            return value
    try:
        return _clean(_token_path(env).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return None


def _token_path(env: Mapping[str, str]) -> Path:
    if path := env.get("HF_TOKEN_PATH"):
        return Path(path).expanduser()
    cache = env.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(env.get("HF_HOME") or f"{cache}/huggingface").expanduser() / "token"


def _clean(text: str) -> str | None:
    return "".join(text.split()) or None
