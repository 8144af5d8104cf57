"""Large files: the LFS batch, the uploads that it names, downloads, and the list of them.

The address of an upload needs no token, as those of the Hub's storage: its key is in it.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

from hfspace.localhub import repo, wire
from hfspace.localhub.large import LARGEST, PREFIX, LargeFile
from hfspace.localhub.machine import Doc
from hfspace.localhub.routes.call import SPACE, Call, route
from hfspace.localhub.wire import Answer, Refused

_OID = re.compile(r"[0-9a-f]{64}")
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")
_GIT = "/spaces/{owner}/{name}.git/info/lfs"
_MOST_OBJECTS = 1000


def batch(call: Call) -> Answer:
    """POST …/info/lfs/objects/batch: where each file is to be sent."""
    body = call.json()
    if body.get("operation") != "upload":
        raise Refused(422, "✖ The local Hub has uploads only → at operation")
    call.world.writable(call.who, call.space, doing="commit")
    objects = body.get("objects")
    if not isinstance(objects, list) or not 0 < len(objects) <= _MOST_OBJECTS:
        raise Refused(422, "✖ Invalid input: expected array of 1 to 1000 objects → at objects")
    files = [_file_of(item) for item in objects]
    return Answer(
        body={"transfer": "basic", "hash_algo": "sha256", "objects": [_upload(call, file) for file in files]},
        content_type="application/vnd.git-lfs+json; charset=utf-8",
    )


def _file_of(item: object) -> LargeFile:
    raw = item if isinstance(item, dict) else {}
    oid, size = raw.get("oid"), raw.get("size")
    if not isinstance(oid, str) or not _OID.fullmatch(oid):
        raise Refused(422, "✖ Invalid input: expected SHA-256 → at objects.oid")
    if isinstance(size, bool) or not isinstance(size, int) or not 0 < size <= LARGEST:
        raise Refused(422, f"✖ Invalid input: expected number from 1 to {LARGEST} → at objects.size")
    return LargeFile(oid, size)


def _upload(call: Call, file: LargeFile) -> dict[str, Any]:
    """One object of the answer; without actions when its bytes are there already."""
    raw = {"oid": file.oid, "size": file.size, "authenticated": True}
    if call.world.store.large.has(file.oid):
        return raw
    sizes = call.world.seed.hub.large_files
    parts = -(-file.size // sizes.part_size) if file.size > sizes.multipart_over else 1
    part_size = sizes.part_size if parts > 1 else file.size
    key = call.world.store.put_upload(
        {"oid": file.oid, "size": file.size, "part_size": part_size, "parts": parts}
    )
    url = f"{call.base}{PREFIX}uploads/{key}"
    upload: dict[str, Any] = {"href": f"{url}/1"}
    if parts > 1:
        addresses = {f"{number:05d}": f"{url}/{number}" for number in range(1, parts + 1)}
        upload = {"href": url, "header": {"chunk_size": str(part_size), **addresses}}
    verify = {"href": f"{call.base}{_GIT.format(**call.rest)}/objects/verify"}
    return {**raw, "actions": {"upload": upload, "verify": verify}}


def upload_limit(call_path: str, store: Any) -> int:
    """How many bytes the address of a part takes; 0 for an address that nobody gave out."""
    match = re.fullmatch(rf"{PREFIX}uploads/(\w+)/(\d{{1,9}})", call_path)
    upload = store.upload(match[1]) if match else None
    return int(upload["part_size"]) if upload and 1 <= int(match[2]) <= upload["parts"] else 0  # type: ignore[index]


def put_part(call: Call) -> Answer:
    """PUT of a part, or of the whole file where it has one part only."""
    store, key, number = call.world.store, call.rest["key"], int(call.rest["number"])
    upload = store.upload(key)
    if upload is None or call.spool is None or not 1 <= number <= upload["parts"]:
        raise Refused(403, "The upload has expired or is not known")
    part = store.large.part(key, number)
    digest = wire.digest(f"{key} {number} {call.spool.stat().st_size}", 32)
    call.spool.replace(part)
    if upload["parts"] == 1:
        _keep(call, key, upload)
    return Answer(body=b"", content_type="text/plain", headers={"ETag": f'"{digest}"'}, effect=True)


def complete(call: Call) -> Answer:
    """POST of the list of parts, when all of them are there."""
    upload = call.world.store.upload(call.rest["key"])
    if upload is None:
        raise Refused(403, "The upload has expired or is not known")
    parts = call.json().get("parts")
    if not isinstance(parts, list) or len(parts) != upload["parts"]:
        raise Refused(400, f"✖ Invalid input: expected {upload['parts']} parts → at parts")
    _keep(call, call.rest["key"], upload)
    return Answer(body={"success": True}, effect=True)


def _keep(call: Call, key: str, upload: dict[str, Any]) -> None:
    large = call.world.store.large
    file = LargeFile(upload["oid"], upload["size"])
    parts = [large.part(key, number) for number in range(1, upload["parts"] + 1)]
    if not large.has(file.oid) and not large.keep(file, parts):
        raise Refused(400, "The bytes that came are not those of the SHA-256 and the size that were said")


def verify(call: Call) -> Answer:
    """POST after an upload: is it there, with this size?"""
    call.world.writable(call.who, call.space, doing="commit")
    file = _file_of(call.json())
    large = call.world.store.large
    if not large.has(file.oid) or large.path(file.oid).stat().st_size != file.size:
        raise Refused(404, "Object does not exist")
    return Answer(body={"success": True})


def fetch(call: Call, lfs: dict[str, Any], headers: dict[str, str]) -> Answer:
    """The bytes of a large file, whole or in part. The Hub sends its clients on to a storage of its own."""
    oid, size, large = lfs["oid"], int(lfs["size"]), call.world.store.large
    if not large.has(oid):
        raise Refused(404, "Entry not found", "EntryNotFound")
    part = part_of(call, size)
    first, last = part or (0, size - 1)
    etag, length = f'"{oid}"', str(last + 1 - first)
    headers = {
        **headers, "ETag": etag, "X-Linked-ETag": etag, "X-Linked-Size": str(size), "Content-Length": length,
    }  # fmt: skip
    if part:
        headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    return Answer(
        status=206 if part else 200, body=b"", content_type="application/octet-stream", headers=headers,
        stream=large.stream(oid, first, last),
    )  # fmt: skip


def part_of(call: Call, size: int) -> tuple[int, int] | None:
    """The first and the last byte that a request asks for; None is the whole. Raises Refused (416)."""
    match = _RANGE.fullmatch(call.headers.get("range", ""))
    if match is None:
        return None
    first, last = int(match[1]), min(int(match[2] or size - 1), size - 1)
    if first > last:
        raise Refused(416, "Range Not Satisfiable")
    return first, last


# ------------------------------------------------------------ their list


def listed(call: Call) -> Answer:
    """GET …/lfs-files: the large files of all commits, newest first, in pages."""
    doc = call.world.find(call.who, call.space)
    items = list(_large_files(call, doc).values())
    begin, size = call.number("cursor", 0, least=0), min(call.number("limit", 1000), 1000)
    headers = {}
    if begin + size < len(items):
        query = urlencode({**call.query, "cursor": [str(begin + size)]}, doseq=True)
        headers["Link"] = f'<{call.base}{call.path}?{query}>; rel="next"'
    return Answer(body=items[begin : begin + size], headers=headers)


def _large_files(call: Call, doc: Doc) -> dict[str, dict[str, Any]]:
    items: dict[str, dict[str, Any]] = {}
    for commit in reversed(call.world.store.commits(doc["oid"])):
        for path, entry in commit["files"].items():
            if lfs := entry.get("lfs"):
                at = wire.stamp(commit["at"])
                item = {"fileOid": entry["oid"], "oid": lfs["oid"], "size": lfs["size"], "pushedAt": at}
                items.setdefault(lfs["oid"], {**item, "filename": path, "ref": "main"})
    return dict(reversed(items.items()))


def remove_one(call: Call) -> Answer:
    return _remove(call, [call.rest["oid"]])


def remove_several(call: Call) -> Answer:
    deletions = call.json().get("deletions")
    oids = deletions.get("sha") if isinstance(deletions, dict) else None
    if not isinstance(oids, list) or not 0 < len(oids) <= _MOST_OBJECTS:
        raise Refused(400, "✖ Invalid input: expected array → at deletions.sha")
    return _remove(call, [str(oid) for oid in oids])


def _remove(call: Call, shas: list[str]) -> Answer:
    """Files, named by git's object id or their SHA-256, go for good: their paths from the head by a commit,
    and their bytes from every commit."""
    doc, store = call.world.writable(call.who, call.space, doing="commit"), call.world.store
    known = [one for one in _large_files(call, doc).values() if {one["oid"], one["fileOid"]} & set(shas)]
    if len(known) < len(set(shas)):
        raise Refused(404, "Not found", "EntryNotFound")
    oids = {one["oid"] for one in known}
    gone = {path: None for path, entry in doc["files"].items() if entry.get("lfs", {}).get("oid") in oids}
    if gone:
        author = str(call.who.account)
        repo.commit(store, doc, gone, now=call.world.now, title="Delete large files", author=author)
        call.world.save(doc)
    for oid in oids:
        store.large.remove(oid)
    return Answer(body=b"", content_type="text/plain", effect=True)


ROUTES = (
    route("POST", f"{_GIT}/objects/batch", batch),
    route("POST", f"{_GIT}/objects/verify", verify),
    route("PUT", f"{PREFIX}uploads/{{key}}/{{number}}", put_part),
    route("POST", f"{PREFIX}uploads/{{key}}", complete),
    route("GET", f"{SPACE}/lfs-files", listed),
    route("POST", f"{SPACE}/lfs-files/batch", remove_several),
    route("DELETE", f"{SPACE}/lfs-files/{{oid}}", remove_one),
)
