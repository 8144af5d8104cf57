"""What a comparison of a declared endpoint with a running app says, and the names it says it with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from hfspace.manifest.models import EndpointSpec
from hfspace.model import Json, ServedApp, ServedParameter

_SHOWN_NAMES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """One edit of the manifest: endpoint.`key` becomes `value`, and is renamed to `rename` if that is set.
    `note` says what finds no place in the new value, and what in it is only a sample."""

    key: str
    value: Json
    rename: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One way in which the declaration does not fit. `key` is the manifest key below `endpoint`; `fix` is
    None where only a person can decide."""

    code: str
    key: str
    message: str
    hint: str = ""
    fix: Fix | None = None


def named_by(spec: EndpointSpec) -> str:
    """The key that names the endpoint: path or api_name."""
    return "path" if spec.api_name is None and spec.path is not None else "api_name"


def name_key(app: ServedApp) -> str:
    """The key under which an endpoint of `app` is to be declared."""
    return "api_name" if app.kind == "gradio" else "path"


def name_fix(key: str, name: str, app: ServedApp) -> Fix:
    """The edit that names the endpoint `name` of `app`, where it is now named by `key`."""
    right = name_key(app)
    return Fix(key=key, value=name, rename=right if key != right else None)


def listed(app: ServedApp) -> tuple[str, ...]:
    """The names of the endpoints that the app shows; a route of several methods once."""
    return tuple(dict.fromkeys(endpoint.name for endpoint in app.endpoints if not endpoint.hidden))


def names_of(app: ServedApp) -> str:
    """Those names for a sentence."""
    names = listed(app)
    more = f" and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else ""
    return (", ".join(names[:_SHOWN_NAMES]) or "no named endpoint") + more


def suggestion(name: str, app: ServedApp) -> str | None:
    """The endpoint most likely meant: the nearest name, else the only one there is."""
    names = listed(app)
    near = get_close_matches(name.lower(), [item.lower() for item in names], n=1, cutoff=0.6)
    if near:
        return next(item for item in names if item.lower() == near[0])
    return names[0] if len(names) == 1 else None


def only_endpoint(app: ServedApp) -> EndpointSpec | None:
    """The declaration of the one endpoint that the app shows; None where it shows several, or none."""
    names = listed(app)
    return EndpointSpec.model_validate({name_key(app): names[0]}) if len(names) == 1 else None


def not_served(key: str, name: str, app: ServedApp, message: str) -> Finding:
    """What is said of an endpoint that is not there, with the one most likely meant by `name`."""
    best = suggestion(name, app)
    hint = f"It serves {names_of(app)}." + (f" Write {name_key(app)}: {best}." if best else "")
    fix = name_fix(key, best, app) if best else None
    return Finding(code="not_served", key=key, message=message, hint=hint, fix=fix)


def undeclared(app: ServedApp) -> Finding:
    """What is said of a declaration that names no endpoint."""
    names, key = listed(app), name_key(app)
    return Finding(
        code="no_name", key=key, message="The endpoint has neither api_name nor path.",
        hint=f"The app serves {names_of(app)}.",
        fix=Fix(key=key, value=names[0]) if len(names) == 1 else None,
    )  # fmt: skip


def signature(parameters: Sequence[ServedParameter]) -> str:
    """`(prompt, tokens=…)`, for a sentence."""
    parts = [
        f"{parameter.name or parameter.label or 'value'}{'=…' if parameter.has_default else ''}"
        for parameter in parameters
    ]
    return f"({', '.join(parts)})" if parts else "no values"


def reshaping_note(lost: Sequence[str], sampled: Sequence[str]) -> str:
    """What a change of an example's shape loses and makes up."""
    notes = [f"{', '.join(lost)} of the example finds no place in it."] if lost else []
    notes += [f"The value of {', '.join(sampled)} is only a sample."] if sampled else []
    return " ".join(notes)


def renamed(values: Mapping[str, Json], old: str, new: str) -> dict[str, Json]:
    """`values` with one name replaced, in its place."""
    return {new if name == old else name: value for name, value in values.items()}


def misspelled(endpoint: str, values: Mapping[str, Json], name: str, right: str, key: str) -> Finding:
    """What is said of a value whose name is nearly that of a parameter: `right`, which has no value."""
    return Finding(
        code="unknown_argument", key=key, message=f"{endpoint} has no parameter {name}.",
        hint=f"Did you mean {right}?", fix=Fix(key=key, value=renamed(values, name, right)),
    )  # fmt: skip


def value_finding(problem: str, parameter: ServedParameter, key: str) -> Iterator[Finding]:
    """What is said of a value with this problem; nothing where there is none."""
    if problem:
        label = parameter.name or parameter.label or "a value"
        yield Finding(code="value", key=key, message=f"{label}: {problem}")
