"""Who may do what, and what it takes: token roles, visibility, plans and billing. Texts are the Hub's own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hfspace.localhub import machine
from hfspace.localhub.machine import FREE, Doc
from hfspace.localhub.seed import AccountSeed, Seed
from hfspace.localhub.wire import Refused

DOWNGRADE = (
    "Without a PRO subscription, you can't downgrade this Space to cpu-basic. Pause it instead to stop "
    "hardware charges, or subscribe."
)
FREE_CREATE = (
    "Static Spaces are free for everyone, but hosting Gradio and Docker Spaces on free cpu-basic requires a "
    "PRO subscription. Subscribe at https://huggingface.co/pro"
)
ZERO_GPU = (
    "You must be subscribed to PRO to host Spaces with ZeroGPU. If you recently created your account, please "
    "wait 30 days or request a community grant. Visit your billing settings to subscribe: "
    "https://huggingface.co/settings/billing"
)
NO_CARD = (
    "You must add a payment method to your account to upgrade your space's hardware. Visit your billing "
    "settings to add one: https://huggingface.co/settings/billing"
)
CPU_QUOTA = (
    "You've reached your CPU-basic quota limit. Please pause your previous Spaces to restart this one."
)
_QUOTAS = {
    "anonymous": 500,
    "free": 1000,
    "pro": 2500,
    "team": 3000,
    "academia": 3000,
    "enterprise": 6000,
    "plus": 10000,
}
_ZERO_GPU_SPACES = {"free": 0, "pro": 10}
_WRITERS = frozenset({"write", "admin"})
_MEMBERS = frozenset({"read", "contributor", "write", "admin"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who asks. `writes` and `reads` limit a token to Spaces or namespaces; None does not."""

    account: str | None = None
    role: str = "none"
    writes: tuple[str, ...] | None = None
    reads: tuple[str, ...] | None = None
    expires: float | None = None
    resource: str | None = None
    billing: bool = False
    """Whether it may read what was used."""


NOBODY = Identity()


def role_in(seed: Seed, account: str | None, owner: str) -> str:
    """The role of an account in a namespace: its own is 'admin', a stranger's 'none'."""
    if account is None:
        return "none"
    if account.lower() == owner.lower():
        return "admin"
    known = seed.accounts.get(account)
    orgs = known.orgs if known else {}
    return next((role for org, role in orgs.items() if org.lower() == owner.lower()), "none")


def may_read(seed: Seed, who: Identity, doc: Doc) -> bool:
    """Public and protected Spaces can be read by all (protected hides the code, not the Space)."""
    if doc["visibility"] != "private":
        return True
    if who.reads is not None and not _covers((*who.reads, *(who.writes or ())), doc["id"]):
        return False
    if who.role == "oidc":
        return True
    return role_in(seed, who.account, doc["id"].split("/")[0]) in _MEMBERS


def may_write(seed: Seed, who: Identity, space: str, *, admin: bool = False) -> bool:
    """`admin`: pause and restart are for owners and admins."""
    if who.writes is not None and not _covers(who.writes, space):
        return False
    if who.role == "oidc":
        return True
    if who.role not in {"write", "oauth", "fineGrained"}:
        return False
    role = role_in(seed, who.account, space.split("/")[0])
    return role == "admin" if admin else role in _WRITERS


def _covers(places: Iterable[str], space: str) -> bool:
    owner = space.split("/")[0].lower()
    return any(place.lower() in {space.lower(), owner} for place in places)


def check_flavor(seed: Seed, owner: str, flavor: str, others: Iterable[Doc], *, creating: bool) -> None:
    """Raise Refused when the owner's plan or billing does not hold this hardware."""
    account = seed.accounts.get(owner)
    if account is None:
        return
    if flavor == "zero-a10g":
        limit = account.zero_gpu_spaces
        limit = _ZERO_GPU_SPACES.get(account.plan, 50) if limit is None else limit
        if sum(doc["requested"] == flavor and _owner(doc) == owner for doc in others) >= limit:
            raise Refused(402, ZERO_GPU)
    elif flavor in FREE and account.plan == "free":
        raise Refused(402, FREE_CREATE if creating else DOWNGRADE)
    elif flavor not in FREE and not account.can_pay:
        raise Refused(403, NO_CARD)


def check_cpu_quota(seed: Seed, starting: Doc, others: Iterable[Doc], now: float) -> None:
    """Raise Refused when as many cpu-basic Spaces of the owner run as its plan allows."""
    owner = _owner(starting)
    account = seed.accounts.get(owner)
    limit = _cpu_limit(account)
    if limit is None or starting["requested"] != "cpu-basic":
        return
    running = sum(
        doc["requested"] == "cpu-basic" and doc["id"] != starting["id"] and _runs(machine.settled(doc, now))
        for doc in others
        if _owner(doc) == owner and doc["sdk"] != "static"
    )
    if running >= limit:
        raise Refused(403, CPU_QUOTA)


def _cpu_limit(account: AccountSeed | None) -> int | None:
    if account is None:
        return None
    if account.cpu_basic_running is not None:
        return account.cpu_basic_running
    return 8 if account.plan == "free" else None


def _runs(doc: Doc) -> bool:
    return machine.is_up(doc) or machine.is_moving(doc)


def check_plan(seed: Seed, owner: str, what: str) -> None:
    """Raise Refused for what the free plan does not have: dev mode, protected visibility, own domains."""
    account = seed.accounts.get(owner)
    if account is not None and account.plan == "free":
        raise Refused(402, f"{what} requires a PRO subscription or a Team plan.")


def _owner(doc: Doc) -> str:
    return str(doc["id"].split("/")[0])


def quota(seed: Seed, account: str | None) -> int:
    """Requests per window: the Hub's table of limits (docs/hub/rate-limits.md)."""
    known = seed.accounts.get(account) if account else None
    return _QUOTAS["anonymous" if known is None else known.plan]
