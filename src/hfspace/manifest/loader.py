"""From files to a Manifest: parse each, merge overlays and defaults, validate; all problems at once."""

from __future__ import annotations

import glob
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hfspace.errors import ManifestError, Problem
from hfspace.manifest import rules, shape
from hfspace.manifest.models import Manifest
from hfspace.manifest.values import normalise_id
from hfspace.manifest.yaml_tree import Tree, parse
from hfspace.model import ManifestRef, Source

LARGEST_FILE = 5 * 1024 * 1024
Place = tuple[str, ...]


def load_files(
    paths: Sequence[Path | str],
    *,
    overlays: Sequence[Path | str] = (),
    env: Mapping[str, str],
    cwd: Path | None = None,
) -> Manifest:
    """The manifest of files, directories, globs and `-` (stdin). Raises ManifestError with every problem."""
    here = cwd or Path()
    problems: list[Problem] = []
    texts = [_read(name, here, problems) for path in paths for name in _expanded(str(path), here, problems)]
    over = [_read(name, here, problems) for path in overlays for name in _expanded(str(path), here, problems)]
    if problems:
        raise ManifestError(problems)
    return load([text for text in texts if text], overlays=[text for text in over if text], env=env)


def load(
    texts: Sequence[tuple[str, str]], *, overlays: Sequence[tuple[str, str]] = (), env: Mapping[str, str]
) -> Manifest:
    """The manifest of (name, text) pairs. Pure. Raises ManifestError with every problem of all of them."""
    trees = [parse(name, text, env) for name, text in (*texts, *overlays)]
    problems = [problem for tree in trees for problem in tree.problems]
    lines = {name: text.splitlines() for name, text in (*texts, *overlays)}
    merged = _Merged(lines)
    for index, tree in enumerate(trees):
        if tree.problems and tree.value is None:
            continue
        if not isinstance(tree.value, dict):
            what = "is empty" if tree.value is None else "is not a map of keys"
            problems.append(Problem(file=tree.file, message=f"{what}; a manifest begins with 'version: 1'"))
            continue
        merged.add(tree, overlay=index >= len(texts))
    manifest = merged.manifest(_ref(texts, overlays))
    # What YAML itself misread would be reported a second time as a wrong type in the same line.
    misread = {(problem.file, problem.line) for problem in problems if problem.line}
    problems += [problem for problem in merged.problems if (problem.file, problem.line) not in misread]
    if manifest is not None:
        problems += rules.problems(manifest, lines)
    if problems or manifest is None:
        order = {name: place for place, name in enumerate(lines)}
        raise ManifestError(
            sorted(set(problems), key=lambda one: (order.get(one.file, 0), one.line, one.column))
        )
    return manifest


class _Merged:
    """The files so far as one: values, and where each of them is written."""

    def __init__(self, lines: Mapping[str, Sequence[str]]) -> None:
        self.problems: list[Problem] = []
        self._lines = lines
        self._top: dict[str, Any] = {}
        self._defaults: dict[str, dict[str, Any]] = {}  # file -> its defaults
        self._spaces: dict[str, Any] = {}
        self._home: dict[str, str] = {}  # space -> the file that declares it
        self._places: dict[Place, Source] = {}
        self._texts: dict[Place, str] = {}

    def add(self, tree: Tree, *, overlay: bool) -> None:
        value = dict(tree.value)
        for key, (line, column) in tree.places.items():
            if not key or key[0] != "spaces" or len(key) == 1:
                self._places[key] = Source(file=tree.file, line=line, column=column)
        shape.check_keys(
            value, shape.TOP, tree.file, "the manifest", lambda key: tree.places[(key,)], self._complain
        )
        if value.get("version") != 1:
            where = tree.places.get(("version",), (1, 1))
            if "version" in value or not overlay:
                self._complain(
                    tree.file, where, "needs version: 1 at the top", "This hfspace reads version 1."
                )
        self._settings(tree, value, overlay)
        spaces = value.get("spaces")
        if spaces is not None and not isinstance(spaces, dict):
            self._complain(
                tree.file, tree.places[("spaces",)], "'spaces' must be a map of Spaces", "owner/name: {…}"
            )
            return
        for written, body in (spaces or {}).items():
            self._space(tree, written, body, overlay)

    def _settings(self, tree: Tree, value: Mapping[str, Any], overlay: bool) -> None:
        for name in ("defaults", "policy"):
            part = value.get(name)
            if part is not None and not isinstance(part, dict):
                self._complain(tree.file, tree.places[(name,)], f"'{name}' must be a map", "")
            elif part is not None and name == "policy":
                self._top["policy"] = _deep(self._top.get("policy", {}), part)
            elif part is not None:
                files = [*self._defaults, tree.file] if overlay else [tree.file]
                for file in files:
                    self._defaults[file] = _deep(self._defaults.get(file, {}), part)
                self._texts |= {key: text for key, text in tree.texts.items() if key[0] == "defaults"}

    def _space(self, tree: Tree, written: str, body: Any, overlay: bool) -> None:
        where = tree.places[("spaces", written)]
        try:
            space = normalise_id(written)
        except ValueError as error:
            self._complain(tree.file, where, f"'{written[:100]}' is not a Space", f"{error}.".capitalize())
            return
        if not isinstance(body, dict) and body is not None:
            self._complain(tree.file, where, f"{space} must be a map of settings", "")
            return
        twin = next((one for one in self._spaces if one.lower() == space.lower()), None)
        if twin is not None and not overlay:
            first = self._places[("spaces", twin)]
            self._complain(tree.file, where, f"{space} is declared twice (first at {first})", "Keep one.")
            return
        space = twin or space
        self._spaces[space] = _deep(self._spaces.get(space, {}), body or {})
        self._home.setdefault(space, tree.file)
        for key, (line, column) in tree.places.items():
            if key[:2] == ("spaces", written):
                self._places["spaces", space, *key[2:]] = Source(file=tree.file, line=line, column=column)
        for key, text in tree.texts.items():
            if key[:2] == ("spaces", written):
                self._texts["spaces", space, *key[2:]] = text

    def manifest(self, ref: ManifestRef) -> Manifest | None:
        """The whole, validated; None when nothing could be made of it."""
        builder = shape.Builder(self._places, self._texts, self._lines)
        policy = builder.policy(self._top.get("policy", {}))
        spaces = {}
        for space, body in self._spaces.items():
            defaults = self._defaults.get(self._home[space], {})
            spec = builder.space(space, body, defaults)
            if spec is not None:
                spaces[space] = spec
        self.problems += builder.problems
        if policy is None:
            return None
        return Manifest(ref=ref, policy=policy, spaces=spaces, positions=builder.places)

    def _complain(self, file: str, where: tuple[int, int], message: str, hint: str) -> None:
        line, column = where
        lines = self._lines[file]
        source = lines[line - 1] if 0 < line <= len(lines) else ""
        self.problems.append(
            Problem(file=file, line=line, column=column, message=message, hint=hint, source_line=source)
        )


def _deep(below: Any, over: Any) -> Any:
    """`over` merged into `below`: maps key by key, everything else replaced."""
    if isinstance(below, dict) and isinstance(over, dict):
        return {**below, **{key: _deep(below.get(key), value) for key, value in over.items()}}
    return over


def _ref(texts: Iterable[tuple[str, str]], overlays: Iterable[tuple[str, str]]) -> ManifestRef:
    digest = hashlib.sha256()
    names = []
    for name, text in (*texts, *overlays):
        names.append(name)
        digest.update(text.encode() + b"\0")
    return ManifestRef(files=tuple(names), sha256=digest.hexdigest())


def _expanded(path: str, here: Path, problems: list[Problem]) -> list[str]:
    """The files that a path, a directory or a glob stands for."""
    if path == "-":
        return ["-"]
    full = here / path
    if full.is_dir():
        found = sorted(str(child) for end in ("*.yaml", "*.yml") for child in full.glob(end))
        if not found:
            problems.append(Problem(file=path, message="is a directory without *.yaml files"))
        return found
    if any(sign in path for sign in "*?[") and not full.exists():
        found = sorted(glob.glob(str(full), recursive=True))
        if not found:
            problems.append(Problem(file=path, message="matches no file"))
        return found
    return [path]


def _read(name: str, here: Path, problems: list[Problem]) -> tuple[str, str] | None:
    """(name, text) of one file; None and a problem when it can't be read."""
    import sys

    try:
        if name == "-":
            data = sys.stdin.buffer.read(LARGEST_FILE + 1)
        else:
            with (here / name).open("rb") as file:
                data = file.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        hint = "Write one with `hfspace init`, or name it with -f." if name == "spaces.yaml" else ""
        problems.append(Problem(file=name, message="there is no such file", hint=hint))
        return None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        problems.append(Problem(file=name, message=f"can't be read: {why}"))
        return None
    if len(data) > LARGEST_FILE:
        problems.append(
            Problem(file=name, message="is larger than 5 MiB", hint="Split it into several files.")
        )
        return None
    try:
        return name, data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        problems.append(Problem(file=name, message=f"is not UTF-8 text (byte {error.start})"))
        return None
