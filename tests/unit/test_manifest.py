"""Manifests: what loads, how files merge, and what each mistake says."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hfspace.errors import ManifestError
from hfspace.manifest.edit import rename_key, set_value
from hfspace.manifest.loader import load, load_files
from hfspace.manifest.models import Manifest, RestartSpec
from hfspace.manifest.sharding import shard


def one(text: str, **env: str) -> Manifest:
    return load([("a.yaml", text)], env=env)


def mistakes(text: str, **env: str) -> list[str]:
    with pytest.raises(ManifestError) as caught:
        one(text, **env)
    return [f"{problem.place} {problem.message} | {problem.hint}" for problem in caught.value.problems]


def space(body: str) -> str:
    return f"version: 1\nspaces:\n  acme/x: {body}\n"


MISTAKES = {
    "": "is empty",
    "- a\n": "is not a map",
    "spaces: {}\n": "needs version: 1",
    "version: 2\n": "needs version: 1",
    "version: 1\nspace: {}\n": "Did you mean 'spaces'?",
    "version: 1\nspaces: []\n": "must be a map of Spaces",
    "version: 1\n---\nversion: 1\n": "several YAML documents",
    "version: 1\n\tspaces: {}\n": "not valid YAML",
    "version: 1\nspaces: {a/b: {, }}\n": "not valid YAML",
    "version: 1\nversion: 1\n": "written twice (first in line 1)",
    "version: 1\nspaces: {nobody: {}}\n": "'nobody' is not a Space",
    "version: 1\nspaces: {a/b: {}, https://huggingface.co/spaces/a/b: {}}\n": "declared twice",
    "version: 1\nspaces: {'${X}/b': {}}\n": "a key can't hold ${",
    "version: 1\nspaces: {a/b: !!python/object:os.system {}}\n": "is not allowed",
    space("{hardware: [a]}"): "'hardware' must be text",
    space("{state: runing}"): "Did you mean 'running'?",
    space("{dev_mode: on}"): "on is read as true",
    space("{protect: 1}"): "must be true or false",
    space("{sleep_time: soon}"): "'sleep_time' can't be 'soon'",
    space("{sleep_time: 1:30}"): "read as the number 90",
    space("{sleep_time: 010}"): "read as the number 8",
    space("{sleep_time: 1_000}"): "read as the number 1000",
    space("{sleep_time: 0}"): "more than 0 seconds",
    space("{sleep_time: 99999999999999999999999}"): "too large",
    space("{restart: 2026-11-21}"): 'Write "2026-11-21"',
    space("{restart: no}"): "no is read as false",
    space("{hardware: }"): "has no value",
    space("{hardware: cpu-basic, sleep_time: 1h}"): "fixed sleep time",
    space("{sdk: static, hardware: t4-small}"): "static Space has no hardware",
    space("{sdk: static, state: paused}"): "static Space can't be paused",
    space("{sdk: docker, hardware: zero-a10g}"): "ZeroGPU",
    space("{create: {}}"): "needs an sdk",
    space("{create: {template: a/b, duplicate_from: c/d}}"): "not both",
    space("{state: absent, protect: true}"): "absent and protected",
    space("{variables: {A-B: x}}"): "can't be the name",
    space("{variables: {_A: x}}"): "can't be the name",
    space("{variables: {A: [x]}}"): "'A' must be text",
    space("{variables: {A: true}}"): 'Quote it: "true"',
    space("{variables: {HFSPACE_RESTART: x}}"): "kept by hfspace",
    space("{variables: {A: x}, secrets: {A: {env: X}}}"): "both a variable and a secret",
    space("{secrets: {A: {}}}"): "needs exactly one source",
    space("{secrets: {A: {env: X, file: y}}}"): "needs exactly one source",
    space("{volumes: [{source: s3://x, mount_path: /d}]}"): "is no volume",
    space("{volumes: [{source: hf://buckets/a/b, mount_path: d}]}"): "not absolute",
    space("{prune: variables}"): "must be a list",
    space("{depends_on: [acme/y]}"): "which nobody declares",
    space("{depends_on: [acme/x]}"): "goes round in a circle",
    space("{endpoint: {}}"): "needs api_name or path",
    space("{endpoint: {api_name: predict}}"): "Write /predict",
    space('{restart: "\\e[31mred"}'): "control characters",
    space('{restart: "\\u202eevil"}'): "turn the direction of text",
    space("{restart: '${NOPE}'}"): "is not set in the environment",
    space("{restart: '${'}"): "is not a reference",
    "version: 1\npolicy: {max_montly_usd: 1}\n": "Did you mean 'max_monthly_usd'?",
    "version: 1\npolicy: {max_deletes: -1}\n": "max_deletes",
    "version: 1\na: &a [x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]\n": "no key 'a'",
}


@pytest.mark.parametrize("text", MISTAKES, ids=range(len(MISTAKES)))
def test_a_mistake_says_what_and_where(text: str) -> None:
    found = mistakes(text)
    assert any(MISTAKES[text] in line for line in found), found
    assert all(line.startswith("a.yaml") for line in found)


def test_an_alias_bomb_is_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert any("once aliases are followed" in line for line in mistakes("\n".join(lines)))


def test_a_secret_written_into_the_manifest_is_not_shown() -> None:
    found = mistakes(space("{secrets: {A: hf_abcdefghijk}}"))
    assert not any("hf_abc" in line for line in found)
    with pytest.raises(ManifestError) as caught:
        one(space("{secrets: {A: hf_abcdefghijk}}"))
    assert all("hf_abc" not in problem.source_line for problem in caught.value.problems)


def test_all_problems_of_all_files_are_told_at_once() -> None:
    with pytest.raises(ManifestError) as caught:
        load([("a.yaml", space("{x: 1, y: 2}")), ("b.yaml", "version: 3")], env={})
    assert [problem.file for problem in caught.value.problems] == ["a.yaml", "a.yaml", "b.yaml"]


def test_variables_keep_the_way_numbers_are_written() -> None:
    spec = one(space("{variables: {A: 1.10, B: 007a, C: '5', D: 1e3}}")).spaces["acme/x"]
    assert {key: item.value for key, item in (spec.variables or {}).items()} == {
        "A": "1.10", "B": "007a", "C": "5", "D": "1e3",
    }  # fmt: skip


def test_references_read_the_environment_in_values() -> None:
    text = space("{restart: 'a-${A}-${B:-b}-$$', variables: {N: '${N:-}'}}")
    spec = one(text, A="1").spaces["acme/x"]
    assert (spec.restart, (spec.variables or {})["N"].value) == (RestartSpec(value="a-1-b-$"), "")


def test_defaults_go_under_every_space_that_can_hold_them() -> None:
    text = (
        "version: 1\ndefaults: {hardware: t4-small, sleep_time: 1h, variables: {A: a, B: b}}\n"
        "spaces: {acme/x: {variables: {B: mine}}, acme/free: {hardware: cpu-basic}, acme/s: {sdk: static}}\n"
    )
    spaces = one(text).spaces
    assert (spaces["acme/x"].hardware, spaces["acme/x"].sleep_time) == ("t4-small", 3600)
    assert {key: item.value for key, item in (spaces["acme/x"].variables or {}).items()} == {
        "A": "a",
        "B": "mine",
    }
    assert spaces["acme/free"].sleep_time is None
    assert spaces["acme/s"].hardware is None


def test_an_overlay_merges_over_and_its_places_win() -> None:
    base = ("a.yaml", space("{hardware: t4-small, variables: {A: '1', B: '2'}}"))
    over = ("b.yaml", "spaces:\n  acme/x:\n    hardware: a10g-small\n    variables: {B: '3'}\n")
    made = load([base], overlays=[over], env={})
    spec = made.spaces["acme/x"]
    assert spec.hardware == "a10g-small"
    assert {key: item.value for key, item in (spec.variables or {}).items()} == {"A": "1", "B": "3"}
    assert str(made.source("spaces", "acme/x", "hardware")) == "b.yaml:3:5"


@pytest.mark.parametrize(
    "written",
    [
        "acme/x",
        "spaces/acme/x",
        "https://huggingface.co/spaces/acme/x",
        "https://hf.co/spaces/acme/x/tree/main",
    ],
)
def test_urls_of_a_space_are_its_id(written: str) -> None:
    assert list(one(f"version: 1\nspaces: {{'{written}': {{}}}}\n").spaces) == ["acme/x"]


def test_a_host_is_resolved_through_the_hub() -> None:
    from hfspace.live.hosts import resolve
    from hfspace.live.hub import connect
    from hfspace.localhub import LocalHub
    from hfspace.manifest.hosts import with_hosts

    manifest = one("version: 1\nspaces: {https://my-team-x-y.hf.space/: {visibility: private}}\n")
    assert manifest.hosts == ("my-team-x-y.hf.space",)
    with LocalHub(seed={"spaces": {"my-team/x_y": {}}}) as hub:
        client = connect(hub.url, hub.token)
        found = {host: resolve(client, host) for host in manifest.hosts}
        hub.add_fault({"path": "/api/spaces/by-subdomain/*", "status": 404})
        assert resolve(client, manifest.hosts[0]) == "my-team/x_y"
    assert list(with_hosts(manifest, found).spaces) == ["my-team/x_y"]


def test_files_directories_and_what_can_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(space("{}"))
    (tmp_path / "b.yml").write_text("version: 1\nspaces: {acme/y: {}}\n")
    assert len(load_files([tmp_path], env={}).spaces) == 2
    assert len(load_files(["*.yaml"], env={}, cwd=tmp_path).spaces) == 1
    (tmp_path / "bin.yaml").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "big.yaml").write_bytes(b"#" * (5 * 1024 * 1024 + 1))
    (tmp_path / "empty").mkdir()
    for name, says in [
        ("bin.yaml", "UTF-8"),
        ("big.yaml", "5 MiB"),
        ("empty", "without"),
        ("no.yaml", "no such file"),
    ]:
        with pytest.raises(ManifestError) as caught:
            load_files([name], env={}, cwd=tmp_path)
        assert says in caught.value.problems[0].message


keys = st.sampled_from(["hardware", "restart", "state"])


@given(
    st.dictionaries(keys, st.sampled_from(["a", "yes", "1", "# x", "é: y"]), min_size=1),
    keys,
    st.text(max_size=9),
)
def test_an_edit_changes_one_value_and_keeps_every_comment(
    before: dict[str, str], key: str, value: str
) -> None:
    body = "".join(
        f"    {name}: {yaml.safe_dump(item).splitlines()[0]}  # about {name}\n"
        for name, item in before.items()
    )
    text = f"# top\nversion: 1\nspaces:\n  acme/x:\n{body}"
    if not value.isprintable():
        return
    after = set_value(text, ("spaces", "acme/x", key), value)
    assert yaml.safe_load(after)["spaces"]["acme/x"] == {**before, key: value.replace("$", "$$")}
    assert all(f"# about {name}" in after for name in before)


def test_a_key_is_renamed_in_place() -> None:
    text = "spaces:\n  https://hf.co/spaces/a/b: {}  # mine\n"
    assert rename_key(text, ("spaces", "https://hf.co/spaces/a/b"), "a/b") == "spaces:\n  a/b: {}  # mine\n"


def test_shards_are_stable_and_keep_dependants_together() -> None:
    names = [f"acme/s{number}" for number in range(60)]

    def text(count: int) -> str:
        body = "".join(f"  {name}: {{}}\n" for name in names[:count])
        return f"version: 1\nspaces:\n{body}  acme/z: {{depends_on: [acme/s0]}}\n"

    few, many = one(text(50)), one(text(60))
    places = {name: index for index in range(1, 5) for name in shard(few, index, 4).spaces}
    later = {name: index for index in range(1, 5) for name in shard(many, index, 4).spaces}
    assert len(places) == 51
    assert all(later[name] == place for name, place in places.items())
    assert places["acme/z"] == places["acme/s0"]
