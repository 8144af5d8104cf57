"""One manifest that uses every facet that apply writes, and a fleet that differs from it in all of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

ENV = {"TOKEN_ONE": "s3cret-value-one", "TOKEN_TWO": "s3cret-value-two"}

MANIFEST = """
version: 1
policy: {max_monthly_usd: 4000, max_running: 20, max_deletes: 1}
spaces:
  acme/every:
    sdk: gradio
    visibility: protected
    hardware: t4-small
    sleep_time: 1h
    state: running
    restart: "one"
    dev_mode: true
    variables:
      A: one
      MOVES: now-a-variable
      NUMBER: {value: 4, description: a number}
    secrets:
      S: {env: TOKEN_ONE}
      OPEN: {env: TOKEN_TWO, description: was a variable}
      SAME: {env: TOKEN_ONE}
    volumes:
      - {source: hf://buckets/acme/audio, mount_path: /data}
    prune: [variables, secrets, volumes]
    depends_on: [acme/new]
  acme/asleep: {hardware: cpu-upgrade, sleep_time: 30m, state: running, visibility: private}
  acme/off: {state: paused, hardware: cpu-upgrade, variables: {X: "1"}}
  acme/broken: {state: running, on_error: restart}
  acme/gone: {state: absent}
  acme/kept: {protect: true, visibility: public, restart: "two"}
  acme/new:
    sdk: docker
    hardware: cpu-upgrade
    sleep_time: 15m
    variables: {GREETING: hello}
    secrets: {S: {env: TOKEN_ONE}}
    restart: "one"
    visibility: private
    create: {template: SpacesExamples/jupyterlab}
  acme/copy: {variables: {WHO: me}, create: {duplicate_from: acme/kept}}
  acme/new-paused: {sdk: gradio, state: paused, dev_mode: false, create: {}}
"""

SEED: dict[str, Any] = {
    "spaces": {
        "acme/every": {
            "stage": "PAUSED",
            "hardware": "cpu-basic",
            "variables": {"A": "old", "GONE": "x", "OPEN": "open"},
            "secrets": {"MOVES": "x", "EXTRA": "y", "SAME": "old"},
            "volumes": [{"type": "model", "source": "acme/m", "mountPath": "/m", "readOnly": True}],
        },
        "acme/asleep": {"stage": "SLEEPING", "hardware": "cpu-upgrade", "sleep_time": -1},
        "acme/off": {"stage": "RUNNING", "hardware": "t4-small"},
        "acme/broken": {"stage": "RUNTIME_ERROR", "hardware": "cpu-basic"},
        "acme/gone": {"stage": "RUNNING"},
        "acme/kept": {"stage": "RUNNING", "visibility": "private"},
        "acme/nobodys": {"stage": "RUNNING", "hardware": "t4-small", "variables": {"V": "1"}},
    }
}


FILES = {
    "acme/every": {"files": {"from": "every", "prune": True}, "card": {"title": "Every", "tags": ["a"]}},
    "acme/off": {"files": "off"},
    "acme/new": {"files": "new", "card": {"short_description": "New"}},
    "acme/new-paused": {"files": "every"},
}
"""What `with_files` declares besides."""
FOLDERS = {
    "every": {"README.md": "---\nsdk: gradio\n---\n# Every\n", "app.py": "print(2)\n", "lib/x.py": ""},
    "off": {"app.py": "print('off')\n"},
    "new": {"README.md": "---\nsdk: docker\n---\n", "Dockerfile": "FROM x\n"},
}


def with_files(text: str, folder: Path) -> str:
    """The manifest with files and cards for some of its Spaces, whose folders are written to `folder`."""
    for name, files in FOLDERS.items():
        for path, content in files.items():
            (folder / name / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / name / path).write_text(content)
    raw = yaml.safe_load(text)
    for space, keys in FILES.items():
        raw["spaces"][space] |= keys
    return yaml.safe_dump(raw, sort_keys=False)


def manifest() -> str:
    """create_repo has templates since huggingface_hub 1.23 only."""
    import inspect

    from huggingface_hub import HfApi

    has_templates = "space_template" in inspect.signature(HfApi.create_repo).parameters
    return MANIFEST if has_templates else MANIFEST.replace("{template: SpacesExamples/jupyterlab}", "{}")
