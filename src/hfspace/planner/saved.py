"""Saved plans: written whole or not at all, checked when read, refused when the world has moved."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from hfspace.errors import PlanFileError, UsageError
from hfspace.files import read_limited, write_atomically
from hfspace.model import Plan
from hfspace.planner.codec import FORMAT_VERSION, from_json, to_json

_LARGEST = 256 * 1024 * 1024


def save(plan: Plan, path: Path) -> None:
    """Write `plan`, readable by its owner only. Raises UsageError when the file can't be written."""
    body = to_json(plan)
    text = json.dumps({**body, "checksum": _checksum(body)}, indent=1, ensure_ascii=False)
    try:
        write_atomically(path, text, mode=0o600)
    except OSError as error:
        raise UsageError(f"The plan can't be saved to {path}: {error.strerror}.") from None


def load(path: Path) -> Plan:
    """The plan in a file. Raises PlanFileError with what is wrong with it."""
    raw = _json(path)
    version = raw.get("format_version")
    if not isinstance(version, int) or "changes" not in raw:
        raise PlanFileError(f"{path} is not a plan.", hint="Make one with `hfspace plan --out FILE`.")
    if version > FORMAT_VERSION:
        raise PlanFileError(
            f"{path} was made by a newer hfspace (format {version}, this one reads {FORMAT_VERSION}).",
            hint="Upgrade hfspace, or make the plan again.",
        )
    checksum = raw.pop("checksum", None)
    if checksum != _checksum(raw):
        raise PlanFileError(f"{path} is damaged or was edited.", hint="Make the plan again.")
    try:
        return from_json(raw)
    except (KeyError, TypeError, ValueError, ArithmeticError):
        raise PlanFileError(f"{path} is damaged.", hint="Make the plan again.") from None


def over(plan: Plan) -> str:
    """Until when a plan held that the hours of its manifest have ended."""
    return f"the hours of the manifest asked for it until {plan.valid_until}"


def why_stale(saved: Plan, fresh: Plan, now: float) -> list[str]:
    """What moved since `saved` was made; empty when it still holds at `now`, in seconds since 1970. Only
    Spaces that it touches count."""
    moved = [over(saved)] if saved.is_over(now) else []
    if saved.at is not None:
        moved.append(f"it is the plan of {saved.at}, which is only looked at")
    if saved.hub != fresh.hub:
        moved.append(f"it was made for {saved.hub}, and this is {fresh.hub}")
    if saved.account != fresh.account:
        moved.append(f"it was made as {saved.account or 'nobody'}, and this is {fresh.account or 'nobody'}")
    if saved.manifest.sha256 != fresh.manifest.sha256:
        moved.append(f"the manifest changed ({', '.join(fresh.manifest.files)})")
    for space in sorted({change.space for change in saved.changes}):
        before, after = saved.snapshot.get(space), fresh.snapshot.get(space)
        if before != after:
            what = "was created" if before is None else "is gone" if after is None else "changed on the Hub"
            moved.append(f"{space} {what}")
    return moved


def _json(path: Path) -> dict[str, Any]:
    try:
        raw = json.loads(read_limited(path, _LARGEST))
    except FileNotFoundError:
        raise PlanFileError(
            f"There is no file {path}.", hint="Make one with `hfspace plan --out FILE`."
        ) from None
    except OSError as error:
        raise PlanFileError(f"{path} can't be read: {error.strerror}.") from None
    except (ValueError, RecursionError):
        raise PlanFileError(
            f"{path} is not a plan (not JSON).", hint="Make one with `hfspace plan --out`."
        ) from None
    if not isinstance(raw, dict):
        raise PlanFileError(f"{path} is not a plan.", hint="Make one with `hfspace plan --out FILE`.")
    return raw


def _checksum(body: dict[str, Any]) -> str:
    text = json.dumps(body, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
