"""The diagnosis for Python programs: finds the Hub, the token and the manifest as the command line does."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from hfspace.diagnosis.run import DiagnosisOptions, examine
from hfspace.diagnosis.stage import SpaceLookup
from hfspace.diagnosis.verdicts import Diagnosis
from hfspace.errors import UsageError
from hfspace.hub_url import hub_url
from hfspace.live.credentials import find_token
from hfspace.live.hub import connect
from hfspace.manifest.loader import load_files
from hfspace.manifest.models import EndpointSpec, Manifest
from hfspace.manifest.values import normalise_id


def diagnose(
    target: str,
    *,
    manifest: str | Path | Sequence[str | Path] | None = None,
    endpoint: EndpointSpec | None = None,
    hub: SpaceLookup | None = None,
    wake: bool = False,
    invoke: bool = False,
    env: Mapping[str, str] | None = None,
) -> Diagnosis:
    """Why `target` (owner/name, a Space or app URL) can't be called, or that it can.

    What is declared comes from `endpoint`, else from `manifest` (file names), else nothing is compared.
    Runs no function of the app unless `invoke`; touches no sleeping Space unless `wake`. Raises UsageError
    for a target that names nothing, ManifestError for a manifest that can't be read.
    """
    environment = os.environ if env is None else env
    door = hub or open_hub(environment)
    if endpoint is None and manifest is not None:
        endpoint = declared(load_manifest(manifest, environment), target)
    return examine(target, door, endpoint=endpoint, options=DiagnosisOptions(wake=wake, invoke=invoke))


def app_auth(env: Mapping[str, str]) -> tuple[str, str] | None:
    """The user and password of an app's own login, from HFSPACE_APP_USER and HFSPACE_APP_PASSWORD. Raises
    UsageError when only one of them is set."""
    user, password = env.get("HFSPACE_APP_USER", ""), env.get("HFSPACE_APP_PASSWORD", "")
    if bool(user) != bool(password):
        unset = "HFSPACE_APP_PASSWORD" if user else "HFSPACE_APP_USER"
        raise UsageError(f"{unset} is not set.", hint="A login needs both a user and a password.")
    return (user, password) if user else None


def open_hub(env: Mapping[str, str]) -> SpaceLookup:
    """The Hub of HF_ENDPOINT with the token of the environment or the login."""
    return connect(hub_url(env), find_token(env), env=env)


def load_manifest(files: str | Path | Sequence[str | Path], env: Mapping[str, str]) -> Manifest:
    names = (files,) if isinstance(files, str | Path) else files
    return load_files(tuple(str(name) for name in names), env=env)


def declared(manifest: Manifest, target: str) -> EndpointSpec | None:
    """The endpoint that the manifest declares for a Space; None when it declares none."""
    try:
        space = normalise_id(target)
    except ValueError:
        return None
    by_lower = {name.lower(): spec for name, spec in manifest.spaces.items()}
    spec = by_lower.get(space.lower())
    return spec.endpoint if spec is not None else None
