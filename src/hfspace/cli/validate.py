"""hfspace validate: everything that can be said about a manifest without a network and a token."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from hfspace.cli.base import base_option, under_base
from hfspace.cli.context import Context, hfspace_command
from hfspace.errors import ManifestError, Problem, UsageError
from hfspace.folder import read_trees
from hfspace.live.prices import shipped_prices
from hfspace.manifest.models import Manifest
from hfspace.model import Check, Flavor
from hfspace.planner.budgets import idle
from hfspace.planner.policy import declared
from hfspace.planner.prices import offline_ceiling
from hfspace.planner.warnings import warnings as hours_warnings
from hfspace.report.cells import counted, money
from hfspace.report.problems import to_json
from hfspace.text import plain


@hfspace_command(
    name="validate",
    epilog="\b\nExamples:\n  hfspace validate\n  hfspace validate spaces/ production.yaml\n"
    "  hfspace validate --format json",
)
@click.argument("paths", nargs=-1, metavar="[FILES]…")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the result."
)
@base_option
def command(context: Context, paths: tuple[str, ...], form: str, base: Path | None) -> int:
    """Check the manifest offline: syntax, keys, types, rules and policy."""
    if paths and context.files:
        raise UsageError("Give the files, or -f, not both.", hint="hfspace validate FILE…")
    context = replace(context, files=paths or context.files)
    try:
        manifest = context.load_manifest()
    except ManifestError as error:
        if form == "json":
            context.echo(json.dumps(_document(error.problems, readable=False)))
            return 1
        raise
    manifest, checks = under_base(context, manifest, base) if base is not None else (manifest, ())
    breaches = [_problem(check) for check in (*declared(manifest), *checks) if check.severity == "error"]
    breaches += _folders(context, manifest)
    warned = (*hours_warnings(manifest, _prices(manifest)), *idle(manifest), *checks)
    warnings = [_problem(check) for check in warned if check.severity != "error"]
    if form == "json":
        unchecked = _unchecked(manifest)
        estimate = _estimate(manifest) if manifest.policy.max_monthly_usd is not None else None
        document = _document(
            breaches, readable=True, unchecked=unchecked, warnings=warnings, estimate=estimate
        )
        context.echo(json.dumps(document))
        return 1 if breaches else 0
    for warning in warnings:
        context.warn(f"{warning.place}: {warning.message}. {warning.hint}")
    if breaches:
        raise ManifestError(breaches)
    context.echo(
        f"Valid: {counted(len(manifest.spaces), 'Space')} in {plain(', '.join(manifest.ref.files))}."
    )
    for name in _unchecked(manifest):
        context.echo(f"Not checked: {name}, which needs the Hub's prices. See `hfspace plan`.")
    if manifest.policy.max_monthly_usd is not None:
        context.echo(_sentence(_estimate(manifest)))
    return 0


def _prices(manifest: Manifest) -> Mapping[str, Flavor]:
    """The shipped prices, where hours have a use for them."""
    return shipped_prices().flavors if any(spec.when for spec in manifest.spaces.values()) else {}


def _unchecked(manifest: Manifest) -> list[str]:
    """What only the Hub can tell."""
    return [f"policy.{name}" for name in manifest.policy.budgets]


def _folders(context: Context, manifest: Manifest) -> list[Problem]:
    """What keeps the folders of `files` from being sent."""
    trees = read_trees(manifest, Path(), context.env, cached=True)
    return [
        Problem(
            file=place.file if place else "manifest",
            line=place.line if place else 0,
            column=place.column if place else 0,
            message=f"{space}.files: {plain(problem)}",
            hint=problem.hint,
        )
        for space, tree in trees.items()
        for place in (manifest.source("spaces", space, "files"),)
        for problem in tree.problems
    ]


def _estimate(manifest: Manifest) -> dict[str, Any]:
    """The ceiling by the prices that hfspace ships: no judgement, they may have changed since."""
    table, limit = shipped_prices(), manifest.policy.max_monthly_usd
    ceiling = offline_ceiling(manifest, table.flavors)
    return {
        "prices": table.date,
        "usd_per_month": str(ceiling.usd_per_month),
        "limit_usd_per_month": str(limit),
        "not_counted": list(ceiling.not_counted),
    }


def _sentence(estimate: Mapping[str, Any]) -> str:
    usd, limit = Decimal(estimate["usd_per_month"]), Decimal(estimate["limit_usd_per_month"])
    sides = f"{money(usd)} per month, limit {money(limit)}{', over it' if usd > limit else ''}"
    left = estimate["not_counted"]
    without = f"; not in it: {counted(len(left), 'Space')} of unknown hardware or price" if left else ""
    return f"By the prices of {estimate['prices']}, which hfspace ships, the ceiling is {sides}{without}."


def _document(
    problems: Sequence[Problem],
    *,
    readable: bool,
    unchecked: Sequence[str] = (),
    warnings: Sequence[Problem] = (),
    estimate: Mapping[str, Any] | None = None,
) -> dict[str, object]:
    """`readable` is False when the files make no manifest; a breach of the policy leaves it True."""
    document = to_json(problems)
    return {
        "format_version": 1,
        "valid": not document,
        "readable": readable,
        "problems": document,
        "warnings": to_json(warnings),
        "unchecked": [*unchecked],
        "estimate": estimate,
    }


def _problem(check: Check) -> Problem:
    """A breach of the policy, as a problem of the manifest."""
    place = check.source
    return Problem(
        file=place.file if place else "manifest",
        line=place.line if place else 0,
        column=place.column if place else 0,
        message=f"{check.address}: {check.message.removesuffix('.')}",
        hint=check.hint,
    )
