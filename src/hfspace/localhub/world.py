"""The local Hub as a whole: its clock, who asks, and the Spaces as they are now. No sockets here."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any

from hfspace.localhub import groups, ledger, machine, repo, rules, uploads, wire
from hfspace.localhub.machine import FREE, FREE_SLEEP, NEVER, Doc
from hfspace.localhub.rules import NOBODY, Identity
from hfspace.localhub.seed import Entry, LocalHubError, Seed, SpaceSeed, read_patch
from hfspace.localhub.store import Store
from hfspace.localhub.wire import Moved, Refused, View
from hfspace.text import HUB_TOKEN

_LONG_AGO = 86400.0
log = logging.getLogger("hfspace.localhub")


class World:
    """State and clock. Methods raise Refused for what the Hub refuses, Moved for a renamed Space."""

    def __init__(self, store: Store, seed: Seed, *, manual_clock: bool) -> None:
        self.store = store
        self.ports: dict[str, int] = {}
        """Where the edge answers for a Space with an app: its clients ask for paths from the root."""
        self._manual = manual_clock
        self._warned = False
        with store.transaction():
            if store.meta("seed") is None:
                self.seed = seed
                store.set_meta("seed", seed.model_dump())
                start = time.time() if seed.hub.now is None else seed.hub.now
                store.set_meta("clock", [time.time(), start, 0.0])
                self._sow()
            self.seed = Seed.model_validate(store.meta("seed"))

    # ------------------------------------------------------------ clock

    @property
    def now(self) -> float:
        """Seconds of the Hub's time. Kept in the store as (real time, the Hub's time then), so that all
        processes that share the file read the same clock."""
        real, hub, _ = self.store.meta("clock")
        return float(hub + (0.0 if self._manual else (time.time() - real) * self.seed.hub.time_scale))

    @property
    def client_now(self) -> float:
        """The time by which rate limit windows run. A real client sleeps real seconds, however fast the
        Hub's clock goes; with a manual clock it is the one that steps it."""
        if self._manual:
            return self.now
        return float(time.time() + self.store.meta("clock")[2])

    def advance(self, seconds: float) -> None:
        _, _, skipped = self.store.meta("clock")
        self.store.set_meta("clock", [time.time(), self.now + seconds, skipped + seconds])
        groups.enforce(self.store, self.now)

    # ------------------------------------------------------------ who

    def identify(self, token: str | None) -> Identity:
        """Raises Refused (401) for a token that nobody has."""
        if token is None:
            return NOBODY
        known = self.seed.tokens.get(token)
        if known is None:
            return self._issued(token)
        if known.role == "fineGrained":
            return Identity(
                account=known.account,
                role=known.role,
                writes=tuple(known.spaces),
                reads=tuple(known.read),
                billing=known.reads_billing,
            )
        return Identity(account=known.account, role=known.role, billing=known.reads_billing)

    def _issued(self, token: str) -> Identity:
        issued = self.store.meta("issued", {}).get(token)
        if issued is not None and issued["expires"] > self.now:
            return Identity(**{**issued, "writes": tuple(issued["writes"]), "reads": tuple(issued["reads"])})
        if issued is None and HUB_TOKEN.fullmatch(token) and not self._warned:
            self._warned = True
            log.warning(
                "A token that looks like a real one was sent to the local Hub. It was refused and not kept, "
                "but do not send real tokens here."
            )
        if not token.startswith("hf_"):
            raise Refused(401, "Invalid credentials in Authorization header")
        raise Refused(401, wire.NO_USER)

    def issue(self, token: str, who: Identity) -> None:
        issued = {
            key: item for key, item in self.store.meta("issued", {}).items() if item["expires"] > self.now
        }
        issued[token] = {name: getattr(who, name) for name in Identity.__slots__}
        self.store.set_meta("issued", issued)

    # ------------------------------------------------------------ finding

    def find(self, who: Identity, space: str) -> Doc:
        """The Space as of now, if they may see it: 404 (401 without a token) otherwise."""
        doc = self.store.space(space)
        if doc is None:
            new = self.store.meta("moved", {}).get(space.lower())
            target = self.store.space(new) if new else None
            if target is not None and rules.may_read(self.seed, who, target):
                raise Moved(space, new)
        if doc is None or not rules.may_read(self.seed, who, doc):
            if who.account is None:
                raise Refused(401, wire.NO_USER)
            raise Refused(404, "Repository not found", "RepoNotFound")
        return machine.settled(doc, self.now)

    def writable(self, who: Identity, space: str, *, doing: str = "") -> Doc:
        """The Space, if they may change it. `doing`: the last part of the path."""
        if who.account is None:
            raise Refused(401, wire.NO_USER)
        doc = self.find(who, space)
        if who.role == "oauth" and doing in {"restart", "sleeptime", "hardware"}:
            raise Refused(401, wire.NO_USER)
        switches = self.seed.hub.switches
        admin = switches.restart_needs_admin and doing in {"pause", "restart"}
        allowed = rules.may_write(self.seed, who, doc["id"], admin=admin)
        if not allowed or (who.role == "oidc" and doing != "commit" and not switches.oidc_covers_settings):
            raise Refused(403, wire.NOT_ALLOWED)
        return doc

    def settings_of(self, who: Identity, space: str) -> Doc:
        """The Space, if they may list its variables, secrets and logs."""
        doc = self.find(who, space)
        if self.seed.hub.switches.read_token_reads_settings:
            return doc
        self.writable(who, space)
        return doc

    def read(self, doc: Doc) -> Doc:
        """A Space as this read of its runtime shows it; the read counts."""
        if self.store.is_frozen:
            return doc
        after = machine.read(doc, self.now)
        if after is not doc:
            self.store.put(after)
        return machine.lagging(doc) or after

    def view(self, base: str, *, listing: bool = False) -> View:
        """`listing`: the answer is an item of a list, which may tell less."""
        switches = self.seed.hub.switches
        return View(
            now=self.now,
            base=base,
            edge=self.seed.hub.edge,
            ports=self.ports,
            protected_in_private=(
                switches.list_protected_in_private if listing else switches.protected_in_private
            ),
            paused_forgets_after=switches.paused_forgets_after,
            volumes=not listing or switches.list_runtime_has_volumes,
            error=not listing or switches.list_runtime_has_error,
        )

    # ------------------------------------------------------------ Spaces

    def new(self, space: str, sdk: str, hardware: str | None) -> Doc:
        """A document for a Space that has just been created, without files."""
        flavor = None if sdk == "static" else hardware or "cpu-basic"
        birth = sum(self.store.meta("creates", {}).values())
        now = self.now
        return {
            "id": space, "oid": wire.digest(f"{space} {birth}", 24), "sdk": sdk,
            "stage": "RUNNING" if sdk == "static" else "NO_APP_FILE",
            "since": now, "visited": now, "created": now, "modified": now, "started": now,
            "ahead": [], "error": None, "before": None,
            "current": None, "requested": flavor,
            "sleep_time": FREE_SLEEP if flavor in FREE or flavor is None else NEVER,
            "visibility": "public", "variables": {}, "secrets": {}, "volumes": [], "dev_mode": False,
            "replicas": "auto" if flavor == "zero-a10g" else 1, "host": None, "domains": [],
            "files": {}, "card": {}, "sha": "", "built_sha": "",
            "build": "ok", "start": "ok", "logs": {}, "likes": 0, "tags": [], "region": "us",
            "resource_group": None, "settings": {}, "refs": {}, "trusted_publishers": [],
            "meter": [], "free_grant": False, "limited": None,
            "runtime_missing": False, "behind": None, "wakes_after": 0, "restarts": 0, "restart_calls": 0,
            "pauses": 0, "writes": 0,
        }  # fmt: skip

    def restarted(self, doc: Doc) -> None:
        """A variable, secret, volume or dev mode changed: what the switches say follows."""
        switches = self.seed.hub.switches
        doc["wakes_after"] = switches.change_wakes_after_reads
        machine.configuration_changed(
            doc,
            self.now,
            coalesce=switches.coalesce_restarts,
            wakes_paused=switches.config_change_wakes_paused,
            wakes_sleeping=switches.config_change_wakes_sleeping,
        )

    def bury(self, doc: Doc) -> None:
        """A Space goes, or goes to somebody else: what it was billed stays with its owner."""
        kept = {**doc, "stage": "DELETED", "ahead": [], "files": {}, "variables": {}, "secrets": {}}
        ledger.meter(kept, self.now)
        self.store.set_meta("buried", [*self.store.meta("buried", []), kept])

    def refuse_leaks(self, files: Mapping[str, bytes]) -> None:
        """Raises Refused (400) for files that hold a token of this Hub."""
        leaks = uploads.leaks(files, {*self.seed.tokens, *self.store.meta("issued", {})})
        if leaks:
            raise Refused(400, leaks)

    def count(self, what: str, space: str) -> None:
        """Creates and deletes outlive the Space that they made or removed."""
        counts = self.store.meta(what, {})
        counts[space] = counts.get(space, 0) + 1
        self.store.set_meta(what, counts)

    def save(self, doc: Doc, *, write: bool = True) -> None:
        if write:
            doc["writes"] += 1
            self._lag(doc)
        self.store.put(doc)

    def _lag(self, doc: Doc) -> None:
        """Reads of the runtime may go on showing the stage of before."""
        reads, before = self.seed.hub.switches.runtime_lags_reads, self.store.space(doc["id"])
        if reads and before is not None:
            before = machine.settled(before, self.now)
            if before["stage"] != doc["stage"]:
                machine.fall_behind(doc, before, reads)

    def patch(self, space: str, values: dict[str, Any]) -> None:
        """Somebody clicked: set fields of the document. Raises LocalHubError for what is not there."""
        doc = self.store.space(space)
        if doc is None:
            raise LocalHubError(f"There is no Space {space}.")
        values = read_patch(values)
        for kind in ("variables", "secrets"):
            if kind in values:
                values[kind] = {key: self.entry(item) for key, item in values[kind].items()}
        if "volumes" in values:
            values["volumes"] = [repo.volume(_given(item)) for item in values["volumes"]]
        doc = {**machine.settled(doc, self.now), **values}
        if "stage" in values:
            doc |= {"ahead": [], "since": self.now}
        ledger.meter(doc, self.now)
        self.store.put(doc)

    def entry(self, value: Any) -> dict[str, Any]:
        """A variable or secret as the store keeps it, from the seed's text or mapping."""
        raw = value.model_dump() if isinstance(value, Entry) else value
        raw = _given(raw) if isinstance(raw, dict) else {"value": str(raw)}
        return {**raw, "updated": raw.get("updated", wire.stamp(self.now))}

    def _sow(self) -> None:
        moved: dict[str, str] = {}
        for space, item in self.seed.spaces.items():
            self.store.put(self._seeded(space, item))
            moved |= {old.lower(): space for old in item.moved_from}
        self.store.set_meta("moved", moved)
        self.store.set_meta("enforced", self.now)
        for owner, account in self.seed.accounts.items():
            groups.keep(self.store, owner, [self._group(owner, name) for name in account.groups])

    def _group(self, owner: str, name: str) -> dict[str, Any]:
        group = self.seed.accounts[owner].groups[name]
        key = wire.digest(f"{owner} {name}", 24)
        for space in group.spaces:
            doc = self.store.space(space)
            if doc is not None:
                self.store.put({**doc, "resource_group": key})
        return {"id": key, "name": name, "description": None, "spendLimits": dict(group.limits)}

    def _seeded(self, space: str, item: SpaceSeed) -> Doc:
        flavor = item.requested_hardware or item.hardware
        doc = self.new(space, item.sdk, flavor)
        copied: dict[str, Any] = item.model_dump(
            include={
                "visibility", "host", "dev_mode", "build", "start", "logs", "likes", "tags", "error",
                "runtime_missing", "trusted_publishers", "free_grant",
            }
        )  # fmt: skip
        doc |= copied
        doc["stage"] = item.stage or "RUNNING"
        doc["error"] = item.error or machine.MESSAGES.get(doc["stage"])
        doc["volumes"] = [repo.volume(volume.model_dump(exclude_none=True)) for volume in item.volumes]
        if item.sdk != "static":
            if "replicas" in item.model_fields_set:
                doc["replicas"] = item.replicas
            up = doc["stage"].startswith("RUNNING")
            doc["current"] = (item.hardware or "cpu-basic") if up else None
            if item.sleep_time is not None and doc["requested"] not in FREE:
                doc["sleep_time"] = item.sleep_time
        for kind, values in (("variables", item.variables), ("secrets", item.secrets)):
            doc[kind] = {key: self.entry(value) for key, value in values.items()}
        if doc["stage"] not in {"NO_APP_FILE"} or item.files:
            files = repo.starter(item.sdk) if not item.files else item.files
            contents = {path: text.encode() for path, text in files.items()}
            repo.commit(
                self.store, doc, contents, now=self.now, title="initial commit", author=space.split("/")[0]
            )
        doc["built_sha"] = doc["sha"]
        doc["meter"] = [[one.started, one.stopped, one.hardware, one.replicas] for one in item.uptime]
        ledger.meter(doc, self.now)
        self._already(doc, item)
        return doc

    def _already(self, doc: Doc, item: SpaceSeed) -> None:
        """A Space that the seed finds in the middle of something goes on with it."""
        if doc["stage"] in {"BUILDING", "APP_STARTING", "RUNNING_BUILDING", "RUNNING_APP_STARTING"}:
            machine.resume(doc, self.now)
        elif doc["stage"] == "PAUSED":
            doc["since"] -= _LONG_AGO
        elif doc["sdk"] != "static" and set(doc["variables"]) & set(doc["secrets"]) and not item.stage:
            machine.configuration_changed(doc, self.now)


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
