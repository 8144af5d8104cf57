"""Changing a Space's runtime: hardware, sleep time, pause, restart, dev mode, replicas, volumes."""

from __future__ import annotations

from typing import Any

from hfspace.localhub import groups, hardware, ledger, machine, repo, rules, wire
from hfspace.localhub.machine import FREE, FREE_SLEEP, Doc
from hfspace.localhub.routes.call import SPACE, Call, route
from hfspace.localhub.wire import Answer, Refused

_VOLUME_TYPES = ("bucket", "model", "dataset", "space")
_VOLUME_KEYS = frozenset({"type", "source", "mountPath", "revision", "readOnly", "path"})


def changed(call: Call, doc: Doc) -> Answer:
    """Save, and answer with the runtime, as all of these requests do."""
    call.world.save(doc)
    return Answer(body=wire.runtime(doc, call.world.view(call.base), fresh=True), effect=True)


def _open(call: Call, what: str) -> Doc:
    """The Space, if it may be changed and is not static."""
    doc = call.world.writable(call.who, call.space, doing=call.doing)
    if doc["sdk"] == "static":
        raise Refused(400, f"Static Spaces can't be {what}")
    return doc


def set_hardware(call: Call) -> Answer:
    doc = _open(call, "given hardware")
    body = call.json()
    flavor = flavor_of(body.get("flavor"), "flavor")
    sleep = body.get("sleepTimeSeconds")
    seconds = None if sleep is None else seconds_of(sleep, "sleepTimeSeconds")
    check_zero_gpu(doc["sdk"], flavor)
    if flavor != doc["requested"]:
        owner = doc["id"].split("/")[0]
        others = call.world.store.docs().values()
        rules.check_flavor(call.world.seed, owner, flavor, others, creating=False)
        groups.check(call.world.store, doc, flavor, call.world.now)
        _move(call, doc, flavor)
    if seconds is not None and flavor not in FREE:
        doc["sleep_time"] = seconds
    return changed(call, doc)


def _move(call: Call, doc: Doc, flavor: str) -> None:
    switches = call.world.seed.hub.switches
    doc["requested"] = flavor
    if flavor in FREE:
        doc["sleep_time"] = FREE_SLEEP
    elif switches.hardware_resets_sleep or doc["sleep_time"] == FREE_SLEEP:
        doc["sleep_time"] = machine.NEVER
    doc["replicas"] = "auto" if flavor == "zero-a10g" else 1 if doc["replicas"] == "auto" else doc["replicas"]
    wakes = switches.hardware_change_wakes_paused
    coalesce = switches.coalesce_restarts
    doc["wakes_after"] = switches.change_wakes_after_reads
    machine.hardware_changed(doc, call.world.now, wakes_paused=wakes, coalesce=coalesce)


def flavor_of(value: object, where: str) -> str:
    flavor = hardware.known(value)
    if flavor is None:
        options = "|".join(f'"{name}"' for name in hardware.names())
        raise Refused(400, f"✖ Invalid option: expected one of {options} → at {where}")
    return flavor


def check_zero_gpu(sdk: str, flavor: str | None) -> None:
    if flavor == "zero-a10g" and sdk != "gradio":
        raise Refused(400, "ZeroGPU is only available to Gradio Spaces")


def set_sleep(call: Call) -> Answer:
    doc = _open(call, "put to sleep")
    seconds = seconds_of(call.json().get("seconds"), "seconds")
    if doc["requested"] in FREE:
        if call.world.seed.hub.switches.sleeptime_on_free == "error":
            raise Refused(400, "Sleep time is not configurable on free hardware")
        return Answer(body=wire.runtime(doc, call.world.view(call.base)))
    if doc["stage"] == "PAUSED" and call.world.seed.hub.switches.sleep_time_when_paused == "refuse":
        raise Refused(400, "Sleep time can't be set while the Space is paused")
    doc["sleep_time"] = seconds
    return changed(call, doc)


def seconds_of(value: object, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not (value > 0 or value == -1):
        raise Refused(400, f"✖ Invalid input: expected an integer above 0, or -1 → at {where}")
    return value


def pause(call: Call) -> Answer:
    doc = _open(call, "paused")
    machine.pause(doc, call.world.now)
    return changed(call, doc)


def restart(call: Call) -> Answer:
    doc = _open(call, "restarted")
    world = call.world
    idle = not (machine.is_up(doc) or machine.is_moving(doc))
    if idle:
        rules.check_cpu_quota(world.seed, doc, world.store.docs().values(), world.now)
        groups.check(world.store, doc, doc["requested"], world.now)
        doc["limited"] = None
    doc["restart_calls"] += 1
    doc["restarts"] += 1
    if not repo.has_app(doc):
        return changed(call, doc)
    lag = world.seed.hub.switches.restart_lag if idle else 0
    machine.start(doc, world.now, factory=call.flag("factory"), lag=lag)
    return changed(call, doc)


def dev_mode(call: Call) -> Answer:
    doc = _open(call, "put into dev mode")
    enabled = call.json().get("enabled")
    if not isinstance(enabled, bool):
        raise Refused(400, "✖ Invalid input: expected boolean → at enabled")
    if enabled:
        rules.check_plan(call.world.seed, doc["id"].split("/")[0], "Dev mode")
    if enabled != doc["dev_mode"]:
        doc["dev_mode"] = enabled
        call.world.restarted(doc)
    return changed(call, doc)


def replicas(call: Call) -> Answer:
    """Only on paid hardware; each replica is billed."""
    doc = _open(call, "given replicas")
    count = call.json().get("replicas")
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= 100:
        raise Refused(400, "✖ Invalid input: expected an integer from 1 to 100 → at replicas")
    if doc["requested"] in FREE:
        raise Refused(400, "Replicas are only available on paid hardware")
    doc["replicas"] = count
    ledger.meter(doc, call.world.now)
    return changed(call, doc)


def custom_domain(call: Call) -> Answer:
    doc = _open(call, "given a domain")
    domain = call.json().get("domain")
    if not isinstance(domain, str) or "." not in domain:
        raise Refused(400, "✖ Invalid domain → at domain")
    rules.check_plan(call.world.seed, doc["id"].split("/")[0], "A custom domain")
    if doc["visibility"] == "private":
        raise Refused(400, "Custom domains are only available to public and protected Spaces")
    doc["domains"] = [*doc["domains"], domain]
    return changed(call, doc)


def set_volumes(call: Call) -> Answer:
    doc = _open(call, "given volumes")
    doc["volumes"] = volumes_of(call.json().get("volumes"), least=1)
    call.world.restarted(doc)
    return changed(call, doc)


def volumes_of(raw: object, *, least: int = 0) -> list[dict[str, Any]]:
    """Checked as the published description says. Raises Refused."""
    if not isinstance(raw, list) or len(raw) < least:
        raise Refused(400, f"✖ Too small: expected array to have >={least} items → at volumes")
    for place, item in enumerate(raw):
        problem = _volume_problem(item)
        if problem:
            raise Refused(400, f"✖ {problem[1]} → at volumes[{place}].{problem[0]}")
    paths = [item["mountPath"].rstrip("/") for item in raw]
    if len(set(paths)) != len(paths):
        raise Refused(400, "✖ Volumes must have different mount paths → at volumes")
    return [repo.volume({key: value for key, value in item.items() if key in _VOLUME_KEYS}) for item in raw]


def _volume_problem(item: object) -> tuple[str, str] | None:
    if not isinstance(item, dict):
        return "", "Invalid input: expected object"
    if item.get("type") not in _VOLUME_TYPES:
        return "type", 'Invalid option: expected one of "bucket"|"model"|"dataset"|"space"'
    if not isinstance(item.get("source"), str) or item["source"].count("/") != 1:
        return "source", "Invalid input: expected owner/name"
    if not isinstance(item.get("mountPath"), str) or not item["mountPath"].startswith("/"):
        return "mountPath", "Invalid string: must match pattern /^\\/.*/"
    if not isinstance(item.get("readOnly", False), bool):
        return "readOnly", "Invalid input: expected boolean"
    return None


def delete_volumes(call: Call) -> Answer:
    doc = _open(call, "without volumes")
    if not doc["volumes"]:
        raise Refused(400, "No volumes attached to this Space")
    doc["volumes"] = []
    call.world.restarted(doc)
    return changed(call, doc)


ROUTES = (
    route("POST", f"{SPACE}/hardware", set_hardware),
    route("POST", f"{SPACE}/sleeptime", set_sleep),
    route("POST", f"{SPACE}/pause", pause),
    route("POST", f"{SPACE}/restart", restart),
    route("POST", f"{SPACE}/dev-mode", dev_mode),
    route("POST", f"{SPACE}/replicas", replicas),
    route("POST", f"{SPACE}/custom-domain", custom_domain),
    route("PUT", f"{SPACE}/volumes", set_volumes),
    route("DELETE", f"{SPACE}/volumes", delete_volumes),
)
