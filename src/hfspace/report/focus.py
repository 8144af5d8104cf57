"""A bill as FOCUS 1.2 (FinOps Open Cost and Usage Specification): a row for each charge of the Hub.

The Hub gives one price: billed, listed, contracted and effective are one amount, save for a grant, whose list
price is what it would cost. A charge without times of its own is of the whole period.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal

from hfspace.model.billing import SPACES, Charge, Usage, month
from hfspace.planner.bill import Bill
from hfspace.report.tables import csv_lines

COLUMNS = (
    "BilledCost", "BillingAccountId", "BillingAccountName", "BillingAccountType", "BillingCurrency",
    "BillingPeriodEnd", "BillingPeriodStart", "ChargeCategory", "ChargeClass", "ChargeDescription",
    "ChargeFrequency", "ChargePeriodEnd", "ChargePeriodStart", "ConsumedQuantity", "ConsumedUnit",
    "ContractedCost", "ContractedUnitPrice", "EffectiveCost", "InvoiceId", "InvoiceIssuerName", "ListCost",
    "ListUnitPrice", "PricingCategory", "PricingQuantity", "PricingUnit", "ProviderName",
    "PublisherName", "ResourceId", "ResourceName", "ResourceType", "ServiceCategory", "ServiceName",
    "ServiceSubcategory", "SkuId", "SkuMeter", "SkuPriceDetails", "SkuPriceId", "SubAccountId",
    "SubAccountName", "SubAccountType", "Tags",
)  # fmt: skip
PROVIDER = "Hugging Face"
_SERVICES = {
    SPACES: ("Spaces", "Compute", "Containers"),
    "Endpoints": ("Inference Endpoints", "AI and Machine Learning", "AI Platforms"),
    "inferenceProviders": ("Inference Providers", "AI and Machine Learning", "AI Platforms"),
    "jobs": ("Jobs", "Compute", "Containers"),
    "privateStorage": ("Private Storage", "Storage", "Object Storage"),
}
_UNITS = {"minute": "Minutes"}


def csv_of(bill: Bill) -> Iterator[str]:
    """Lines of CSV without their ends."""
    rows = (
        tuple(row.get(name, "") for name in COLUMNS)
        for usage in bill.billed.usages
        for charge in usage.charges
        for row in [_row(charge, usage, bill.labels)]
    )
    yield from csv_lines(COLUMNS, rows)


def _row(charge: Charge, usage: Usage, labels: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    service, category, subcategory = _SERVICES.get(charge.kind, (charge.kind, "Other", "Other (Other)"))
    start = usage.start if charge.started is None else charge.started
    end = usage.end if charge.stopped is None else charge.stopped
    first, following = month(start)
    listed = _listed(charge)
    tags = labels.get((charge.space or "").lower(), {})
    return {
        "BilledCost": _number(charge.usd),
        "EffectiveCost": _number(charge.usd),
        "ContractedCost": _number(charge.usd),
        "ListCost": _number(listed),
        "BillingAccountId": usage.owner,
        "BillingAccountName": usage.owner,
        "BillingAccountType": "Account",
        "BillingCurrency": "USD",
        "BillingPeriodStart": _time(first),
        "BillingPeriodEnd": _time(following),
        "ChargePeriodStart": _time(start),
        "ChargePeriodEnd": _time(end),
        "ChargeCategory": "Usage",
        "ChargeFrequency": "Usage-Based",
        "ChargeDescription": charge.product,
        "PricingCategory": "Standard",
        "ProviderName": PROVIDER,
        "PublisherName": PROVIDER,
        "InvoiceIssuerName": PROVIDER,
        "ServiceName": service,
        "ServiceCategory": category,
        "ServiceSubcategory": subcategory,
        "SkuId": charge.product,
        "SkuPriceId": charge.product,
        "SkuMeter": charge.product,
        **_quantity(charge),
        **_resource(charge),
        "Tags": json.dumps(dict(tags), ensure_ascii=False, sort_keys=True) if tags else "{}",
    }


def _quantity(charge: Charge) -> dict[str, str]:
    """Amounts in the Hub's own unit; a sum that has none is one unit of itself."""
    quantity = Decimal(1) if charge.quantity is None else charge.quantity
    unit = _UNITS.get(charge.unit, charge.unit or "Units")
    unit_usd = charge.usd if charge.unit_usd is None else charge.unit_usd
    return {
        "PricingQuantity": _number(quantity),
        "ConsumedQuantity": _number(quantity),
        "PricingUnit": unit,
        "ConsumedUnit": unit,
        "ListUnitPrice": _number(unit_usd),
        "ContractedUnitPrice": _number(Decimal(0) if charge.grant else unit_usd),
    }


def _resource(charge: Charge) -> dict[str, str]:
    if charge.kind != SPACES or not (charge.space or charge.entity):
        return {}
    names = {"ResourceId": charge.entity or charge.space or "", "ResourceName": charge.space or ""}
    return {**names, "ResourceType": "Space"}


def _listed(charge: Charge) -> Decimal:
    if charge.grant and charge.quantity is not None and charge.unit_usd is not None:
        return charge.quantity * charge.unit_usd
    return charge.usd


def _number(value: Decimal) -> str:
    """A decimal with a point, so that no reader takes a column of whole ones for integers."""
    text = f"{value:f}"
    return text if "." in text else f"{text}.0"


def _time(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%dT%H:%M:%SZ}"
