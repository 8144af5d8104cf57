"""hfspace fmt: the canonical layout of manifest files."""

from __future__ import annotations

from pathlib import Path

import click

from hfspace.cli.context import Context, hfspace_command
from hfspace.errors import ManifestError, Problem, UsageError
from hfspace.files import write_atomically
from hfspace.manifest import files
from hfspace.manifest.layout import formatted
from hfspace.report.cells import counted
from hfspace.text import plain


@hfspace_command(
    name="fmt",
    epilog="\b\nExamples:\n  hfspace fmt\n  hfspace fmt spaces/ --check",
)
@click.argument("paths", nargs=-1, metavar="[FILES]…")
@click.option("--check", is_flag=True, help="Change nothing; exit 1 when a file would change.")
def command(context: Context, paths: tuple[str, ...], check: bool) -> int:
    """Put the keys of manifest files in order and tidy blank space. Comments and values are kept, and so are
    keys that nobody knows: `hfspace validate` names them.

    A file whose layout can't be changed safely is left as it is, and named.
    """
    if paths and context.files:
        raise UsageError("Give the files, or -f, not both.", hint="hfspace fmt FILE…")
    problems: list[Problem] = []
    named = paths or (*context.manifest_files, *context.overlays)
    names = dict.fromkeys(name for path in named for name in files.expanded(path, Path(), problems))
    changed = 0
    for name in names:
        read = files.read(name, Path(), problems)
        if read is None:
            continue
        try:
            text = formatted(read[1])
        except ValueError as error:
            hint = "Nothing was changed in it."
            problems.append(Problem(file=name, message=f"can't be laid out: {error}", hint=hint))
            continue
        if name == "-":
            context.direct(text.rstrip("\n"))
        elif text.encode() != Path(name).read_bytes():
            changed += 1
            context.echo(plain(name))
            if not check:
                _write(Path(name), text)
    if problems:
        raise ManifestError(problems)
    if "-" not in names:
        verb = "would change" if check else "changed"
        context.note(f"{counted(changed, 'file')} {verb}, {counted(len(names) - changed, 'file')} in order.")
    return 1 if check and changed else 0


def _write(path: Path, text: str) -> None:
    """All of it or nothing: a half-written manifest could be applied."""
    try:
        write_atomically(path, text)
    except OSError as error:
        raise UsageError(
            f"{path} can't be written: {error.strerror}.", hint="Check who may write it."
        ) from None
