"""hfspace call: the declared endpoint of a Space, with values from the arguments, a file, or the manifest."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from hfspace.cli.context import Context, HfspaceCommand, hfspace_command
from hfspace.cli.inputs import parse_timeout, read_text
from hfspace.diagnosis.connection import MISSING, Connection, open_connection
from hfspace.diagnosis.run import DiagnosisOptions
from hfspace.diagnosis.simple import app_auth, declared
from hfspace.errors import UsageError
from hfspace.live.gradio.calls import AppCall, CallEvent, Download, Result
from hfspace.live.gradio.invoke import stream
from hfspace.live.gradio.openapi import takes
from hfspace.manifest.models import EndpointSpec
from hfspace.text import block, json_text, opening

_NEGATIVE = re.compile(r"-\.?\d.*")

_LITERAL = "hfspace.call.literal"


class _CallCommand(HfspaceCommand):
    """Notes whether `--` was given: click itself drops it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[_LITERAL] = "--" in args
        return super().parse_args(ctx, args)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOptions:
    """What is called, with which values, and where the answer goes."""

    space: str
    values: tuple[str, ...]
    data: str | None
    api_name: str | None
    route: str | None
    method: str | None
    params: tuple[str, ...]
    query: tuple[str, ...]
    uploads: tuple[str, ...]
    url: str | None
    folder: Path | None
    wake: bool
    zero_gpu: bool
    no_check: bool
    timeout: str
    form: str


@hfspace_command(
    CallOptions,
    name="call",
    cls=_CallCommand,
    context_settings={"ignore_unknown_options": True},  # -5 is a value; _numbers_only refuses the rest
    epilog="\b\nExamples:\n  hfspace call acme/whisper-demo                  the example of the manifest\n"
    "  hfspace call acme/writer 'Once upon a time' 25\n"
    '  hfspace call acme/writer --data \'{"prompt": "Once"}\'\n'
    "  hfspace call acme/writer --data @values.json --format json\n"
    "  hfspace call acme/upscale photo.png --output results/\n"
    "  hfspace call acme/shop --path '/items/{item}' --param item=7 --query size=2\n"
    "  hfspace call acme/ocr --path /read --upload page=scan.png",
)
@click.argument("space", metavar="ID|URL")
@click.argument("values", nargs=-1, metavar="[JSON]...")
@click.option(
    "--data", metavar="JSON|@FILE", help="All values: a list by position, an object by name; @- is stdin."
)
@click.option("--api-name", help="A Gradio endpoint instead of the declared one.")
@click.option("--path", "route", help="A route of an HTTP app instead of the declared endpoint.")
@click.option(
    "--method",
    type=click.Choice(["GET", "POST", "PUT", "PATCH", "DELETE"], case_sensitive=False),
    help="Of the route; without it, one that takes what is sent.",
)
@click.option("--param", "params", metavar="NAME=VALUE", multiple=True, help="A {NAME} part of the path.")
@click.option("--query", metavar="NAME=VALUE", multiple=True, help="A value of the query string.")
@click.option("--upload", "uploads", metavar="FIELD=PATH", multiple=True, help="A file to upload in a form.")
@click.option("--url", metavar="URL", help="The app's own host, asked instead of the Hub, without a token.")
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
@click.option("--no-check", is_flag=True, help="Send the values even where they do not seem to fit.")
@click.option("--timeout", default="60s", show_default=True, help="How long the call may take.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form on stdout.")
def command(context: Context, options: CallOptions) -> int:
    """Call a Space's endpoint.

    Each value is JSON, or plain text. Without values the example of the manifest is sent. The values are
    checked against what the app takes before anything runs; for an HTTP route they fill its path, query and
    body in the order in which `hfspace diagnose` shows them. The steps of a generator and the events of a
    stream are printed as they come.
    """
    _numbers_only(options.values)
    seconds = parse_timeout(options.timeout)
    if options.data is not None and options.values:
        raise UsageError("Give the values as arguments or with --data, not both.")
    document = _document(options.data) if options.data is not None else MISSING
    files = _pairs("--upload", options.uploads)
    connection = _connect(context, options, files)
    values = _values(options, document, files, connection)
    call = connection.prepare(values, seconds, fitting=not options.no_check)
    result, printed = _run(context, call, options.form)
    answer = connection.finish(result.answer, call, options.folder, context.secrets.redact_file)
    if isinstance(answer, Download):
        size = f"{answer.content_type}, {len(answer.content)} bytes"
        raise UsageError(
            f"{call.endpoint.name} answered with a file ({size}).", hint="Save it: --output FOLDER"
        )
    if options.form == "json":
        report = {
            "format_version": 1,
            "space": connection.found.space,
            "endpoint": call.endpoint.name,
            "url": call.ask.url if call.ask else call.endpoint.url,
            "answer": answer,
            "seconds": round(result.seconds, 3),
        }
        context.echo(json_text(report))
    elif not printed or options.folder is not None:
        context.echo(as_text(answer))
    context.debug(f"{call.endpoint.name} completed in {result.seconds:.2f} s")
    return 0


def as_text(answer: Any) -> str:
    """An answer for a terminal: text as it is, all else as JSON; control characters are spelled out."""
    return block(answer) if isinstance(answer, str) else json_text(answer)


def line_of(data: Any) -> str:
    """One event of a stream in one line."""
    return opening(data if isinstance(data, str) else json.dumps(data, ensure_ascii=False, default=str))


def _connect(context: Context, options: CallOptions, files: Mapping[str, str]) -> Connection:
    if options.api_name and options.route:
        raise UsageError("Give --api-name or --path, not both.")
    manifest = context.load_manifest() if context.has_manifest else None

    def known(space: str) -> EndpointSpec | None:
        return declared(manifest, space) if manifest is not None else None

    spec = known(options.space)
    if options.api_name:
        spec = EndpointSpec(api_name=options.api_name)
    elif options.route:
        spec = EndpointSpec(path=options.route)
    if spec is not None:
        spec = _with_options(spec, options)
    direct = options.url is not None
    chosen = DiagnosisOptions(
        wake=options.wake,
        zero_gpu=options.zero_gpu,
        auth=app_auth(context.env),
        notify=context.note,
        ask_hub=not direct,
        declared=known,
    )
    connection = open_connection(options.url or options.space, context.hub(), spec, chosen)
    if spec is None:
        connection = replace(connection, spec=_with_options(connection.spec, options))
    return connection.with_uploads(files) if files else connection


def _with_options(spec: EndpointSpec, options: CallOptions) -> EndpointSpec:
    """The endpoint with --method, --param and --query put in."""
    params, query = _pairs("--param", options.params), _pairs("--query", options.query)
    if not (options.method or params or query):
        return spec
    if spec.path is None:
        raise UsageError("--method, --param and --query are for an HTTP route.", hint="Name it: --path /…")
    more: dict[str, Any] = {"method": options.method.upper()} if options.method else {}
    more |= {"params": {**(spec.params or {}), **params}} if params else {}
    more |= {"query": {**(spec.query or {}), **query}} if query else {}
    return spec.model_copy(update=more)


def _pairs(option: str, texts: tuple[str, ...]) -> dict[str, str]:
    values = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise UsageError(f"{option} {text} is not NAME=VALUE.")
        values[name] = value
    return values


def _run(context: Context, call: AppCall, form: str) -> tuple[Result, bool]:
    """The result, and whether it was printed as it came."""
    printed = False
    steps = stream(call)
    while True:
        try:
            step = next(steps)
        except StopIteration as end:
            return end.value, printed
        event = isinstance(step, CallEvent)
        if form == "text" and (event or (call.endpoint.generator and call.app.kind == "gradio")):
            context.echo(line_of(step.data) if event else as_text(step))
            sys.stdout.flush()
            printed = True


def _values(options: CallOptions, document: object, files: Mapping[str, str], connection: Connection) -> Any:
    """What to send: `document`, else the arguments, else the manifest's example; --upload beside them."""
    values: Any
    if document is not MISSING:
        values = document
    elif options.values:
        values = _positions(options.values, connection)
    else:
        return files or MISSING
    if not files:
        return values
    if not isinstance(values, dict):
        raise UsageError(
            "Beside --upload the values of a form have names.", hint="Give them: --data '{\"NAME\": …}'"
        )
    return {**values, **files}


def _positions(texts: tuple[str, ...], connection: Connection) -> Any:
    """The arguments as values; a single object or list is the whole of what an HTTP route takes."""
    endpoint, spec = connection.served(sending=True), connection.spec
    fixed = {*(spec.params or {}), *(spec.query or {})}
    wanted = [item for item in endpoint.parameters if item.component != "state" and item.name not in fixed]
    further = next((item for item in wanted if item.name == "data" == takes(endpoint)), None)
    padded = [*wanted, *[further] * len(texts)]
    values = [_one(text, parameter) for text, parameter in zip(texts, padded, strict=False)]
    app = connection.found.app
    if app is None or app.kind == "gradio" or len(values) > 1:
        return values
    whole = isinstance(values[0], dict) or (isinstance(values[0], list) and takes(endpoint) in {"data", ""})
    return values[0] if whole else values


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
    schema = parameter.schema if parameter is not None else {}
    several = parameter is not None and parameter.name == "data" and schema.get("type") == "array"
    wants_text = (schema.get("items") or {} if several else schema).get("type") == "string"
    return text if wants_text and not isinstance(value, str) else value


def _document(text: str) -> Any:
    if text.startswith("@"):
        text = read_text(text[1:])
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError("--data is not JSON.", hint=f"{error}"[:120]) from None
