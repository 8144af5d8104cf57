"""What is expected to the letter is said by hfspace: no golden file holds a sentence of a library, whose next
version may word it otherwise."""

from __future__ import annotations

import ast
import importlib.util
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
LIBRARIES = (
    *("json.decoder", "json.scanner", "yaml.scanner", "yaml.parser", "yaml.composer", "yaml.constructor"),
    *("yaml.reader", "yaml.error", "click.core", "click.exceptions", "click.types", "click.parser"),
    *(
        "httpx._exceptions",
        "httpx._models",
        "httpx._urlparse",
        "httpx._transports.default",
        "pydantic.errors",
    ),
    *("jsonschema.validators", "jsonschema._keywords", "jsonschema.exceptions", "huggingface_hub.errors"),
    *("huggingface_hub.utils._http", "gradio_client.exceptions", "gradio_client.utils", "zlib", "ssl"),
)
GOLDEN = sorted(
    path
    for path in TESTS.rglob("*")
    if path.suffix in {".txt", ".md", ".html"} and "requirements" not in path.parts
)
PYDANTIC = ("Input should be", "validation error for", "For further information visit", "Field required")


@cache
def sentences() -> tuple[str, ...]:
    """Parts of at least three words of what the libraries say in an exception."""
    parts = set(PYDANTIC)
    for name in LIBRARIES:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
            continue
        tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Raise | ast.Call):
                texts = [one.value for one in ast.walk(node) if isinstance(one, ast.Constant)]
                parts |= {text.strip() for text in texts if isinstance(text, str) and text.count(" ") >= 2}
    return tuple(part for part in parts if len(part) >= 15 and "\n" not in part)


def test_there_are_sentences_and_golden_files_to_compare() -> None:
    assert len(sentences()) > 150
    assert len(GOLDEN) > 150


@pytest.mark.parametrize("library", ["could not find expected ':'", "Expecting ',' delimiter"])
def test_the_sentences_of_libraries_are_known(library: str) -> None:
    assert any(library in part for part in sentences())


def test_no_golden_file_holds_a_sentence_of_a_library() -> None:
    found = [
        (str(path.relative_to(TESTS)), part)
        for path in GOLDEN
        for text in [path.read_text(encoding="utf-8", errors="replace")]
        for part in sentences()
        if part in text
    ]
    assert found == []
