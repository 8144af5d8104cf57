"""docs/commands.md is made from the commands themselves: `HFSPACE_UPDATE_GOLDEN=1 pytest` writes it anew."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator
from pathlib import Path

import click

from hfspace.cli.main import COMMANDS, cli

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"
COMMON = {"verbose", "quiet", "no_color", "log_format", "no_input", "debug_file", "help", "files", "overlays"}
INTRO = """# Commands

<!-- Made from the commands by tests/unit/test_commands_page.py: edit their help, not this page. -->

Options of every command: `-v` (more detail), `-q` (no progress), `--no-color`, `--log-format text|json`,
`--no-input`; `-vv` and `--debug-file FILE` show each request ([debugging.md](debugging.md)). Where a
manifest is read: `-f FILE` (a file, directory or glob; repeatable; default `spaces.yaml`, or what
`HFSPACE_FILE` names) and `--overlay FILE` (merged over it).

What is asked for goes to stdout; progress, questions and errors to stderr. Exit codes: **0** done, or
nothing to do; **1** an error, nothing was changed; **3** apply changed something and failed on something
else: run it again; **2** only where a command's options say so; **4** something declared or asked for
could not be read or compared (`--allow-unknown` makes it 0); **130** interrupted.
"""


def page() -> str:
    context = click.Context(cli, info_name="hfspace")
    lines = [INTRO]
    for title, section in COMMANDS.items():
        lines.append(f"## {title}\n")
        for name in section:
            command = cli.get_command(context, name)
            assert command is not None
            lines += described(command, f"hfspace {name}", context)
    return "\n".join(lines).rstrip() + "\n"


def described(command: click.Command, name: str, above: click.Context) -> Iterator[str]:
    context = click.Context(command, info_name=name.rpartition(" ")[2], parent=above)
    shown = " ".join(
        param.make_metavar(context) for param in command.params if isinstance(param, click.Argument)
    )
    yield f"### `{f'{name} {shown}'.strip()}`\n"
    text = inspect.cleandoc(command.help or "").replace("\b\n", "")
    yield text.replace("<", "&lt;") + "\n"
    options = [one for one in command.params if isinstance(one, click.Option) and one.name not in COMMON]
    if options:
        yield "| option | |\n| --- | --- |"
        yield from (option_row(one, context) for one in options if not one.hidden)
        yield ""
    examples = inspect.cleandoc(command.epilog or "").replace("\b\n", "").splitlines()
    if examples:
        yield "```console"
        yield from (line.strip() for line in examples if not line.startswith("Example"))
        yield "```\n"
    if isinstance(command, click.Group):
        for child in command.list_commands(context):
            found = command.get_command(context, child)
            assert found is not None
            yield from described(found, f"{name} {child}", context)


def option_row(option: click.Option, context: click.Context) -> str:
    record = option.get_help_record(context)
    assert record is not None
    names, text = (part.replace("|", "\\|").replace("<", "&lt;") for part in record)
    return f"| `{names}` | {' '.join(text.split())} |"


def test_the_page_of_commands_is_current() -> None:
    made = page()
    if os.environ.get("HFSPACE_UPDATE_GOLDEN"):
        PAGE.write_text(made)
    assert PAGE.read_text() == made
    assert all(f"### `hfspace {name}" in made for section in COMMANDS.values() for name in section)
