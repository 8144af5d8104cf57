"""hfspace hub serve: the embedded local Hub, to try things on without a token or a bill."""

from __future__ import annotations

from pathlib import Path

import click

from hfspace.cli.context import Context, hfspace_command
from hfspace.errors import UsageError
from hfspace.localhub import LocalHubError, serve


@click.group(name="hub")
def command() -> None:
    """The local Hub: the Spaces API on 127.0.0.1, with stages, prices, rules and faults."""


@hfspace_command(
    manifest=False,
    name="serve",
    epilog="\b\nExamples:\n  hfspace hub serve\n"
    "  hfspace hub serve --port 7864 --db hub.db --seed fleet.yaml\n"
    "  HF_ENDPOINT=http://127.0.0.1:7864 HF_TOKEN=hf_local_write hfspace plan",
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=7864, show_default=True, help="0 takes a free one."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--db", type=click.Path(dir_okay=False, path_type=Path), help="Keep the state in this SQLite file."
)
@click.option(
    "--seed", type=click.Path(path_type=Path), help="What is there at the start (docs/local-hub.md)."
)
@click.option("--allow-public", is_flag=True, help="Allow an address that is not loopback.")
def serve_command(
    context: Context, port: int, host: str, db: Path | None, seed: Path | None, allow_public: bool
) -> int:
    """Serve the local Hub until Ctrl-C; prints the HF_ENDPOINT to export."""

    def ready(url: str, tokens: list[str]) -> None:
        context.direct(f"export HF_ENDPOINT={url}")
        if tokens:
            context.direct(f"export HF_TOKEN={tokens[0]}")
        context.direct("export HF_HUB_DISABLE_XET=1")
        context.note(f"Local Hub on {url}; requests: {url}/_local/requests. Ctrl-C ends it.")

    try:
        serve(seed, db, host, port, ready, allow_public=allow_public)
    except LocalHubError as error:
        raise UsageError(str(error)) from None
    return 0


command.add_command(serve_command)
