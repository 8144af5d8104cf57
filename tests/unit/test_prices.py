"""Prices: the Hub's own, and the dated table for when they are out of reach."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from hfspace.cli.main import run
from hfspace.errors import HubFault
from hfspace.live import wire
from hfspace.live.prices import shipped_prices
from hfspace.localhub import LocalHub
from hfspace.localhub.hardware import listing
from hfspace.manifest.models import Policy, SpaceSpec
from hfspace.model import Account, Flavor
from hfspace.observer import Look, observe
from hfspace.planner.plan import plan
from hfspace.planner.prices import offline_ceiling
from hfspace.report.rendering import FORMATS, render
from tests.unit.builders import checks, live, manifest, snapshot

ROOT = Path(__file__).parents[2]
SHIPPED = shipped_prices()
TODAY = date(2026, 12, 1)


class HubWithoutPrices:
    """What `observe` asks of a Hub whose price list is broken, for a manifest without Spaces."""

    endpoint = "http://hub"
    requests = 0

    def whoami(self) -> Account | None:
        return None

    def flavors(self) -> dict[str, Flavor]:
        raise HubFault("The Hub's answer makes no sense.")


def test_the_shipped_table_has_a_date_and_the_prices_of_the_page_on_hardware() -> None:
    assert date.fromisoformat(f"{SHIPPED.date}-01"[:10]) <= date.today()
    assert SHIPPED.flavors["t4-small"].usd_per_hour == Decimal("0.40")
    assert SHIPPED.flavors["cpu-basic"].usd_per_hour == 0


def test_a_hub_without_a_price_list_is_read_with_the_shipped_prices_and_their_date() -> None:
    seen = observe(manifest(), HubWithoutPrices(), Look())  # type: ignore[arg-type]
    assert (seen.prices_of, seen.flavors) == (SHIPPED.date, SHIPPED.flavors)


@pytest.mark.parametrize("form", FORMATS)
def test_every_form_of_a_plan_says_whose_prices_they_are(form: str) -> None:
    declared = manifest(x=SpaceSpec(hardware="t4-small"))
    shown = replace(snapshot(live()), prices_of="2026-08")
    assert "those of 2026-08" in render(plan(declared, shown), form)
    assert "which hfspace ships" not in render(plan(declared, snapshot(live())), form)


def test_a_limit_that_was_judged_by_them_is_unknown_and_without_one_it_is_a_warning() -> None:
    shown = replace(snapshot(live()), prices_of="2026-08")
    (warning,) = plan(manifest(x=SpaceSpec()), shown).checks
    (unknown,) = plan(manifest(Policy(max_monthly_usd=Decimal(9)), x=SpaceSpec()), shown).checks
    assert (warning.severity, unknown.severity) == ("warning", "unknown")


def test_a_flavor_that_they_lack_may_be_a_new_one() -> None:
    declared = manifest(x=SpaceSpec(hardware="b300"))
    asked = plan(declared, snapshot(live()))
    told = checks(plan(declared, replace(snapshot(live()), prices_of="2026-08")))
    assert "error hardware" in checks(asked)[0]
    unknown = "unknown hardware: whether the Hub has hardware 'b300' is not known"
    assert any(line.startswith(unknown) for line in told)


def test_the_ceiling_offline_counts_what_is_declared_and_names_what_is_not() -> None:
    declared = manifest(
        paid=SpaceSpec(hardware="t4-small"),
        new=SpaceSpec(hardware="b300"),
        open_end=SpaceSpec(),
        paused=SpaceSpec(hardware="a100x8", state="paused"),
        gone=SpaceSpec(hardware="a100x8", state="absent"),
        page=SpaceSpec(sdk="static"),
    )
    ceiling = offline_ceiling(declared, SHIPPED.flavors)
    assert ceiling.usd_per_month == Decimal("0.40") * 730
    assert ceiling.not_counted == ("acme/new", "acme/open-end")


# ------------------------------------------------------------------ tools/prices.py

spec = importlib.util.spec_from_file_location("prices_tool", ROOT / "tools" / "prices.py")
assert spec is not None
assert spec.loader is not None
tool = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tool)


def refreshed(items: object) -> str | None:
    text: str | None = tool.refreshed(json.dumps(items).encode(), "https://hub.example/api", TODAY)
    return text


def test_a_new_price_makes_a_new_table_with_the_day_and_the_source() -> None:
    items = listing()
    items[3]["unitCostMicroUSD"] = 50_000
    document = json.loads(refreshed(items) or "")
    assert (document["date"], document["source"]) == ("2026-12-01", "https://hub.example/api")
    assert wire.flavors(document["hardware"])[items[3]["name"]].usd_per_hour == 3


def test_equal_prices_change_nothing() -> None:
    assert refreshed(json.loads((ROOT / "src/hfspace/live/prices.json").read_text())["hardware"]) is None


@pytest.mark.parametrize("odd", [[], {}, "no", listing()[:3], [{"name": "x"}] * 40])
def test_an_answer_that_is_no_price_list_is_refused(odd: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        refreshed(odd)


# ------------------------------------------------------------------ commands, on a Hub without a price list


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalHub]:
    fault = {"path": "/api/spaces/hardware", "status": 404, "times": 100}
    space = {"hardware": "t4-small", "sleep_time": 3600}
    monkeypatch.chdir(tmp_path)
    (tmp_path / "spaces.yaml").write_text("version: 1\nspaces: {acme/x: {hardware: t4-small}}\n")
    with LocalHub(seed={"spaces": {"acme/x": space}, "hub": {"faults": [fault]}}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setenv("HF_TOKEN", hub.token)
        yield hub


@pytest.mark.parametrize(
    "command", ["plan", "status", "bill", "savings", "calendar", "report --html -", "plan --format markdown"]
)
def test_each_command_says_whose_prices_it_has(
    hub: LocalHub, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    run(command.split())
    assert SHIPPED.date in capsys.readouterr().out


@pytest.mark.parametrize("command", ["status", "bill", "savings", "calendar"])
def test_so_does_its_json(hub: LocalHub, capsys: pytest.CaptureFixture[str], command: str) -> None:
    run([command, "--format", "json"])
    assert json.loads(capsys.readouterr().out)["prices_of"] == SHIPPED.date
