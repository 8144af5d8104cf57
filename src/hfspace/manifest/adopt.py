"""A manifest written from live Spaces: what it declares is what is there, so its first plan is empty."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from hfspace.manifest.references import UNPRINTABLE
from hfspace.manifest.rules import is_flavor, is_key
from hfspace.manifest.values import format_duration, parse_volume_source
from hfspace.model import (
    FREE_HARDWARE,
    HOURS_PER_MONTH,
    KEPT_VARIABLES,
    NEVER,
    RESTART_VARIABLE,
    SpaceState,
    Variable,
    Volume,
)
from hfspace.text import plain

SCHEMA_LINE = "# yaml-language-server: $schema=./spaces.schema.json\n"
STARTER = (
    SCHEMA_LINE
    + """version: 1

# Guardrails: a plan that breaks one is refused.
policy:
  max_monthly_usd: 150        # ceiling of all of this, as if always on
  require_sleep_time: true    # paid hardware must go to sleep at some time
  max_deletes: 0              # Spaces that one apply may delete

# What goes under every Space below that says nothing else, also under those that exist already.
# defaults:
#   sleep_time: 1h

spaces:
  {}
  # owner/name:               # remove the line above, and declare your first Space
  #   sdk: gradio
  #   hardware: t4-small      # `hfspace plan` shows what it costs
  #   sleep_time: 1h
  #   state: running
  #   variables:
  #     MODEL_ID: openai/whisper-small
  #   secrets:
  #     HF_TOKEN: {env: WHISPER_HF_TOKEN}   # where the value comes from; never the value
  #   create: {}              # may be created when it is missing
"""
)
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*")
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff]")
_STAYS = frozenset({"RUNNING", "SLEEPING", "RUNNING_BUILDING", "RUNNING_APP_STARTING"})
_TRAPS = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n", "null"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One Space to adopt. `problem` says why less is known of it than there is; `folder` is where its files
    are, as the manifest names it."""

    state: SpaceState
    problem: str = ""
    folder: str = ""


def manifest_of(spaces: Sequence[Found], prices: Mapping[str, Decimal] | None = None) -> str:
    """The text of a manifest that declares these Spaces as they are. `prices`: USD per hour by hardware."""
    ordered = sorted(spaces, key=lambda one: one.state.id.lower())
    bodies = {one.state.id: list(_space(one, prices or {})) for one in ordered}
    lines = [SCHEMA_LINE.rstrip(), "version: 1", ""]
    if defaults := _common(ordered, bodies):
        lines += ["defaults:", *(f"  {line}" for line in defaults), ""]
    lines.append("spaces:")
    if not spaces:
        lines.append("  {}")
    for one in ordered:
        body = [line for line in bodies[one.state.id] if line not in defaults]
        empty = all(line.lstrip().startswith("#") for line in body)
        lines.append(f"  {one.state.id}:{' {}' if empty else ''}")
        lines += [f"    {line}" for line in body]
    return "\n".join(lines) + "\n"


def _common(spaces: Sequence[Found], bodies: Mapping[str, Sequence[str]]) -> list[str]:
    """The lines that most Spaces share, of the keys that every Space says which a default would reach."""
    lines = []
    for name in ("sdk", "visibility", "hardware", "sleep_time", "state"):
        of = {space: line for space, body in bodies.items() for line in body if line.startswith(f"{name}: ")}
        reached = {one.state.id for one in spaces if name in {"sdk", "visibility"} or not one.state.is_static}
        if name == "sleep_time":
            reached -= {one.state.id for one in spaces if one.state.hardware in FREE_HARDWARE}
        line, count = (Counter(of.values()).most_common(1) or [("", 0)])[0]
        if count >= 2 and reached == set(of) and line != "sdk: static":
            lines.append(line)
    return lines


def _space(one: Found, prices: Mapping[str, Decimal]) -> Iterator[str]:
    state = one.state
    if one.problem:
        yield f"# {_comment(one.problem)}"
    if state.sdk in {"gradio", "docker", "static", "streamlit"}:
        yield f"sdk: {state.sdk}"
    if state.visibility == "public" or state.visibility_exact:
        yield f"visibility: {state.visibility}"
    elif state.visibility is not None:
        yield "# visibility: private or protected: this token may not read which"
    if one.folder:
        yield f"files: {one.folder}"
    if not state.is_static:
        yield from _runtime(state, prices)
    yield from _variables(state)
    yield from _secrets(state)
    if not state.is_static:
        yield from _volumes(state.volumes)


def _runtime(state: SpaceState, prices: Mapping[str, Decimal]) -> Iterator[str]:
    if state.hardware is not None and is_flavor(state.hardware):
        is_word = _WORD.fullmatch(state.hardware)
        price = prices.get(state.hardware) or Decimal(0)
        comment = f"  # ${price:.2f}/h" if price else ""
        yield f"hardware: {_key(state.hardware) if is_word else _quoted(state.hardware)}{comment}"
        known = state.sleep_time is not None and (state.sleep_time == NEVER or state.sleep_time > 0)
        if known and state.hardware not in FREE_HARDWARE:
            yield f"sleep_time: {format_duration(state.sleep_time)}"
            if price and state.sleep_time == NEVER:
                yield f"# it never sleeps: ${price * HOURS_PER_MONTH:,.0f} a month when it runs all the time"
    if state.stage == "PAUSED":
        yield "state: paused"
    elif state.stage in _STAYS:
        yield "state: running"
    elif state.stage is not None:
        yield f"# state: it is {_comment(state.stage)} now"
    if state.dev_mode:
        yield "dev_mode: true"
    marker = (state.variables or {}).get(RESTART_VARIABLE)
    if marker is not None and marker.value and not UNPRINTABLE.search(marker.value):
        yield f"restart: {_quoted(marker.value)}"


def _variables(state: SpaceState) -> Iterator[str]:
    variables = {key: one for key, one in (state.variables or {}).items() if key not in KEPT_VARIABLES}
    good = {key: one for key, one in variables.items() if _can_be_written(key, one)}
    if good:
        yield "variables:"
    for key, one in sorted(good.items()):
        if one.description:
            yield f"  {_key(key)}: {{value: {_quoted(one.value)}, description: {_quoted(one.description)}}}"
        else:
            yield f"  {_key(key)}: {_quoted(one.value)}"
    for key in sorted(set(variables) - set(good)):
        yield f"# the variable {_comment(key)} can't be written here: its name or text has odd characters"


def _can_be_written(key: str, one: Variable) -> bool:
    return is_key(key) and not UNPRINTABLE.search(one.value + (one.description or ""))


def _secrets(state: SpaceState) -> Iterator[str]:
    """As comments: a value is needed to declare one, and the Hub gives none."""
    names = sorted(key for key in state.secrets or {} if is_key(key) and key not in (state.variables or {}))
    if names:
        yield "# It has these secrets. Declare those whose values you hold; each is then written once."
        yield "# secrets:"
    for key in names:
        yield f"#   {_key(key)}: {{env: {key}}}"


def _volumes(volumes: Sequence[Volume] | None) -> Iterator[str]:
    if volumes is None:
        yield "# volumes: the Hub did not tell whether it has any"
    if not volumes:
        return
    if any(one.source is None for one in volumes):
        yield "# volumes: this token may not see the source of each"
        return
    if any(UNPRINTABLE.search(_source(one) + one.mount_path) or not _readable(one) for one in volumes):
        yield "# volumes: their sources have odd names, and can't be written here"
        return
    yield "volumes:"
    for one in volumes:
        mode = f", read_only: {str(one.read_only).lower()}" if one.read_only is not None else ""
        yield f"  - {{source: {_quoted(_source(one))}, mount_path: {_quoted(one.mount_path)}{mode}}}"


def _source(volume: Volume) -> str:
    revision = f"@{volume.revision}" if volume.revision else ""
    path = f"/{volume.path}" if volume.path else ""
    return f"hf://{volume.type}s/{volume.source}{revision}{path}"


def _readable(volume: Volume) -> bool:
    try:
        parsed = parse_volume_source(_source(volume))
    except ValueError:
        return False
    path = volume.mount_path
    return (
        parsed.source == volume.source
        and path.startswith("/")
        and path != "/"
        and ".." not in path.split("/")
    )


def _key(key: str) -> str:
    """A word, in quotes where YAML 1.1 reads it as something else."""
    return f'"{key}"' if key.lower() in _TRAPS else key


def _quoted(text: str) -> str:
    """A double-quoted scalar that reads back as exactly `text`, with its dollars doubled."""
    encoded = json.dumps(text.replace("$", "$$"), ensure_ascii=False)
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", encoded)


def _comment(text: str) -> str:
    """Text of the Hub for a comment: one line, and nothing that a terminal acts on."""
    return plain(text, 200)
