"""Resource groups of an organisation: what their spend limits are to be."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from hfspace.manifest.keys import Model, key
from hfspace.manifest.policy_models import dollars

NO_LIMIT = Decimal("Infinity")
"""A limit that is to be removed, written as `none`."""


def _limit(value: Any) -> Decimal:
    if value == "none":
        return NO_LIMIT
    usd = dollars(value)
    if usd != usd.quantize(Decimal("0.01")):
        raise ValueError("the Hub keeps limits in whole cents")
    return usd


Limit = Annotated[
    Decimal,
    Field(allow_inf_nan=True),
    BeforeValidator(_limit),
    WithJsonSchema({"anyOf": [{"type": "number", "minimum": 0}, {"type": "string"}]}),
]
"""Dollars a month, or `none`."""

_VALUES = "dollars a month, or none"


class GroupSpec(Model):
    """The spend limits of one resource group; what is left out is left alone."""

    noun = "a resource group"

    total: Limit | None = key("Of all products together.", values=_VALUES, example="100")
    spaces: Limit | None = key(
        "Of Spaces: at it the Hub pauses the group's paid Spaces.", values=_VALUES, example="50"
    )
    jobs: Limit | None = key("Of Jobs.", values=_VALUES, example="20")
    endpoints: Limit | None = key("Of Inference Endpoints.", values=_VALUES, example="none")
    inference_providers: Limit | None = key("Of Inference Providers.", values=_VALUES, example="10")

    def limits(self) -> Iterator[tuple[str, Decimal]]:
        """Each limit that is declared, by its key."""
        for name in type(self).model_fields:
            limit = getattr(self, name)
            if limit is not None:
                yield name, limit
