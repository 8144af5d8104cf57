"""Usage as the Hub tells it: every unit, every product, whose it is, and what can't be read."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from hfspace.errors import BillingRefused, HubFault, HubUnreachable, NeedsWrite, NotVisible, Unauthorized
from hfspace.live.billing import NEEDS_PERMISSION, billed
from hfspace.live.hub import connect
from hfspace.localhub import LocalHub
from hfspace.model import Account
from hfspace.model.billing import Billed, Charge, Usage, awake, month
from tests.localhub.test_billing import SEED

NOVEMBER = (1793491200.0, 1796083200.0)
ME = Account(name="alice", role="read")


def read(hub: LocalHub, *owners: str, token: str = "", **entities: str) -> Billed:
    client = connect(hub.url, token or hub.token)
    start, end = NOVEMBER
    states = client.list_spaces() if not entities else ()
    by_id = entities or {state.entity: state.id for state in states if state.entity}
    return billed(client.billing, owners, client.whoami(), start=start, end=end, entities=by_id)


def seeded(**switches: Any) -> dict[str, Any]:
    return {**SEED, "hub": {**SEED["hub"], "switches": switches}}


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("switch", ["billing_entity_is_space_id", "billing_label_is_space", None])
def test_a_charge_is_that_of_its_space_whatever_names_it(switch: str | None, missing: bool) -> None:
    switches = {switch: False} if switch else {}
    with LocalHub(seed=seeded(**switches, billing_v2_missing=missing), clock="manual") as hub:
        hub.advance(7200)
        usage = read(hub, "acme").usages[0]
    (charge,) = usage.charges
    assert (charge.space, charge.flavor, charge.minutes) == ("acme/x", "t4-small", 60)
    assert charge.usd == Decimal("0.40002")
    assert (usage.start, usage.end, usage.source) == (*NOVEMBER, "usage" if missing else "usage-v2")
    assert awake(usage.charges, NOVEMBER[1]) == {"acme/x": ((NOVEMBER[0], NOVEMBER[0] + 3600),)}


def test_what_neither_names_is_billed_and_no_space_s() -> None:
    switches = {"billing_entity_is_space_id": False, "billing_label_is_space": False}
    with LocalHub(seed=seeded(**switches), clock="manual") as hub:
        hub.advance(7200)
        bill = read(hub, "acme")
    assert [one.space for one in bill.charges] == [None]
    assert bill.usd == Decimal("0.40002")
    assert bill.usd_of(["acme/x"]) == 0


def test_another_owners_label_gives_no_space() -> None:
    usage = Usage(owner="acme", start=0, end=1, source="usage", charges=(charge(label="other/x"),))
    assert billed(Fake(usage), ["acme"], ME, start=0, end=1, entities={}).charges[0].space is None


@pytest.mark.parametrize("refusal", [401, 403])
def test_without_the_permission_it_is_unknown_in_words(refusal: int) -> None:
    with LocalHub(seed=seeded(billing_refusal=refusal), clock="manual") as hub:
        bill = read(hub, "acme", "alice", token="hf_fine")
    assert bill.unknown == {"acme": NEEDS_PERMISSION, "alice": NEEDS_PERMISSION}
    assert bill.usd is None
    assert bill.usd_of(["acme/x"]) is None


def test_one_unknown_account_does_not_hide_the_other() -> None:
    with LocalHub(seed=SEED, clock="manual") as hub:
        bill = read(hub, "acme", "bob", token="hf_bob")
    assert bill.unknown == {"acme": NEEDS_PERMISSION}
    assert [usage.owner for usage in bill.usages] == ["bob"]
    assert bill.usd_of(["bob/y"]) == 0


def test_without_a_token_nothing_is_asked() -> None:
    assert billed(Fake(HubFault("asked")), ["acme"], None, start=0, end=1, entities={}).unknown == {
        "acme": NEEDS_PERMISSION
    }


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (Unauthorized("x"), NEEDS_PERMISSION),
        (NeedsWrite("x"), NEEDS_PERMISSION),
        (BillingRefused("x"), NEEDS_PERMISSION),
        (NotVisible("x"), "the Hub tells no usage of it with this token"),
        (HubUnreachable("No answer."), "No answer."),
    ],
)
def test_every_failure_is_unknown_with_its_reason(error: Exception, words: str) -> None:
    assert billed(Fake(error), ["acme"], ME, start=0, end=1, entities={}).unknown == {"acme": words}


def test_nano_micro_and_cents_of_one_body_are_dollars() -> None:
    body = {
        "inferenceProviders": {"usedNanoUsd": 1_250_000_000, "includedNanoUsd": 2, "limitNanoUsd": 3},
        "jobs": {"usedMicroUsd": 500_000, "totalMinutes": 12},
        "privateStorage": {"amountDueCents": 25},
        "Spaces": [item()],
        "Endpoints": [],
        "quantumComputing": [item(product="quantum/qpu/shots", unitLabel="shot", quantity=1.5)],
        "note": "text",
        "later": None,
    }
    bill = answered({"usage": body})
    assert {one.kind: one.usd for one in bill.charges} == {
        "inferenceProviders": Decimal("1.25"),
        "jobs": Decimal("0.5"),
        "privateStorage": Decimal("0.25"),
        "Spaces": Decimal("0.40002"),
        "quantumComputing": Decimal("0.40002"),
    }
    strange = next(one for one in bill.charges if one.kind == "quantumComputing")
    assert (strange.product, strange.flavor, strange.minutes) == ("quantum/qpu/shots", None, None)
    assert (strange.quantity, strange.unit) == (Decimal("1.5"), "shot")


def test_a_fraction_of_a_micro_dollar_is_kept() -> None:
    bill = answered({"usage": {"Spaces": [item(totalCostMicroUSD=0.1)] * 3}})
    assert bill.usd == Decimal("0.0000003")


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"usage": []},
        {"usage": {"Spaces": ["x"]}},
        {"usage": {"Spaces": [{}]}},
        {"usage": {"Spaces": [{"product": "p", "totalCostMicroUSD": "free"}]}},
        {"usage": {"Spaces": [{"product": "p", "totalCostMicroUSD": True}]}},
        {"usage": {"Spaces": [{"product": "p", "totalCostMicroUSD": 1e300}]}},
        {"usage": {"Spaces": [{"product": "p", "totalCostMicroUSD": 1, "startedAt": "9999-99-99"}]}},
        {"usage": {"jobs": {"usedMicroUsd": None}}},
    ],
)
def test_an_answer_that_makes_no_sense_is_unknown_and_never_zero(body: Any) -> None:
    bill = answered(body)
    assert bill.usd is None
    assert "not what it documents" in bill.unknown["acme"]


def test_another_period_than_the_one_asked_for_is_unknown() -> None:
    with LocalHub(seed=seeded(billing_v2_missing=True), clock="manual") as hub:
        client = connect(hub.url, hub.token)
        bill = billed(client.billing, ["acme"], client.whoami(), start=1.0, end=86400.0, entities={})
    assert bill.unknown == {"acme": "The Hub tells the usage of acme for its current period only."}


def test_intervals_that_touch_are_one() -> None:
    charges = [
        charge(space="acme/x", started=float(start), stopped=None if stop is None else float(stop))
        for start, stop in ((100, 200), (0, 100), (150, 180), (300, None))
    ]
    assert awake(charges, 400) == {"acme/x": ((0, 200), (300, 400))}


@pytest.mark.parametrize(
    ("moment", "expected"), [(NOVEMBER[0], NOVEMBER), (NOVEMBER[1] - 1, NOVEMBER), (0, (0, 2678400))]
)
def test_a_month_is_that_of_the_calendar_in_utc(moment: float, expected: tuple[float, float]) -> None:
    assert month(moment) == expected


# ---------------------------------------------------------------- stand-ins


class Fake:
    """A reader with one answer."""

    def __init__(self, answer: Usage | Exception) -> None:
        self._answer = answer

    def usage(self, owner: str, *, is_org: bool, start: float, end: float) -> Usage:
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


def charge(**given: Any) -> Charge:
    return Charge(**{"owner": "acme", "kind": "Spaces", "product": "p", "usd": Decimal(1), **given})


def item(**given: Any) -> dict[str, Any]:
    return {
        "entityId": "0" * 24,
        "label": None,
        "product": "spaces/t4-small/minutes",
        "quantity": 60,
        "totalCostMicroUSD": 400020,
        "unitCostMicroUSD": 6667,
        "unitLabel": "minute",
        **given,
    }


def answered(body: Any) -> Billed:
    """What comes of a Hub that answers every question about usage with `body`."""
    from hfspace.live.billing import Billing
    from hfspace.live.library import Library
    from hfspace.live.limiter import Limiter, Pace
    from hfspace.redaction import KnownSecrets

    class Answering(Library):
        def call(self, doing: str, what: str, call: Any, *, write: bool = False) -> Any:
            return body

    library = Answering("http://127.0.0.1:1", None, Limiter(Pace(), print), KnownSecrets(), has_token=True)
    entities: Mapping[str, str] = {}
    return billed(Billing(library), ["acme"], ME, start=0, end=1, entities=entities)
