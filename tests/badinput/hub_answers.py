"""What a Hub, a proxy or a Hub of the future may answer, at each of the places that a plan reads."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Json = Any
HOSTILE = "\x1b[31mred\x1b]0;title\x07\u202e\u2066\n::error::x\r\x00<script>alert(1)</script>[bold]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One HTTP answer. `promised` is the Content-Length, where it is not that of the body."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    promised: int | None = None


def of(value: Json, **more: Any) -> Answer:
    return Answer(body=json.dumps(value).encode(), **more)


SPACE = {
    "_id": "0123456789abcdef01234567",
    "id": "acme/a",
    "author": "acme",
    "sdk": "gradio",
    "private": False,
    "sha": "a" * 40,
    "subdomain": "acme-a",
    "host": "https://acme-a.hf.space",
    "runtime": {
        "stage": "RUNNING",
        "hardware": {"current": "t4-small", "requested": "t4-small"},
        "gcTimeout": 3600,
        "replicas": {"current": 1, "requested": 1},
        "devMode": False,
        "domains": [{"domain": "acme-a.hf.space", "stage": "READY"}],
        "sha": "a" * 40,
    },
}
ME = {
    "type": "user",
    "name": "alice",
    "canPay": True,
    "isPro": True,
    "orgs": [{"name": "acme", "roleInOrg": "admin", "plan": "team", "canPay": True}],
    "auth": {"type": "access_token", "accessToken": {"displayName": "t", "role": "write"}},
}
HARDWARE = [
    {"name": "cpu-basic", "prettyName": "CPU basic", "cpu": "2 vCPU", "ram": "16 GB", "unitCostMicroUSD": 0},
    {
        "name": "t4-small",
        "prettyName": "Nvidia T4 - small",
        "cpu": "4 vCPU",
        "ram": "15 GB",
        "accelerator": {"type": "gpu", "model": "T4", "quantity": "1", "vram": "16 GB"},
        "unitCostMicroUSD": 6667,
    },
]  # fmt: skip
VARIABLES = {"MODEL": {"key": "MODEL", "value": "small", "updatedAt": "2026-01-01T00:00:00.000Z"}}
SECRETS = {"KEY": {"key": "KEY", "description": None, "updatedAt": "2026-01-01T00:00:00.000Z"}}

PLACES: dict[str, Json] = {
    "whoami": ME,
    "hardware": HARDWARE,
    "listing": [SPACE, {**SPACE, "id": "acme/b"}, {**SPACE, "id": "acme/c"}],
    "space": SPACE,
    "variables": VARIABLES,
    "secrets": SECRETS,
}

_GOOD = json.dumps(SPACE).encode()
BODIES: dict[str, Callable[[bytes], Answer]] = {
    "html": lambda good: Answer(
        body=b"<!DOCTYPE html><html><title>Sign in</title></html>", headers={"Content-Type": "text/html"}
    ),
    "html_error": lambda good: Answer(
        body=b"<html><h1>502 Bad Gateway</h1></html>", status=502, headers={"Content-Type": "text/html"}
    ),
    "empty": lambda good: Answer(body=b""),
    "no_content": lambda good: Answer(body=b"", status=204),
    "truncated": lambda good: Answer(body=good[: len(good) // 2]),
    "cut_off": lambda good: Answer(body=good[: len(good) // 2], promised=len(good)),
    "null": lambda good: of(None),
    "number": lambda good: of(42),
    "text": lambda good: of("ok"),
    "swapped": lambda good: of([good.decode()] if good[:1] == b"{" else {"items": good.decode()}),
    "empty_object": lambda good: of({}),
    "list_of_null": lambda good: of([None]),
    "not_utf_8": lambda good: Answer(body=good[:-1] + b'\xff\xfe"' + good[-1:]),
    "deep": lambda good: Answer(body=b"[" * 200_000 + b"]" * 200_000),
    "long": lambda good: Answer(body=good + b" " * 20_000_000),
    "duplicate_keys": lambda good: Answer(
        body=good.replace(b'"id": "acme/a"', b'"id": "x/y", "id": "acme/a"')
    ),
    "hostile_error": lambda good: of({"error": HOSTILE}, status=400),
    "hostile_header": lambda good: Answer(
        body=b"", status=400, headers={"X-Error-Message": "\x1b[31mred\x1b[0m"}
    ),
    "error_object": lambda good: of({"error": {"code": 7, "message": ["a", {"b": None}]}}, status=422),
    "teapot": lambda good: of({"error": "I'm a teapot"}, status=418),
    "future_status": lambda good: of({"error": "later"}, status=799),
}


def changed(value: Json, *path: Any, to: Json = ...) -> Json:
    """`value` with what is at `path` replaced, or removed without `to`."""
    made = copy.deepcopy(value)
    at = made
    for key in path[:-1]:
        at = at[key]
    if to is ...:
        del at[path[-1]]
    else:
        at[path[-1]] = to
    return made


def _space(*path: Any, to: Json = ...) -> tuple[str, Answer]:
    return "space", of(changed(SPACE, *path, to=to))


def _hardware(*path: Any, to: Json = ...) -> tuple[str, Answer]:
    return "hardware", of(changed(HARDWARE, *path, to=to))


def _me(*path: Any, to: Json = ...) -> tuple[str, Answer]:
    return "whoami", of(changed(ME, *path, to=to))


SINGLE: dict[str, tuple[str, Answer]] = {
    "stage_of_the_future": _space("runtime", "stage", to="HIBERNATING"),
    "stage_hostile": _space("runtime", "stage", to=HOSTILE),
    "stage_null": _space("runtime", "stage", to=None),
    "stage_number": _space("runtime", "stage", to=7),
    "stage_list": _space("runtime", "stage", to=["RUNNING"]),
    "stage_missing": _space("runtime", "stage"),
    "runtime_null": _space("runtime", to=None),
    "runtime_text": _space("runtime", to="RUNNING"),
    "runtime_empty": _space("runtime", to={}),
    "runtime_missing": _space("runtime"),
    "hardware_of_the_future": _space("runtime", "hardware", to={"current": "b300x8", "requested": "b300x8"}),
    "hardware_null": _space("runtime", "hardware", to=None),
    "hardware_text": _space("runtime", "hardware", to="t4-small"),
    "hardware_numbers": _space("runtime", "hardware", to={"current": 4, "requested": [1]}),
    "hardware_hostile": _space("runtime", "hardware", "requested", to=HOSTILE),
    "sleep_text": _space("runtime", "gcTimeout", to="1h"),
    "sleep_huge": _space("runtime", "gcTimeout", to=10**30),
    "sleep_fraction": _space("runtime", "gcTimeout", to=3600.7),
    "sleep_nan": ("space", Answer(body=_GOOD.replace(b"3600", b"NaN"))),
    "sleep_infinite": ("space", Answer(body=_GOOD.replace(b"3600", b"Infinity"))),
    "sleep_object": _space("runtime", "gcTimeout", to={"seconds": 1}),
    "sleep_negative": _space("runtime", "gcTimeout", to=-7),
    "replicas_text": _space("runtime", "replicas", to="auto"),
    "replicas_of_text": _space("runtime", "replicas", to={"current": "one"}),
    "domains_numbers": _space("runtime", "domains", to=[1, None, {"stage": "READY"}]),
    "domains_object": _space("runtime", "domains", to={"domain": "x"}),
    "volumes_text": _space("runtime", "volumes", to="none"),
    "volumes_of_numbers": _space("runtime", "volumes", to=[1, {"type": 4, "source": [], "mountPath": None}]),
    "dev_mode_text": _space("runtime", "devMode", to="no"),
    "error_message_object": _space(
        "runtime", to={**SPACE["runtime"], "stage": "RUNTIME_ERROR", "errorMessage": {"code": 1}}
    ),
    "error_message_hostile": _space(
        "runtime", to={**SPACE["runtime"], "stage": "BUILD_ERROR", "errorMessage": HOSTILE * 50}
    ),
    "sdk_of_the_future": _space("sdk", to="marimo"),
    "sdk_hostile": _space("sdk", to=HOSTILE),
    "private_text": _space("private", to="protected"),
    "private_null": _space("private", to=None),
    "id_of_another": _space("id", to="acme/other"),
    "id_null": _space("id", to=None),
    "id_missing": _space("id"),
    "id_hostile": _space("id", to="acme/" + HOSTILE),
    "host_hostile": _space("host", to="javascript:alert(1)"),
    "host_number": _space("host", to=80),
    "sha_object": _space("sha", to={}),
    "more_keys": _space("quantum", to={"entangled": True}),
    "price_null": _hardware(1, "unitCostMicroUSD", to=None),
    "price_text": _hardware(1, "unitCostMicroUSD", to="cheap"),
    "price_fraction": _hardware(1, "unitCostMicroUSD", to=6666.67),
    "price_negative": _hardware(1, "unitCostMicroUSD", to=-5),
    "price_huge": _hardware(1, "unitCostMicroUSD", to=10**40),
    "price_missing": _hardware(1, "unitCostMicroUSD"),
    "price_nan": (
        "hardware", Answer(body=json.dumps(HARDWARE).encode().replace(b"6667", b"NaN")),
    ),
    "flavor_without_name": _hardware(1, "name"),
    "flavor_name_number": _hardware(1, "name", to=4),
    "flavor_name_hostile": _hardware(0, "name", to=HOSTILE),
    "flavor_missing": _hardware(1),
    "flavors_none": ("hardware", of([])),
    "accelerator_text": _hardware(1, "accelerator", to="T4"),
    "accelerator_null": _hardware(1, "accelerator", to=None),
    "accelerator_nested": _hardware(1, "accelerator", to={"model": {"a": []}, "quantity": None}),
    "role_of_the_future": _me("auth", "accessToken", "role", to="superWrite"),
    "role_hostile": _me("auth", "accessToken", "role", to=HOSTILE),
    "role_missing": _me("auth", "accessToken", "role"),
    "auth_null": _me("auth", to=None),
    "auth_text": _me("auth", to="token"),
    "auth_of_the_future": _me("auth", to={"type": "passkey"}),
    "orgs_null": _me("orgs", to=None),
    "orgs_text": _me("orgs", to="acme"),
    "orgs_of_numbers": _me("orgs", to=[1, {"name": 5}, {"name": None}]),
    "name_missing": _me("name"),
    "name_null": _me("name", to=None),
    "name_hostile": _me("name", to=HOSTILE),
    "plan_of_the_future": _me("orgs", 0, "plan", to="galactic"),
    "variable_null": ("variables", of({"MODEL": None})),
    "variable_value_null": ("variables", of({"MODEL": {"key": "MODEL", "value": None}})),
    "variable_value_number": ("variables", of({"MODEL": {"key": "MODEL", "value": 5}})),
    "variable_value_object": ("variables", of({"MODEL": {"key": "MODEL", "value": {"a": 1}}})),
    "variable_value_hostile": ("variables", of({"MODEL": {"key": "MODEL", "value": HOSTILE}})),
    "variable_key_hostile": ("variables", of({HOSTILE: {"key": HOSTILE, "value": "x"}})),
    "variable_without_value": ("variables", of({"MODEL": {"key": "MODEL"}})),
    "variable_date_odd": ("variables", of(changed(VARIABLES, "MODEL", "updatedAt", to="yesterday"))),
    "variables_many": (
        "variables", of({f"V{n}": {"key": f"V{n}", "value": "x"} for n in range(5000)}),
    ),
    "secret_null": ("secrets", of({"KEY": None})),
    "secret_description_number": ("secrets", of({"KEY": {"key": "KEY", "description": 5}})),
    "secret_description_hostile": ("secrets", of({"KEY": {"key": "KEY", "description": HOSTILE}})),
    "secret_mark_broken": ("secrets", of({"KEY": {"key": "KEY", "description": "x [hfspace:v1:zz:!!]"}})),
    "secret_date_odd": ("secrets", of(changed(SECRETS, "KEY", "updatedAt", to=5))),
    "listing_of_others": ("listing", of([{**SPACE, "id": f"acme/x{n}"} for n in range(50)])),
    "listing_twice": ("listing", of([SPACE, SPACE, {**SPACE, "id": "acme/b"}, {**SPACE, "id": "acme/c"}])),
    "listing_one_is_null": ("listing", of([SPACE, None])),
    "listing_one_is_broken": ("listing", of([SPACE, {"id": "acme/b", "runtime": 5}, {"sdk": "gradio"}])),
    "listing_link_broken": (
        "listing", of([SPACE], headers={"Content-Type": "application/json", "Link": "<::::>; rel=\"next\""}),
    ),
    "listing_link_to_a_file": (
        "listing",
        of([SPACE], headers={"Content-Type": "text/json", "Link": "<file:///etc/passwd>; rel=\"next\""}),
    ),
}  # fmt: skip
