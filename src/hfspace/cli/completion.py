"""hfspace completion: the script that a shell sources."""

from __future__ import annotations

import click

from hfspace.cli.context import Context, hfspace_command


@hfspace_command(
    manifest=False,
    name="completion",
    epilog='\b\nExamples:\n  eval "$(hfspace completion bash)"\n  hfspace completion fish | source',
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(context: Context, shell: str) -> int:
    """Print the completion script of a shell."""
    from click.shell_completion import get_completion_class

    from hfspace.cli.main import cli

    made = get_completion_class(shell)
    if made is None:
        raise click.UsageError(f"No completion for {shell}.")
    context.echo(made(cli, {}, "hfspace", "_HFSPACE_COMPLETE").source())
    return 0
