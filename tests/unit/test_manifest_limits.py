"""Each test is a bug that was there: hostile depth and size, files that reach into each other, references."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from hfspace.errors import ManifestError, Problem
from hfspace.manifest import yaml_bounds
from hfspace.manifest.loader import load
from hfspace.manifest.models import Manifest


def one(text: str, **env: str) -> Manifest:
    return load([("a.yaml", text)], env=env)


def problems(
    *texts: str, overlays: tuple[str, ...] = (), env: dict[str, str] | None = None
) -> tuple[Problem, ...]:
    with pytest.raises(ManifestError) as caught:
        load(
            [(f"{'abc'[index]}.yaml", text) for index, text in enumerate(texts)],
            overlays=[(f"over{index}.yaml", text) for index, text in enumerate(overlays)],
            env=env or {},
        )
    return caught.value.problems


DEEP = {
    "flow lists": "version: 1\nspaces: " + "[" * 200_000,
    "flow maps": "version: 1\nspaces: " + "{a: " * 200_000,
    "brackets behind brackets in a text": "version: 1\nx: '" + "[" * 60 + "'\nspaces: " + "[" * 3000,
    "block lists": "version: 1\nspaces:\n  " + "- " * 200_000 + "x",
    "block maps": "version: 1\n" + "".join(f"{' ' * depth}a:\n" for depth in range(2000)),
}


@pytest.mark.parametrize("shape", DEEP)
def test_a_deep_manifest_is_refused_and_does_not_end_the_interpreter(shape: str) -> None:
    """The composer of libyaml recurses in C: this was a segmentation fault, so it runs in a process."""
    script = (
        "import sys; from hfspace.manifest.yaml_tree import parse\n"
        "found = parse('a.yaml', sys.stdin.read(), {}).problems[0]; print(found.place, found.message)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], input=DEEP[shape], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr[-300:]
    assert "is nested more than 50 deep" in done.stdout
    assert done.stdout.startswith("a.yaml:")


def test_more_values_than_a_manifest_needs_are_refused_where_they_begin(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(yaml_bounds, "MOST_NODES", 20)
    found = problems("version: 1\nspaces:\n" + "".join(f"  a/b{n}: {{}}\n" for n in range(20)))
    assert (found[0].line, "holds more than 20 values" in found[0].message) == (10, True)


MERGES = {
    "doubling": "\n".join(
        ["a0: &a0 {}", *(f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}" for n in range(1, 40))]
    ),
    "wide": "\n".join(
        ["z: &z {}", f"a0: &a0 {{<<: [{', '.join(['*z'] * 1000)}]}}"]
        + [f"b{n}: {{<<: [{', '.join(['*a0'] * 100)}]}}" for n in range(100)]
    ),
    "chain": "\n".join(["a0: &a0 {}", *(f"a{n}: &a{n} {{<<: *a{n - 1}}}" for n in range(1, 5000))]),
    "itself": "a0: &a0 {<<: *a0}",
    "alias chain": "\n".join(["a0: &a0 []", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 5000))]),
    "alias of itself": "a0: &a0 [*a0]",
}  # fmt: skip


@pytest.mark.parametrize("shape", MERGES)
def test_merges_and_aliases_end_at_a_limit(shape: str) -> None:
    """Merged empty maps hold no values, so counting values alone never ended."""
    start = time.monotonic()
    found = problems(MERGES[shape])
    assert any("once aliases are followed" in problem.message and problem.line for problem in found)
    assert time.monotonic() - start < 10


def test_ordinary_merges_work_and_own_keys_win_with_their_own_place() -> None:
    text = (
        "version: 1\nspaces:\n  a/x: &base\n    hardware: t4-small\n    sleep_time: 1h\n"
        "  a/y:\n    sleep_time: 2h\n    <<: *base\n"
    )
    made = one(text)
    assert (made.spaces["a/y"].hardware, made.spaces["a/y"].sleep_time) == ("t4-small", 7200)
    assert str(made.source("spaces", "a/y", "sleep_time")) == "a.yaml:7:5"


@pytest.mark.parametrize(
    "key", ["state: absent", "create: {}", "protect: true", "depends_on: [a/x]", "experiments: {e: {}}"]
)
def test_defaults_can_not_say_of_all_spaces_what_is_meant_for_one(key: str) -> None:
    """`defaults: {state: absent}` marked every Space for deletion."""
    found = problems(f"version: 1\ndefaults:\n  {key}\nspaces:\n  a/x: {{}}\n  a/y: {{}}\n")
    assert [problem.place for problem in found] == ["a.yaml:3:3"]
    assert "defaults can't" in found[0].message
    assert "under the" in found[0].hint or "write them there" in found[0].hint or "there." in found[0].hint


def test_defaults_of_a_file_without_spaces_are_checked_too() -> None:
    assert "hardware" in problems("version: 1\ndefaults: {hardwar: x}\n")[0].hint


def test_an_overlay_can_not_make_all_spaces_absent_either() -> None:
    over = "defaults: {state: absent}\n"
    assert "every Space absent" in problems("version: 1\nspaces: {a/x: {}}\n", overlays=(over,))[0].message


POLICY = "version: 1\npolicy:\n  max_deletes: {}\n"


def test_two_files_that_set_one_guardrail_differently_are_an_error_that_names_both() -> None:
    """A second -f file silently loosened max_deletes."""
    found = problems(POLICY.replace("{}", "0"), POLICY.replace("{}", "9"))
    assert [problem.place for problem in found] == ["b.yaml:3:3"]
    assert "a.yaml:3:3" in found[0].message
    assert "--overlay" in found[0].hint


def test_the_same_guardrail_twice_is_fine_and_an_overlay_may_replace_it() -> None:
    same = load([("a", POLICY.replace("{}", "0")), ("b", POLICY.replace("{}", "0"))], env={})
    assert same.policy.max_deletes == 0
    moved = load([("a", POLICY.replace("{}", "0"))], overlays=[("c", POLICY.replace("{}", "9"))], env={})
    assert moved.policy.max_deletes == 9


REFERENCES = (
    "version: 1\npolicy:\n  max_deletes: ${N}\nspaces:\n  a/x:\n    dev_mode: ${B}\n    sleep_time: ${N}\n"
    "    restart: ${N}\n    variables:\n      A: ${N}\n      B: '${B}'\n      C: ${SHA}\n      D: ${OFF}\n"
    "    experiments:\n      e:\n        parameters:\n          n: ${N}\n          text: '${N}'\n"
    "          f: ${F}\n"
)


def test_an_unquoted_reference_can_be_a_number_or_true_and_a_quoted_one_is_text() -> None:
    """With the C loader plain scalars have the style '' and not None, so all of them stayed text."""
    made = one(REFERENCES, N="42", B="true", SHA="0012345", OFF="off", F="1.50")
    spec = made.spaces["a/x"]
    assert spec.restart is not None
    assert (made.policy.max_deletes, spec.dev_mode, spec.sleep_time) == (42, True, 42)
    assert spec.restart.value == "42"
    values = {key: item.value for key, item in (spec.variables or {}).items()}
    assert values == {"A": "42", "B": "true", "C": "0012345", "D": "off"}
    assert dict((spec.experiments or {})["e"].parameters) == {"n": 42, "text": "42", "f": 1.5}


def test_a_reference_in_braces_needs_quotes_and_the_message_says_so() -> None:
    found = problems("version: 1\nspaces:\n  a/x: {restart: ${N}}\n")[0]
    assert (found.place, found.hint) == ("a.yaml:3:19", 'Write "${N}".')


def test_what_a_reference_stands_for_is_not_in_a_message() -> None:
    found = problems(
        "version: 1\nspaces:\n  a/x:\n    state: ${S}\n    sleep_time: ${S}\n    depends_on: ['${S}']\n",
        env={"S": "canary-value"},
    )
    assert len(found) == 3
    assert all("${S}" in problem.message and "canary" not in str(problem) for problem in found)


def test_keys_that_yaml_reads_as_something_else_are_told() -> None:
    """The style of plain scalars hid this from keys as well."""
    assert "read as true" in problems("version: 1\nspaces: {a/x: {variables: {on: x}}}\n")[0].message


def test_a_number_of_one_files_defaults_is_not_written_like_that_of_another() -> None:
    """The texts and places of all defaults were kept together."""
    body = "version: 1\ndefaults:\n  variables:\n    V: {0}\nspaces:\n  a/{1}: {{}}\n"
    made = load([("a", body.format("1.10", "x")), ("b", body.format("1.1", "y"))], env={})
    values = {space: (spec.variables or {})["V"].value for space, spec in made.spaces.items()}
    assert values == {"a/x": "1.10", "a/y": "1.1"}
    assert str(made.source("spaces", "a/x", "variables", "V")) == "a:4:5"
    assert str(made.source("spaces", "a/y", "variables", "V")) == "b:4:5"


def test_a_mistake_in_defaults_is_told_where_it_is_written() -> None:
    body = "version: 1\ndefaults: {{hardware: {0}}}\nspaces: {{a/{1}: {{}}}}\n"
    found = problems(body.format("[x]", "x"), body.format("t4-small", "y"))
    assert [problem.file for problem in found] == ["a.yaml"]


def test_the_defaults_of_an_overlay_reach_files_without_defaults() -> None:
    base = "version: 1\nspaces: {a/x: {}}\n"
    made = load([("a", base)], overlays=[("o", "defaults: {visibility: private}\n")], env={})
    assert made.spaces["a/x"].visibility == "private"


SECRETS = [
    "{secrets: {A: canary-1234}, hardware: [x]}",
    '{secrets: {A: "canary-1234\\e"}}',
    "{secrets: {A: canary-1234: x}}",
    "\n    secrets:\n      A: 'canary-1234\n",
    "\n    secrets:\n      A: @canary-1234\n",
    "\n    secrets:\n      A: hf_canary-1234 : x : y\n",
]


@pytest.mark.parametrize("body", SECRETS)
def test_a_secret_that_somebody_wrote_into_the_manifest_is_in_no_message(body: str) -> None:
    from hfspace.report.problems import render_problems

    assert "canary" not in render_problems(problems(f"version: 1\nspaces:\n  a/x: {body}\n"))


def test_ten_thousand_spaces_load_in_time() -> None:
    """Every Space went through the places of every other."""
    spaces = "".join(f"  a/s{n}: {{hardware: t4-small, variables: {{A: b}}}}\n" for n in range(10_000))
    start = time.monotonic()
    assert len(one(f"version: 1\ndefaults: {{sleep_time: 1h}}\nspaces:\n{spaces}").spaces) == 10_000
    assert time.monotonic() - start < 20
