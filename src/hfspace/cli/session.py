"""From command-line options to a plan: the manifest, the token, the Hub, and what is read of it."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from hfspace.cli.context import Context
from hfspace.errors import ManifestError, UsageError
from hfspace.live.apps import AppReaders
from hfspace.live.hub import HubClient
from hfspace.live.limiter import Pace
from hfspace.live.ports import Ports
from hfspace.live.snapshot import Look, observe
from hfspace.manifest.models import Manifest
from hfspace.manifest.secrets import SecretValue
from hfspace.model import Check, Plan, Snapshot
from hfspace.planner.plan import plan, targeted

_MOST_SHARES = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One run against one Hub."""

    context: Context
    manifest: Manifest
    hub: HubClient
    apps: AppReaders
    look: Look
    pace: Pace
    checks: tuple[Check, ...] = ()

    def observe(self) -> Snapshot:
        return observe(self.manifest, self.hub, self.look)

    def plan(self, targets: Sequence[str] = ()) -> tuple[Plan, Snapshot]:
        """The plan, and the snapshot it was made from. Raises UsageError for a target nobody declares."""
        snapshot = self.observe()
        made = plan(self.manifest, snapshot)
        made = replace(made, checks=(*self.checks, *made.checks))
        if targets:
            known = {change.address for change in made.changes} | set(self.manifest.spaces)
            _check_targets(targets, known)
            made = targeted(made, targets)
        return made, snapshot

    def ports(self) -> Ports:
        import secrets

        return Ports(
            hub=self.hub,
            secrets=self.look.secrets,
            random_bytes=secrets.token_bytes,
            space_token=lambda space: self.hub.token_for(space),
            tracker=self.apps.tracker,
        )


def open_session(
    context: Context,
    *,
    endpoints: bool = False,
    wake: bool = False,
    unmanaged: bool = False,
    shard: str | None = None,
    timeout: float | None = None,
    token: str | None = None,
    only: Sequence[str] | None = None,
    base: Path | None = None,
) -> Session:
    """Load the manifest and connect. `only` are the Spaces of a saved plan, which may be a shard's; `base` is
    a checkout of the target branch, whose policy holds.

    Raises ManifestError, UsageError, HubError."""
    from hfspace.manifest.secrets import load_secret_values, oddities

    manifest = context.load_manifest()
    guardrails: tuple[Check, ...] = ()
    if base is not None:
        manifest, guardrails = under_base(context, manifest, base)
    if shard:
        manifest = _sharded(manifest, shard)
    pace = Pace(timeout)
    hub = context.hub(token, pace)
    manifest = resolve_hosts(manifest, hub)
    if only is not None:
        manifest = manifest.only(frozenset(only))
    values, unset = load_secret_values(manifest, context.env, Path.cwd())
    for oddity in oddities(values):
        context.note(f"Note: {oddity}; it is sent as it is.")
    hub.hide(value.reveal() for value in values.values())
    apps = AppReaders(hub=hub, env=context.env)
    return Session(
        context=context,
        manifest=manifest,
        hub=hub,
        apps=apps,
        look=Look(
            secrets=values,
            unset_secrets=unset,
            apps=apps,
            endpoints=endpoints,
            wake=wake,
            unmanaged=unmanaged,
            stop=pace.stop,
        ),
        pace=pace,
        checks=(*guardrails, *guessable(manifest, values)),
    )


def guessable(manifest: Manifest, values: Mapping[tuple[str, str], SecretValue]) -> Iterator[Check]:
    """A warning for each secret that its fingerprint would give away."""
    from hfspace.live.fingerprint import is_guessable

    for (space, key), value in sorted(values.items()):
        if not value.reveal_key() and is_guessable(value.reveal()):
            yield Check(
                address=f"{space}.secrets.{key}",
                space=space,
                facet="secrets",
                severity="warning",
                message="so short or plain that whoever may list the Space's secrets could guess it from its "
                "fingerprint.",
                hint="Use a long random value, or set HFSPACE_FINGERPRINT_KEY.",
                source=manifest.source("spaces", space, "secrets", key),
            )


def under_base(context: Context, proposed: Manifest, base: Path) -> tuple[Manifest, tuple[Check, ...]]:
    """`proposed` under the guardrails of the same manifest in `base`, and how it would change them."""
    from hfspace.planner import guardrails

    if not base.is_dir():
        raise UsageError(f"There is no directory {base}.", hint="Check the target branch out there.")
    try:
        agreed = context.load_base_manifest(base)
    except ManifestError as error:
        return proposed, (guardrails.unreadable(proposed, error.problems[0].message),)
    if agreed is None:
        return proposed, tuple(guardrails.own(proposed))
    return guardrails.guarded(proposed, agreed), tuple(guardrails.changed(proposed, agreed))


def resolve_hosts(manifest: Manifest, hub: HubClient) -> Manifest:
    """`manifest` with its *.hf.space hosts replaced by the ids that the Hub gives them."""
    if not manifest.hosts:
        return manifest
    from hfspace.live.hosts import resolve
    from hfspace.manifest.hosts import with_hosts

    return with_hosts(manifest, {host: resolve(hub, host) for host in manifest.hosts})


def parse_timeout(text: str, option: str = "--timeout") -> float:
    """Seconds from 15m, 90s, 1h or a number. Raises UsageError that names `option`."""
    from hfspace.manifest.values import parse_duration

    try:
        seconds = parse_duration(text)
    except ValueError:
        seconds = -1
    if seconds <= 0:
        raise UsageError(f"{option} {text} is not a duration.", hint="Write 90s, 15m or 1h.")
    return float(seconds)


@contextmanager
def stop_on_sigterm(pace: Pace) -> Iterator[None]:
    """SIGTERM ends every wait of `pace` at once, and the command like Ctrl-C."""

    def stop(signum: int, frame: object) -> None:
        pace.stop()
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _sharded(manifest: Manifest, text: str) -> Manifest:
    from hfspace.manifest.sharding import shard

    index, _, count = text.partition("/")
    numbers = re.fullmatch(r"[0-9]{1,4}/[0-9]{1,4}", text)
    if not (numbers and 1 <= int(index) <= int(count) <= _MOST_SHARES):
        raise UsageError(
            f"--shard {text} is not a shard.",
            hint=f"Write --shard 2/8 for the second of eight; there may be {_MOST_SHARES:,}.",
        )
    return shard(manifest, int(index), int(count))


def _check_targets(targets: Sequence[str], known: set[str]) -> None:
    from difflib import get_close_matches

    from hfspace.planner.plan import matches

    spaces = {address for address in known if "." not in address.partition("/")[2]}
    for target in targets:
        space = next(
            (one for one in known if matches(one, one, (target,)) or target.startswith(f"{one}.")), None
        )
        if space is None:
            near = get_close_matches(target, sorted(spaces), n=1, cutoff=0.4)
            hint = (
                f"Did you mean {near[0]}?"
                if near
                else "A target is owner/name, owner/name.hardware, or a glob."
            )
            raise UsageError(f"--target {target} matches nothing in the manifest.", hint=hint)
