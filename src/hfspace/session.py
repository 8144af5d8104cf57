"""The library's front door: open a manifest and a Hub, plan, approve, apply. Prints nothing, never exits."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import TypeVar

from hfspace import facets
from hfspace.applier.events import Listener
from hfspace.applier.executor import apply
from hfspace.applier.run import Options, Run
from hfspace.diffs import with_diffs
from hfspace.errors import HubError, RateLimited, StalePlanError, UsageError
from hfspace.folder import read_trees
from hfspace.folder.source import source_of
from hfspace.hub_url import hub_url
from hfspace.live.apps import AppReaders
from hfspace.live.billing import billed
from hfspace.live.credentials import find_token
from hfspace.live.hosts import resolve
from hfspace.live.hub import HubClient, connect
from hfspace.live.limiter import Pace
from hfspace.live.ports import Ports
from hfspace.manifest.clock import at
from hfspace.manifest.hosts import with_hosts
from hfspace.manifest.loader import load_files
from hfspace.manifest.models import Manifest
from hfspace.manifest.secrets import oddities, read_local_inputs
from hfspace.model import MOVING, ApplyResult, ApprovedPlan, Check, LocalInputs, LocalTree, Plan, Snapshot
from hfspace.model.billing import Billed, LiveGroup, month
from hfspace.observer import Look, observe
from hfspace.planner import labels
from hfspace.planner.calendar import Calendar, calendar
from hfspace.planner.hours import resolved, text
from hfspace.planner.plan import matches, names_key, plan
from hfspace.planner.saved import over, why_stale

T = TypeVar("T")

DEFAULT_FILE = "spaces.yaml"


@dataclass(slots=True, kw_only=True)
class Session:
    """One manifest and one Hub. Made by `open_session`; each part can be given instead of found.

    `checks` are added to every plan, such as those of the policy that a pull request is judged by.
    `at_rest` may be shared by sessions that look again and again: when each Space was last seen at rest,
    by `clock`. `at` asks for the plan of another time, which is only looked at. `source` says where files
    come from, as repository@commit; `folders` reads those of a manifest. `costs`: what was billed this
    month is read also where no limit asks for it.
    """

    manifest: Manifest
    hub: HubClient
    apps: AppReaders
    look: Look
    pace: Pace
    clock: Callable[[], float] = time.time
    checks: tuple[Check, ...] = ()
    source: Callable[[], str] = lambda: ""
    folders: Callable[[Manifest], Mapping[str, LocalTree]] = lambda manifest: {}
    at_rest: dict[str, float] = field(default_factory=dict)
    at: datetime | None = None
    costs: bool = False
    _effective: Manifest | None = None
    _snapshot: Snapshot | None = None
    _inputs: LocalInputs = field(default_factory=LocalInputs)
    _targets: tuple[str, ...] = ()
    _planned: frozenset[str] = frozenset()
    _saved: bool = False

    @property
    def snapshot(self) -> Snapshot:
        """What the newest plan was made from; read now where there is none."""
        if self._snapshot is None:
            self._snapshot = self.observe()
        return self._snapshot

    @property
    def effective(self) -> Manifest:
        """The manifest of the time of the newest plan; of now where there is none."""
        return self._effective or self._manifest_of(self.clock())

    @property
    def inputs(self) -> LocalInputs:
        """What is read on this side, as of now."""
        return replace(self.look.inputs, now=self.clock(), at_rest=dict(self.at_rest))

    def observe(self) -> Snapshot:
        """The Hub as it is now. Raises HubError when it can't be read as a whole."""
        return observe(self._manifest_of(self.clock()), self.hub, self.look)

    def _read_folders(self) -> None:
        """Files may have been edited since the last plan."""
        self.look = replace(self.look, inputs=replace(self.look.inputs, trees=self.folders(self.manifest)))

    def _manifest_of(self, now: float) -> Manifest:
        """The manifest as it is to be at the time of the plan."""
        return at(self.manifest, self.at or datetime.fromtimestamp(now, UTC))

    def plan(self, targets: Sequence[str] = (), *, to_apply: bool = False, diffs: bool = False) -> Plan:
        """The difference between the manifest and the Hub, read anew.

        `targets` are addresses, globs or labels (`team=speech`). With `to_apply` a secret without a value is
        an error; a plan that is only looked at needs none. `diffs`: the files that it changes are read, to
        show their text. Raises UsageError for a target that nobody declares, HubError.
        """
        self._read_folders()
        self._inputs = inputs = self.inputs  # one time for all of the run, from before the first read
        effective = self._manifest_of(inputs.now or 0.0)
        self._snapshot = observe(effective, self.hub, self.look)
        if self.costs or effective.policy.max_spent_usd is not None:
            self._snapshot = self._with_bill(self._snapshot, inputs.now or 0.0)
        if effective.groups:
            self._snapshot = self._with_groups(self._snapshot, effective, inputs.now or 0.0)
        self._targets, self._saved = labels.addresses(targets, effective), False
        self._effective = resolved(effective, self._snapshot, inputs.now)
        if self._effective.clock and (problem := self.hub.limiter.clock.problem):
            self.hub.limiter.notify(problem)
        self._remember_rest(self._snapshot)
        newest = plan(self._effective, self._snapshot, inputs, targets=self._targets)
        newest = replace(newest, at=text(self.at) if self.at else None)
        _check_targets(self._targets, {change.address for change in newest.changes}, self.manifest)
        newest = with_diffs(newest, inputs, self.hub) if diffs else newest
        newest = self._safe(replace(newest, checks=(*self._checks_of(newest), *newest.checks)))
        self._planned = frozenset(change.address for change in newest.changes)
        return newest.to_apply() if to_apply else newest

    def _with_bill(self, snapshot: Snapshot, now: float) -> Snapshot:
        """`snapshot` with what was billed in the month of `now`."""
        before = self.hub.requests
        self._snapshot = snapshot
        bill = self.billed(*month(now))
        return replace(snapshot, billed=bill, requests=snapshot.requests + self.hub.requests - before)

    def _with_groups(self, snapshot: Snapshot, manifest: Manifest, now: float) -> Snapshot:
        """`snapshot` with the resource groups of the organisations that the manifest names some of."""
        before = self.hub.requests
        groups: dict[str, LiveGroup] = {}
        unknown: dict[str, str] = {}
        for owner in sorted({name.split("/")[0] for name in manifest.groups}):
            try:
                groups |= self.hub.billing.resource_groups(owner, month(now)[0], now)
            except RateLimited:
                raise
            except HubError as error:
                unknown[owner] = error.message
        requests = snapshot.requests + self.hub.requests - before
        return replace(snapshot, groups=groups, groups_unknown=unknown, requests=requests)

    def billed(self, start: float, end: float, owners: Iterable[str] | None = None) -> Billed:
        """What the Hub says that `owners` used between two moments (seconds since the epoch): by default all
        whose Spaces the manifest has. Raises RateLimited; what else can't be read is unknown, and why."""
        states = (*self.snapshot.spaces.values(), *self.snapshot.unmanaged)
        names = {space.split("/")[0] for space in self.manifest.spaces} if owners is None else owners
        entities = {state.entity: state.id for state in states if state.entity}
        account = self.snapshot.account
        return billed(self.hub.billing, names, account, start=start, end=end, entities=entities)

    def calendar(self, days: int) -> Calendar:
        """So many days of the manifest, with today, and what they cost. Raises HubError."""
        now = self.clock()
        return calendar(self.manifest, self.observe(), datetime.fromtimestamp(now, UTC), days)

    def _remember_rest(self, snapshot: Snapshot) -> None:
        now = self.clock()
        self.at_rest |= {space: now for space, state in snapshot.spaces.items() if state.stage not in MOVING}

    def confirm(self, saved: Plan) -> Plan:
        """A plan that was saved, if nothing that it rests on has moved. Raises StalePlanError, HubError.

        A file may have been edited: what stands in the way of its changes is judged anew, never read from it.
        """
        self.at = None
        whole = self.plan()
        moved = why_stale(saved, whole, self._inputs.now or 0.0)
        if moved:
            raise StalePlanError(
                "The saved plan no longer holds: " + "; ".join(moved) + ".",
                hint="Make a new one: hfspace plan --out …",
            )
        self._saved = True
        touched = [change.address for change in saved.changes]
        fresh = self._safe(plan(self.effective, self.snapshot, self._inputs, targets=touched))
        # What had no value where the plan was made may have one here.
        still = [check for check in saved.checks if not check.needed_to_apply]
        addresses = {check.address for check in saved.checks}
        needed = [check for check in whole.checks if check.needed_to_apply and check.address in addresses]
        checks = dict.fromkeys((*still, *needed, *self._checks_of(fresh), *fresh.checks))
        return replace(saved, checks=tuple(checks)).to_apply()

    def apply(
        self,
        approved: ApprovedPlan,
        *,
        options: Options | None = None,
        listener: Listener = lambda event: None,
    ) -> ApplyResult:
        """Carry out the newest plan of this session, or a part of it. Never raises for what the Hub does.

        Raises StalePlanError for a plan that was made for another manifest or another Hub.
        """
        changes = approved.plan.changes
        here = (self.hub.endpoint, self.manifest.ref.sha256)
        if (approved.plan.hub, approved.plan.manifest.sha256) != here:
            raise StalePlanError(
                "This plan was made for another manifest or another Hub.", hint="Plan and approve it here."
            )
        if approved.plan.is_over(self.clock()):
            raise StalePlanError(f"This plan no longer holds: {over(approved.plan)}.", hint="Plan again.")
        # What was reviewed and nothing else, also where a saved plan was made with targets.
        only = self._saved or self._planned != {change.address for change in changes}
        run = Run(
            manifest=self.effective,
            snapshot=self.snapshot,
            ports=self.ports(),
            look=self.look,
            pace=self.pace,
            inputs=self._inputs,
            options=options or Options(),
            targets=tuple(change.address for change in changes) if only else self._targets,
            expected=dict(approved.plan.snapshot) if self._saved else None,
            listener=lambda event: listener(self._safe(event)),
        )
        return self._safe(apply(approved, run))

    def _safe(self, value: T) -> T:
        """A plan, an event or a result without the secrets that are known: it may go anywhere.

        The command line's door does it again to what is printed: a plan's file, the audit log and a program
        that uses the library pass no door, and what others print passes no session.
        """
        return self.hub.known_secrets.redact_data(value)

    def _checks_of(self, newest: Plan) -> list[Check]:
        """Our own checks of what a plan looked at."""
        return [check for check in self.checks if not check.space or check.space in newest.declared]

    def ports(self) -> Ports:
        """The doors through which facets act."""
        return Ports(
            hub=self.hub,
            random_bytes=secrets.token_bytes,
            groups=self.hub.billing,
            visit=self.apps.visit,
            space_token=self.hub.token_for,
            tracker=self.apps.tracker,
            source=self.source() if self._inputs.trees else "",
        )


def open_session(
    files: str | Path | Sequence[str | Path] = DEFAULT_FILE,
    *,
    overlays: Sequence[str | Path] = (),
    manifest: Manifest | None = None,
    hub: HubClient | None = None,
    token: str | None = None,
    env: Mapping[str, str] | None = None,
    endpoints: bool = False,
    wake: bool = False,
    unmanaged: bool = False,
    timeout: float | None = None,
    checks: Sequence[Check] = (),
    cached: bool = False,
    notify: Callable[[str], None] = lambda text: None,
) -> Session:
    """Load the manifest and connect to the Hub of HF_ENDPOINT with the token that is found.

    `manifest` and `hub` can be given instead; `env` is os.environ unless given. `endpoints`: compare
    declared endpoints with what the apps serve; `wake`: wake sleeping Spaces to read their experiments,
    which may cost money; `unmanaged`: list what the owners have and nobody declared. `timeout` is the
    longest wait, in seconds; `cached`: hashes of files may be those of an earlier run, which only a plan
    that is looked at may rely on; `notify` gets what people may want to know. Raises ManifestError,
    UsageError, HubError.
    """
    env = os.environ if env is None else env
    if manifest is None:
        names = (files,) if isinstance(files, str | Path) else files
        manifest = load_files(tuple(names), overlays=overlays, env=env)
    pace = hub.pace if hub is not None else Pace(timeout)
    if hub is None:
        hub = connect(hub_url(env), token or find_token(env), env=env, notify=notify, pace=pace)
    if manifest.hosts:
        manifest = with_hosts(manifest, {host: resolve(hub, host) for host in manifest.hosts})
    inputs = read_local_inputs(manifest, env, Path.cwd())
    for oddity in oddities(inputs.secrets):
        notify(f"Note: {oddity}; it is sent as it is.")
    hub.known_secrets.add(value.reveal() for value in inputs.secrets.values())
    apps = AppReaders(hub=hub, env=env)
    look = Look(
        inputs=inputs,
        apps=apps,
        endpoints=endpoints,
        wake=wake,
        unmanaged=unmanaged,
        stop=pace.stop,
    )
    return Session(
        manifest=manifest,
        hub=hub,
        apps=apps,
        look=look,
        pace=pace,
        checks=tuple(checks),
        source=partial(source_of, Path.cwd(), env),
        folders=lambda declared: read_trees(declared, Path.cwd(), env, cached=cached),
    )


def _check_targets(targets: Sequence[str], changed: set[str], manifest: Manifest) -> None:
    spaces = set(manifest.spaces)
    for target in targets:
        if any(matches(one, one, (target,)) for one in changed | spaces):
            continue
        if any(
            names_key((target,), space, [facet.name for facet in facets.of(spec)])
            for space, spec in manifest.spaces.items()
        ):
            continue
        space = max((one for one in spaces if target.startswith(f"{one}.")), key=len, default="")
        if space:
            key = target.removeprefix(f"{space}.").partition(".")[0]
            near = get_close_matches(key, [facet.name for facet in facets.ALL], n=1)
            raise UsageError(
                f"--target {target} names no key of {space}.",
                hint=f"Did you mean {space}.{near[0]}?" if near else "A key is hardware, variables.NAME, ….",
            )
        near = get_close_matches(target, sorted(spaces), n=1, cutoff=0.4)
        example = "A target is owner/name, owner/name.hardware, or a glob."
        hint = f"Did you mean {near[0]}?" if near else example
        raise UsageError(f"--target {target} matches nothing in the manifest.", hint=hint)
