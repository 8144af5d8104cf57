"""The repository of one Space: its files, its commits, and the commit that changes them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import quote

from hfspace.errors import ChangedMeanwhile, FilesLeftOut, HubFault, NeedsWrite, NotVisible
from hfspace.live.access import Auth, Keyless, Stored
from hfspace.live.library import Library, Params, Sink, understand
from hfspace.model import HubCommit, HubFile, HubTree
from hfspace.model.files import FileWrite
from hfspace.text import one_line, plain

T = TypeVar("T")

LARGEST_TEXT = 1 << 20
"""Bytes of one file that are read from the Hub to compare or edit its text."""
_TRAILER = re.compile(r"([A-Za-z][A-Za-z0-9-]{1,40}): (.{1,200})")
_MOST_TRAILERS = 20
_LONGEST = 200


class Repository:
    """Made by `HubClient.repository`. `trees` are those that are known by their commit, which never
    changes."""

    def __init__(
        self, space: str, library: Library, access: Stored | Keyless, trees: dict[str, HubTree]
    ) -> None:
        self._space, self._library, self._access, self._trees = space, library, access, trees

    def tree(self, commit: str) -> HubTree:
        """All files of a commit, or of main; no request for a commit that is known. Raises HubError."""
        if commit not in self._trees:
            path = f"{self._path}/tree/{quote(commit, safe='')}"

            def read(auth: Auth) -> list[Any]:
                params: Params = [("recursive", "true")]
                return list(self._library.items("read the files of", self._space, path, params, token=auth))

            items = self._access.read(self._space, read)
            self._trees[commit] = understand(
                f"the files of {self._space}", lambda: HubTree(commit=commit, files=dict(_files(items)))
            )
        return self._trees[commit] if commit != "main" else self._trees.pop(commit)

    def commits(self, head: str = "main") -> list[HubCommit]:
        """The commits up to `head`, newest first: those of one page. Raises HubError."""
        path = f"/commits/{quote(head, safe='')}"
        raw = self._read("read the commits of", lambda auth: self._json(path, auth))
        return understand(f"the commits of {self._space}", lambda: [_commit(item) for item in _list(raw)])

    def changed_between(self, before: str, after: str) -> str:
        """The difference of two commits as git writes it. Raises HubError."""
        path = f"/compare/{quote(before)}..{quote(after)}?raw=true"
        return self._read("compare commits of", lambda auth: self._text(path, auth))

    def content(self, path: str, commit: str) -> bytes:
        """One file, of 1 MiB at most. Raises NotVisible where it is not there, HubError."""
        url = f"/spaces/{quote(self._space)}/resolve/{quote(commit, safe='')}/{quote(path)}"
        return self._read(f"read {path} of", lambda auth: self._bytes(url, auth))

    def save(self, path: str, commit: str, size: int, sink: Sink) -> None:
        """Send one file of `size` bytes to `sink` in pieces. Raises HubError."""
        what = f"{one_line(path, 100)} of {self._space}"
        url = f"/spaces/{quote(self._space)}/resolve/{quote(commit, safe='')}/{quote(path)}"
        try:
            self._read(f"read {path} of", lambda auth: self._library.save(what, url, size, sink, token=auth))
        except NotVisible:
            raise HubFault(f"{what} is named by the Hub and can't be had.", hint="Run again.") from None

    def commit(self, writes: Sequence[FileWrite], *, title: str, description: str, parent: str | None) -> str:
        """Write all of it in one commit on top of `parent`, and return its id. Raises HubError: Outdated
        where somebody else's commit came first; ChangedMeanwhile for a file here that is not what it
        was."""
        auth = self._access.settings(self._space)
        operations = _operations(writes)

        def send() -> str:
            info = self._library.api.create_commit(
                self._space,
                operations,
                commit_message=title,
                commit_description=description,
                repo_type="space",
                parent_commit=parent,
                token=auth,
            )
            return str(info.oid)

        try:
            commit = self._library.call("commit files to", self._space, send, write=True)
        except NeedsWrite as error:
            raise self._access.explained(error) from None
        # The library leaves out what the Hub's answer to `preupload` says is ignored, and does not tell.
        ignored = [one.path_in_repo for one in operations if getattr(one, "_should_ignore", False)]
        if ignored:
            raise FilesLeftOut(
                f"The .gitignore on the Hub leaves out {plain(ignored[0])}"
                f"{f' and {len(ignored) - 1} more' if len(ignored) > 1 else ''} of {self._space}.",
                hint="Put a .gitignore into the folder that does not, or leave them out here too (exclude).",
            )
        return commit

    @property
    def _path(self) -> str:
        return f"/api/spaces/{quote(self._space)}"

    def _read(self, doing: str, ask: Callable[[Auth], T]) -> T:
        return self._access.read(
            self._space, lambda auth: self._library.call(doing, self._space, lambda: ask(auth))
        )

    def _json(self, path: str, auth: Auth) -> Any:
        return self._library.json(f"{self._path}{path}", token=auth)

    def _text(self, path: str, auth: Auth) -> str:
        return str(self._library.text(f"{self._path}{path}", token=auth))

    def _bytes(self, path: str, auth: Auth) -> bytes:
        data = self._library.content(path, token=auth)
        if len(data) > LARGEST_TEXT:
            raise HubFault(f"A file of {self._space} is larger than 1 MiB.")
        return data


def _files(items: Sequence[Any]) -> Iterator[tuple[str, HubFile]]:
    """The files of a tree; folders are left out. Raises what odd items raise."""
    for item in items:
        if item["type"] != "file":
            continue
        large = item.get("lfs")
        sha256 = None if large is None else str(large["oid"]).removeprefix("sha256:")
        yield str(item["path"]), HubFile(size=int(item["size"]), oid=str(item["oid"]), sha256=sha256)


def _list(raw: Any) -> list[Any]:
    if not isinstance(raw, list):
        raise TypeError("not a list")
    return raw


def _commit(raw: Mapping[str, Any]) -> HubCommit:
    authors = raw.get("authors")
    first = authors[0] if isinstance(authors, list) and authors else {}
    return HubCommit(
        id=str(raw["id"]),
        title=str(raw.get("title") or "")[:_LONGEST],
        author=str(first.get("user") or "")[:_LONGEST],
        date=str(raw.get("date") or "")[:_LONGEST],
        trailers=_trailers(str(raw.get("message") or "")),
    )


def _trailers(message: str) -> dict[str, str]:
    """The last lines of a commit's message that look like `Name: value`."""
    trailers: dict[str, str] = {}
    for line in reversed(message.rstrip().splitlines()[-_MOST_TRAILERS:]):
        match = _TRAILER.fullmatch(line)
        if match is None:
            break
        trailers.setdefault(match[1], match[2])
    return trailers


def _operations(writes: Sequence[FileWrite]) -> list[Any]:
    """As huggingface_hub has them. A large file is hashed once more as it is opened. Raises
    ChangedMeanwhile."""
    from huggingface_hub import CommitOperationAdd, CommitOperationCopy, CommitOperationDelete

    operations: list[Any] = []
    for one in writes:
        if one.commit is not None:
            operations.append(CommitOperationCopy(one.path, one.path, src_revision=one.commit))
            continue
        source = one.content if one.content is not None else one.place
        if source is None:
            operations.append(CommitOperationDelete(path_in_repo=one.path, is_folder=False))
            continue
        operation = CommitOperationAdd(path_in_repo=one.path, path_or_fileobj=source)
        if one.sha256 and operation.upload_info.sha256.hex() != one.sha256:
            raise ChangedMeanwhile(f"{one.path} changed here since the plan was made.", hint="Run again.")
        operations.append(operation)
    return operations
