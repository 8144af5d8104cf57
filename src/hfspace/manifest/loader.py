"""From files to a Manifest: parse each, merge overlays and defaults, validate; all problems at once."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from hfspace.errors import ManifestError, Problem
from hfspace.manifest import files, references, rules
from hfspace.manifest.environment import environment
from hfspace.manifest.merging import Merged
from hfspace.manifest.models import Manifest
from hfspace.manifest.yaml_tree import Tree, parse
from hfspace.model import ManifestRef
from hfspace.redaction import KnownSecrets
from hfspace.text import HUB_TOKEN

_SHORTEST_SECRET = 4
_CREDENTIAL = re.compile(rf"{HUB_TOKEN.pattern}|(?<=://)[^/\s@]+(?=@)")
"""A token of the Hub, or the user and password of a URL."""


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

    def texts(of: Sequence[Path | str]) -> list[tuple[str, str]]:
        names = [name for path in of for name in files.expanded(str(path), here, problems)]
        read = [files.read(name, here, problems) for name in dict.fromkeys(names)]
        return [text for text in read if text]

    own, over = texts(paths), texts(overlays)
    if problems:
        raise ManifestError(problems)
    return load(own, overlays=over, env=env)


def load(
    texts: Sequence[tuple[str, str]], *, overlays: Sequence[tuple[str, str]] = (), env: Mapping[str, str]
) -> Manifest:
    """The manifest of (name, text) pairs. Pure. Raises ManifestError with every problem of all of them."""
    readable = environment(env, (text for _, text in (*texts, *overlays)))
    trees = [parse(name, text, readable) for name, text in (*texts, *overlays)]
    problems = [problem for tree in trees for problem in tree.problems]
    lines = {name: text.splitlines() for name, text in (*texts, *overlays)}
    merged = Merged(lines)
    for index, tree in enumerate(trees):
        if tree.problems and tree.value is None:
            continue
        if not isinstance(tree.value, dict):
            problems.append(_no_map(tree, lines[tree.file]))
            continue
        merged.add(tree, overlay=index >= len(texts))
    manifest = merged.manifest(_ref(trees, {**dict(texts), **dict(overlays)}))
    # What YAML itself misread would be reported a second time as a wrong type in the same line.
    misread = {(problem.file, problem.line) for problem in problems if problem.line}
    problems += [problem for problem in merged.problems if (problem.file, problem.line) not in misread]
    if manifest is not None:
        problems += rules.problems(manifest, lines)
    if problems or manifest is None:
        order = {name: place for place, name in enumerate(lines)}
        values = _read_values(trees, env)
        literals = [text for tree in trees for text in tree.literals]
        secrets = KnownSecrets([*literals, *(env.get(name, "") for name in readable.sources)])
        safe = {_without_secrets(_as_written(problem, values), secrets) for problem in problems}
        raise ManifestError(
            sorted(safe, key=lambda one: (order.get(one.file, 0), one.line, one.column, one.message))
        )
    return manifest


def _read_values(trees: Iterable[Tree], env: Mapping[str, str]) -> dict[str, str]:
    """Every value that a `${NAME}` may have put into a manifest, and how it is written there."""
    names = {name for tree in trees for text in tree.references.values() for name in references.names(text)}
    values = {env[name]: f"${{{name}}}" for name in names if len(env.get(name, "")) >= _SHORTEST_SECRET}
    return dict(sorted(values.items(), key=lambda item: -len(item[0])))


def _as_written(problem: Problem, values: Mapping[str, str]) -> Problem:
    """`problem` with references in place of what they stand for: that is nobody's business."""
    message, hint = problem.message, problem.hint
    for value, written in values.items():
        message, hint = message.replace(value, written), hint.replace(value, written)
    return problem._replace(message=message, hint=hint)


def _no_map(tree: Tree, lines: Sequence[str]) -> Problem:
    if lines and lines[0].startswith("version https://git-lfs"):
        message = "is a pointer of Git LFS, not the manifest itself"
        return Problem(file=tree.file, line=1, column=1, message=message, hint="Run `git lfs pull`.")
    empty = tree.value is None
    return Problem(
        file=tree.file,
        line=1,
        column=1,
        message="is empty" if empty else "is not a map of keys",
        hint="A manifest begins with 'version: 1'." + (" `hfspace init` writes one." if empty else ""),
    )


def _without_secrets(problem: Problem, secrets: KnownSecrets) -> Problem:
    """A secret that somebody wrote into the file must not get from there into a log."""

    def safe(text: str) -> str:
        return secrets.redact(_CREDENTIAL.sub("…", text))

    shown = safe(problem.message) == problem.message and safe(problem.source_line) == problem.source_line
    return problem._replace(
        message=safe(problem.message),
        hint=safe(problem.hint),
        source_line=problem.source_line if shown else "",
    )


def _ref(trees: Iterable[Tree], texts: Mapping[str, str]) -> ManifestRef:
    """The files, and a hash of what they say: the text, and the values with the environment filled in."""
    digest = hashlib.sha256()
    names = []
    for tree in trees:
        names.append(tree.file)
        # A file with problems makes no manifest, and its aliases may grow without end.
        values = "" if tree.problems else json.dumps(tree.value, sort_keys=True, default=str)
        digest.update(texts[tree.file].encode() + b"\0" + values.encode() + b"\0")
    return ManifestRef(files=tuple(names), sha256=digest.hexdigest())
