"""What happened to a Space's files since they were last written from here: commits, and what these
changed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hfspace.errors import HubError
from hfspace.live.ports import Repository
from hfspace.model import FileStat, HubHistory

_FILE = re.compile(r'diff --git "?a/(.+?)"? "?b/(.+?)"?')
_MOST_BYTES = 4 << 20


def history(repository: Repository, head: str) -> HubHistory:
    """The newest commit of ours, those that came after it, and what they changed. Raises HubError when the
    commits can't be read; what they changed is unknown, and nothing else, when only that can't."""
    newer = []
    for commit in repository.commits(head):
        if not commit.is_ours:
            newer.append(commit)
            continue
        changed = tuple(_changed(repository, commit.id, head)) if newer else ()
        return HubHistory(ours=commit, newer=tuple(newer), changed=changed)
    return HubHistory()


def _changed(repository: Repository, before: str, after: str) -> Iterator[FileStat]:
    try:
        text = repository.changed_between(before, after)
    except HubError:
        return
    yield from file_stats(text[:_MOST_BYTES])


def file_stats(diff: str) -> list[FileStat]:
    """The files of a diff as git writes it, with how many lines were added to each and removed."""
    stats: list[FileStat] = []
    for line in diff.split("\n"):
        if match := _FILE.fullmatch(line):
            stats.append(FileStat(path=match[2]))
        elif stats and line[:1] in {"+", "-"} and not line.startswith(("+++ ", "--- ")):
            last = stats[-1]
            added, removed = line[0] == "+", line[0] == "-"
            stats[-1] = FileStat(path=last.path, added=last.added + added, removed=last.removed + removed)
    return stats
