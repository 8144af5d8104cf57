"""The kinds of values that a seed holds: texts, names, counts, moments."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field


def _text(value: Any) -> Any:
    """Numbers become text as the Hub keeps text only; a bare true or null is too likely a slip."""
    if isinstance(value, bool) or value is None:
        raise ValueError(f"put {str(value).lower()} in quotes")
    return str(value) if isinstance(value, int | float) else value


def _url(value: str) -> str:
    try:
        parts = urlsplit(value)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("no http or https URL")
    return value


Text = Annotated[str, BeforeValidator(_text)]
Word = Annotated[str, Field(min_length=1, max_length=100)]
Url = Annotated[str, AfterValidator(_url)]
Count = Annotated[int, Field(ge=0, le=10**12)]
Seconds = Annotated[int, Field(ge=-1, le=10**12)]
Moment = Annotated[float, Field(ge=0, le=2e11, allow_inf_nan=False)]
"""Seconds since the epoch, in years of four digits."""


def _time(value: Any) -> Any:
    """Seconds since the epoch, from them or from ISO 8601; without a zone it is UTC."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if isinstance(value, datetime):
        return value.replace(tzinfo=value.tzinfo or UTC).timestamp()
    return value


Time = Annotated[Moment, BeforeValidator(_time)]
Sdk = Literal["gradio", "docker", "static", "streamlit"]
Visibility = Literal["public", "private", "protected"]


def step(value: list[Any]) -> list[Any]:
    match value:
        case [float() | int() as at, str() as stage, *message] if (
            0 <= at <= 2e11 and stage and len(message) < 2
        ):
            return value
    raise ValueError("a step is [seconds since the epoch, stage] and maybe a message")


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
