"""Shares of a big manifest, stable when Spaces are added: rendezvous hashing by Space id."""

from __future__ import annotations

import hashlib
from collections import defaultdict

from hfspace.manifest.models import Manifest


def shard(manifest: Manifest, index: int, count: int) -> Manifest:
    """Share `index` (from 1) of `count`. Spaces that depend on each other stay together."""
    chosen = {
        space
        for component in _components(manifest)
        if _place(_key(manifest, component), count) == index
        for space in component
    }
    return manifest.only(frozenset(chosen))


def shares(spaces: int, most: int) -> int:
    """How many shares of at most about `most` Spaces a manifest of `spaces` needs."""
    return max(1, -(-spaces // most))


def _key(manifest: Manifest, component: set[str]) -> str:
    """What a component is placed by: a Space that depends on no other, so that one more that depends on it
    joins it where it is."""
    roots = {space for space in component if not component.intersection(manifest.spaces[space].depends_on)}
    return min(roots or component)


def _place(key: str, count: int) -> int:
    """The share with the highest hash for `key`: adding a share moves only 1/count of the keys."""
    scores = {index: hashlib.sha256(f"{index}/{key}".encode()).digest() for index in range(1, count + 1)}
    return max(scores, key=scores.__getitem__)


def _components(manifest: Manifest) -> list[set[str]]:
    neighbours: defaultdict[str, set[str]] = defaultdict(set)
    for space, spec in manifest.spaces.items():
        for other in spec.depends_on:
            if other in manifest.spaces:
                neighbours[space].add(other)
                neighbours[other].add(space)
    left, groups = set(manifest.spaces), []
    while left:
        component, edge = set[str](), [left.pop()]
        while edge:
            space = edge.pop()
            component.add(space)
            edge += [other for other in neighbours[space] if other not in component]
        left -= component
        groups.append(component)
    return groups
