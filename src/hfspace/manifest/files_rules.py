"""What `files` and `card` can't say: a folder or a version that is none, a token for all to read."""

from __future__ import annotations

import posixpath
import re

from hfspace.manifest.experiments import Complaints
from hfspace.manifest.files_models import CardSpec, FilesSpec
from hfspace.manifest.models import SpaceSpec
from hfspace.manifest.yaml_tree import short
from hfspace.text import HUB_TOKEN

_FORMS = (
    (
        "sdk_version",
        re.compile(r"\d+(\.\d+){0,2}([.-]?(a|b|rc|alpha|beta|dev|post)[.-]?\d*)*"),
        "version",
        "6.31.0",
    ),
    ("python_version", re.compile(r"3(\.\d{1,2}){0,2}"), "version of Python", '"3.12"'),
    (
        "startup_duration_timeout",
        re.compile(r"\d+(\.\d+)?\s*(s|m|h|min|mins|minutes|hours)"),
        "length of time",
        "1h",
    ),
)
_HIGHEST_PORT = 65535


def problems(spec: SpaceSpec) -> Complaints:
    """Path below the Space, message and hint of each."""
    if spec.files is not None:
        yield from _files(spec.files)
    if spec.card is not None:
        yield from _card(spec.card, spec)


def _files(files: FilesSpec) -> Complaints:
    at, folder = ("files", "from"), files.folder
    slashes = folder.replace("\\", "/")
    whole = posixpath.normpath(slashes or "/")
    if not folder.strip():
        yield at, "the folder has no name", "Write one such as ./apps/whisper."
    elif whole.startswith(("/", "~")) or re.match(r"[A-Za-z]:", whole):
        hint = "Write it as seen from the manifest's file, such as ./apps/whisper."
        yield at, f"'{short(folder)}' is not relative to the manifest", hint
    elif whole.split("/")[0] == "..":
        hint = "Move the manifest up, or the files down."
        yield at, f"'{short(folder)}' is above the manifest's folder", hint
    elif slashes != folder:
        yield at, f"'{short(folder)}' is written for Windows", f"Write {short(slashes)}."
    for index, pattern in enumerate(files.exclude):
        if not _is_pattern(pattern):
            yield (
                ("files", "exclude", str(index)),
                f"'{short(pattern)}' is no pattern",
                'Write one such as "tests/**".',
            )


def _is_pattern(pattern: str) -> bool:
    from pathspec import GitIgnoreSpec  # 20 ms: where a pattern is written

    try:
        return bool(GitIgnoreSpec.from_lines([pattern]).patterns)
    except ValueError:
        return False


def _card(card: CardSpec, spec: SpaceSpec) -> Complaints:
    for name, form, what, example in _FORMS:
        value = getattr(card, name)
        if value is not None and not form.fullmatch(value):
            yield ("card", name), f"'{short(value)}' is no {what}", f"Write one such as {example}."
    if card.app_port is not None and not 0 < card.app_port <= _HIGHEST_PORT:
        yield ("card", "app_port"), f"{card.app_port} is no port", "Write one such as 7860."
    if card.app_port is not None and spec.sdk not in {None, "docker"}:
        message = f"only a Docker Space has a port of its own, and this is {spec.sdk}"
        yield ("card", "app_port"), message, "Remove it."
    for name, value in card.owned.items():
        if HUB_TOKEN.search(str(value)):
            message = f"'{name}' holds a token, and everybody can read a card"
            yield ("card", name), message, "Remove it, and revoke it if it was ever shown."
