"""hfspace call: the declared endpoint of a Space, with values from the arguments, a file, or the manifest."""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path
from typing import Any

import click

from hfspace.cli.context import Context, hfspace_command
from hfspace.cli.inputs import read_text
from hfspace.errors import UsageError
from hfspace.text import block, json_text

_NEGATIVE = re.compile(r"-\.?\d.*")

_LITERAL = "hfspace.call.literal"


class _CallCommand(click.Command):
    """Notes whether `--` was given: click itself drops it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[_LITERAL] = "--" in args
        return super().parse_args(ctx, args)


@hfspace_command(
    name="call",
    cls=_CallCommand,
    context_settings={"ignore_unknown_options": True},  # -5 is a value; _numbers_only refuses the rest
    epilog="\b\nExamples:\n  hfspace call acme/whisper-demo                  the example of the manifest\n"
    "  hfspace call acme/writer 'Once upon a time' 25\n"
    '  hfspace call acme/writer --data \'{"prompt": "Once"}\'\n'
    "  hfspace call acme/writer --data @values.json --format json\n"
    "  hfspace call acme/upscale photo.png --output results/",
)
@click.argument("space", metavar="ID|URL")
@click.argument("values", nargs=-1, metavar="[JSON]...")
@click.option(
    "--data", metavar="JSON|@FILE", help="All values: a list by position, an object by name; @- is stdin."
)
@click.option("--api-name", help="A Gradio endpoint instead of the declared one.")
@click.option("--path", "route", help="A route of an HTTP app instead of the declared endpoint.")
@click.option(
    "--output",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Save files of the answer here.",
)
@click.option(
    "--wake", is_flag=True, help="Wake a sleeping Space and wait until it runs; this may cost money."
)
@click.option("--zero-gpu", is_flag=True, help="Send the token to a public Space too, for its ZeroGPU quota.")
@click.option("--timeout", default="60s", show_default=True, help="How long the call may take.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form on stdout.")
def command(context: Context, **options: Any) -> int:
    """Call a Space's endpoint.

    Each value is JSON, or plain text. Without values the example of the manifest is sent. The values are
    checked against what the app takes before anything runs. A generator's steps are printed as they come.
    """
    from hfspace.cli.session import parse_timeout

    _numbers_only(options["values"])
    seconds = parse_timeout(options["timeout"])
    connection = _connect(context, options)
    call = connection.prepare(_values(options, connection), seconds)
    started = time.monotonic()
    answer = _run(context, call, options["form"])
    took = time.monotonic() - started
    answer = connection.finish(answer, call, options["folder"])
    if options["form"] == "json":
        document = {
            "format_version": 1,
            "space": connection.found.space,
            "endpoint": call.endpoint.name,
            "url": call.endpoint.url,
            "answer": answer,
            "seconds": round(took, 3),
        }
        context.echo(json_text(document))
    elif not call.endpoint.generator or options["folder"] is not None:
        context.echo(as_text(answer))
    context.debug(f"{call.endpoint.name} completed in {took:.2f} s")
    return 0


def as_text(answer: Any) -> str:
    """An answer for a terminal: text as it is, all else as JSON; control characters are spelled out."""
    return block(answer) if isinstance(answer, str) else json_text(answer)


def _connect(context: Context, options: dict[str, Any]) -> Any:
    from hfspace.diagnosis.connection import open_connection
    from hfspace.diagnosis.run import Options
    from hfspace.diagnosis.simple import declared
    from hfspace.manifest.models import EndpointSpec

    if options["api_name"] and options["route"]:
        raise UsageError("Give --api-name or --path, not both.")
    spec = None
    if context.files or any(Path(name).exists() for name in context.manifest_files):
        spec = declared(context.load_manifest(), options["space"])
    if options["api_name"] or options["route"]:
        spec = EndpointSpec(api_name=options["api_name"], path=options["route"])
    chosen = Options(wake=options["wake"], zero_gpu=options["zero_gpu"], notify=context.note)
    named = bool(options["api_name"] or options["route"])
    return open_connection(options["space"], context.hub(), spec, chosen, fit=named)


def _run(context: Context, call: Any, form: str) -> Any:
    from hfspace.live.gradio.invoke import stream

    last = None
    for last in stream(call):
        if call.endpoint.generator and form == "text":
            context.echo(as_text(last))
            sys.stdout.flush()
    return last


def _values(options: dict[str, Any], connection: Any) -> Any:
    """What to send: --data, else the arguments, else the manifest's example."""
    if options["data"] is not None:
        if options["values"]:
            raise UsageError("Give the values as arguments or with --data, not both.")
        return _document(options["data"])
    if not options["values"]:
        return connection.spec.example
    if connection.found.app.kind != "gradio" and len(options["values"]) == 1:
        return _one(options["values"][0], None)
    wanted = [item for item in connection.endpoint.parameters if item.component != "state"]
    padded = [*wanted, *[None] * len(options["values"])]
    return [_one(text, parameter) for text, parameter in zip(options["values"], padded, strict=False)]


def _numbers_only(values: tuple[str, ...]) -> None:
    """Refuse what looks like an option and is no number, unless `--` says that values follow."""
    if click.get_current_context().meta.get(_LITERAL):
        return
    for text in values:
        if text.startswith("-") and len(text) > 1 and not _NEGATIVE.fullmatch(text):
            raise UsageError(
                f"No such option: {text.partition('=')[0]}.", hint="Write -- before values that begin with -."
            )


def _one(text: str, parameter: Any) -> Any:
    """One argument: JSON, else text. A parameter that takes text gets text, even what looks like a number."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    wants_text = parameter is not None and parameter.schema.get("type") == "string"
    return text if wants_text and not isinstance(value, str) else value


def _document(text: str) -> Any:
    if text.startswith("@"):
        text = read_text(text[1:])
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError("--data is not JSON.", hint=f"{error}"[:120]) from None
