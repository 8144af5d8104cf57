"""How a command that failed says so on stderr: as text, or with `--log-format json` as one object a line."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import click

from hfspace.errors import HfspaceError, ManifestError
from hfspace.text import plain
from hfspace.version import __version__


@dataclass(frozen=True, slots=True)
class Failures:
    """Says what went wrong; each method returns the exit code."""

    as_json: bool = False

    def say(self, message: str, hint: str, code: int, **more: object) -> int:
        if self.as_json:
            import json  # 4 ms, and --help needs none of it

            _tell(json.dumps({"level": "error", "message": message, "hint": hint, "exit_code": code, **more}))
        else:
            _tell(f"hfspace: {plain(message)}" + (f"\n  {plain(hint)}" if hint else ""))
        return code

    def error(self, error: HfspaceError) -> int:
        return self.say(error.message, error.hint, error.exit_code)

    def usage(self, error: click.ClickException) -> int:
        if self.as_json:
            return self.say(error.format_message(), "", 1)
        error.show()
        return 1

    def problems(self, error: ManifestError) -> int:
        from hfspace.report.problems import render_problems, to_json

        if self.as_json:
            return self.say(error.message, error.hint, error.exit_code, problems=to_json(error.problems))
        _tell(render_problems(error.problems))
        return error.exit_code

    def crash(self, error: BaseException) -> int:
        """Names the exception and the line of ours, never its arguments: they may hold a secret."""
        import traceback  # only where something broke

        if os.environ.get("HFSPACE_TRACEBACK"):
            traceback.print_tb(error.__traceback__)
        frames = traceback.extract_tb(error.__traceback__)
        ours = [frame for frame in frames if "hfspace" in frame.filename] or frames
        where = f"{os.path.basename(ours[-1].filename)}:{ours[-1].lineno}" if ours else "unknown"
        return self.say(
            f"this is a bug in hfspace {__version__}: {type(error).__name__} at {where}.",
            "Please report it with this line and the command (not its output). "
            "Set HFSPACE_TRACEBACK=1 to see where it happened.",
            1,
        )


def log_format(args: Sequence[str]) -> str:
    """What the last --log-format asks for: an error in the command line comes before it is parsed."""
    chosen = "text"
    for option, following in zip(args, [*args[1:], ""], strict=True):
        if option == "--":
            break
        if option == "--log-format":
            chosen = following
        elif option.startswith("--log-format="):
            chosen = option.partition("=")[2]
    return chosen


def _tell(text: str) -> None:
    with suppress(OSError):  # stderr may be full or closed, and the exit code is to come all the same
        click.echo(text, err=True)
