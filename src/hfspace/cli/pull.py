"""hfspace pull: the files of a Space, as the Hub has them, in their folder here."""

from __future__ import annotations

from pathlib import Path

import click

from hfspace.cli.context import Context, find_space, hfspace_command
from hfspace.folder import folder_of
from hfspace.manifest.models import FilesSpec
from hfspace.pull import only_here, prepare
from hfspace.report.cells import counted, size
from hfspace.text import plain


@hfspace_command(
    name="pull",
    epilog="\b\nExamples:\n  hfspace pull acme/whisper            to the folder that the manifest names\n"
    "  hfspace pull acme/whisper --to app   to another one",
)
@click.argument("space", metavar="ID")
@click.option("--to", metavar="FOLDER", help="Where to; else the manifest's folder for it, else ./NAME.")
@click.option("--force", is_flag=True, help="Replace files here that differ.")
def command(context: Context, space: str, to: str | None, force: bool) -> int:
    """Write a Space's files, as the Hub has them, to their folder here.

    Nothing on the Hub is changed. Files here that differ are replaced with --force only; files that the Hub
    does not have stay. Each file is checked and takes its place when it is whole. .gitattributes is left out.
    """
    hub = context.hub()
    name = find_space(hub, space)
    files, folder = _declared(context, name)
    if to is not None:
        folder = Path(to)
    pull = prepare(hub, hub.space(name), folder or Path(name.partition("/")[2]), force=force)
    done = pull.write(lambda path: context.debug(f"reading {plain(path)}"))
    written = len(done.new) + len(done.replaced)
    what = f"{counted(written, 'file')} written ({size(done.size)})" if written else "nothing to write"
    context.note(f"{pull.space} at {pull.commit[:7]} in {plain(pull.folder)}: {what}, {done.same} the same.")
    more = only_here(pull, files.exclude if files else ())
    if more:
        context.note(f"{counted(more, 'file')} there {'is' if more == 1 else 'are'} not on the Hub.")
    if folder is None:
        context.note(f"To deploy from it: files: ./{pull.folder} under {pull.space} in the manifest.")
    return 0


def _declared(context: Context, space: str) -> tuple[FilesSpec | None, Path | None]:
    """What the manifest says of the Space's files, and the folder; None and None where it says nothing."""
    if not context.has_manifest:
        return None, None
    manifest = context.load_manifest()
    spec = manifest.spaces.get(space)
    if spec is None or spec.files is None:
        return None, None
    return spec.files, folder_of(manifest, space, Path())
