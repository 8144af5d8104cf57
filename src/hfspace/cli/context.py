"""What every command shares: the global options, where text goes, and how the manifest, the token and the
Hub are found. Nothing heavy is imported before a command asks for it."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hfspace.cli.door import behind, discard_stdout
from hfspace.errors import UsageError
from hfspace.hub_url import DEFAULT_ENDPOINT, hub_url
from hfspace.redaction import KnownSecrets

if TYPE_CHECKING:
    from pathlib import Path

    from hfspace.applier.run import Options
    from hfspace.live.hub import HubClient
    from hfspace.live.limiter import Pace
    from hfspace.manifest.models import Manifest

DEFAULT_FILE = "spaces.yaml"

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The settings of one run, and the doors to the outside. `env` is read once, here; `secrets` are in
    nothing that goes out."""

    files: tuple[str, ...] = ()
    overlays: tuple[str, ...] = ()
    verbose: int = 0
    quiet: bool = False
    color: bool = False
    log_format: str = "text"
    no_input: bool = False
    debug_file: str | None = None
    env: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    secrets: KnownSecrets = field(default_factory=KnownSecrets)

    @property
    def manifest_files(self) -> tuple[str, ...]:
        """What -f named, else HFSPACE_FILE (separated like PATH), else spaces.yaml."""
        if self.files:
            return self.files
        named = self.env.get("HFSPACE_FILE", "")
        return tuple(part for part in named.split(os.pathsep) if part) or (DEFAULT_FILE,)

    @property
    def has_manifest(self) -> bool:
        """Whether something names a manifest, or spaces.yaml is here."""
        return self.manifest_files != (DEFAULT_FILE,) or os.path.exists(DEFAULT_FILE)

    @property
    def manifest_options(self) -> list[str]:
        """The options that name this manifest again, for a command that is shown."""
        files = [part for file in self.files for part in ("-f", file)]
        return [*files, *(part for overlay in self.overlays for part in ("--overlay", overlay))]

    @property
    def endpoint(self) -> str:
        """The address of the Hub. Raises UsageError when HF_ENDPOINT is no http(s) URL."""
        from urllib.parse import urlsplit  # 5 ms, and --help needs none of it

        url = hub_url(self.env)
        try:
            parts = urlsplit(url)
            usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:  # a port past 65535, half an IPv6 address
            usable = False
        if not usable:
            raise UsageError("HF_ENDPOINT is not a URL (http or https).", hint=f"{DEFAULT_ENDPOINT}, say.")
        return url

    @property
    def columns(self) -> int | None:
        """The width of the terminal on stdout; None where text goes to a file or a pipe, and is not cut."""
        import shutil  # 3 ms, and --help needs none of it

        return shutil.get_terminal_size().columns if sys.stdout.isatty() else None

    @property
    def apply_options(self) -> Options:
        """How an apply works, with the pace that the environment sets."""
        from hfspace.applier.run import Options

        return Options(
            poll_seconds=self.seconds("HFSPACE_POLL_SECONDS", 2),
            settle_seconds=self.seconds("HFSPACE_SETTLE_SECONDS", 10),
        )

    def seconds(self, name: str, default: float) -> float:
        """A pause that the environment sets, from 0 to a day. Raises UsageError."""
        text = self.env.get(name) or str(default)
        try:
            seconds = float(text)
        except ValueError:
            seconds = -1.0
        if not 0 <= seconds <= 86400:
            raise UsageError(f"{name} is no number of seconds: '{text}'.", hint=f"{name}={default:g}, say.")
        return seconds

    def load_manifest(self) -> Manifest:
        """The manifest with all its files merged. Raises ManifestError with every problem found."""
        from pathlib import Path

        from hfspace.manifest.loader import load_files
        from hfspace.manifest.secrets import read_local_inputs

        manifest = load_files(self.manifest_files, overlays=self.overlays, env=self.env)
        inputs = read_local_inputs(manifest, self.env, Path.cwd())
        self.secrets.add(value.reveal() for value in inputs.secrets.values())
        return manifest

    def load_base_manifest(self, base: Path) -> Manifest | None:
        """The same manifest in another checkout, None when it has none. An overlay that the checkout lacks is
        from elsewhere, and is read as it is."""
        from pathlib import Path

        from hfspace.manifest.files import expanded
        from hfspace.manifest.loader import load_files

        def inside(name: str) -> str:
            path = Path(name).absolute()
            return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else name

        names = [name for one in self.manifest_files for name in expanded(inside(one), base, [])]
        files = [name for name in names if (base / name).exists()]
        if not files:
            return None
        overlays = [
            inside(one) if (base / inside(one)).exists() else Path(one).absolute() for one in self.overlays
        ]
        return load_files(files, overlays=overlays, env=self.env, cwd=base)

    def token(self) -> str | None:
        """HF_TOKEN, HUGGINGFACE_TOKEN, else the login of `hf auth login`; None when there is none."""
        from hfspace.live.credentials import find_token

        return find_token(self.env)

    def hub(self, token: str | None = None, pace: Pace | None = None) -> HubClient:
        """A client for the endpoint, with the token found unless one is given; keyless where none is."""
        from hfspace.live.hub import connect

        token = token or self.token()
        return connect(self.endpoint, token, env=self.env, notify=self.note, pace=pace, secrets=self.secrets)

    def echo(self, text: str) -> None:
        """What was asked for: to stdout."""
        click.echo(text, color=self.color or None)

    def conclude(self, text: str) -> bool:
        """What a command has done, to stdout. Where that can't be written it goes to stderr, and this is
        False: it can't be had again. A reader who is gone (head) has seen enough."""
        try:
            self.echo(text)
        except BrokenPipeError:
            discard_stdout()
        except OSError as error:
            discard_stdout()
            self.warn(f"The output could not be written: {error.strerror}.\n{text}")
            return False
        return True

    def direct(self, line: str) -> None:
        """A line for a program that obeys it (GitHub's runner, a shell): to stdout, as it is."""
        click.echo(line, file=behind(sys.stdout))
        sys.stdout.flush()

    def note(self, text: str) -> None:
        """Progress, warnings and hints: to stderr, unless --quiet."""
        if not self.quiet:
            self._stderr("info", text)

    def warn(self, text: str) -> None:
        self._stderr("warning", text)

    def debug(self, text: str, level: int = 1) -> None:
        if self.verbose >= level:
            self._stderr("debug", text)

    def confirm(self, question: str) -> bool:
        """True when `yes` was typed. Raises UsageError when nobody can be asked."""
        if self.no_input or (not sys.stdin.isatty() and "HFSPACE_ASSUME_TTY" not in self.env):
            raise UsageError(
                "Nobody to ask for confirmation here.", hint="Pass --yes to go ahead without a question."
            )
        click.echo(f"{question}\nOnly 'yes' is accepted: ", nl=False, err=True)
        return sys.stdin.readline().strip() == "yes"

    def _stderr(self, level: str, text: str) -> None:
        if self.log_format == "json":
            import json

            text = json.dumps({"level": level, "message": text})
        with suppress(OSError):  # nobody reads it, and what goes on is not to end by that
            click.echo(text, err=True)


_FILE_OPTIONS = (
    click.option(
        "-f",
        "--file",
        "files",
        multiple=True,
        metavar="FILE",
        help="Manifest file, directory or glob; repeatable. [spaces.yaml, or HFSPACE_FILE]",
    ),
    click.option(
        "--overlay", "overlays", multiple=True, metavar="FILE", help="Merged over the manifest; repeatable."
    ),
)
_COMMON_OPTIONS = (
    click.option("-v", "--verbose", count=True, help="More detail; -vv: also each request."),
    click.option("-q", "--quiet", is_flag=True, help="No progress on stderr."),
    click.option("--no-color", is_flag=True, help="No colours (NO_COLOR does the same)."),
    click.option(
        "--log-format", type=click.Choice(["text", "json"]), default=None, help="Form of messages on stderr."
    ),
    click.option("--no-input", is_flag=True, help="Never ask; refuse what needs a confirmation."),
    click.option(
        "--debug-file",
        metavar="FILE",
        help="Append each request to FILE (docs/debugging.md).",
    ),
)


def global_options(command: F, *, manifest: bool = True) -> F:
    """The options that every command takes, before or after its name; those about files only where a
    manifest is read."""
    for option in reversed((*(_FILE_OPTIONS if manifest else ()), *_COMMON_OPTIONS)):
        command = option(command)
    return command


def merge(context: Context, options: Mapping[str, Any], env: Mapping[str, str]) -> Context:
    """The context with the global options of one more level (group or command) taken over."""
    if options["no_color"]:
        env = {**env, "NO_COLOR": "1"}  # for the levels below, which do not see this option
    color = not env.get("NO_COLOR") and (sys.stdout.isatty() or bool(env.get("FORCE_COLOR")))
    return replace(
        context,
        files=tuple(options["files"]) or context.files,
        overlays=tuple(options["overlays"]) or context.overlays,
        verbose=max(context.verbose, options["verbose"]),
        quiet=context.quiet or options["quiet"],
        color=color,
        log_format=options["log_format"] or context.log_format,
        no_input=context.no_input or options["no_input"],
        debug_file=options["debug_file"] or context.debug_file,
        env=env,
    )


MAY_BE_EMPTY = frozenset({"values", "description", "title"})
"""Parameters whose value is a text of the user's own."""


class RefusesEmpty:
    """A command or group that refuses an empty value: a variable of the shell that is not set would otherwise
    stand for the working directory, for all Spaces, or for nothing."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        command = ctx.command
        if "" in args or any(argument.endswith("=") for argument in args):
            values, _, order = command.make_parser(ctx).parse_args(args=list(args))
            for parameter in order:
                value = values.get(parameter.name or "")
                is_empty = value == "" or (isinstance(value, list | tuple) and "" in value)
                if is_empty and parameter.name not in MAY_BE_EMPTY:
                    raise click.BadParameter(
                        "it is empty. Is a variable of the shell not set?", ctx, param=parameter
                    )
        return super().parse_args(ctx, args)  # type: ignore[misc,no-any-return]


class HfspaceCommand(RefusesEmpty, click.Command):
    """A command of hfspace."""


def hfspace_command(
    options: type | None = None, *, manifest: bool = True, **settings: Any
) -> Callable[[Callable[..., int]], click.Command]:
    """`@click.command` whose function gets the merged Context first, then its own options: one by one, or as
    an instance of the dataclass `options`. The global options are added to it."""

    def decorate(function: Callable[..., int]) -> click.Command:
        settings.setdefault("cls", HfspaceCommand)
        command: click.Command = click.command(**settings)(_with_context(function, options, manifest))
        return command

    return decorate


def _with_context(function: Callable[..., int], options: type | None, manifest: bool) -> Callable[..., int]:
    """`function`, called with the merged Context before its own options."""
    names = ("verbose", "quiet", "no_color", "log_format", "no_input", "debug_file")

    @click.pass_context
    @functools.wraps(function)
    def call(click_context: click.Context, /, **given: Any) -> int:
        chosen = {name: given.pop(name) for name in names}
        chosen |= {name: given.pop(name) if manifest else () for name in ("files", "overlays")}
        above = click_context.find_object(Context) or Context()
        context = merge(above, chosen, above.env)
        arguments = given if options is None else {}
        chosen_options = () if options is None else (options(**given),)
        show = context.debug if context.verbose > 1 else None
        if show is None and context.debug_file is None:
            return function(context, *chosen_options, **arguments)
        from hfspace.cli.debugging import debugging

        with debugging(
            click_context.command_path, show=show, file=context.debug_file, secrets=context.secrets
        ):
            return function(context, *chosen_options, **arguments)

    return global_options(call, manifest=manifest)


def find_space(hub: HubClient, text: str) -> str:
    """owner/name of a Space that was typed as an id, a URL or a *.hf.space host, which the Hub resolves.

    Raises UsageError when it is none of them, or no Space has that host; HubError.
    """
    from hfspace.live.hosts import resolve
    from hfspace.manifest.values import normalise_id

    try:
        space = normalise_id(text)
    except ValueError as error:
        raise UsageError(f"'{text}' is not a Space: {error}.") from None
    return resolve(hub, space) if space.endswith(".hf.space") else space
