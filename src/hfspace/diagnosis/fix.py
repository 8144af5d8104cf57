"""Writes findings into the manifest: minimal edits of the lines concerned, all of them or none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hfspace.diagnosis.trial import endpoint_of
from hfspace.diagnosis.verdicts import Diagnosis
from hfspace.errors import UsageError
from hfspace.live.gradio.findings import names_of, only_endpoint
from hfspace.live.gradio.mending import Mended, mend, written_keys
from hfspace.manifest.edit import has_key, is_reference, remove_key, rename_key, set_value
from hfspace.manifest.models import EndpointSpec, Manifest
from hfspace.manifest.rewrite import Edit, is_same_space, read_text, written_key
from hfspace.model import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """What --fix does about one diagnosis: all of `edits`, or nothing and why (`refused`). `notes` say what
    was lost or made up, `left` what a person has to decide; with neither refused nor left it is healthy then.
    """

    edits: tuple[Edit, ...] = ()
    refused: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


def repair(diagnosis: Diagnosis, manifest: Manifest) -> Repair:
    """The edits that mend what was found, one per file; where one of them can't be made, none.

    Touches the keys of the Space's endpoint and the key of the Space; nothing else, and never a value that
    comes from the environment. Raises UsageError when the manifest does not declare the Space.
    """
    space = _declared_id(diagnosis, manifest)
    old = manifest.spaces[space].endpoint
    new = _better(diagnosis, old)
    texts = _Texts(manifest, space)
    refused = []
    for step in _steps(written_keys(old) if old else None, written_keys(new.spec) if new else None):
        try:
            texts.edit(step)
        except UsageError as error:
            refused.append(f"{error.message} {error.hint}".strip())
    left = tuple(f"{item.message} {item.hint}".strip() for item in new.left) if new else ()
    if new is None and old is None and diagnosis.app is not None and not diagnosis.app.problem:
        left = (f"No endpoint is declared, and the app serves {names_of(diagnosis.app)}: choose one.",)
    if refused:
        return Repair(refused=tuple(refused), left=left)
    texts.rename_space(diagnosis.space)
    return Repair(edits=texts.edits(), notes=new.notes if new else (), left=left)


# ------------------------------------------------------------------ parts


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """One key of the endpoint: set to `value`, then written as `rename`; or removed. The endpoint as a whole
    where `key` is empty."""

    key: str
    value: Json = None
    rename: str | None = None
    remove: bool = False


def _better(diagnosis: Diagnosis, old: EndpointSpec | None) -> Mended | None:
    """The endpoint as it should be declared; None when nothing is known better. Where none is declared, only
    an app with one endpoint leaves no choice."""
    if (worked := endpoint_of(diagnosis, old)) is not None:
        return Mended(spec=worked)
    app = diagnosis.app
    if app is None or app.problem:
        return None
    if old is not None:
        return mend(old, app)
    spec = only_endpoint(app)
    return Mended(spec=spec) if spec is not None else None


def _steps(old: Mapping[str, Json] | None, new: Mapping[str, Json] | None) -> list[_Step]:
    if new is None or new == old:
        return []
    if old is None:
        return [_Step(key="", value=dict(new))]
    name_key = next((key for key in ("api_name", "path") if key in old), None)
    renamed_to = next((key for key in ("api_name", "path") if key in new and key not in old), None)
    steps = [
        _Step(key=key, value=value)
        for key, value in new.items()
        if key != renamed_to and old.get(key, _NONE) != value
    ]
    if name_key and renamed_to:
        steps.append(_Step(key=name_key, value=new[renamed_to], rename=renamed_to))
    gone = [key for key in old if key not in new and not (renamed_to and key == name_key)]
    return steps + [_Step(key=key, remove=True) for key in gone]


_NONE = object()


class _Texts:
    """The files of a manifest while they are edited in memory."""

    def __init__(self, manifest: Manifest, space: str) -> None:
        self._manifest, self._space = manifest, space
        self._texts: dict[Path, tuple[str, str]] = {}

    def edits(self) -> tuple[Edit, ...]:
        return tuple(
            Edit(file=file, before=old, after=new) for file, (old, new) in self._texts.items() if old != new
        )

    def edit(self, step: _Step) -> None:
        """Raises UsageError when this can't be edited."""
        file, name = self._place(step.key)
        before, after = self._text(file)
        base = ("spaces", name, "endpoint")
        path = (*base, step.key) if step.key else base
        if step.key and is_reference(after, path):
            source = self._manifest.positions.get(("spaces", self._space, "endpoint", step.key))
            raise UsageError(
                f"endpoint.{step.key} at {source} comes from the environment; change the variable instead."
            )
        if step.remove or step.rename:
            self._only_here(file, step.key)
        if step.remove:
            after = remove_key(after, path)
        elif step.value is not None or not step.rename:
            after = set_value(after, path, step.value)
        if step.rename:
            after = rename_key(after, path, step.rename)
        self._texts[file] = (before, after)

    def rename_space(self, real: str | None) -> None:
        """A Space written as a URL or host becomes owner/name, with the Hub's own upper and lower case."""
        right = real or self._space
        source = self._manifest.positions.get(("spaces", self._space))
        if source is None or right.endswith(".hf.space"):
            return
        file = Path(source.file)
        before, after = self._text(file)
        name = written_key(after, self._space)
        if name and name != right:
            self._texts[file] = (before, rename_key(after, ("spaces", name), right))

    def _text(self, file: Path) -> tuple[str, str]:
        if file not in self._texts:
            text = read_text(file)
            self._texts[file] = (text, text)
        return self._texts[file]

    def _place(self, key: str) -> tuple[Path, str]:
        """The file in which this key of the Space is written, or is to be, and the Space's key there."""
        positions, path = self._manifest.positions, ("spaces", self._space, "endpoint", key)
        for source in (positions.get(path), positions.get(path[:3]), positions.get(path[:2])):
            name = written_key(self._text(Path(source.file))[1], self._space) if source else None
            if source and name:
                return Path(source.file), name
        raise UsageError(f"endpoint.{key} is not written in a file that can be edited.")

    def _only_here(self, file: Path, key: str) -> None:
        """Raises UsageError when the key would still be declared after it is gone from `file`."""
        name = written_key(self._text(file)[1], self._space) or self._space
        if not has_key(self._text(file)[1], ("spaces", name, "endpoint", key)):
            source = self._manifest.positions.get(("spaces", self._space, "endpoint", key))
            raise UsageError(f"endpoint.{key} at {source} is not written under {self._space} alone.")
        for other in map(Path, self._manifest.ref.files):
            text = self._text(other)[1] if other != file else ""
            for base in (("spaces", written_key(text, self._space) or ""), ("defaults",)):
                if text and has_key(text, (*base, "endpoint", key)):
                    raise UsageError(f"endpoint.{key} is written in {other} too.")


def _declared_id(diagnosis: Diagnosis, manifest: Manifest) -> str:
    names = {name.lower() for name in (diagnosis.space, diagnosis.target) if name}
    for name in manifest.spaces:
        if name.lower() in names or any(is_same_space(item, name) for item in names):
            return name
    raise UsageError(
        f"The manifest does not declare {diagnosis.space or diagnosis.target}: there is nothing to fix.",
        hint="Add it, or name the manifest with -f.",
    )


def sources_of(manifest: Manifest, space: str) -> Mapping[str, object]:
    """Where the manifest writes each key of the Space's endpoint."""
    keys = EndpointSpec.model_fields
    sources = {key: manifest.source("spaces", space, "endpoint", key) for key in keys}
    return {key: source for key, source in sources.items() if source is not None}
