"""Shares of a big manifest: stable when Spaces are added, whole components, printed as a matrix."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hfspace.cli.main import run
from hfspace.manifest.models import Manifest, Policy, SpaceSpec
from hfspace.manifest.sharding import shard, shares
from hfspace.model import ManifestRef


def fleet(count: int, **depends_on: list[str]) -> Manifest:
    spaces = {f"acme/space-{number:04}": SpaceSpec() for number in range(count)}
    for name, others in depends_on.items():
        needs = tuple(f"acme/{other}" for other in others)
        spaces[f"acme/{name}"] = SpaceSpec(depends_on=needs)
    ref = ManifestRef(files=("spaces.yaml",), sha256="0" * 64)
    return Manifest(ref=ref, policy=Policy(), spaces=spaces)


def places(manifest: Manifest, count: int) -> dict[str, int]:
    return {space: index for index in range(1, count + 1) for space in shard(manifest, index, count).spaces}


def test_every_space_is_in_exactly_one_share_and_shares_are_alike() -> None:
    manifest = fleet(2_000)
    parts = [set(shard(manifest, index, 8).spaces) for index in range(1, 9)]
    assert sum(map(len, parts)) == 2_000
    assert set.union(*parts) == set(manifest.spaces)
    assert all(200 < len(part) < 300 for part in parts)


def test_adding_spaces_moves_none() -> None:
    before, after = places(fleet(500), 8), places(fleet(700), 8)
    assert {space: after[space] for space in before} == before


def test_one_more_share_moves_its_part_and_no_other() -> None:
    before, after = places(fleet(1_000), 8), places(fleet(1_000), 9)
    moved = {space for space in before if before[space] != after[space]}
    assert {after[space] for space in moved} == {9}
    assert len(moved) < 200


def test_what_depends_on_each_other_stays_together() -> None:
    chain = {f"chain_{number}": [f"chain_{number + 1}"] for number in range(40)}
    manifest = fleet(50, **chain, chain_40=[], other=["elsewhere_not_declared"])
    placed = places(manifest, 8)
    assert len({placed[space] for space in placed if "chain" in space}) == 1
    assert "acme/other" in placed


def test_a_space_that_depends_on_another_joins_it_where_it_is() -> None:
    before = places(fleet(50, z_backend=[]), 8)
    for name in (f"a{number}_frontend" for number in range(10)):
        after = places(fleet(50, z_backend=[], **{name: ["z_backend"]}), 8)
        assert {space: after[space] for space in before} == before
        assert after[f"acme/{name}"] == after["acme/z_backend"]


@pytest.mark.parametrize(
    ("spaces", "most", "count"), [(0, 500, 1), (500, 500, 1), (501, 500, 2), (10_000, 500, 20)]
)
def test_how_many_shares(spaces: int, most: int, count: int) -> None:
    assert shares(spaces, most) == count


def test_the_command_prints_a_matrix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    lines = "".join(f"  acme/space-{number}: {{}}\n" for number in range(25))
    (tmp_path / "spaces.yaml").write_text(f"version: 1\nspaces:\n{lines}")
    assert run(["shards", "--max-spaces", "10"]) == 0
    assert json.loads(capsys.readouterr().out) == {"shard": ["1/3", "2/3", "3/3"]}
    assert run(["shards"]) == 0
    assert json.loads(capsys.readouterr().out) == {"shard": ["1/1"]}


@pytest.mark.parametrize("text", ["0/3", "4/3", "1", "a/b", "1/0", "-1/3", "1/3/5", "1/1001", "١/٣"])
def test_a_shard_that_is_none(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "spaces.yaml").write_text("version: 1\nspaces:\n  acme/x: {}\n")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert run(["plan", f"--shard={text}"]) == 1
    assert "is not a shard" in capsys.readouterr().err
