"""Metrics beyond numbers and text, in the form that official trackio keeps them in (trackio 0.43: its
Histogram, Table and Image), and the files that belong to a run."""

from __future__ import annotations

import math
import os
import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from hfspace.errors import UsageError
from hfspace.live.trackio.media import IMAGE, TYPE
from hfspace.model import Json

_MOST_BINS = 512
_MOST_ROWS = 10_000
_MOST_PIXELS = 1 << 26
_COLORS = {1: 0, 2: 4, 3: 2, 4: 6}
"""Channels of a picture: PNG's word for them."""
_IMAGES = {b"\x89PNG\r\n": ".png", b"\xff\xd8\xff": ".jpg", b"GIF8": ".gif", b"RIFF": ".webp"}


class Files(Protocol):
    """Where the content of a value goes that is no JSON; the name by which it is found there."""

    def keep(self, content: bytes, suffix: str) -> str: ...


class Value(Protocol):
    """A metric that is neither number nor text."""

    def document(self, files: Files) -> dict[str, Json]:
        """As JSON; what is no JSON is put in `files`. Raises UsageError, OSError."""
        ...


@dataclass(frozen=True, slots=True)
class Histogram:
    """How often values fall into each of `bins` ranges of equal width. NaN and infinity are left out."""

    values: Iterable[float]
    bins: int = 64

    def document(self, files: Files) -> dict[str, Json]:
        numbers = [float(value) for value in _flat(self.values)]
        finite = [value for value in numbers if math.isfinite(value)]
        count = max(1, min(self.bins, _MOST_BINS))
        if not finite:
            return {TYPE: "trackio.histogram", "bins": [], "values": []}
        low, high = min(finite), max(finite)
        if low == high:
            low, high = low - 0.5, high + 0.5
        width = (high - low) / count
        counts = [0] * count
        for value in finite:
            counts[min(int((value - low) / width), count - 1)] += 1
        edges = [low + width * at for at in range(count)] + [high]
        return {TYPE: "trackio.histogram", "bins": edges, "values": counts}


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of numbers, text, true, false and None under named columns."""

    columns: Sequence[str]
    rows: Iterable[Sequence[Any]]

    def document(self, files: Files) -> dict[str, Json]:
        names = [str(name) for name in self.columns]
        rows = [dict(zip(names, map(_cell, row), strict=False)) for row in islice(self.rows, _MOST_ROWS + 1)]
        if len(rows) > _MOST_ROWS:
            raise UsageError(f"A table has at most {_MOST_ROWS} rows.")
        return {TYPE: "trackio.table", "_value": rows}


@dataclass(frozen=True, slots=True)
class Image:
    """A picture: the path of a file (PNG, JPEG, GIF, WebP), an array of bytes of shape (height, width) or
    (height, width, 1 to 4), or what has `save` as Pillow's images do."""

    picture: Any
    caption: str | None = None

    def document(self, files: Files) -> dict[str, Json]:
        content = _picture(self.picture)
        suffix = next((suffix for start, suffix in _IMAGES.items() if content.startswith(start)), None)
        if suffix is None:
            raise UsageError("An image is a PNG, JPEG, GIF or WebP file.")
        caption = None if self.caption is None else str(self.caption)
        return {TYPE: IMAGE, "file_path": files.keep(content, suffix), "caption": caption}


def as_value(item: Any) -> Value | None:
    """What `item` is as a value of this module; also where it is one of trackio's own. None: it is none."""
    if isinstance(item, Histogram | Table | Image):
        return item
    kind = getattr(type(item), "TYPE", None)
    if kind == IMAGE:
        return Image(item._value, item.caption)
    if kind == "trackio.table":
        columns = list(dict.fromkeys(str(name) for row in item.data for name in row))
        return Table(columns, [[row.get(name) for name in columns] for row in item.data])
    return (
        _Plain(item) if isinstance(kind, str) and kind in {"trackio.histogram", "trackio.markdown"} else None
    )


@dataclass(frozen=True, slots=True)
class _Plain:
    """One of trackio's own values that is JSON by itself."""

    value: Any

    def document(self, files: Files) -> dict[str, Json]:
        return dict(self.value._to_dict())


def _flat(values: Any) -> Iterable[Any]:
    """The numbers in a list, an array or a tensor of any shape."""
    to_list = getattr(values, "tolist", None)
    for value in to_list() if callable(to_list) else values:
        if isinstance(value, list | tuple):
            yield from _flat(value)
        else:
            yield value


def _cell(value: Any) -> Json:
    item = getattr(value, "item", None)
    value = item() if callable(item) else value
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, str | int | float | bool | None):
        return value
    raise UsageError(f"A cell is a number or text, not {type(value).__name__}.")


def _picture(picture: Any) -> bytes:
    if isinstance(picture, bytes):
        return picture
    if isinstance(picture, str | os.PathLike):
        return Path(picture).read_bytes()
    if callable(getattr(picture, "save", None)):
        out = BytesIO()
        picture.save(out, format="PNG")
        return out.getvalue()
    shape = tuple(getattr(picture, "shape", ()))
    channels = shape[2] if len(shape) == 3 else 1
    if len(shape) not in (2, 3) or channels not in _COLORS or str(picture.dtype) != "uint8":
        raise UsageError("An image is a file, or an array of uint8 of shape (height, width, 1 to 4).")
    return _png(shape[1], shape[0], channels, picture.tobytes())


def _png(width: int, height: int, channels: int, pixels: bytes) -> bytes:
    if not 0 < width * height <= _MOST_PIXELS:
        raise UsageError(f"An image has 1 to {_MOST_PIXELS:,} pixels.")
    row = width * channels
    lines = b"".join(b"\0" + pixels[at : at + row] for at in range(0, height * row, row))
    head = struct.pack(">IIBBBBB", width, height, 8, _COLORS[channels], 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(lines, 6)), (b"IEND", b""))
    parts = [
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)
