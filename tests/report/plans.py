"""Plans for the tests of renderings: small worlds with every kind of difference in them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hfspace.manifest.models import SpaceSpec
from hfspace.model import Action, Change, Check, Cost, LocalInputs, ManifestRef, Plan, Source, Subject
from hfspace.planner.plan import plan as make_plan
from tests.unit import builders

HOSTILE = (
    "\x1b[2J\x1b]8;;http://evil.example\x07click\x1b]8;;\x07",
    "\x9b31mred",
    "two\nlines\r\nand\ttab\x00null\x7f",
    "\u202egnp.exe\u202c \u2066isolated\u2069 \u061c",
    "\u2028line\u2029paragraph",
    "zero\u200bwidth\ufeff\u00ad\u2060",
    "tag \U000e0041\U000e0042 and surrogate \ud800",
    "z\u0301\u0301\u0301\u0301\u0301\u0301\u0301algo",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "</code></td></tr></table></details><h1>out</h1>",
    "</style><script>alert(1)</script><!-- ",
    "`code` ``more`` ```fence\n```",
    "~~~\nfence",
    "| pipe | \\| table \\",
    "@octocat and @acme/team, someone@example.com",
    "#1 acme/repo#2 GH-3 da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "https://evil.example www.evil.example ftp://x mailto:a@b.example",
    "[link](javascript:alert(1)) ![img](https://evil.example/pixel.png) [ref]: http://x",
    "**bold** _it_ ~~no~~ :tada: $x^2$ $$y$$",
    "::error file=x::forged",
    '" onmouseover="alert(1)" \'',
    "&lt;b&gt; &#60;b&#62; &amp;",
    "- item\n# heading\n> quote\n1. one",
    "{{ github.token }} ${{ secrets.HF_TOKEN }}",
    "[red]rich markup[/red]",
)


SUBJECTS = {"existence": Subject.SPACE, "state": Subject.STAGE, "experiments": Subject.APP}


def change(space: str, facet: str, before: Any = None, after: Any = None, **values: Any) -> Change:
    key = values.get("key")
    address = f"{space}.{facet}" + (f".{key}" if key else "")
    fallback = Action.CREATE if before is None else Action.DELETE if after is None else Action.UPDATE
    action = values.pop("action", fallback)
    return Change(
        address=values.pop("address", address),
        space=space,
        facet=facet,
        subject=SUBJECTS.get(facet, Subject.SETTING),
        action=action,
        before=before,
        after=after,
        source=values.pop("source", Source(file="spaces.yaml", line=12, column=7)),
        **values,
    )


def create(space: str, settings: dict[str, Any], **values: Any) -> Change:
    return change(space, "existence", after=settings, address=space, **values)


def delete(space: str, settings: dict[str, Any], **values: Any) -> Change:
    return change(space, "existence", before=settings, address=space, effects=("stops",), **values)


def check(space: str, facet: str, severity: Any, message: str, hint: str = "", **values: Any) -> Check:
    return Check(
        address=values.pop("address", f"{space}.{facet}"),
        space=space,
        facet=facet,
        scope="policy" if facet == "policy" else "space",
        severity=severity,
        message=message,
        hint=hint,
        source=Source(file="spaces.yaml", line=30, column=5),
        **values,
    )


def cost(before: str = "0", after: str = "0", limit: str | None = None) -> Cost:
    return Cost(
        before_usd_per_hour=Decimal(before),
        after_usd_per_hour=Decimal(after),
        before_usd_per_month=Decimal(before) * 730,
        after_usd_per_month=Decimal(after) * 730,
        limit_usd_per_month=None if limit is None else Decimal(limit),
    )


def plan(*items: Change | Check, **values: Any) -> Plan:
    changes = tuple(item for item in items if isinstance(item, Change))
    checks = tuple(item for item in items if isinstance(item, Check))
    named = {item.space for item in items} - {""}
    defaults: dict[str, Any] = {
        "hub": "https://huggingface.co",
        "account": "alice",
        "role": "write",
        "manifest": ManifestRef(files=("spaces.yaml",), sha256="0" * 64),
        "declared": tuple(sorted(named | {"acme/calm", "acme/quiet"})),
        "cost": cost(),
        "requests": 3,
        "snapshot": dict.fromkeys(sorted(named), "f" * 32),
    }
    return Plan(changes=changes, checks=checks, **{**defaults, **values})


def everything() -> Plan:
    """Every facet, every action, every effect, a check of each severity, something ignored and unmanaged."""
    usd = Decimal
    space = "acme/whisper-demo"
    return plan(
        change(space, "visibility", "public", "private", effects=("hides",)),
        change(space, "variables", "1", None, key="DEBUG", effects=("restart",)),
        change(space, "variables", None, "openai/whisper-small", key="MODEL_ID", effects=("restart",)),
        change(space, "variables", {"value": "4", "description": None},
               {"value": "4", "description": "CPU threads"}, key="THREADS", note="description"),
        change(space, "secrets", key="HF_TOKEN", action=Action.UPDATE, sensitive=True, effects=("restart",)),
        change(space, "secrets", key="NEW", action=Action.CREATE, sensitive=True, effects=("restart",)),
        change(space, "secrets", key="OLD", action=Action.DELETE, sensitive=True, effects=("restart",)),
        change(space, "volumes", None,
               [{"source": "hf://buckets/acme/audio", "mount_path": "/data", "read_only": False}],
               action=Action.UPDATE, effects=("restart",)),
        change(space, "hardware", "cpu-basic", "t4-small", effects=("restart", "bills"),
               usd_per_hour_before=usd(0), usd_per_hour_after=usd("0.40")),
        change(space, "sleep_time", -1, 3600),
        change(space, "dev_mode", True, False),
        change(space, "restart", None, "2026-11-21", action=Action.RESTART, effects=("restart",)),
        change(space, "experiments", None, {"status": "running", "parameters": {"learning_rate": 2e-5}},
               key="smollm3-ft"),
        change("acme/notebook", "state", "RUNNING", "PAUSED", action=Action.PAUSE, effects=("stops",),
               usd_per_hour_before=usd("1.05"), usd_per_hour_after=usd(0)),
        change("acme/translate", "state", "PAUSED", "RUNNING", action=Action.RESTART,
               effects=("wakes", "bills"), usd_per_hour_before=usd(0), usd_per_hour_after=usd("0.03")),
        create("acme/new-demo", {
            "template": "SpacesExamples/jupyterlab", "sdk": "docker", "visibility": "private",
            "hardware": "cpu-upgrade", "sleep_time": 900, "variables": {"GREETING": "hello"},
            "secrets": ["HF_TOKEN"], "volumes": ["hf://buckets/acme/audio at /data"],
        }, usd_per_hour_after=usd("0.03"), effects=("bills",)),
        delete("acme/old-demo", {"sdk": "gradio", "hardware": "a10g-small", "visibility": "public"},
               usd_per_hour_before=usd("1.00")),
        check("acme/ocr", "stage", "warning", "RUNTIME_ERROR: CUDA out of memory. Reported only "
              "(on_error: report).", "See `hfspace logs acme/ocr`."),
        check("acme/gone", "existence", "error", "does not exist, or this token can't see it.",
              "Check the id and the token, or add `create: {}` to let apply create it.", address="acme/gone"),
        cost=cost("2.05", "0.46", "1500"),
        ignored=(change("acme/frozen", "hardware", "t4-small", "cpu-basic"),),
        unmanaged=("acme/left-over", "alice/scratch"),
    )  # fmt: skip


def over_budget() -> Plan:
    return plan(
        change("acme/big", "hardware", "cpu-basic", "a100x8", effects=("restart", "bills"),
               usd_per_hour_before=Decimal(0), usd_per_hour_after=Decimal("20.00")),
        check("", "policy", "error", "the ceiling after this plan is $14600.00 per month, over the limit of "
              "$150.00.", "Choose cheaper hardware, pause Spaces, or raise max_monthly_usd.",
              address="policy.max_monthly_usd"),
        cost=cost("0", "20", "150"),
    )  # fmt: skip


def hostile() -> Plan:
    """Every field that the Hub, an app or a manifest fills holds something that wants out of its cell."""
    changes = [
        change(f"acme/x{number}", "variables", f"before {text}", text, key=f"K {text}", note=text)
        for number, text in enumerate(HOSTILE)
    ]
    checks = [
        check(f"acme/x{number}", "stage", "error", text, text, address=f"acme/x{number}.{text}")
        for number, text in enumerate(HOSTILE)
    ]
    whole = create("acme/" + HOSTILE[0], dict.fromkeys(HOSTILE, HOSTILE[9]) | {"template": HOSTILE[2]})
    return plan(
        *changes,
        *checks,
        whole,
        hub=f"https://hub.example/{HOSTILE[8]}",
        account=HOSTILE[9],
        role=HOSTILE[3],
        manifest=ManifestRef(files=HOSTILE, sha256="0" * 64),
        unmanaged=HOSTILE,
        ignored=tuple(changes[:3]),
    )


def large(changes: int = 2_000) -> Plan:
    """A fleet: four changes a Space, three kinds of Space, one check in fifty."""
    items: list[Change | Check] = []
    for number in range(changes // 4):
        space = f"acme/space-{number:04}"
        price = {"usd_per_hour_before": Decimal(0), "usd_per_hour_after": Decimal("0.40")}
        items += [
            change(space, "hardware", "cpu-basic", "t4-small", effects=("restart", "bills"), **price),
            change(space, "sleep_time", -1, (900, 1800, 3600)[number % 3]),
            change(space, "visibility", "public", "private", effects=("hides",)),
            change(space, "variables", None, "info", key="LOG_LEVEL", effects=("restart",)),
        ]
        if number % 50 == 0:
            items.append(check(space, "endpoint", "warning", f"/predict{number} is not served."))
    return plan(*items, cost=cost("0", str(Decimal("0.40") * (changes // 4))), requests=4)


def varied(changes: int = 2_000) -> Plan:
    """A fleet in which no two Spaces change alike: nothing can be put together."""
    items = [
        change(
            f"acme/space-{number // 2:04}",
            ("hardware", "variables")[number % 2],
            "cpu-basic",
            f"flavor-{number}",
            key=None if number % 2 == 0 else "MODEL_ID",
        )
        for number in range(changes)
    ]
    return plan(*items, cost=cost("0", "12.5"), requests=4)


def with_hours() -> Plan:
    """What hours ask for on a Wednesday at 20:00, as the planner makes it."""
    office = [{"during": "Mon-Fri 08:00-19:00", "set": {"state": "running"}}]
    box = {"from": "2026-11-25T18:00", "until": "2026-11-26T12:00", "set": {"hardware": "a10g-small"}}
    spaces = {
        "night": {"state": "paused", "when": office},
        "held": {"state": "paused", "when": office},
        "demo": {"hardware": "cpu-upgrade", "when": [box]},
        "fresh": {"restart": {"every": "30 4 * * 1", "rebuild": True}},
        "warm": {"when": [{"during": "daily 06:00-22:00", "set": {"state": "awake"}}]},
    }
    world = builders.snapshot(
        builders.live("night", hardware="t4-small"),
        builders.live("held", hardware="t4-small", marks=("hfspace-hold-until-20261125T2100Z",)),
        builders.live("demo", hardware="cpu-upgrade"),
        builders.live("fresh"),
        builders.live("warm", stage="SLEEPING"),
    )
    declared = builders.manifest(**{name: SpaceSpec.model_validate(spec) for name, spec in spaces.items()})
    now = datetime(2026, 11, 25, 19, tzinfo=UTC).timestamp()
    return make_plan(replace(declared, timezone="Europe/Paris"), world, LocalInputs(now=now))
