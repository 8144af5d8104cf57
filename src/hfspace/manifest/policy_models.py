"""The guardrails that a manifest can declare."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from hfspace.manifest.keys import Model, Unstrict, key


class Policy(Model):
    """Guardrails of the whole manifest; None means no limit of that kind."""

    noun = "policy"

    max_monthly_usd: Annotated[Decimal, Unstrict, Field(ge=0)] | None = key(
        "Ceiling of the whole manifest after the plan, as if always on (730 h).", example="150"
    )
    allowed_hardware: Annotated[tuple[str, ...], Unstrict] | None = key(
        "Flavors that may be declared.", example="[cpu-basic, t4-small]"
    )
    require_sleep_time: bool = key(
        "Paid hardware must declare a sleep time that is not never.", default=False, example="true"
    )
    max_deletes: Annotated[int, Field(ge=0)] | None = key("Spaces that one apply may delete.", example="0")
    max_running: Annotated[int, Field(ge=0)] | None = key("Compute Spaces running at once.", example="8")
    max_change_percent: Annotated[float, Field(ge=0, le=100)] | None = key(
        "Share of 10 or more Spaces that one apply may touch without `--force`.", example="50"
    )
