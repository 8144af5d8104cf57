"""What a manifest can't say although each key by itself is fine: rules across fields and across Spaces."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from hfspace.errors import ExtensionError, Problem, UsageError
from hfspace.manifest import clock_rules, experiments, files_rules, money_rules, trackers
from hfspace.manifest.experiments import Complaints, has_breaks
from hfspace.manifest.keys import keys
from hfspace.manifest.models import EndpointSpec, Manifest, SpaceSpec
from hfspace.manifest.values import normalise_id, parse_volume_source
from hfspace.manifest.wording import sentence
from hfspace.manifest.written import problem
from hfspace.manifest.yaml_tree import short
from hfspace.model import FREE_HARDWARE, KEPT_VARIABLES
from hfspace.text import HUB_TOKEN

_KEY = re.compile(r"[a-zA-Z][_a-zA-Z0-9]*")
_FLAVOR = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_STATIC_CANT = [
    name for name, one in keys(SpaceSpec).items() if not one.static and name not in {"state", "on_error"}
]


def problems(manifest: Manifest, lines: Mapping[str, Sequence[str]]) -> list[Problem]:
    """Every broken rule, at its place."""
    problems: list[Problem] = []
    for space, spec in manifest.spaces.items():
        for path, message, hint in (*_space(space, spec, manifest), *experiments.problems(spec)):
            source = manifest.source("spaces", space, *path)
            problems.append(problem(source, message, hint, lines))
    for path, message, hint in _cycles(manifest):
        problems.append(problem(manifest.source(*path), message, hint, lines))
    return problems


def _space(space: str, spec: SpaceSpec, manifest: Manifest) -> Complaints:
    yield from _keys(spec)
    yield from _hardware(space, spec, manifest)
    yield from _static(spec)
    yield from _existence(spec)
    yield from _volumes(spec)
    yield from _endpoint(spec)
    yield from _trackio(spec)
    yield from clock_rules.problems(spec)
    yield from files_rules.problems(spec)
    yield from money_rules.problems(spec)
    for name in spec.depends_on:
        if name not in manifest.spaces and not name.endswith(".hf.space"):
            yield (
                ("depends_on",),
                f"{space} depends on {name}, which nobody declares",
                "Declare it, or remove it.",
            )
    for key, secret in (spec.secrets or {}).items():
        if (secret.env is None) == (secret.file is None):
            yield (
                ("secrets", key),
                f"the secret '{key}' needs exactly one source",
                "Write {env: NAME} or {file: path}.",
            )


def is_key(name: str) -> bool:
    """Whether the Hub takes `name` for a variable or a secret, and hfspace leaves it to people."""
    return bool(_KEY.fullmatch(name)) and name not in KEPT_VARIABLES


def is_flavor(name: str) -> bool:
    """Whether `name` may be the name of hardware at all; which there is, only the Hub knows."""
    return bool(_FLAVOR.fullmatch(name))


def _keys(spec: SpaceSpec) -> Complaints:
    for kind, names in (("variables", spec.variables or {}), ("secrets", spec.secrets or {})):
        for key in names:
            if not _KEY.fullmatch(key):
                yield (
                    (kind, key),
                    f"'{key}' can't be the name of one of the {kind}",
                    "A name begins with a letter; letters, digits and _ follow.",
                )
            if key in KEPT_VARIABLES:
                yield (kind, key), f"{key} is kept by hfspace for `restart:`", "Choose another name."
    for key, item in (spec.variables or {}).items():
        if HUB_TOKEN.search(item.value):
            yield (
                ("variables", key),
                f"the variable '{key}' holds a token, and everybody can read variables",
                f"Make it a secret: {key}: {{env: NAME}}; and revoke that token, if it was ever shown.",
            )
    for key in sorted(set(spec.variables or {}) & set(spec.secrets or {})):
        yield (
            ("secrets", key),
            f"'{key}' is both a variable and a secret",
            "The Hub accepts that, and the Space then fails with CONFIG_ERROR: keep one.",
        )


def _hardware(space: str, spec: SpaceSpec, manifest: Manifest) -> Complaints:
    windows = ((one.settings.hardware, ("when", str(at), "set")) for at, one in enumerate(spec.when or ()))
    for flavor, path in ((spec.hardware, ()), *windows):
        if flavor is not None and not is_flavor(flavor):
            hint = "A comment needs a space before its #." if "#" in flavor else "Write one such as t4-small."
            yield (*path, "hardware"), f"'{short(flavor)}' is no name of hardware", hint
    if spec.hardware in FREE_HARDWARE and spec.sleep_time is not None:
        here, there = (manifest.source("spaces", space, key) for key in ("sleep_time", "hardware"))
        # A default or an overlay may be what makes them clash.
        far = f" (hardware: {there})" if here and there and here.file != there.file else ""
        message = f"{spec.hardware} has a fixed sleep time{far}"
        yield ("sleep_time",), message, "Remove sleep_time, or use paid hardware."
    if spec.hardware == "zero-a10g" and spec.sdk not in {None, "gradio"}:
        yield (
            ("hardware",),
            f"ZeroGPU runs Gradio Spaces only, and this is {spec.sdk}",
            "Choose other hardware.",
        )


def _static(spec: SpaceSpec) -> Complaints:
    if spec.sdk != "static":
        return
    for key in _STATIC_CANT:
        if key == "secrets" and spec.secrets:
            hint = "Everybody who opens it could read them: remove them."
            yield (key,), "a static Space can't keep secrets", hint
        elif getattr(spec, key) is not None and key != "secrets":
            yield (key,), f"a static Space has no {key}", "It is only files: remove it."
    if spec.state == "paused":
        yield ("state",), "a static Space can't be paused", "Remove it, or use visibility: private."


def _existence(spec: SpaceSpec) -> Complaints:
    if spec.state == "absent":
        if spec.protect:
            yield ("protect",), "a Space can't be absent and protected", "Remove one of the two."
        if spec.create is not None:
            yield ("create",), "a Space can't be absent and be created", "Remove one of the two."
        return
    if spec.create is None:
        return
    if spec.create.template and spec.create.duplicate_from:
        yield ("create",), "a Space is created from a template or from another Space, not both", "Keep one."
    if not (spec.sdk or spec.create.template or spec.create.duplicate_from):
        yield ("create",), "an empty Space needs an sdk to be created", "Add sdk: gradio (or docker, static)."
    for key, source in (("template", spec.create.template), ("duplicate_from", spec.create.duplicate_from)):
        if source is not None and not _is_space(source):
            yield ("create", key), f"'{short(source)}' is not a Space", "Write it as owner/name."
    if spec.sdk == "streamlit":
        yield ("sdk",), "new streamlit Spaces can't be created", "Use sdk: docker; existing ones keep theirs."


def _is_space(text: str) -> bool:
    try:
        return normalise_id(text) == text
    except ValueError:
        return False


def _volumes(spec: SpaceSpec) -> Complaints:
    positions: dict[str, int] = {}
    for index, item in enumerate(spec.volumes or ()):
        at = ("volumes", str(index))
        try:
            item.volume()
        except ValueError as error:
            yield (*at, "source"), f"'{short(item.source)}' is no volume", sentence(error)
        if not item.mount_path.startswith("/"):
            yield (
                (*at, "mount_path"),
                f"mount_path '{item.mount_path}' is not absolute",
                f"Write /{item.mount_path}.",
            )
        elif item.mount_path == "/" or ".." in item.mount_path.split("/"):
            yield (
                (*at, "mount_path"),
                f"a volume can't be mounted at {item.mount_path}",
                "Choose a directory of its own, such as /data.",
            )
        if item.mount_path in positions:
            yield (*at, "mount_path"), f"two volumes are mounted at {item.mount_path}", "Choose another path."
        positions[item.mount_path] = index


def _endpoint(spec: SpaceSpec) -> Complaints:
    endpoint = spec.endpoint
    if endpoint is None:
        return
    if (endpoint.api_name is None) == (endpoint.path is None):
        yield (
            ("endpoint",),
            "an endpoint needs api_name or path",
            "api_name for Gradio, path for an HTTP route.",
        )
    yield from _request(endpoint)
    for key, value in (("api_name", endpoint.api_name), ("path", endpoint.path)):
        if value is not None and not value.startswith("/"):
            hint = "Write what follows the host." if "://" in value else f"Write /{short(value)}."
            yield ("endpoint", key), f"{key} '{short(value)}' does not begin with '/'", hint
    if endpoint.expect is not None:
        yield from _expected(endpoint.expect)


def _request(endpoint: EndpointSpec) -> Complaints:
    """What only the call of an HTTP route can hold."""
    for key in ("method", "params", "query", "body"):
        if key in endpoint.model_fields_set and endpoint.path is None:
            yield ("endpoint", key), f"{key} is for an HTTP route", "Name it with path, or remove it."
    parts = set(re.findall(r"\{([^{}]*)\}", endpoint.path or ""))
    for name in endpoint.params or {}:
        if endpoint.path is not None and name not in parts:
            hint = f"Write {{{short(name)}}} into the path, or move it to query."
            yield ("endpoint", "params", name), f"the path has no part {{{short(name)}}}", hint
    if "body" in endpoint.model_fields_set and endpoint.method == "GET":
        yield ("endpoint", "body"), "a GET has no body", "Use query, or another method."
    if "body" in endpoint.model_fields_set and endpoint.example is not None:
        yield ("endpoint", "example"), "body and example are two bodies of one request", "Keep one."


def _trackio(spec: SpaceSpec) -> Complaints:
    if spec.trackio and spec.trackio.backend not in {"auto", *trackers.HOLDS}:
        try:
            trackers.plugin(spec.trackio.backend)
        except (ExtensionError, UsageError) as error:
            yield ("trackio", "backend"), error.message.rstrip("."), error.hint
    for use, name in (spec.trackio.endpoints or {}).items() if spec.trackio else ():
        if not name.strip().strip("/") or has_breaks(name):
            hint = "Write its api_name, such as /my_create."
            yield ("trackio", "endpoints", use), f"'{short(name)}' is no name of an endpoint", hint
    if spec.trackio and spec.trackio.endpoints and spec.trackio.backend not in {"auto", "interface"}:
        hint = "Remove it, or the backend."
        yield ("trackio", "endpoints"), "only the Gradio app has endpoints of other names", hint
    artifacts = spec.trackio.artifacts if spec.trackio else None
    if artifacts is None:
        return
    try:
        kept = parse_volume_source(artifacts).type in {"bucket", "dataset"}
    except ValueError:
        kept = False
    if not kept:
        hint = "Write hf://buckets/owner/name or hf://datasets/owner/name."
        yield ("trackio", "artifacts"), f"'{short(artifacts)}' can't keep artifacts", hint


def _expected(schema: Mapping[str, object]) -> Complaints:
    import jsonschema

    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        where = ".".join(str(part) for part in error.absolute_path)
        bad = json.dumps(error.instance, ensure_ascii=False, default=str)
        message = f"expect is not a JSON Schema: {where or 'it'} can't be {short(bad)}"
        yield ("endpoint", "expect"), message, "Write it as JSON Schema 2020-12 says."
    except (RecursionError, OverflowError):  # of a pattern: the compiler of expressions recurses
        yield ("endpoint", "expect"), "expect is nested too deep to be checked", "Write a simpler pattern."


def _cycles(manifest: Manifest) -> Complaints:
    done: set[str] = set()
    for start in manifest.spaces:
        if start in done:
            continue
        path, steps = [start], {start}
        stack = [(start, iter(manifest.spaces[start].depends_on))]
        while stack:
            space, rest = stack[-1]
            following = next(rest, None)
            if following is None or following in done:
                if following is None:
                    done.add(space)
                    stack.pop()
                    steps.discard(path.pop())
                continue
            if following in steps:
                ring = [*path[path.index(following) :], following]
                names = ring if len(ring) <= 8 else [*ring[:4], "…", *ring[-3:]]
                yield (
                    ("spaces", space, "depends_on"),
                    f"depends_on goes round in a circle: {' → '.join(names)}",
                    "Remove one of these dependencies.",
                )
                done.update(path)
                break
            if following in manifest.spaces:
                path.append(following)
                steps.add(following)
                stack.append((following, iter(manifest.spaces[following].depends_on)))
