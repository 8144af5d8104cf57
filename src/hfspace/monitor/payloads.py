"""Records as the app takes them: pictures go before the entries that show them, and a text takes the place of
what the app does not hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from hfspace.errors import NotSupported
from hfspace.live.trackio.media import IMAGE, TYPE, kind_of
from hfspace.live.trackio.port import ArtifactFile, Experiment, LogEntry, Tracker
from hfspace.model import Json
from hfspace.monitor.filestore import FileStore
from hfspace.monitor.records import Record
from hfspace.monitor.spool import Spool


class Payloads:
    """Of one spool. `on_not_held` hears of each name once."""

    def __init__(self, spool: Spool, project: str | None, on_not_held: Callable[[str], None]) -> None:
        self._spool = spool
        self._project = project
        self._on_not_held = on_not_held

    def entries(self, tracker: Tracker, live: Experiment, batch: Sequence[Record]) -> list[LogEntry]:
        """Raises TrackioError, when a picture can't be sent."""
        spool = self._spool.header.spool
        return [
            LogEntry(
                metrics=self._body(tracker, live, item),
                step=item.step,
                time=item.time,
                key=f"{spool}:{item.n}",
            )
            for item in batch
        ]

    def artifact(self, tracker: Tracker, live: Experiment, record: Record) -> None:
        """Send it, unless the app holds none. Raises TrackioError."""
        body = record.body
        files = [_file(self._spool.files, item) for item in body["files"]]
        try:
            if any(not file.path.is_file() for file in files):
                raise NotSupported("Its files are gone.")
            tracker.upload_artifact(
                live.id, files, self._project, name=body["name"], type=body["type"], aliases=body["aliases"]
            )
        except NotSupported:
            self._not_held(f"artifact '{body['name']}'")

    def _body(self, tracker: Tracker, live: Experiment, record: Record) -> dict[str, Json]:
        body: dict[str, Json] = record.body
        return {name: self._value(tracker, live, record.step, name, body[name]) for name in body}

    def _value(self, tracker: Tracker, live: Experiment, step: int | None, name: str, value: Json) -> Json:
        kind = kind_of(value)
        if kind is None:
            return value
        if tracker.kind != "interface":
            try:
                return self._sent(tracker, live, step, value)
            except NotSupported:
                pass
        self._not_held(f"{kind} '{name}'")
        return _stand_in(kind)

    def _sent(self, tracker: Tracker, live: Experiment, step: int | None, value: Mapping[str, Json]) -> Json:
        if value.get(TYPE) != IMAGE:
            return value
        path = self._spool.files.path(str(value.get("file_path")))
        if not path.is_file():
            return {**value, "caption": f"(the picture is gone) {value.get('caption') or ''}".rstrip()}
        return {**value, "file_path": tracker.upload_media(live.id, path, self._project, step=step)}

    def _not_held(self, name: str) -> None:
        if name not in self._spool.not_held:
            self._spool.mark_not_held(name)
            self._on_not_held(name)


def as_held(body: Mapping[str, Json]) -> dict[str, Json]:
    """The metrics as the Gradio app gets them."""
    return {
        name: value if (kind := kind_of(value)) is None else _stand_in(kind) for name, value in body.items()
    }


def _stand_in(kind: str) -> str:
    return f"({kind}: not held by this app)"


def _file(store: FileStore, item: Mapping[str, Json]) -> ArtifactFile:
    sha256 = str(item["sha256"])
    return ArtifactFile(
        path=store.path(sha256), name=str(item["path"]), size=int(item["size"]), sha256=sha256
    )
