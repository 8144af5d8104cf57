"""The writes of a commit as huggingface_hub has them, with what was sent of large files counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, BinaryIO

from hfspace.errors import ChangedMeanwhile
from hfspace.model.files import FileWrite
from hfspace.text import plain

Sent = Callable[[int], None]
"""Called with the bytes of each piece of a large file that is read to be sent; from several threads."""


def operations(writes: Sequence[FileWrite], sent: Sent) -> list[Any]:
    """A large file is hashed once more as it is opened. Raises ChangedMeanwhile."""
    from huggingface_hub import CommitOperationCopy, CommitOperationDelete

    listed: list[Any] = []
    for one in writes:
        source = one.content if one.content is not None else one.place
        if one.commit is not None:
            listed.append(CommitOperationCopy(one.path, one.path, src_revision=one.commit))
        elif source is None:
            listed.append(CommitOperationDelete(path_in_repo=one.path, is_folder=False))
        else:
            operation = _addition(one.path, source, sent)
            if one.sha256 and operation.upload_info.sha256.hex() != one.sha256:
                raise ChangedMeanwhile(
                    f"{plain(one.path)} changed here since the plan was made.", hint="Run again."
                )
            listed.append(operation)
    return listed


def _addition(path: str, source: bytes | str, sent: Sent) -> Any:
    from huggingface_hub import CommitOperationAdd

    class Counted(CommitOperationAdd):
        """Without the library's own bar: several Spaces are written at once."""

        @contextmanager
        def as_file(self, with_tqdm: bool = False) -> Iterator[BinaryIO]:
            with super().as_file() as file:
                yield _Counting(file, sent) if with_tqdm else file  # type: ignore[misc]

    return Counted(path_in_repo=path, path_or_fileobj=source)


class _Counting:
    """A file that tells how much is read of it."""

    def __init__(self, file: BinaryIO, sent: Sent) -> None:
        self._file, self._sent = file, sent

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._sent(len(data))
        return data

    def __iter__(self) -> Iterator[bytes]:
        while data := self.read(1 << 20):
            yield data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)
