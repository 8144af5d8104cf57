"""Artifacts of official trackio: versioned bundles of files, kept by their SHA-256. What is there already is
not sent again, so that an upload that broke off goes on where it stopped."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from hfspace.errors import DataLoss, TrackioUnavailable, UsageError
from hfspace.live.trackio.official_api import OfficialApi
from hfspace.live.trackio.port import Artifact, ArtifactFile, Experiment, Progress
from hfspace.live.trackio.uploads import as_uploaded
from hfspace.live.trackio.values import one_line
from hfspace.model import Json

_NAME = re.compile(r"[A-Za-z0-9._-]+")


def collect(items: Sequence[str | Path | ArtifactFile]) -> tuple[ArtifactFile, ...]:
    """These files, and those below these folders (no links), read once for their hash. Raises UsageError."""
    by_name: dict[str, ArtifactFile] = {}
    if isinstance(items, str | Path) or not all(
        isinstance(item, str | Path | ArtifactFile) for item in items
    ):
        raise UsageError("Files are a list of paths.")
    for item in items:
        try:
            files = [item] if isinstance(item, ArtifactFile) else [*map(_hashed, *below(Path(item)))]
        except OSError as error:
            raise UsageError(f"{error.filename} can't be read ({error.strerror}).") from None
        for file in files:
            if file.name in by_name:
                raise UsageError(f"Two files would be called {one_line(file.name)} in the artifact.")
            by_name[file.name] = file
    if not by_name:
        raise UsageError("An artifact has at least one file.")
    return tuple(by_name.values())


def below(path: Path) -> tuple[list[str], list[Path]]:
    """The paths in the artifact, and the files: one, or those of a folder."""
    if not path.is_dir():
        return [path.name], [path]
    files = sorted(file for file in path.rglob("*") if file.is_file() and not file.is_symlink())
    return [file.relative_to(path).as_posix() for file in files], files


def _hashed(name: str, path: Path) -> ArtifactFile:
    """Raises OSError."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = file.tell()
    return ArtifactFile(path=path, name=name, size=size, sha256=digest)


def artifact_name(path: Path) -> str:
    """A name that trackio takes, for what is at `path`."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", path.resolve().name) or "artifact"


def checked_artifact_name(name: str) -> str:
    """Raises UsageError for a name that trackio does not take."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise UsageError(
            f"{one_line(repr(name))} can't be the name of an artifact.",
            hint="Letters, digits, dots, dashes and underscores: --name my-model",
        )
    return name


def upload(
    api: OfficialApi,
    run: Experiment,
    files: Sequence[ArtifactFile],
    *,
    name: str,
    type: str,
    aliases: Sequence[str] = (),
    progress: Progress = lambda name, sent, size: None,
) -> Artifact:
    """Send what the app lacks of these files, and log them as a version of the artifact `name` that this run
    made. The app checks each hash. Raises TrackioError, UsageError and OSError."""
    checked_artifact_name(name)
    digests = [file.sha256 for file in files]
    known = api.write("check_artifact_blobs", project=run.project, digests=digests, hf_token=None)
    present = known.get("present") if isinstance(known, Mapping) else None
    if not isinstance(present, list):
        raise TrackioUnavailable("Trackio does not say which files it has.")
    there, sent = set(present), 0
    for file in files:
        if file.sha256 not in there:
            _send(api, run, file, progress)
            there.add(file.sha256)
            sent += file.size
        progress(file.name, file.size, file.size)
    manifest = [{"path": file.name, "size": file.size, "digest": file.sha256} for file in files]
    record = api.write(
        "artifact_log",
        project=run.project,
        name=name,
        type=type,
        description=None,
        metadata=None,
        manifest=manifest,
        aliases=list(aliases),
        run_name=run.name,
        run_id=run.id,
        hf_token=None,
    )
    return Artifact(name=name, version=_version(record, digests), files=tuple(files), sent=sent)


def _send(api: OfficialApi, run: Experiment, file: ArtifactFile, progress: Progress) -> None:
    staged = api.stage(file.path, lambda sent: progress(file.name, min(sent, file.size), file.size))
    item = {
        "project": run.project,
        "digest": file.sha256,
        "uploaded_file": as_uploaded(staged, file.path.name),
    }
    api.write("bulk_upload_artifact_blob", project=run.project, uploads=[item], hf_token=None)


def _version(record: Json, digests: Sequence[str]) -> str:
    """The version that the app made, when it holds these files. Raises DataLoss."""
    manifest = record.get("manifest") if isinstance(record, Mapping) else None
    entries = manifest if isinstance(manifest, list) else []
    held = [entry.get("digest") for entry in entries if isinstance(entry, Mapping)]
    if sorted(map(str, held)) != sorted(digests):
        raise DataLoss("Trackio took the artifact, and does not list the files that were sent.")
    return f"v{record.get('version')}"
