"""The JSON Schema: the committed file is current, and says what the loader says."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from hfspace.manifest.schema import json_schema

ROOT = Path(__file__).parents[2]


def test_the_committed_schema_is_current() -> None:
    assert json.loads((ROOT / "spaces.schema.json").read_text()) == json_schema()


@pytest.mark.parametrize("name", ["examples/fleet/spaces.yaml", "examples/apps/spaces.yaml", "spaces.yaml"])
def test_the_shipped_manifests_are_valid(name: str) -> None:
    jsonschema.validate(yaml.safe_load((ROOT / name).read_text()), json_schema())


@pytest.mark.parametrize(
    "space",
    [
        {"hardwar": "x"},
        {"state": "runing"},
        {"secrets": {"A": "literal"}},
        {"sleep_time": "soon"},
        {"prune": ["x"]},
    ],
)
def test_what_the_loader_refuses_the_schema_refuses(space: dict[str, object]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"version": 1, "spaces": {"a/b": space}}, json_schema())
