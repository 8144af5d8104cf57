"""The entry point: finds the command, runs it, and turns every error into one sentence and an exit code."""

from __future__ import annotations

import errno
import gc
import importlib
import io
import os
import signal
import sys
import threading
import warnings
from collections.abc import Sequence

import click

from hfspace.cli.context import Context, RefusesEmpty, global_options, merge
from hfspace.cli.door import discard_stdout, doors
from hfspace.cli.failure import Failures, log_format
from hfspace.errors import HfspaceError, Interrupted, ManifestError
from hfspace.redaction import TOKENS, KnownSecrets
from hfspace.version import __version__

# name -> (module, one line for --help). Modules are imported when their command is used.
COMMANDS: dict[str, dict[str, tuple[str, str]]] = {
    "The manifest": {
        "init": ("init", "Write a manifest: a starter, or from live Spaces."),
        "validate": ("validate", "Check the manifest offline."),
        "fmt": ("fmt", "Put manifest files in order; comments stay."),
        "pull": ("pull", "Write a Space's files to their folder here."),
        "explain": ("explain", "Explain a key of the manifest."),
        "schema": ("schema", "Print the JSON Schema of the manifest."),
    },
    "Plan and apply": {
        "plan": ("plan", "Show what would change, and the bill."),
        "apply": ("apply", "Make it so."),
        "watch": ("watch", "Plan, and apply what you allow, again and again."),
        "calendar": ("calendar", "The hours of the coming days, and what they cost."),
        "shards": ("shards", "Print a matrix, for a manifest that several runners share."),
        "github": ("github", "Comment, annotations, summary and outputs of a GitHub job."),
    },
    "Spaces": {
        "status": ("status", "Stage, hardware, price and drift of each Space."),
        "list": ("list", "List the Spaces of an owner or a search."),
        "show": ("show", "Show one Space in full."),
        "restart": ("restart", "Restart a Space."),
        "hold": ("hold", "Keep the hours of the manifest off a Space that is in use."),
        "pause": ("pause", "Pause a Space; a paused Space costs nothing."),
        "logs": ("logs", "Print the run or build log of a Space."),
        "wait": ("wait", "Wait until a Space is running."),
    },
    "Money": {
        "bill": ("bill", "What the Hub billed, what is scheduled, and the ceiling."),
        "savings": ("savings", "What costs more than it must, and the edit that mends it."),
        "report": ("report", "The fleet on one HTML page: stages, drift, cost, savings."),
    },
    "Endpoints and experiments": {
        "diagnose": ("diagnose", "Say why a Space can't be called, and what works."),
        "call": ("call", "Call a Space's endpoint."),
        "experiments": ("experiments", "Trackio experiments: list, write, draw, export, send."),
    },
    "Everything else": {
        "doctor": ("doctor", "What this token may do, and to which Spaces."),
        "hub": ("hub", "The local Hub, to try things on without a token."),
        "demo": ("demo", "The main job from end to end on a local Hub."),
        "completion": ("completion", "Print a shell completion script."),
    },
}


_OUTPUT_LOST = frozenset({errno.ENOSPC, errno.EIO, errno.EBADF, errno.EDQUOT})


def _columns() -> int:
    """The width of the terminal, as COLUMNS or stdout tells it; 80 where neither does."""
    try:
        return int(os.environ.get("COLUMNS") or os.get_terminal_size(sys.stdout.fileno()).columns)
    except (OSError, ValueError):
        return 80


class LazyGroup(RefusesEmpty, click.Group):
    """A group whose commands are imported when they are used, so that --help stays instant."""

    def get_help(self, ctx: click.Context) -> str:
        # Asked for the width, click imports shutil and with it three compressors.
        ctx.terminal_width = max(min(_columns(), ctx.max_content_width or 80) - 2, 50)
        return super().get_help(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for section in COMMANDS.values() for name in section]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        for section in COMMANDS.values():
            if name in section:
                module = importlib.import_module(f"hfspace.cli.{section[name][0]}")
                gc.freeze()  # modules stay: no collection need walk them
                gc.enable()
                command = module.command
                if not isinstance(command, click.Command):
                    raise TypeError(f"hfspace.cli.{section[name][0]} has no command")
                return command
        return None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], self.list_commands(ctx), n=1)
            hint = f" Did you mean '{near[0]}'?" if near else " See 'hfspace --help'."
            raise click.UsageError(f"No such command '{args[0]}'.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, section in COMMANDS.items():
            with formatter.section(title):
                formatter.write_dl([(name, text) for name, (_, text) in section.items()])


@click.command(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="\b\nExamples:\n  hfspace demo                      see it work; no token, no network\n"
    "  hfspace plan                      what would change, and what it costs\n"
    "  hfspace apply                     the same, then do it",
)
@global_options
@click.version_option(__version__, prog_name="hfspace", message="%(prog)s %(version)s")
@click.pass_context
def cli(ctx: click.Context, /, **options: object) -> None:
    """GitOps for Hugging Face Spaces: declare them in YAML, see the change and the bill, apply."""
    ctx.obj = merge(ctx.obj or Context(), options, dict(os.environ))


def main(args: Sequence[str] | None = None) -> None:
    """Run hfspace and exit. The one place where errors become text and exit codes."""
    # Python's own report of a crash in a thread prints the exception with its text.
    failures = Failures(log_format(sys.argv[1:] if args is None else args) == "json")
    threading.excepthook = lambda crash: _crash_in_a_thread(failures, crash)
    gc.disable()  # until the command is imported: a tenth of a plan went into looking for garbage there
    code = run(args)
    gc.freeze()  # nor need the interpreter walk through all that ends with it
    sys.exit(code)


def run(args: Sequence[str] | None = None) -> int:
    """Run hfspace; the exit code (design section 3)."""
    signal.signal(signal.SIGTERM, _terminate)
    _open_streams()
    secrets = KnownSecrets(os.environ.get(name, "") for name in TOKENS)
    failures = Failures(log_format(sys.argv[1:] if args is None else args) == "json")
    with doors(secrets):
        return _run(args, Context(secrets=secrets), failures)


def _run(args: Sequence[str] | None, context: Context, failures: Failures) -> int:
    if not sys.warnoptions:
        # What libraries tell their callers is for developers. Set here, for the process, and never by the
        # library part of hfspace: filters are global, and its threads run in programs of others.
        warnings.simplefilter("ignore")
    try:
        code = cli.main(args=list(args) if args is not None else None, standalone_mode=False, obj=context)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except (KeyboardInterrupt, click.Abort):
        return failures.say("Interrupted.", "", Interrupted.exit_code)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        return failures.usage(error)
    except ManifestError as error:
        return failures.problems(error)
    except HfspaceError as error:
        return failures.error(error)
    except BrokenPipeError:
        # The reader (head, less) has seen enough; stdout is gone, so the interpreter must not flush it.
        discard_stdout()
        return 0
    except OSError as error:
        if error.errno not in _OUTPUT_LOST:
            return failures.crash(error)
        discard_stdout()
        return failures.say(f"The output could not be written: {error.strerror}.", "", 1)
    except Exception as error:  # noqa: BLE001 - the last door: a crash of our own must say so
        return failures.crash(error)


def _open_streams() -> None:
    """A stream that the caller closed is the null device; what a stream's encoding lacks is spelled out."""
    sys.stdin = sys.stdin or open(os.devnull, encoding="utf-8")  # noqa: SIM115 - they live as long as the process
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _terminate(signum: int, frame: object) -> None:
    raise KeyboardInterrupt


def _crash_in_a_thread(failures: Failures, crash: threading.ExceptHookArgs) -> None:
    failures.crash(crash.exc_value or RuntimeError())


if __name__ == "__main__":
    main()
