"""What the Hub decides about a file: how it is sent, whether .gitignore drops it, whether it is refused."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import pathspec

GIT_ATTRIBUTES = ".gitattributes"
_LARGE_TYPES = (
    "*.7z", "*.bin", "*.bz2", "*.ckpt", "*.ftz", "*.gz", "*.h5", "*.joblib", "*.model", "*.msgpack", "*.npy",
    "*.npz", "*.onnx", "*.parquet", "*.pb", "*.pickle", "*.pkl", "*.pt", "*.pth", "*.rar", "*.safetensors",
    "*.tar", "*.tflite", "*.tgz", "*.wasm", "*.xz", "*.zip", "*.zst",
)  # fmt: skip
STARTING_ATTRIBUTES = "".join(f"{kind} filter=lfs diff=lfs merge=lfs -text\n" for kind in _LARGE_TYPES)
"""The .gitattributes of a Space that has just been created."""
BUILD_ERROR, RUNTIME_ERROR = "BUILD_ERROR", "RUNTIME_ERROR"
_MARKS = {f"local-hub: {stage}".encode(): stage for stage in (BUILD_ERROR, RUNTIME_ERROR)}
_LEAST_TOKEN = 8


def is_large(path: str, size: int, attributes: str, over: int) -> bool:
    """Whether a file goes through the large file mechanism: for its size, or as .gitattributes says."""
    return size > 0 and (size > over or _matches(_large_patterns(attributes), path))


def ignored(paths: Iterable[str], gitignore: str) -> set[str]:
    """The paths that the rules of a .gitignore drop."""
    rules = pathspec.GitIgnoreSpec.from_lines(gitignore.splitlines())
    return {path for path in paths if rules.match_file(path)}


def with_large(attributes: str, paths: Iterable[str]) -> str:
    """The .gitattributes that names each of `paths` as large; the Hub adds a line for what it lacks."""
    patterns = _large_patterns(attributes)
    missing = [path for path in paths if not _matches(patterns, path)]
    if not missing:
        return attributes
    start = attributes if attributes.endswith("\n") or not attributes else f"{attributes}\n"
    return start + "".join(
        f"{path.replace(' ', '[[:space:]]')} filter=lfs diff=lfs merge=lfs -text\n" for path in missing
    )


def _large_patterns(attributes: str) -> list[str]:
    lines = (line.split() for line in attributes.splitlines() if not line.lstrip().startswith("#"))
    return [words[0].replace("[[:space:]]", " ") for words in lines if "filter=lfs" in words[1:]]


def _matches(patterns: list[str], path: str) -> bool:
    return pathspec.GitIgnoreSpec.from_lines(patterns).match_file(path)


def leaks(files: Mapping[str, bytes], tokens: Collection[str]) -> str:
    """The Hub's refusal of files that hold one of its tokens; "" when none does."""
    live = [token for token in tokens if len(token) >= _LEAST_TOKEN]
    offending = [
        f"  - {path} (ref: refs/heads/main, token: '{token}')"
        for path, data in files.items()
        for token in live
        if token.encode() in data
    ]
    if not offending:
        return ""
    return (
        "It appears that one or more of your files contain valid Hugging Face secrets, such as tokens or API "
        "keys.\nIt is important to keep your secrets private and not expose them in code that is publicly "
        "accessible.\nRead more: https://huggingface.co/docs/hub/spaces-overview#managing-secrets\n\n"
        "Offending files:\n" + "\n".join(offending)
    )


def outcome(data: bytes) -> str | None:
    """How a build with this file ends, where the file says so: `local-hub: BUILD_ERROR` or RUNTIME_ERROR."""
    return next((stage for mark, stage in _MARKS.items() if mark in data), None)
