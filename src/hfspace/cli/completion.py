"""hfspace completion: the script that a shell sources."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from hfspace.cli.context import Context, hfspace_command
from hfspace.cli.main import cli


@hfspace_command(
    manifest=False,
    name="completion",
    epilog='\b\nExamples:\n  eval "$(hfspace completion bash)"\n  hfspace completion fish | source',
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(context: Context, shell: str) -> int:
    """Print the completion script of a shell."""
    language = get_completion_class(shell)
    if language is None:
        raise click.UsageError(f"No completion for {shell}.")
    context.echo(language(cli, {}, "hfspace", "_HFSPACE_COMPLETE").source())
    return 0
