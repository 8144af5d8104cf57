"""The values of declared secrets: read where hfspace runs, shown nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hfspace.files import read_limited
from hfspace.manifest.environment import NAMES_VARIABLE, listed
from hfspace.manifest.models import Manifest, SecretSpec
from hfspace.model import LocalInputs, SecretValue

KEY_VARIABLE = "HFSPACE_FINGERPRINT_KEY"
_LARGEST = 1024 * 1024


def read_local_inputs(manifest: Manifest, env: Mapping[str, str], cwd: Path) -> LocalInputs:
    """What a manifest names on this side. Files are relative to `cwd`, and below it. Of a file with a single
    line the line end is not part of the value; what has several lines is sent as it is (a PEM key needs its
    last line end)."""
    values: dict[tuple[str, str], SecretValue] = {}
    unset: dict[tuple[str, str], str] = {}
    names = listed(env)
    for space, spec in manifest.spaces.items():
        for key, secret in (spec.secrets or {}).items():
            value, why = _value(secret, env, names, cwd)
            if value is None:
                unset[space, key] = why
            else:
                values[space, key] = SecretValue(value, env.get(KEY_VARIABLE, ""))
    return LocalInputs(secrets=values, unset_secrets=unset)


def oddities(values: Mapping[tuple[str, str], SecretValue]) -> list[str]:
    """What may be wrong with values: they are sent as they are, and nobody can see it."""
    notes = []
    for (space, key), value in values.items():
        text = value.reveal()
        if text.startswith("\ufeff"):
            notes.append(f"the secret {key} of {space} begins with a byte order mark")
        if "\n" not in text and text != text.rstrip():
            notes.append(f"the secret {key} of {space} ends in white space")
    return notes


def _value(
    secret: SecretSpec, env: Mapping[str, str], names: frozenset[str] | None, cwd: Path
) -> tuple[str | None, str]:
    if secret.env is not None:
        if names is not None and secret.env not in names:
            return None, f"the environment variable {secret.env} is not listed in {NAMES_VARIABLE}"
        value = env.get(secret.env)
        return (value, "") if value else (None, f"the environment variable {secret.env} is not set")
    path = (cwd / (secret.file or "")).resolve()
    if not path.is_relative_to(cwd.resolve()):
        return None, f"the file {secret.file} is outside of the manifest's folder"
    try:
        text = read_limited(path, _LARGEST).decode("utf-8")
        if "\n" not in text.rstrip("\r\n"):
            text = text.rstrip("\r\n")
    except UnicodeDecodeError:
        return None, f"the file {secret.file} is not UTF-8 text"
    except OSError as error:
        return None, f"the file {secret.file} can't be read: {error.strerror}"
    return (text, "") if text else (None, f"the file {secret.file} is empty")
