"""The repository of one Space: its files, its commits, and the commit that changes them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar
from urllib.parse import quote

from hfspace.errors import FilesLeftOut, HubFault, NeedsWrite, NotVisible, Rejected
from hfspace.live.access import Auth, Keyless, Stored
from hfspace.live.library import Library, Params, Sink, understand
from hfspace.live.operations import Sent, operations
from hfspace.model import HubCommit, HubFile, HubTree
from hfspace.model.files import FileWrite
from hfspace.text import one_line, plain

T = TypeVar("T")

LARGEST_TEXT = 1 << 20
"""Bytes of one file that are read from the Hub to compare or edit its text."""
_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_TRAILER = re.compile(r"([A-Za-z][A-Za-z0-9-]{1,40}): (.{1,200})")
_MOST_TRAILERS = 20
_MOST_ENTRIES = 300_000
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Known:
    """What was read of commits, by their ids: it never changes. Shared by the Repositories of one client."""

    trees: dict[str, HubTree] = field(default_factory=dict)
    histories: dict[str, list[HubCommit]] = field(default_factory=dict)


class Repository:
    """Made by `HubClient.repository`. A commit is named by its id, or `main`, which is read anew each
    time."""

    def __init__(self, space: str, library: Library, access: Stored | Keyless, known: Known) -> None:
        self._space, self._library, self._access, self._known = space, library, access, known

    def tree(self, commit: str) -> HubTree:
        """All files of a commit. Raises HubError."""
        if commit in self._known.trees:
            return self._known.trees[commit]
        path = f"{self._path}/tree/{quote(commit, safe='')}"

        def read(auth: Auth) -> list[Any]:
            params: Params = [("recursive", "true")]
            items = self._library.items("read the files of", self._space, path, params, token=auth)
            listed = list(islice(items, _MOST_ENTRIES + 1))
            if len(listed) > _MOST_ENTRIES:
                raise HubFault(f"{self._space} has more than {_MOST_ENTRIES:,} files and folders.")
            return listed

        items = self._access.read(self._space, read)
        tree = understand(
            f"the files of {self._space}", lambda: HubTree(commit=commit, files=dict(_files(items)))
        )
        if _ID.fullmatch(commit):
            self._known.trees[commit] = tree
        return tree

    def commits(self, head: str = "main") -> list[HubCommit]:
        """The commits up to `head`, newest first: those of one page. Raises HubError."""
        if head in self._known.histories:
            return self._known.histories[head]
        path = f"/commits/{quote(head, safe='')}"
        raw = self._read("read the commits of", lambda auth: self._json(path, auth))
        commits = understand(f"the commits of {self._space}", lambda: [_commit(item) for item in _list(raw)])
        if _ID.fullmatch(head):
            self._known.histories[head] = commits
        return commits

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

    def commit(
        self,
        writes: Sequence[FileWrite],
        *,
        title: str,
        description: str,
        parent: str | None,
        sent: Sent = lambda size: None,
    ) -> str:
        """Write all of it in one commit on top of `parent`, and return its id; `sent` is told the bytes
        of large files as they go. Raises HubError: Outdated where somebody else's commit came first;
        ChangedMeanwhile for a file here that is not what it was."""
        auth = self._access.settings(self._space)
        listed = operations(writes, sent)

        def send() -> str:
            from huggingface_hub import utils

            utils.disable_progress_bars()  # type: ignore[attr-defined] # several Spaces are written at once, and their bars over each other
            info = self._library.api.create_commit(
                self._space,
                listed,
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
        except Rejected as error:
            hint = "Nothing was committed. Correct the file, or leave it out (exclude)."
            raise Rejected(error.message, hint=hint, status=error.status) from None
        # The library leaves out what the Hub's answer to `preupload` says is ignored, and does not tell.
        ignored = [one.path_in_repo for one in listed if getattr(one, "_should_ignore", False)]
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
