"""hfspace experiments upload-artifact: files that belong to a run."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import click

from hfspace.cli.context import Context, hfspace_command
from hfspace.cli.trackio import ReportOptions, document, format_option, place_options, tracker_of
from hfspace.live.trackio.artifacts import artifact_name, checked_artifact_name, collect
from hfspace.report.cells import counted, size
from hfspace.text import plain

_SLOWEST = 100_000
"""Bytes per second for which there is time beside --timeout."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactOptions(ReportOptions):
    ref: str
    paths: tuple[Path, ...]
    name: str | None
    type: str
    aliases: tuple[str, ...]


@hfspace_command(
    ArtifactOptions,
    name="upload-artifact",
    epilog="\b\nExamples:\n  hfspace experiments upload-artifact smollm3-ft model.safetensors\n"
    "  hfspace experiments upload-artifact smollm3-ft checkpoint-100 --name smollm3 --type model",
)
@click.argument("ref", metavar="NAME|ID")
@click.argument("paths", metavar="FILE…", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--name", help="The artifact's name. [the first file's]")
@click.option("--type", default="file", show_default=True, help="What it is: model, dataset, …")
@click.option("--alias", "aliases", multiple=True, help="A name for this version, such as best; repeatable.")
@place_options
@format_option
def upload_artifact_command(context: Context, options: ArtifactOptions) -> int:
    """Keep files, or what is below folders, as a version of an artifact.

    Official trackio keeps it; for the Gradio app, the bucket or dataset that the manifest names
    (trackio.artifacts). What is there already is not sent again: after a break, run it again. Each file's
    hash is checked.
    """
    name = checked_artifact_name(options.name) if options.name else artifact_name(options.paths[0])
    files = collect(options.paths)
    total = sum(file.size for file in files)
    with tracker_of(context, options, extra_seconds=total / _SLOWEST) as (tracker, target):
        kept = tracker.upload_artifact(
            options.ref,
            files,
            target.project,
            name=name,
            type=options.type,
            aliases=options.aliases,
            progress=_Progress(context),
        )
    if options.form == "json":
        listed = [{"path": file.name, "size": file.size, "sha256": file.sha256} for file in kept.files]
        artifact = {"name": kept.name, "version": kept.version, "bytes": total, "sent": kept.sent}
        context.echo(document(target, artifact=artifact | {"files": listed}))
        return 0
    for file in kept.files:
        context.echo(f"{file.sha256}  {plain(file.name)}")
    what = f"{counted(len(kept.files), 'file')}, {size(total)}"
    context.note(f"{kept.name} {plain(kept.version)}: {what}, {size(kept.sent)} sent.")
    return 0


class _Progress:
    """A line for each file when it is there, and in a terminal for each tenth of it."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._last = ("", 0)

    def __call__(self, name: str, sent: int, total: int) -> None:
        step = (name, 10 * sent // total if total else 10)
        if step != self._last and (sent == total or sys.stderr.isatty()):
            self._context.note(plain(f"{name}: {size(sent)} of {size(total)}"))
        self._last = step
