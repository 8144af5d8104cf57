"""What the experiments commands share: which Trackio app is meant, and values from the command line."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from hfspace.cli.context import Context, find_space
from hfspace.cli.inputs import parse_timeout, read_text
from hfspace.errors import ManifestError, UsageError
from hfspace.files import replacing
from hfspace.live.trackio.budget import Budget
from hfspace.live.trackio.port import Tracker
from hfspace.manifest.models import Manifest
from hfspace.monitor.connection import RecordingTarget, connected
from hfspace.text import json_text

_CALL_SECONDS = 30.0
MOST_BYTES = 512 << 20
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceOptions:
    """Which app, where in it, and how it is asked."""

    space: str | None
    url: str | None
    project: str | None
    backend: str
    wake: bool
    timeout: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOptions(PlaceOptions):
    """An app, and the form of what is printed of it."""

    form: str


backend_option = click.option(
    "--backend",
    metavar="NAME",
    default="auto",
    help="The kind of app: interface, trackio, or a package's; it is asked unless you say it.",
)


def place_options(function: F) -> F:
    """--space, --url, --project, --backend: which app, and where in it; --wake, --timeout: how to ask it."""
    for option in reversed(
        (
            click.option(
                "--space", metavar="ID|URL", help="The Space. [TRACKIO_SPACE_ID, or the manifest's]"
            ),
            click.option(
                "--url", metavar="URL", help="An app that is no Space, such as http://127.0.0.1:7860."
            ),
            click.option("--project", help="A project of official trackio."),
            backend_option,
            click.option("--wake", is_flag=True, help="Wake a sleeping Space; this may cost money."),
            click.option(
                "--timeout",
                default="10m",
                show_default=True,
                metavar="DURATION",
                help="For all that is asked of the app.",
            ),
        )
    ):
        function = option(function)
    return function


def format_option(function: F) -> F:
    choice = click.Choice(["text", "json"])
    return click.option("--format", "form", type=choice, default="text", help="Form on stdout.")(function)


def target_of(context: Context, options: PlaceOptions, *, required: bool = True) -> RecordingTarget:
    """The app that is meant: --space or --url, else TRACKIO_SPACE_ID, else the manifest's only Trackio Space.

    What the manifest says of that Space (project, backend) holds where the options say nothing. Raises
    UsageError when no app is named, or several could be meant.
    """
    if options.space and options.url:
        raise UsageError("Give --space or --url, not both.")
    target = RecordingTarget(
        space=find_space(context.hub(), options.space) if options.space else None,
        url=options.url,
        project=options.project,
        backend=options.backend,
    )
    if target.url:
        return target
    named = target.space or context.env.get("TRACKIO_SPACE_ID") or None
    declared = declared_targets(context, tolerant=named is not None)
    if named is None:
        named = _only(list(declared), required)
    return target.over(declared.get(named or "", RecordingTarget(space=named)))


def declared_targets(context: Context, *, tolerant: bool) -> dict[str, RecordingTarget]:
    """The Trackio Spaces of the manifest, with what it says of their Trackio; none without a manifest.
    With `tolerant` a broken manifest counts as none, unless -f named it."""
    manifest = _manifest(context, tolerant=tolerant)
    return {
        space: RecordingTarget(
            space=space,
            project=spec.trackio.project if spec.trackio else None,
            backend=spec.trackio.backend if spec.trackio else "auto",
            endpoints=spec.trackio.endpoints if spec.trackio else None,
            artifacts=spec.trackio.artifacts if spec.trackio else None,
        )
        for space, spec in (manifest.spaces.items() if manifest else ())
        if spec.trackio is not None or spec.experiments is not None
    }


@contextmanager
def tracker_of(
    context: Context, options: PlaceOptions, *, extra_seconds: float = 0
) -> Iterator[tuple[Tracker, RecordingTarget]]:
    """The app's client, and which app it is; the client is closed at the end. `extra_seconds` are for what
    is sent, beside --timeout."""
    target = target_of(context, options)
    context.debug(f"Trackio: {target.url or target.space}")
    with connected(target, **connection_settings(context, options, extra_seconds)) as tracker:
        yield tracker, target


def connection_settings(context: Context, options: PlaceOptions, extra_seconds: float = 0) -> dict[str, Any]:
    """How the commands connect: `wake`, and one budget of time and bytes for all that a command asks."""
    seconds = parse_timeout(options.timeout)
    return {
        "token": context.token(),
        "endpoint": context.endpoint,
        "env": context.env,
        "wake": options.wake,
        "timeout": min(seconds, _CALL_SECONDS),
        "budget": Budget(seconds + extra_seconds, MOST_BYTES),
    }


def document(target: RecordingTarget, **fields: Any) -> str:
    """A JSON document of a command."""
    head = {"format_version": 1, "space": target.space, "url": target.url, "project": target.project}
    return json_text(head | fields)


def json_object(text: str, what: str) -> dict[str, Any]:
    """A JSON object from an argument, a file (@FILE) or stdin (@-). Raises UsageError.

    NaN and infinity are refused: no Trackio app gives them back as they were."""
    raw = read_text(text[1:]) if text.startswith("@") else text
    try:
        value = json.loads(raw, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{what} are not JSON: {str(error)[:120]}.", hint=_example(what)) from None
    if not isinstance(value, dict) or not value:
        raise UsageError(f"{what} must be a JSON object with something in it.", hint=_example(what))
    return value


def metrics_object(text: str) -> dict[str, Any]:
    """As json_object, with numbers, texts, true and false: with a list or an object in it, the Gradio app
    can't draw the experiment ever after."""
    values = json_object(text, "Metrics")
    for name, value in values.items():
        if not isinstance(value, int | float | str | bool):
            hint = "Histograms, tables and pictures come from a script: docs/experiments.md."
            raise UsageError(f"Metric '{name}' is no number, text, true or false.", hint=hint)
        if isinstance(value, float) and not math.isfinite(value):
            raise UsageError(f"Metric '{name}' is too large a number.")
    return values


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """`files.replacing`. Raises UsageError when the file can't be written."""
    try:
        with replacing(path) as temporary:
            yield temporary
    except OSError as error:
        raise UsageError(f"{path} can't be written ({error.strerror}).") from None


def _manifest(context: Context, *, tolerant: bool) -> Manifest | None:
    """The manifest, if there is one. A broken one matters only when it is needed to find the Space."""
    if not context.has_manifest:
        return None
    try:
        return context.load_manifest()
    except ManifestError:
        if not tolerant or context.files:
            raise
        return None


def _only(names: list[str], required: bool) -> str | None:
    if len(names) == 1:
        return names[0]
    if not required:
        return None
    if names:
        raise UsageError(
            f"The manifest has {len(names)} Trackio Spaces: {', '.join(names[:5])}.",
            hint="Choose one: --space ID.",
        )
    raise UsageError(
        "Which Trackio Space? None is named.",
        hint="Pass --space owner/name, set TRACKIO_SPACE_ID, or declare experiments in the manifest.",
    )


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _example(what: str) -> str:
    sample = '{"loss": 0.5}' if what == "Metrics" else '{"learning_rate": 2e-5}'
    return f"Write it like '{sample}', or @file.json."
