"""What the README shows is what the commands say."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from huggingface_hub import HfApi

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


@pytest.mark.skipif(
    "space_template" not in inspect.signature(HfApi.create_repo).parameters,
    reason="the demo creates from a template: huggingface_hub 1.23",
)
def test_the_plan_of_the_readme_is_the_demos_and_the_demo_ends_with_an_empty_one() -> None:
    env = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "NO_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "hfspace", "-q", "demo"],
        cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    shown = re.search(r"^Hub http.*?^Cost: [^\n]*$", README, re.MULTILINE | re.DOTALL)
    said = re.search(r"^Hub http.*?^Cost: [^\n]*$", done.stdout, re.MULTILINE | re.DOTALL)
    assert shown
    assert said
    assert without_port(shown[0]) == without_port(said[0])
    assert "The second plan is empty" in done.stdout


def without_port(text: str) -> str:
    return re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1", text)


def test_the_manifest_of_the_readme_is_valid() -> None:
    from hfspace.manifest.loader import load

    (block,) = re.findall(r"```yaml\n(version: 1.*?)```", README, re.DOTALL)
    assert set(load([("README.md", block)], env={}).spaces) == {
        "acme/whisper",
        "acme/notebook",
        "acme/new-demo",
    }
