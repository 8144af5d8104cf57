"""The guardrails of the branch that a manifest is to be merged into, from a checkout of it."""

from __future__ import annotations

from pathlib import Path

import click

from hfspace.cli.context import Context
from hfspace.errors import ManifestError, UsageError
from hfspace.manifest.models import Manifest
from hfspace.model import Check
from hfspace.planner import guardrails

base_option = click.option(
    "--base",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="A checkout of the target branch: its policy holds, and what is protected there stays so.",
)


def under_base(context: Context, proposed: Manifest, base: Path) -> tuple[Manifest, tuple[Check, ...]]:
    """`proposed` under the guardrails of the same manifest in `base`, and how it would change them."""
    if not base.is_dir():
        raise UsageError(f"There is no directory {base}.", hint="Check the target branch out there.")
    try:
        agreed = context.load_base_manifest(base)
    except ManifestError as error:
        return proposed, (guardrails.unreadable(proposed, error.problems[0].message),)
    if agreed is None:
        return proposed, tuple(guardrails.own(proposed))
    return guardrails.guarded(proposed, agreed), tuple(guardrails.changed(proposed, agreed))
