"""One look at the world, with the fewest requests: a listing per owner, or a read per Space where that is
fewer; variables and secrets only of Spaces that declare them (design section 7)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar

from hfspace.errors import (
    AppError,
    ExtensionError,
    HubError,
    HubFault,
    NotTrusted,
    NotVisible,
    Unauthorized,
)
from hfspace.facets import Facet, Need, needs, of
from hfspace.live import fingerprint
from hfspace.live.access import FORBIDDEN, allowed
from hfspace.live.marks import read_marks
from hfspace.live.ports import HubReader
from hfspace.live.prices import read_prices
from hfspace.live.sources import read_sources
from hfspace.live.visibility import ExactVisibility, by_owner, matters, scan
from hfspace.manifest.models import Manifest, SpaceSpec
from hfspace.model import (
    UNKNOWN,
    Account,
    LiveExperiments,
    LocalInputs,
    Secret,
    ServedApp,
    Snapshot,
    SpaceState,
)
from hfspace.repositories import with_card, with_files

A = TypeVar("A")
B = TypeVar("B")

THREADS = 8
_SINGLE_READS_UP_TO = 2
_PAGE = 1000
_ODD = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What reading an answer raises that nobody foresaw: an app is anybody's, and may only fail its own Space."""


class AppReader(Protocol):
    """Reads what a running app serves. Raises AppError when it can't say."""

    def served(self, state: SpaceState, spec: SpaceSpec) -> ServedApp: ...
    def experiments(self, state: SpaceState, spec: SpaceSpec) -> LiveExperiments: ...
    def wake(self, state: SpaceState) -> SpaceState: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What to look at beside the Spaces' settings, and how.

    `inputs` hold what the fingerprints of secrets are compared with. `wake`: a sleeping Space is woken to
    read its experiments, which may start a bill. `stop` ends the waits of all readers: it is called when
    Ctrl-C breaks a look off.
    """

    inputs: LocalInputs = field(default_factory=LocalInputs)
    apps: AppReader | None = None
    endpoints: bool = False
    wake: bool = False
    unmanaged: bool = False
    threads: int = THREADS
    stop: Callable[[], None] = lambda: None


def observe(manifest: Manifest, hub: HubReader, look: Look) -> Snapshot:
    """The live counterpart of `manifest`. Raises HubError when the Hub as a whole can't be read."""
    before = hub.requests
    account = hub.whoami()
    prices = read_prices(hub)
    owners = by_owner(manifest.spaces)
    seen: dict[str, SpaceState] = {}
    others: list[SpaceState] = []
    unreadable: dict[str, str] = {}
    for states, extra, refused in _parallel(
        lambda item: _read_owner(hub, *item, look.unmanaged, cards=_needs_cards(manifest, item[1], look)),
        owners.items(),
        look,
    ):
        # Keyless, a missing Space and a private one that trusts nobody look alike: one that is to be absent
        # may well be.
        unreadable.update(
            {
                space: error.message if isinstance(error, HubFault) else str(error)
                for space, error in refused.items()
                if manifest.spaces[space].state != "absent" or not isinstance(error, NotTrusted)
            }
        )
        seen.update(states)
        others.extend(extra)
    exact = _exact_visibilities(manifest, seen, hub, account)

    def complete(space: str) -> tuple[str, SpaceState | None]:
        try:
            return space, read_details(seen[space], manifest.spaces[space], hub, look, exact.get(space))
        except (ExtensionError, HubError) as error:
            unreadable[space] = error.message
            return space, None

    # A thread for each of many Spaces that need no request costs more than all the rest of a look.
    asking = {space for space, state in seen.items() if _asks(state, manifest.spaces[space], look)}
    completed = dict(complete(space) for space in seen if space not in asking)
    completed |= _parallel(complete, sorted(asking), look)
    missing = manifest.spaces.keys() - seen.keys() - unreadable.keys()
    return Snapshot(
        hub=hub.endpoint,
        account=account,
        spaces={space: state for space in seen if (state := completed[space]) is not None},
        flavors=prices.flavors,
        prices_of=prices.date,
        unreadable=unreadable,
        sources=read_sources(manifest, missing, seen, hub),
        unmanaged=tuple(sorted(others, key=lambda state: state.id)),
        names_read=look.unmanaged,
        requests=hub.requests - before,
    )


def read_space(
    space: str,
    spec: SpaceSpec,
    hub: HubReader,
    look: Look,
    exact: ExactVisibility,
    rest: SpaceState | None = None,
) -> SpaceState:
    """One Space read afresh with all that its declaration needs. `exact` tells what a single read can't;
    `rest` is the Space with a runtime that has just been read.

    Raises NotVisible when it is gone, other HubErrors when it can't be read.
    """
    state = rest or hub.space(space)
    return read_details(state, spec, hub, look, exact.exact(space, spec.visibility, state.visibility))


def read_details(
    state: SpaceState, spec: SpaceSpec, hub: HubReader, look: Look, visibility: str | None
) -> SpaceState:
    """`state` with whatever `spec` needs beyond a listing."""
    if visibility is not None:
        state = replace(state, visibility=visibility, visibility_exact=True)
    done: set[Need] = set()
    while left := _needed(state, spec, look) - done:
        need = next(one for one in Need if one in left)
        state = _READERS[need](state, spec, hub, look)
        done.add(need)
    for facet in of(spec):
        value = _read(facet, spec, state, hub)
        if value is not UNKNOWN:
            state = replace(state, extensions={**state.extensions, facet.name: value})
    return state


def _read(facet: Facet, spec: SpaceSpec, state: SpaceState, hub: HubReader) -> object:
    try:
        return facet.read(spec, state, hub)
    except FORBIDDEN:
        return UNKNOWN


def _needed(state: SpaceState, spec: SpaceSpec, look: Look) -> frozenset[Need]:
    names = {Need.VARIABLES, Need.SECRETS} if look.unmanaged and not state.is_static else set()
    return needs(spec, state) | names


def _asks(state: SpaceState, spec: SpaceSpec, look: Look) -> bool:
    """Whether a request may be needed beyond a listing; a package's key may make one of its own."""
    return bool(spec.extensions or _needed(state, spec, look))


def _runtime(state: SpaceState, spec: SpaceSpec, hub: HubReader, look: Look) -> SpaceState:
    state = hub.runtime(state)
    # The runtime itself names the volumes when there are any; a listing may leave them out.
    return replace(state, volumes=state.volumes or ())


def _details(state: SpaceState, spec: SpaceSpec, hub: HubReader, look: Look) -> SpaceState:
    return replace(state, details=hub.space(state.id).details)  # a listing does not tell its age


def _card(state: SpaceState, spec: SpaceSpec, hub: HubReader, look: Look) -> SpaceState:
    return with_card(state, hub)


def _tree(state: SpaceState, spec: SpaceSpec, hub: HubReader, look: Look) -> SpaceState:
    return with_files(state, spec, hub, look.inputs)


def _variables(state: SpaceState, spec: SpaceSpec, hub: HubReader, look: Look) -> SpaceState:
    return replace(state, variables=allowed(lambda: hub.variables(state.id)))


def _secrets(state: SpaceState, spec: SpaceSpec, hub: HubReader, look: Look) -> SpaceState:
    live = allowed(lambda: hub.secrets(state.id))
    return replace(state, secrets=None if live is None else _matched(state.id, live, spec, look))


def _marks(state: SpaceState, spec: SpaceSpec, hub: HubReader, look: Look) -> SpaceState:
    return replace(state, marks=allowed(lambda: read_marks(state.id, hub)))


def _experiments(state: SpaceState, spec: SpaceSpec, hub: HubReader, look: Look) -> SpaceState:
    """Apps are read only while they run: reading would wake a sleeping one."""
    if look.apps is None:
        return state
    if look.wake and spec.experiments and state.stage == "SLEEPING":
        state = look.apps.wake(state)
    if state.stage != "RUNNING":
        return state
    live, problem = _asked(look.apps.experiments, state, spec)
    return replace(state, experiments=live or LiveExperiments(backend="", problem=problem))


def _app(state: SpaceState, spec: SpaceSpec, hub: HubReader, look: Look) -> SpaceState:
    if look.apps is None or not look.endpoints:
        return state
    app, problem = None, f"not checked: the Space is {state.stage or 'in an unknown stage'}"
    if state.stage == "RUNNING":
        app, problem = _asked(look.apps.served, state, spec)
    return replace(state, app=app or ServedApp(kind="unknown", problem=problem))


_READERS: Mapping[Need, Callable[[SpaceState, SpaceSpec, HubReader, Look], SpaceState]] = {
    Need.RUNTIME: _runtime,
    Need.DETAILS: _details,
    Need.CARD: _card,
    Need.TREE: _tree,
    Need.VARIABLES: _variables,
    Need.SECRETS: _secrets,
    Need.MARKS: _marks,
    Need.EXPERIMENTS: _experiments,
    Need.APP: _app,
}


def _asked(
    ask: Callable[[SpaceState, SpaceSpec], A], state: SpaceState, spec: SpaceSpec
) -> tuple[A | None, str]:
    """What an app answers, or why there is no answer."""
    try:
        return ask(state, spec), ""
    except (AppError, HubError) as error:
        return None, error.message
    except _ODD as error:
        return None, f"its answer makes no sense ({type(error).__name__})"


def _matched(space: str, live: Mapping[str, Secret], spec: SpaceSpec, look: Look) -> dict[str, Secret]:
    """The live secrets with `matches` filled in where there is a fingerprint and a value to compare."""
    matched = dict(live)
    for key in spec.secrets or {}:
        value, has = look.inputs.secrets.get((space, key)), live.get(key)
        if value is not None and has is not None and has.fingerprint is not None:
            matched[key] = replace(
                has, matches=fingerprint.matches(value.reveal(), has.fingerprint, value.reveal_key())
            )
    return matched


def _needs_cards(manifest: Manifest, wanted: frozenset[str], look: Look) -> bool:
    """A card tells where an app is mounted, too: needed where an endpoint is to be looked at."""
    specs = [manifest.spaces[space] for space in wanted]
    return any(spec.card or (look.endpoints and spec.endpoint) for spec in specs)


def _read_owner(
    hub: HubReader, owner: str, wanted: frozenset[str], unmanaged: bool, *, cards: bool
) -> tuple[dict[str, SpaceState], list[SpaceState], dict[str, HubError]]:
    """The wanted Spaces of one owner by their declared id, the rest where it was asked for, and why some
    could not be read."""
    states: dict[str, SpaceState] = {}
    refused: dict[str, HubError] = {}
    others: list[SpaceState] = []
    by_lower = {space.lower(): space for space in wanted}
    if unmanaged or len(wanted) > _SINGLE_READS_UP_TO:
        for count, state in enumerate(hub.list_spaces(author=owner, details=cards), start=1):
            declared = by_lower.get(state.id.lower())
            if declared:
                states[declared] = state
            else:
                others.append(state)
            # Past a page per missing Space, single reads are fewer.
            if not unmanaged and (len(states) == len(wanted) or count >= _PAGE * (len(wanted) - len(states))):
                break
    for space in sorted(wanted - states.keys()):
        try:
            states[space] = hub.space(space)
        except NotVisible:
            continue
        except (NotTrusted, HubFault) as error:
            refused[space] = error
        except Unauthorized:
            # Without a token, private and missing are the same 401 (docs/hub-api.md section 13).
            continue
    return states, others if unmanaged else [], refused


def _exact_visibilities(
    manifest: Manifest, seen: Mapping[str, SpaceState], hub: HubReader, account: Account | None
) -> dict[str, str]:
    """What a listing does not tell: one more request per owner, only where it matters."""
    owners = {
        space.split("/")[0]
        for space, state in seen.items()
        if matters(manifest.spaces[space].visibility, state.visibility, space, account)
    }
    exact: dict[str, str] = {}
    for owner in sorted(owners):
        exact.update(scan(hub, owner, account))
    return exact


def _parallel(work: Callable[[A], B], items: Iterable[A], look: Look) -> list[B]:
    listed = list(items)
    if len(listed) <= 1 or look.threads <= 1:
        return [work(item) for item in listed]
    with ThreadPoolExecutor(max_workers=min(look.threads, len(listed))) as pool:
        try:
            futures = [pool.submit(copy_context().run, work, item) for item in listed]
            return [future.result() for future in futures]
        except BaseException as error:
            pool.shutdown(wait=False, cancel_futures=True)
            if isinstance(error, KeyboardInterrupt):
                look.stop()  # leaving the pool waits for its threads, and they may wait for the rate limit
            raise
