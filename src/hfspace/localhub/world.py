"""The local Hub as a whole: who may do what, its clock, and what every request does. No sockets here."""

from __future__ import annotations

import time
from typing import Any

from hfspace.localhub import machine, wire
from hfspace.localhub.machine import FREE, FREE_SLEEP, NEVER, Doc
from hfspace.localhub.seed import Seed, SpaceSeed
from hfspace.localhub.store import Store
from hfspace.localhub.wire import Refused

_WRITERS = frozenset({"write", "admin"})


class World:
    """State and rules. Methods raise Refused for what the Hub refuses."""

    def __init__(self, store: Store, seed: Seed, *, manual_clock: bool) -> None:
        self.store = store
        self._manual = manual_clock
        with store.transaction():
            if store.meta("seed") is None:
                store.set_meta("seed", seed.model_dump())
                store.set_meta("clock", time.time())
                for space, item in seed.spaces.items():
                    store.put(self._seeded(space, item))
        self.seed = Seed.model_validate(store.meta("seed"))
        self._started, self._base = time.monotonic(), float(store.meta("clock"))

    # ------------------------------------------------------------ clock

    @property
    def now(self) -> float:
        passed = 0.0 if self._manual else (time.monotonic() - self._started) * self.seed.hub.time_scale
        return self._base + passed

    def advance(self, seconds: float) -> None:
        self._base += seconds
        self.keep_clock()

    def keep_clock(self) -> None:
        self.store.set_meta("clock", self.now)

    # ------------------------------------------------------------ who

    def account(self, token: str | None) -> tuple[str | None, str]:
        """(account, role) of a token; (None, none) without one. Raises Refused for one that nobody has."""
        if token is None:
            return None, "none"
        known = self.seed.tokens.get(token)
        if known is None:
            raise Refused(401, "Invalid username or password.")
        return known.account, known.role

    def role_in(self, account: str | None, owner: str) -> str:
        if account is None:
            return "none"
        if account == owner:
            return "admin"
        return self.seed.accounts[account].orgs.get(owner, "none")

    def may_read(self, token: str | None, doc: Doc) -> bool:
        account, role = self.account(token)
        if doc["visibility"] != "private":
            return True
        if role == "fineGrained" and doc["id"] not in self.seed.tokens[token or ""].spaces:
            return False
        return self.role_in(account, doc["id"].split("/")[0]) != "none"

    def find(self, token: str | None, space: str) -> Doc:
        """The Space as of now, if this token may see it: 404 (401 without a token) otherwise."""
        account, _ = self.account(token)
        doc = self.store.space(space)
        if doc is None or not self.may_read(token, doc):
            if account is None:
                raise Refused(401, "Invalid username or password.")
            raise Refused(404, "Repository not found", "RepoNotFound")
        return machine.settled(doc, self.now)

    def writable(self, token: str | None, space: str, *, doing: str = "") -> Doc:
        """The Space, if this token may change it."""
        account, role = self.account(token)
        if account is None:
            raise Refused(401, "Invalid username or password.")
        doc = self.find(token, space)
        if role == "oauth" and doing in {"restart", "sleeptime", "hardware"}:
            raise Refused(401, "Invalid username or password.")
        if not self._writes(account, role, token, doc["id"]):
            raise Refused(403, "You have read access but not the required permissions for this operation")
        return doc

    def readable_settings(self, token: str | None, space: str) -> Doc:
        """The Space, if this token may list its variables and secrets."""
        doc = self.find(token, space)
        account, role = self.account(token)
        if self.seed.hub.switches.read_token_reads_settings or self._writes(account, role, token, doc["id"]):
            return doc
        raise Refused(403, "You have read access but not the required permissions for this operation")

    def _writes(self, account: str | None, role: str, token: str | None, space: str) -> bool:
        if role == "fineGrained":
            return space in self.seed.tokens[token or ""].spaces
        return role in {"write", "oauth"} and self.role_in(account, space.split("/")[0]) in _WRITERS

    # ------------------------------------------------------------ money

    def check_billing(self, owner: str, flavor: str) -> None:
        account = self.seed.accounts.get(owner)
        if account is not None and flavor not in FREE and not account.can_pay:
            raise Refused(
                403,
                "You must add a payment method to your account to upgrade your space's hardware. Visit your "
                "billing settings to add one: https://huggingface.co/settings/billing",
            )

    def check_plan(self, owner: str, flavor: str, text: str) -> None:
        account = self.seed.accounts.get(owner)
        if account is not None and account.plan == "free" and flavor in FREE:
            raise Refused(402, text)

    # ------------------------------------------------------------ Spaces

    def new(self, space: str, sdk: str, hardware: str | None, files: dict[str, str]) -> Doc:
        """A document for a Space that has just been created."""
        stage = "RUNNING" if sdk == "static" else "NO_APP_FILE"
        flavor = None if sdk == "static" else hardware or "cpu-basic"
        return {
            "id": space,
            "oid": wire.digest(space, 24),
            "sdk": sdk,
            "stage": stage,
            "since": self.now,
            "visited": self.now,
            "created": self.now,
            "ahead": [],
            "error": None,
            "current": None,
            "requested": flavor,
            "sleep_time": FREE_SLEEP if flavor in FREE or flavor is None else NEVER,
            "visibility": "public",
            "variables": {},
            "secrets": {},
            "volumes": [],
            "dev_mode": False,
            "replicas": 1,
            "host": None,
            "files": files,
            "sha": wire.digest(f"{space}{sorted(files.items())}"),
            "built_sha": wire.digest(f"{space}{sorted(files.items())}"),
            "build": "ok",
            "start": "ok",
            "logs": {},
            "restarts": 0,
            "restart_calls": 0,
            "pauses": 0,
            "writes": 0,
        }

    def count(self, what: str, space: str) -> None:
        """Creates and deletes outlive the Space that they made or removed."""
        counts = self.store.meta(what, {})
        counts[space] = counts.get(space, 0) + 1
        self.store.set_meta(what, counts)

    def save(self, doc: Doc, *, write: bool = True) -> None:
        if write:
            doc["writes"] += 1
            self.keep_clock()
        self.store.put(doc)

    def _seeded(self, space: str, item: SpaceSeed) -> Doc:
        self._started, self._base = time.monotonic(), float(self.store.meta("clock"))
        self.seed = Seed.model_validate(self.store.meta("seed"))
        doc = self.new(space, item.sdk, item.requested_hardware or item.hardware, dict(item.files))
        doc["stage"] = item.stage or "RUNNING"
        if item.sdk != "static":
            doc["current"] = (item.hardware or "cpu-basic") if doc["stage"].startswith("RUNNING") else None
            if item.sleep_time is not None:
                doc["sleep_time"] = item.sleep_time
            if doc["requested"] in FREE:
                doc["sleep_time"] = FREE_SLEEP
        for kind, values in (("variables", item.variables), ("secrets", item.secrets)):
            for key, value in values.items():
                entry = dict(value) if isinstance(value, dict) else {"value": str(value)}
                doc[kind][key] = {**entry, "updated": wire.stamp(self.now)}
        copied: dict[str, Any] = item.model_dump(
            include={"visibility", "volumes", "host", "dev_mode", "replicas", "build", "start", "logs"}
        )
        return {**doc, **copied, "error": item.error}
