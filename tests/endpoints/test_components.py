"""Every input component of Gradio 4, 5 and 6 with many values: hfspace against gradio_client's own answer.

Slow (`-m slow`); `-s` prints the counts. The ones named `few` take two values of each kind per component.
"""

from __future__ import annotations

import json
import struct
import wave
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from gradio_client import handle_file

from hfspace.diagnosis import connect
from hfspace.live.gradio.calls import EndpointError
from hfspace.live.gradio.client import open_client
from hfspace.live.gradio.probe import read_app
from hfspace.manifest.models import EndpointSpec
from tests.endpoints.hub import MemoryHub
from tests.endpoints.real_apps import MATRIX, NEWEST, running

pytestmark = [pytest.mark.apps, pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

Case = tuple[str, Any]
TEXT, IMAGE, SOUND = "<t.txt>", "<i.png>", "<s.wav>"
WITH_FILES = (
    "audio", "downloadbutton", "file", "gallery", "image", "model3d", "multimodal", "paint", "sketch",
    "upload", "video",
)  # fmt: skip
DRAWINGS = ("imageeditor", "imagemask", "paint", "sketchpad")
DRAWING = {"background": IMAGE, "layers": [], "composite": IMAGE}
FEW: list[Any] = [
    IMAGE, SOUND, [IMAGE, IMAGE], [{"image": IMAGE, "caption": "x"}], {"text": "hi", "files": [TEXT]},
    DRAWING, "a", ["a"], 5, {"a": 1}, "zz", 100, ["a", "zz"], TEXT,
]  # fmt: skip
MANY: list[Any] = [
    *FEW, None, True, 0, 2.5, -1, 1, "", "A", "1", "2.5", "abcdef", "2025-01-01 10:00:00", "#ff0000",
    [], ["a", "b"], ["a", "a"], [1, 2], [[1, 2], [3, 4]], [None], {}, [TEXT], [TEXT, TEXT], {"text": "hi"},
    {"files": [TEXT]}, {"background": None, "layers": [], "composite": None}, {"background": IMAGE},
    [{"image": IMAGE}], [{"video": SOUND}], {"video": SOUND}, {"video": SOUND, "subtitles": None},
    [IMAGE, None], {"headers": ["x"], "data": [[1]]}, {"data": [[1]]}, [{"role": "user", "content": "hi"}],
    [["hi", "there"]], [["hi", None]], [{"token": "a", "class_or_confidence": None}], {"label": "a"},
    {"label": "a", "confidences": [{"label": "a", "confidence": 0.5}]}, {"type": "plotly", "plot": "{}"},
    [{"speaker": "A", "text": "hi"}], [["t.txt"]], {"path": None}, {"path": "/nope"}, 1735725600,
]  # fmt: skip
ALL = len(FEW) + len(MANY)
VERSIONS = [
    *[pytest.param(version, FEW, 2, id=f"{version}-few") for version in NEWEST],
    *[pytest.param(version, MANY, ALL, id=version) for version in MATRIX[1:]],
]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with a text, an image and a sound."""
    (tmp_path / "t.txt").write_text("hello")
    pixels = zlib.compress(b"".join(b"\0" + b"\xff\0\0" * 4 for _ in range(4)))
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", 4, 4, 8, 2, 0, 0, 0)), (b"IDAT", pixels), (b"IEND", b"")]
    body = [struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
            for kind, data in chunks]  # fmt: skip
    (tmp_path / "i.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(body))
    with wave.open(str(tmp_path / "s.wav"), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(b"\0\0" * 800)
    return tmp_path


def given(name: str, value: Any, files: Path) -> Any:
    """The value as a user of hfspace gives it: a path where the component has files, else the same object.

    A path alone is a drawing for hfspace, while a file alone is an object without one for the app.
    """
    drawn = name.strip("/").startswith(DRAWINGS) and isinstance(value, str)

    def file(leaf: str) -> Any:
        path = str(files / leaf)
        return path if name.strip("/").startswith(WITH_FILES) and not drawn else handle_file(path)

    return filled(value, file)


def filled(value: Any, file: Callable[[str], Any]) -> Any:
    if isinstance(value, str) and value.startswith("<"):
        return file(value[1:-1])
    if isinstance(value, list):
        return [filled(item, file) for item in value]
    return {key: filled(item, file) for key, item in value.items()} if isinstance(value, dict) else value


@pytest.mark.timeout(3000)
@pytest.mark.parametrize(("version", "values", "most"), VERSIONS)
def test_nothing_is_refused_that_the_app_takes(
    version: str, values: list[Any], most: int, files: Path
) -> None:
    with running("gradio_components.py", version, files) as url:
        names = [endpoint.name for endpoint in read_app(url).endpoints]
        client = open_client(url, None, 60, workers=4)

        def theirs(case: Case) -> Any:
            try:
                value = filled(case[1], lambda name: handle_file(str(files / name)))
                return json.dumps(client.predict(value, api_name=case[0]))
            except Exception as error:  # noqa: BLE001 - whatever it raises: the value was not taken
                return error

        cases = chosen(url, [(name, value) for name in names for value in values], files, most)
        with ThreadPoolExecutor(4) as pool:
            expected = list(pool.map(theirs, cases))
        client.close()
        outcomes = list(ours(url, cases, files))
    counts: Counter[str] = Counter()
    wrong = []
    for case, want, (refused, answer) in zip(cases, expected, outcomes, strict=True):
        kind = judge(want, refused, answer)
        counts[kind] += 1
        if kind.startswith("only hfspace") or kind == "another answer":
            wrong.append((kind, *case, want, refused or answer))
    print(f"\nGradio {version}: {len(names)} components, {len(cases)} values: {dict(counts)}")
    assert wrong == []
    assert counts["same answer"] + counts["both refuse"] >= len(names)


def chosen(url: str, cases: list[Case], files: Path, most: int) -> list[Case]:
    """Of each component at most so many values that are refused, and as many that are not."""
    anchor = connect(url, endpoint=EndpointSpec(api_name=cases[0][0]), hub=MemoryHub())
    taken: Counter[tuple[str, bool]] = Counter()
    kept = []
    for name, value in cases:
        refused = bool(anchor.at(name).problems([given(name, value, files)]))
        taken[name, refused] += 1
        if taken[name, refused] <= most:
            kept.append((name, value))
    return kept


def ours(url: str, cases: list[Case], files: Path) -> Iterator[tuple[str, Any]]:
    """(why it is refused, the answer or the error) of each case."""
    anchor = connect(url, endpoint=EndpointSpec(api_name=cases[0][0]), hub=MemoryHub())
    with anchor:
        for name, value in cases:
            connection = anchor.at(name)
            sent = [given(name, value, files)]
            problems = connection.problems(sent)
            if problems:
                yield problems[0].message, None
                continue
            try:
                yield "", json.dumps(connection.call(*sent))
            except EndpointError as error:
                yield "", error


def judge(want: Any, refused: str, answer: Any) -> str:
    failed = isinstance(want, Exception)
    if refused:
        return "both refuse" if failed else "only hfspace refuses"
    if isinstance(answer, EndpointError):
        return "both refuse" if failed else "only hfspace fails"
    if failed:
        return "only gradio_client fails"
    return "same answer" if want == answer else "another answer"
