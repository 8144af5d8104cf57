"""private, protected or public as it is: only a scan of the owner's repository settings tells them apart
(docs/hub-api.md section 8), so one scan answers for all Spaces of an owner."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from hfspace.errors import HubFault, NeedsWrite, NotVisible, Rejected, Unauthorized
from hfspace.model import Account

_LOOKS = 5


class Repositories(Protocol):
    """The Hub, as far as it is asked here."""

    def visibilities(self, owner: str, *, is_org: bool) -> dict[str, str]: ...


@dataclass(slots=True)
class ExactVisibility:
    """What is known in one apply. `known` begins with what the plan's scans told; what the Hub has
    acknowledged counts as known until `confirm` scans once for all. A lost answer is in doubt: then each read
    scans."""

    hub: Repositories
    account: Account | None
    known: dict[str, str] = field(default_factory=dict)
    unconfirmed: dict[str, str] = field(default_factory=dict)
    in_doubt: set[str] = field(default_factory=set)

    def doubt(self, space: str) -> None:
        self.in_doubt.add(space)

    def wrote(self, space: str, visibility: str) -> None:
        self.in_doubt.discard(space)
        self.known[space] = self.unconfirmed[space] = visibility

    def exact(self, space: str, wanted: str | None, seen: str | None) -> str | None:
        """The exact visibility of a Space that reads as `seen`; None where that is all there is to know."""
        if space in self.known and space not in self.in_doubt:
            known = self.known[space]
            return known if known == "protected" or known == seen else None
        if space not in self.in_doubt and not matters(wanted, seen, space, self.account):
            return None
        return scan(self.hub, space.split("/")[0], self.account).get(space)

    def confirm(self, sleep: Callable[[], None]) -> dict[str, str]:
        """What reads otherwise than it was written, by Space. One scan per owner, and some more while it
        lags behind."""
        wrong = dict(self.unconfirmed)
        for look in range(_LOOKS):
            if look:
                sleep()
            for owner, spaces in by_owner(wrong).items():
                actual = scan(self.hub, owner, self.account)
                for space in spaces:
                    wrong[space] = actual.get(space, self.unconfirmed[space])
            wrong = {space: value for space, value in wrong.items() if value != self.unconfirmed[space]}
            if not wrong:
                break
        self.unconfirmed.clear()
        return wrong


def matters(wanted: str | None, seen: str | None, space: str, account: Account | None) -> bool:
    """Whether what a listing shows is not enough: private and protected may look alike, and public and
    protected too, where the owner's plan has protected Spaces."""
    if wanted is None or account is None:
        return False
    if wanted == "public":
        return seen == "public" and _has_protected(space.split("/")[0], account)
    return wanted == "protected" or seen == "private"


def scan(hub: Repositories, owner: str, account: Account | None) -> dict[str, str]:
    """The visibilities of all Spaces of an owner; none where this token may not read them, or where they make
    no sense."""
    if account is None:
        return {}
    try:
        return hub.visibilities(owner, is_org=owner != account.name)
    except (HubFault, NeedsWrite, NotVisible, Rejected, Unauthorized):
        return {}


def _has_protected(owner: str, account: Account) -> bool:
    return account.is_pro if owner == account.name else owner in account.plans


def by_owner(spaces: Iterable[str]) -> dict[str, frozenset[str]]:
    owners: defaultdict[str, set[str]] = defaultdict(set)
    for space in spaces:
        owners[space.split("/")[0]].add(space)
    return {owner: frozenset(ids) for owner, ids in owners.items()}
