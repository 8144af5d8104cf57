"""Between the Hub's JSON and our values. Stages and flavors pass through: the Hub may add some."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hfspace.live.fingerprint import split
from hfspace.loopback import is_loopback_url
from hfspace.model import NEVER, Account, CreateSource, Details, Flavor, Secret, SpaceState, Variable, Volume

_MINUTES_PER_HOUR = 60
_MICRO = 1_000_000
_DEAREST = 10**12
_LONGEST_SLEEP = 10**12
_LONGEST_TEXT = 1000


def account(raw: Mapping[str, Any]) -> Account:
    """GET /api/whoami-v2 (docs/hub-api.md section 11)."""
    listed = raw.get("orgs")
    orgs = [
        org
        for org in (listed if isinstance(listed, list) else [])
        if isinstance(org, Mapping) and _text(org.get("name"))
    ]
    return Account(
        name=_named(raw["name"]),
        role=_role(_object(raw.get("auth"))),
        can_pay=bool(raw.get("canPay")),
        is_pro=bool(raw.get("isPro")),
        orgs={org["name"]: str(org.get("roleInOrg", "")) for org in orgs},
        plans={org["name"]: str(org["plan"]) for org in orgs if org.get("plan")},
        payers=tuple(org["name"] for org in orgs if org.get("canPay")),
    )


def flavors(raw: Any) -> dict[str, Flavor]:
    """GET /api/spaces/hardware: prices are per minute, in micro USD (docs/hub-api.md section 5).

    An entry without a usable price is left out, as if it were not listed: it must not count as free.
    """
    if not isinstance(raw, list):
        raise TypeError("hardware is not a list")
    flavors = {item["name"]: _flavor(item) for item in raw if _is_priced(item)}
    if not flavors:
        raise ValueError("no hardware is listed")
    return flavors


def templates(raw: Any) -> dict[str, CreateSource]:
    """GET /api/spaces/templates; an odd entry is left out, as if it were not listed."""
    return {
        item["repoId"]: CreateSource(
            sdk=_text(item.get("sdk")),
            visibility="private" if item.get("preferredPrivate") is True else "public",
        )
        for item in raw["templates"]
        if isinstance(item, Mapping) and isinstance(item.get("repoId"), str)
    }


def space(raw: Any) -> SpaceState:
    """An item of a listing, or a Space read by itself (docs/hub-api.md sections 1 and 2)."""
    if not isinstance(raw, Mapping):
        raise TypeError("a Space is not an object")
    private = raw.get("private")
    state = SpaceState(
        id=_named(raw["id"]),
        entity=_text(raw.get("_id")),
        sdk=_text(raw.get("sdk")),
        visibility=_visibility(private),
        visibility_exact=private is False,
        sha=_text(raw.get("sha")),
        host=_url(raw.get("host")),
        subdomain=_text(raw.get("subdomain")),
    )
    runtime = raw.get("runtime")
    return state if runtime is None else with_runtime(state, runtime)


def card(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The settings at the top of the README; empty where they are odd."""
    return dict(_object(raw.get("cardData")))


def details(raw: Mapping[str, Any]) -> Details:
    """What a Space tells beside settings; whatever is odd in it is unknown."""
    values = card(raw)
    likes, tags = raw.get("likes"), raw.get("tags")
    return Details(
        title=_cut(_text(values.get("title"))),
        likes=likes if isinstance(likes, int) and not isinstance(likes, bool) else None,
        created=_time(raw.get("createdAt")),
        modified=_time(raw.get("lastModified")),
        sdk_version=_cut(str(values["sdk_version"])) if values.get("sdk_version") else None,
        base_path=_cut(_text(values.get("base_path"))),
        card=values,
        tags=tuple(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else (),
    )


def visibility(raw: Any) -> tuple[str, str] | None:
    """The id of a Space and its visibility, of an item of an owner's repository settings."""
    item = _object(raw)
    name, value = _text(item.get("id")), _text(item.get("visibility"))
    return (name, value) if name and value and item.get("type", "space") == "space" else None


def with_runtime(state: SpaceState, raw: Mapping[str, Any]) -> SpaceState:
    """`state` with the runtime object's fields. Absent fields of a paused Space are unknown, not empty
    (docs/hub-api.md section 3)."""
    if not isinstance(raw, Mapping):
        raise TypeError("runtime is not an object")
    hardware = raw.get("hardware")
    if not isinstance(hardware, Mapping | None):
        raise TypeError("hardware is not an object")
    hardware = hardware or {}
    stage = _word(raw.get("stage"))
    requested, current = _word(hardware.get("requested")), _word(hardware.get("current"))
    replicas = _object(raw.get("replicas"))
    return replace(
        state,
        stage=stage,
        error_message=_cut(_text(raw.get("errorMessage"))),
        hardware=requested or current,
        hardware_current=current,
        sleep_time=_sleep_time(raw, stage),
        dev_mode=raw["devMode"] if isinstance(raw.get("devMode"), bool) else None,
        replicas=replicas["current"] if isinstance(replicas.get("current"), int) else None,
        runtime_sha=_text(raw.get("sha")),
        volumes=_volumes(raw.get("volumes")),
        host=state.host or _host(raw.get("domains")),
    )


def variables(raw: Mapping[str, Any]) -> dict[str, Variable]:
    """GET …/variables (docs/hub-api.md section 6)."""
    return {key: _variable(item) for key, item in raw.items()}


def secrets(raw: Mapping[str, Any]) -> dict[str, Secret]:
    """GET …/secrets: never a value (docs/hub-api.md section 6)."""
    return {key: _secret(item) for key, item in raw.items()}


def to_volume(volume: Volume) -> Any:
    from huggingface_hub import Volume as HubVolume

    return HubVolume(
        type=volume.type,
        source=volume.source,
        mount_path=volume.mount_path,
        read_only=volume.read_only,
        revision=volume.revision,
        path=volume.path,
    )


def to_pair(key: str, variable: Variable) -> dict[str, str]:
    pair = {"key": key, "value": variable.value}
    return {**pair, "description": variable.description} if variable.description else pair


def _variable(item: Mapping[str, Any]) -> Variable:
    if not isinstance(item["value"], str):
        raise TypeError("the value of a variable is not text")
    return Variable(value=item["value"], description=_text(item.get("description")))


def _secret(item: Mapping[str, Any]) -> Secret:
    own, mark = split(_text(item.get("description")))
    return Secret(description=own, fingerprint=mark)


def _time(value: object) -> str | None:
    try:
        return datetime.fromisoformat(_text(value) or "").astimezone(UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError):
        return None


def _role(auth: Mapping[str, Any]) -> str:
    token = auth.get("accessToken")
    if isinstance(token, Mapping):
        return str(token.get("role", "unknown"))
    return "oauth" if "oauth" in str(auth.get("type", "")).lower() else str(auth.get("type", "unknown"))


def _is_priced(item: object) -> bool:
    if not isinstance(item, Mapping) or not isinstance(item.get("name"), str):
        return False
    price = item.get("unitCostMicroUSD")
    return isinstance(price, int | float) and not isinstance(price, bool) and 0 <= price < _DEAREST


def _flavor(item: Mapping[str, Any]) -> Flavor:
    per_hour = Decimal(int(item["unitCostMicroUSD"])) * _MINUTES_PER_HOUR / _MICRO
    accelerator = item.get("accelerator")
    return Flavor(
        name=item["name"],
        pretty_name=str(item.get("prettyName") or item["name"]),
        usd_per_hour=_cents(per_hour),
        cpu=str(item.get("cpu") or ""),
        ram=str(item.get("ram") or ""),
        accelerator=_accelerator(accelerator) if isinstance(accelerator, Mapping) else "",
    )


def _cents(usd: Decimal) -> Decimal:
    """Prices are whole cents per hour; the Hub gives micro USD per minute, rounded."""
    rounded = usd.quantize(Decimal("0.01"))
    return rounded if abs(rounded - usd) < Decimal("0.0005") else usd


def _accelerator(raw: Mapping[str, Any]) -> str:
    return " ".join(str(raw[key]) for key in ("quantity", "model", "vram") if raw.get(key))


def _visibility(private: object) -> str | None:
    if not isinstance(private, bool):
        return None
    return "private" if private else "public"


def _sleep_time(raw: Mapping[str, Any], stage: str | None) -> int | None:
    value = raw.get("gcTimeout")
    if value is not None:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return int(value) if number and (value == NEVER or 0 < value < _LONGEST_SLEEP) else None
    # Absent or null reads 'never', but a Space paused for long reports none (docs/hub-api.md section 3).
    return None if stage in {"PAUSED", None} else NEVER


def _volumes(raw: object) -> tuple[Volume, ...] | None:
    if not isinstance(raw, list):
        return None
    if not all(isinstance(item, Mapping) for item in raw):
        raise TypeError("a volume is not an object")
    return tuple(_volume(item) for item in raw)


def _volume(item: Mapping[str, Any]) -> Volume:
    source = _text(item.get("source"))
    return Volume(
        type=str(item.get("type", "")),
        # The Hub masks what the token may not see as ****/****** (docs/hub-api.md section 7).
        source=None if source is None or "*" in source else source,
        mount_path=str(item.get("mountPath", "")),
        read_only=item.get("readOnly"),
        revision=_text(item.get("revision")),
        path=_text(item.get("path")),
    )


def _host(domains: object) -> str | None:
    """The address of the Space's own domain, which a listing names without a scheme: https, but for an app
    on this machine, which a local Hub names."""
    for item in domains if isinstance(domains, list) else []:
        if isinstance(item, Mapping) and item.get("stage") == "READY" and not item.get("isCustom"):
            domain = str(item.get("domain") or "")
            return _url(f"{'http' if is_loopback_url(f'//{domain}') else 'https'}://{domain}")
    return None


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str | None:
    """Text that is only shown: anything else is as if it were not there."""
    return value if isinstance(value, str) else None


def _word(value: object) -> str | None:
    """Text that a plan depends on. Raises TypeError: what is misread here would be changed."""
    if value is not None and not isinstance(value, str):
        raise TypeError("not a word")
    return value or None


def _named(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError("not a name")
    return value


def _url(value: object) -> str | None:
    """An address that a token may be sent to: http or https, with a host."""
    text = _text(value) or ""
    return text if re.match(r"https?://[A-Za-z0-9\[]", text) else None


def _cut(text: str | None) -> str | None:
    return text if text is None or len(text) <= _LONGEST_TEXT else text[:_LONGEST_TEXT] + "…"
