"""Artifacts in a bucket or dataset of the Hub, for apps that hold none: at EXPERIMENT/ARTIFACT/FILE below the
place that is named. What is there already is not sent again, and each file is looked at after it was sent.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from hfspace.errors import DataLoss, HubError, TrackioUnavailable, UsageError
from hfspace.live import hub_errors, transport
from hfspace.live.trackio.port import Artifact, ArtifactFile, Experiment, Progress
from hfspace.live.trackio.values import one_line
from hfspace.manifest.values import parse_volume_source
from hfspace.redaction import KnownSecrets

T = TypeVar("T")


class HubArtifacts:
    """One place of the Hub: hf://buckets/OWNER/NAME or hf://datasets/OWNER/NAME, with @REVISION and /PATH.
    `token` must be able to write there."""

    def __init__(self, source: str, *, endpoint: str, token: str | None) -> None:
        try:
            self._place = parse_volume_source(source)
        except ValueError:
            raise UsageError(
                f"'{one_line(source)}' can't keep artifacts.",
                hint="Write hf://buckets/owner/name or hf://datasets/owner/name.",
            ) from None
        from huggingface_hub import HfApi

        transport.install()
        self._source = source
        self._repo = str(self._place.source)
        self._endpoint = endpoint
        self._token = token
        self._api: Any = HfApi(endpoint=endpoint, token=token or False)

    def keep(
        self, run: Experiment, files: Sequence[ArtifactFile], *, name: str, progress: Progress
    ) -> Artifact:
        """Send what is not there yet, and look that it is. Raises TrackioUnavailable, DataLoss."""
        is_bucket = self._place.type == "bucket"
        # A bucket keeps no versions: each has a folder of its own.
        parts = (run.project, run.name, name, _version(files) if is_bucket else None)
        below = "/".join(_segment(part) for part in parts if part)
        folder = f"{self._place.path}/{below}" if self._place.path else below
        paths = {f"{folder}/{file.name}": file for file in files}
        have = self._bucket_has if is_bucket else self._repository_has
        there = have(paths)
        missing = {path: file for path, file in paths.items() if path not in there}
        for path, file in paths.items():
            if path not in missing:
                progress(file.name, file.size, file.size)
        if missing:
            (self._send_to_bucket if is_bucket else self._commit)(missing, name, run, progress)
            lost = sorted(missing.keys() - have(missing))
            if lost:
                raise DataLoss(f"{self._source} took {one_line(lost[0])}, and has it otherwise.")
        return Artifact(
            name=name,
            version=_version(files),
            files=tuple(files),
            sent=sum(file.size for file in missing.values()),
        )

    # ------------------------------------------------------------ datasets

    def _repository_has(self, paths: dict[str, ArtifactFile]) -> set[str]:
        """Which of these are there, with the same hash."""
        place = self._place
        infos = self._ask(
            "look at files in",
            lambda: self._api.get_paths_info(
                self._repo, list(paths), repo_type=place.type, revision=place.revision
            ),
        )
        return {info.path for info in infos if info.path in paths and _is_same(info, paths[info.path])}

    def _commit(self, files: dict[str, ArtifactFile], name: str, run: Experiment, progress: Progress) -> None:
        """Large files first, each by itself: one that arrived is not sent again after a break. Then one
        commit of all."""
        from huggingface_hub import CommitOperationAdd

        place = self._place

        def sent(path: str, file: ArtifactFile) -> CommitOperationAdd:
            addition = CommitOperationAdd(path_in_repo=path, path_or_fileobj=str(file.path))
            self._api.preupload_lfs_files(
                self._repo, [addition], repo_type=place.type, revision=place.revision
            )
            return addition

        additions = []
        for path, file in files.items():
            progress(file.name, 0, file.size)
            additions.append(self._ask(f"send {one_line(file.name)} to", partial(sent, path, file)))
            progress(file.name, file.size, file.size)
        self._ask(
            "commit to",
            lambda: self._api.create_commit(
                self._repo,
                additions,
                commit_message=f"{one_line(name)} of {one_line(run.name)}",
                repo_type=place.type,
                revision=place.revision,
            ),
        )

    # ------------------------------------------------------------ buckets

    def _bucket_has(self, paths: dict[str, ArtifactFile]) -> set[str]:
        """Which of these are there. A bucket tells no SHA-256: the folder is named by it, and the transfer
        checks what it carries."""
        infos = self._ask(
            "look at files in",
            lambda: list(self._api.get_bucket_paths_info(self._repo, list(paths))),
        )
        return {info.path for info in infos if info.path in paths and info.size == paths[info.path].size}

    def _send_to_bucket(
        self, files: dict[str, ArtifactFile], name: str, run: Experiment, progress: Progress
    ) -> None:
        for path, file in files.items():
            progress(file.name, 0, file.size)
            add = partial(self._api.batch_bucket_files, self._repo, add=[(str(file.path), path)])
            self._ask(f"send {one_line(file.name)} to", add)
            progress(file.name, file.size, file.size)

    def _ask(self, doing: str, call: Callable[[], T]) -> T:
        try:
            return call()
        except Exception as error:  # noqa: BLE001 - the library raises anything on an odd answer
            problem: HubError = hub_errors.translate(
                error,
                doing=doing,
                what=self._repo,
                endpoint=self._endpoint,
                has_token=self._token is not None,
                write=True,
                secrets=KnownSecrets({self._token} if self._token else ()),
            )
            raise TrackioUnavailable(problem.message, hint=problem.hint) from None


def _is_same(info: Any, file: ArtifactFile) -> bool:
    """By SHA-256 where the Hub tells it, else by git's own hash of a file."""
    large = getattr(info, "lfs", None)
    if large is not None:
        return bool(large.sha256 == file.sha256)
    if info.size != file.size:
        return False
    digest = hashlib.sha1(f"blob {file.size}\0".encode(), usedforsecurity=False)
    digest.update(Path(file.path).read_bytes())
    return bool(info.blob_id == digest.hexdigest())


def _segment(text: str) -> str:
    """A name as a part of a path: two names never become one, and none leads out of the folder."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip(".-")
    return plain if plain == text else f"{plain}-{hashlib.sha256(text.encode()).hexdigest()[:8]}".lstrip("-")


def _version(files: Sequence[ArtifactFile]) -> str:
    """The same files have the same version."""
    manifest = "\n".join(sorted(f"{file.sha256} {quote(file.name)}" for file in files))
    return hashlib.sha256(manifest.encode()).hexdigest()[:12]
