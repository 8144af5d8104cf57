"""hfspace shards: the matrix for runners that share one big manifest."""

from __future__ import annotations

import json

import click

from hfspace.cli.context import Context, hfspace_command
from hfspace.manifest.sharding import shares


@hfspace_command(
    name="shards",
    epilog="\b\nExamples:\n  hfspace shards --max-spaces 500\n  hfspace plan --shard 2/8",
)
@click.option(
    "--max-spaces",
    type=click.IntRange(1, 100_000),
    default=500,
    show_default=True,
    help="About how many Spaces one runner takes.",
)
def command(context: Context, max_spaces: int) -> int:
    """Print a JSON matrix, {"shard": ["1/2", "2/2"]}, for strategy.matrix of a GitHub job."""
    manifest = context.load_manifest()
    count = shares(len(manifest.spaces), max_spaces)
    if count > 256:
        context.warn("GitHub runs at most 256 jobs of a matrix; raise --max-spaces.")
    context.echo(json.dumps({"shard": [f"{index}/{count}" for index in range(1, count + 1)]}))
    return 0
