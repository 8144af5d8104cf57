"""What the layers above may ask of the world: small typed interfaces, whose adapters are beside this file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from hfspace.live.trackio.port import Tracker
from hfspace.live.visibility import ExactVisibility
from hfspace.model import (
    Account,
    CreateSource,
    Flavor,
    HubCommit,
    HubTree,
    Json,
    Secret,
    SpaceState,
    Variable,
    Volume,
)
from hfspace.model.files import FileWrite

if TYPE_CHECKING:
    from hfspace.manifest.models import SpaceSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSpace:
    """All that one create request can carry. Secrets map a key to (value, description)."""

    id: str
    sdk: str | None = None
    visibility: str | None = None
    hardware: str | None = None
    sleep_time: int | None = None
    variables: Mapping[str, Variable] = field(default_factory=dict)
    secrets: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    volumes: tuple[Volume, ...] = ()
    template: str | None = None
    duplicate_from: str | None = None


class Repository(Protocol):
    """The files and commits of one Space. Every method raises HubError; see hfspace.live.repository."""

    def tree(self, commit: str) -> HubTree: ...
    def commits(self, head: str = "main") -> list[HubCommit]: ...
    def changed_between(self, before: str, after: str) -> str: ...
    def content(self, path: str, commit: str) -> bytes: ...
    def commit(
        self,
        writes: Sequence[FileWrite],
        *,
        title: str,
        description: str,
        parent: str | None,
        sent: Callable[[int], None] = ...,
    ) -> str: ...


class HubReader(Protocol):
    """Reads. Every method raises HubError (see hfspace.errors) and nothing else."""

    @property
    def endpoint(self) -> str: ...
    @property
    def requests(self) -> int:
        """Requests made so far, retries included."""
        ...

    def whoami(self) -> Account | None:
        """None without a token."""
        ...

    def flavors(self) -> dict[str, Flavor]: ...
    def templates(self) -> dict[str, CreateSource]:
        """The templates that the Hub lists, by id."""
        ...

    def list_spaces(
        self, *, author: str | None = None, search: str | None = None, details: bool = False
    ) -> Iterator[SpaceState]: ...
    def space(self, space: str) -> SpaceState: ...
    def runtime(self, known: SpaceState) -> SpaceState:
        """`known` with its runtime part read again."""
        ...

    def get(self, space: str, path: str) -> Json:
        """GET /api/spaces/{space}/{path}: a route that has no method here, for facets of other packages."""
        ...

    def repository(self, space: str) -> Repository:
        """The files and commits of a Space, read and written. Asks nothing."""
        ...

    def variables(self, space: str) -> dict[str, Variable]: ...
    def secrets(self, space: str) -> dict[str, Secret]: ...
    def visibilities(self, owner: str, *, is_org: bool) -> dict[str, str]: ...
    def logs(
        self,
        space: str,
        *,
        build: bool,
        follow: bool = False,
        tail: int | None = None,
        seconds: float | None = None,
    ) -> Iterator[str]:
        """Without `follow`, ends when the Hub has sent what it has; in any case after `seconds`."""
        ...


class HubWriter(Protocol):
    """Writes. None of them is repeated by itself when its answer is lost: the caller reads, then decides."""

    def create(self, new: NewSpace) -> None: ...
    def delete(self, space: str) -> None: ...
    def set_visibility(self, space: str, visibility: str) -> None: ...
    def set_hardware(self, space: str, flavor: str, sleep_time: int | None) -> None: ...
    def set_sleep_time(self, space: str, seconds: int) -> None: ...
    def pause(self, space: str) -> None: ...
    def restart(self, space: str, *, factory: bool = False) -> None: ...
    def set_dev_mode(self, space: str, enabled: bool) -> None: ...
    def set_variable(self, space: str, key: str, variable: Variable) -> None: ...
    def delete_variable(self, space: str, key: str) -> None: ...
    def set_secret(self, space: str, key: str, value: str, description: str) -> None: ...
    def delete_secret(self, space: str, key: str) -> None: ...
    def send(self, method: str, space: str, path: str, body: Json = None) -> None:
        """The same for a write: `method` is POST, PUT, PATCH or DELETE."""
        ...

    def set_volumes(self, space: str, volumes: tuple[Volume, ...]) -> None:
        """Replace the whole list; () detaches all."""
        ...


class Hub(HubReader, HubWriter, Protocol):
    """The Hub, read and written."""


class GroupWriter(Protocol):
    """Writes of resource groups."""

    def set_limits(self, owner: str, group: str, cents: Mapping[str, int | None]) -> None:
        """Set the limits that `cents` names, by the manifest's key; None removes one."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What a facet may act through. `random_bytes(n)` makes salts; `space_token(space)` is the
    token for the Space's own app; `visit(state)` opens that app once; `tracker(space, spec)` reaches its
    experiments; `source` says where files come from, repository@commit; `exact` is told of every write of a
    visibility, `sending` how many bytes of how many of a Space's large files are on their way."""

    hub: Hub
    random_bytes: Callable[[int], bytes]
    visit: Callable[[SpaceState], None] = lambda state: None
    groups: GroupWriter | None = None
    exact: ExactVisibility | None = None
    space_token: Callable[[str], str | None] = lambda space: None
    source: str = ""
    sending: Callable[[str, int, int], None] = lambda space, done, size: None
    tracker: Callable[[str, SpaceSpec], AbstractContextManager[Tracker]] | None = None
