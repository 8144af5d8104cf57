from __future__ import annotations

import json
from typing import Any

from hfspace.report.differences import Difference, differences
from hfspace.report.settings import move

AUDIO = {"source": "hf://buckets/acme/audio", "mount_path": "/data", "read_only": False}
MODELS = {"source": "hf://models/acme/whisper-large", "mount_path": "/models", "read_only": True}


def test_a_volume_shows_the_member_that_differs() -> None:
    moved: Any = [AUDIO, {**MODELS, "mount_path": "/weights"}]
    assert move("volumes", [AUDIO, MODELS], moved) == '[1].mount_path "/models" → "/weights"'


def test_what_one_side_lacks_is_added_or_removed() -> None:
    parameters = {"learning_rate": 2e-5, "batch_size": 8, "schedule": {"kind": "cosine", "warmup": 100}}
    less = {"learning_rate": 2e-5, "schedule": {"kind": "linear"}}
    text = move("experiments", parameters, less)
    assert text == "batch_size removed: 8, schedule.kind cosine → linear, schedule.warmup removed: 100"


def test_a_variable_that_holds_json_on_both_sides_is_compared_as_json() -> None:
    before = json.dumps({"models": ["a", "b"], "limits": {"tokens": 100, "seconds": 30}})
    after = json.dumps({"limits": {"seconds": 60, "tokens": 100}, "models": ["a", "b"]})
    assert move("variables", before, after) == "limits.seconds 30 → 60"


def test_text_short_values_and_values_of_two_kinds_are_shown_whole() -> None:
    assert move("variables", "{}", "{not json") == '"{}" → "{not json"'
    assert move("volumes", [], [AUDIO]) == "none → hf://buckets/acme/audio at /data"
    assert move("variables", json.dumps(["x" * 50]), json.dumps({"x": "y" * 50})).startswith('"[')
    assert differences([1], {"a": 1}) == ()


def test_many_members_are_counted_and_hostile_ones_spelled_out() -> None:
    before = {f"k{number:02}": number for number in range(20)}
    text = move("experiments", before, {key: item + 1 for key, item in before.items()})
    assert text.endswith(", 12 more members")
    assert differences({"\x1b[2J": 1}, {"\x1b[2J": 2}) == (Difference(path="\x1b[2J", before=1, after=2),)
    assert "\x1b" not in move("experiments", {"\x1b[2J": "a" * 50}, {"\x1b[2J": "b" * 50})


def test_a_wall_of_json_is_not_compared_member_by_member() -> None:
    assert differences(["x" * 30_000], ["y" * 30_000]) == ()
