"""Several files as one manifest: settings, defaults and Spaces, with the place where each is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hfspace.errors import Problem
from hfspace.manifest import shape
from hfspace.manifest.models import Manifest, SpaceSpec
from hfspace.manifest.values import normalise_id
from hfspace.manifest.wording import sentence, unusual
from hfspace.manifest.written import Written, problem
from hfspace.manifest.yaml_tree import Tree, short
from hfspace.manifest.zones import DEFAULT_ZONE, zone
from hfspace.model import ManifestRef, Source


class Merged:
    """The files so far as one."""

    def __init__(self, lines: Mapping[str, Sequence[str]]) -> None:
        self.problems: list[Problem] = []
        self._lines = lines
        self._policy = Written()
        self._groups = Written()
        self._timezone: tuple[str, str, tuple[int, int]] | None = None  # name, file, place
        self._policy_home: dict[str, str] = {}  # key of the policy -> the first file that sets it
        self._defaults: dict[str, Written] = {}  # file -> its defaults
        self._spaces: dict[str, Written] = {}
        self._names: dict[str, str] = {}  # lower-case id -> id: the Hub has no two that differ in case alone
        self._home: dict[str, str] = {}  # space -> the file that declares it

    def add(self, tree: Tree, *, overlay: bool) -> None:
        value = dict(tree.value)
        if "format_version" in value:
            where = tree.places[("format_version",)]
            hint = "`hfspace apply FILE` carries it out."
            self._complain(tree.file, where, "is a saved plan, not a manifest", hint)
            return
        shape.check_keys(
            value, shape.TOP, tree.file, "the manifest", lambda key: tree.places[(key,)], self._complain
        )
        misspelt = any(key.lower() == "version" != key for key in value)
        if type(value.get("version")) is not int or value["version"] != 1:
            where = tree.places.get(("version",), (1, 1))
            if "version" in value or not (overlay or misspelt):
                hint = "Write 'version: 1'; this hfspace reads no other."
                self._complain(tree.file, where, "needs version: 1 at the top", hint)
        tree.places.pop((), None)
        self._set_timezone(tree, value, overlay)
        self._settings(tree, value, overlay)
        spaces = value.get("spaces")
        if spaces is not None and not isinstance(spaces, dict):
            where = tree.places[("spaces",)]
            self._complain(
                tree.file, where, "'spaces' must be a map of Spaces", "Write 'owner/name: {…}' below it."
            )
            return
        subtrees = _split(tree)
        for written, body in (spaces or {}).items():
            self._space(subtrees[written], written, body, overlay)

    def _set_timezone(self, tree: Tree, value: Mapping[str, Any], overlay: bool) -> None:
        """Times of all files are of one zone; only an overlay may move it."""
        if "timezone" not in value:
            return
        name, where = value["timezone"], tree.places["timezone",]
        try:
            zone(name)
        except ValueError as error:
            written = short(tree.texts.get(("timezone",), "this"))
            self._complain(tree.file, where, f"'timezone' can't be '{written}'", sentence(error))
            return
        old = self._timezone
        if old is not None and old[0] != name and not overlay:
            hint = "Keep one, or put the other into an --overlay, which may replace it."
            first = Source(file=old[1], line=old[2][0], column=old[2][1])
            self._complain(tree.file, where, f"timezone is {old[0]} at {first}", hint)
            return
        self._timezone = (name, tree.file, where)

    def _settings(self, tree: Tree, value: Mapping[str, Any], overlay: bool) -> None:
        self._defaults.setdefault(tree.file, Written())
        for name in ("defaults", "policy", "groups"):
            part = value.get(name)
            if part is None:
                continue
            if not isinstance(part, dict):
                hint = "Write one 'key: value' in each line below it."
                self._complain(tree.file, tree.places[(name,)], f"'{name}' must be a map", hint)
            elif name == "policy":
                self._add_policy(tree, part, overlay)
            elif name == "groups":
                self._groups.merge(tree, ("groups",), part)
            else:
                for file in [*self._defaults] if overlay else [tree.file]:
                    self._defaults[file].merge(tree, ("defaults",), part)

    def _add_policy(self, tree: Tree, part: Mapping[str, Any], overlay: bool) -> None:
        """Guardrails of several files hold together; only an overlay, which says so, may move one."""
        clear = dict(part)
        for key, item in part.items():
            old = self._policy.values.get(key)
            first = self._policy.places.get((key,))
            if overlay or first is None or old == item:
                continue
            hint = "Keep one, or put the other into an --overlay, which may replace it."
            where = tree.places["policy", key]
            self._complain(tree.file, where, f"policy.{key} is set to something else at {first}", hint)
            del clear[key]
        for key in set(part) - set(clear):
            for place in [place for place in tree.places if place[:2] == ("policy", key)]:
                del tree.places[place]
        self._policy.merge(tree, ("policy",), clear)

    def _space(self, tree: Tree, written: str, body: Any, overlay: bool) -> None:
        where = tree.places[()]
        try:
            space = normalise_id(written)
        except ValueError as error:
            hint = sentence(error) + unusual(written)
            self._complain(tree.file, where, f"'{short(written)}' is not a Space", hint)
            return
        if not isinstance(body, dict) and body is not None:
            hint = "Write one 'key: value' in each line below it, or {} for nothing."
            self._complain(tree.file, where, f"{space} must be a map of settings", hint)
            return
        twin = self._names.get(space.lower())
        if twin is not None and not overlay:
            first = self._spaces[twin].places[()]
            case = "" if twin == space else f" as {twin}, and the Hub does not tell them apart"
            hint = "Keep one; to change what another file says, use --overlay."
            self._complain(tree.file, where, f"{space} is declared twice (first at {first}{case})", hint)
            return
        space = self._names.setdefault(space.lower(), space)
        self._home.setdefault(space, tree.file)
        self._spaces.setdefault(space, Written()).merge(tree, (), body or {})

    def manifest(self, ref: ManifestRef) -> Manifest | None:
        """The whole, validated; None when nothing could be made of it."""
        builder = shape.Builder(self._lines)
        policy = builder.policy(self._policy)
        groups = builder.groups(self._groups)
        for defaults in self._defaults.values():
            builder.defaults(defaults)
        spaces = {}
        for space, own in self._spaces.items():
            spec = builder.space(space, own, self._defaults[self._home[space]])
            if spec is not None:
                spaces[space] = self._with_declared_names(spec)
        self.problems += builder.problems
        if policy is None:
            return None
        name = self._timezone[0] if self._timezone else DEFAULT_ZONE
        return Manifest(
            ref=ref,
            policy=policy,
            spaces=spaces,
            positions=builder.places,
            timezone=name,
            groups=groups,
        )

    def _with_declared_names(self, spec: SpaceSpec) -> SpaceSpec:
        """What a Space depends on, spelled as it is declared: the Hub does not tell cases apart."""
        names = tuple(self._names.get(name.lower(), name) for name in spec.depends_on)
        return spec if names == spec.depends_on else spec.model_copy(update={"depends_on": names})

    def _complain(self, file: str, where: tuple[int, int], message: str, hint: str) -> None:
        line, column = where
        source = Source(file=file, line=line, column=column)
        self.problems.append(problem(source, message, hint, self._lines))


def _split(tree: Tree) -> dict[str, Tree]:
    """One tree for each Space, as written, with paths that begin below it: one pass for all of them."""
    trees: dict[str, Tree] = {}
    for name in ("places", "texts", "references"):
        for key, item in getattr(tree, name).items():
            if len(key) > 1 and key[0] == "spaces":
                part = trees.setdefault(key[1], Tree(file=tree.file))
                getattr(part, name)[key[2:]] = item
    return trees
