"""From a folder to the files of a Space: hashed, screened, with the card in the README."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from hfspace.files import read_limited
from hfspace.folder.hashing import Hashes, cache_file, git_oid, hash_files, sha256_of
from hfspace.folder.listing import Listing, listing, too_alike
from hfspace.frontmatter import FrontMatterError, edit, read
from hfspace.manifest.models import FilesSpec, SpaceSpec
from hfspace.model import FileProblem, LocalFile, LocalTree
from hfspace.model.files import README
from hfspace.text import one_line

LARGEST_FILE = 50 * 10**9
"""The Hub's limit for one file (docs/hub-api.md section 2)."""
_LARGEST_README = 10 << 20
_LONGEST_NAME = 255
_MOST_PROBLEMS = 20
_ODD_CHARACTERS = re.compile(r"[\x00-\x1f\x7f\\]")


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder as it was read, before a Space's card is put into its README."""

    place: Path
    listed: Listing
    hashes: tuple[Hashes, ...]


class Folders:
    """The folders of one run: one that several Spaces declare is read once. `environment` tells where the
    hashes of earlier runs are kept; None reads every file."""

    def __init__(self, environment: Mapping[str, str] | None) -> None:
        self._environment = environment
        self._known: dict[tuple[str, tuple[str, ...]], _Folder | FileProblem] = {}

    def tree(self, base: Path, spec: SpaceSpec) -> LocalTree:
        """The files of a Space whose manifest is in `base`."""
        assert spec.files is not None
        place = base / spec.files.folder
        key = (str(place.resolve()), spec.files.exclude)
        if key not in self._known:
            names = "\n".join((key[0], *key[1]))
            cache = None if self._environment is None else cache_file(names, self._environment)
            self._known[key] = _read(place, base, spec.files, cache)
        folder = self._known[key]
        if isinstance(folder, FileProblem):
            return LocalTree(folder=str(place), problems=(folder,))
        return _tree(folder, spec)


def _read(place: Path, base: Path, files: FilesSpec, cache: Path | None) -> _Folder | FileProblem:
    try:
        if not place.resolve().is_relative_to(base.resolve()):
            message = "is a link out of the manifest's folder"
            return FileProblem(path="", message=message, hint="Move it there.")
        listed = listing(place, files.exclude)
    except FileNotFoundError:
        return FileProblem(path="", message="is not there", hint="Correct `files`, or make the folder.")
    except NotADirectoryError:
        return FileProblem(path="", message="is a file, not a folder", hint="Name the folder that it is in.")
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        return FileProblem(path="", message=f"can't be read: {why}", hint="Check who may read it.")
    return _Folder(place, listed, tuple(hash_files(listed.entries, cache)))


def _tree(folder: _Folder, spec: SpaceSpec) -> LocalTree:
    files: dict[str, LocalFile] = {}
    problems = list(folder.listed.problems)
    for entry, hashes in zip(folder.listed.entries, folder.hashes, strict=True):
        problems += _problems(entry.path, hashes)
        files[entry.path] = LocalFile(size=hashes.size, oid=hashes.oid, sha256=hashes.sha256)
    for one, other in too_alike(list(files)):
        same = f"differs from {one_line(one)} in case alone"
        problems.append(FileProblem(path=other, message=same, hint="Rename one of the two."))
    if not files and not problems:
        problems.append(FileProblem(path="", message="holds no files", hint="Put the app there."))
    sdk = None
    if README in files and not any(problem.path == README for problem in problems):
        files[README], sdk, wrong = _with_card(folder.place / README, files[README], spec)
        problems += wrong
    more = len(problems) - _MOST_PROBLEMS
    if more > 0:
        problems[_MOST_PROBLEMS:] = [FileProblem(path="", message=f"has {more:,} problems more", hint="")]
    return LocalTree(
        folder=str(folder.place),
        files=files,
        left_out=folder.listed.left_out,
        problems=tuple(problems),
        sdk=sdk,
    )


def _problems(path: str, hashes: Hashes) -> Iterator[FileProblem]:
    """What stands in the way of sending one file."""
    hint = ""
    if why := bad_name(path):
        yield FileProblem(path=path, message=why, hint="Rename it, or exclude it.")
    if hashes.problem:
        hint = "Run again." if "changed" in hashes.problem else "Check who may read it."
        yield FileProblem(path=path, message=hashes.problem, hint=hint)
    if hashes.pointer:
        hint = "Run `git lfs pull`; in a workflow: actions/checkout with lfs: true."
        yield FileProblem(path=path, message="is a pointer of Git LFS, not the file itself", hint=hint)
    if hashes.size > LARGEST_FILE:
        message = f"is larger than the Hub takes ({hashes.size / 10**9:,.0f} GB of 50)"
        yield FileProblem(path=path, message=message, hint="Keep it in a dataset or a bucket.")
    for finding in hashes.findings:
        hint = "Make it a secret of the Space, and revoke it if it was ever shown; or exclude the file."
        yield FileProblem(path=path, message=f"holds {finding.what}", hint=hint, line=finding.line)


def bad_name(path: str) -> str:
    """Why the Hub can't hold a file of this name; "" when it can."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return "has a name that is not UTF-8"
    if _ODD_CHARACTERS.search(path):
        return "has a name with a character that the Hub can't hold"
    parts = path.split("/")
    if any(part.lower() == ".git" for part in parts):
        return "has a name that git keeps for itself"
    if any(len(part.encode()) > _LONGEST_NAME for part in parts):
        return f"has a name of more than {_LONGEST_NAME} bytes"
    return ""


def _with_card(
    place: Path, file: LocalFile, spec: SpaceSpec
) -> tuple[LocalFile, str | None, list[FileProblem]]:
    """The README with the declared card, its sdk, and what is wrong with it."""

    def wrong(message: str, hint: str, line: int = 0) -> tuple[LocalFile, None, list[FileProblem]]:
        return file, None, [FileProblem(path=README, message=message, hint=hint, line=line)]

    try:
        readme = read_limited(place, _LARGEST_README)
        if git_oid(readme) != file.oid:
            return wrong("changed while it was read", "Run again.")
        sdk = read(readme).get("sdk")
        edited = with_card(readme, spec)
    except FrontMatterError as error:
        return wrong(error.message.rstrip("."), error.hint, error.line)
    except OSError as error:
        return wrong(f"can't be read: {error.strerror}", "Check it.")
    if sdk is None and spec.sdk is None:
        hint = "Write sdk: gradio (or docker, static) into it, or into the manifest."
        return wrong("names no sdk, and neither does the manifest", hint)
    if sdk is not None and spec.sdk not in {None, sdk}:
        return wrong(f"has sdk: {one_line(sdk, 40)}, and the manifest {spec.sdk}", "Correct one of the two.")
    if edited != readme:
        file = LocalFile(size=len(edited), oid=git_oid(edited), sha256=sha256_of(edited), content=edited)
    return file, str(sdk or spec.sdk), []


def with_card(readme: bytes, spec: SpaceSpec) -> bytes:
    """`readme` with the declared keys of the card; the sdk too, where it is declared and the README has none.
    Raises FrontMatterError."""
    owned = spec.card.owned if spec.card else {}
    if spec.sdk and not read(readme).get("sdk"):
        owned = {"sdk": spec.sdk, **owned}
    return edit(readme, owned)
