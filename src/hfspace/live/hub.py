"""The Hub through huggingface_hub: one method per request, HTTP answers turned into values and HubErrors.

Nothing above this file knows a status code or a library exception.
"""

from __future__ import annotations

import inspect
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote

from hfspace.errors import HubFault, NeedsWrite, NotVisible, Rejected
from hfspace.live import wire
from hfspace.live.access import Auth, Keyless, Stored, access
from hfspace.live.billing import Billing
from hfspace.live.library import Library, Params, understand
from hfspace.live.limiter import Limiter, Pace
from hfspace.live.ports import NewSpace
from hfspace.live.repository import Known, Repository
from hfspace.live.transport import current_stream_end, current_stream_tail
from hfspace.model import Account, CreateSource, Flavor, Json, Secret, SpaceState, Variable, Volume
from hfspace.redaction import KnownSecrets
from hfspace.text import one_line

T = TypeVar("T")

EXPAND = ("runtime", "private", "sdk", "sha", "subdomain")
"""What a listing carries beside the id: all that a plan needs, in one page (docs/hub-api.md section 1)."""
DETAILS = ("likes", "lastModified", "createdAt", "tags", "cardData")


def connect(
    endpoint: str,
    token: str | None,
    *,
    env: Mapping[str, str] | None = None,
    notify: Callable[[str], None] = lambda text: None,
    pace: Pace | None = None,
    secrets: KnownSecrets | None = None,
) -> HubClient:
    """A client for one endpoint and token; without a token, keyless where `env` allows it. Tokens and secrets
    that it sends are added to `secrets`, and cut out of what it returns.

    Raises UsageError when the endpoint is no http(s) URL, or the token can be none.
    """
    limiter = Limiter(pace or Pace(), notify)
    return HubClient(endpoint, access(token, endpoint, env or {}), limiter, secrets or KnownSecrets())


class HubClient:
    """The Hub. Safe to use from several threads. `known_secrets` are in no error and no log line of it;
    `left_out` counts items of listings that made no sense."""

    def __init__(
        self, endpoint: str, access: Stored | Keyless, limiter: Limiter, secrets: KnownSecrets
    ) -> None:
        self.has_token = access.token is not None or access.account is not None
        self.known_secrets = secrets
        self.left_out = 0
        self._known_commits = Known()
        self._access = access
        self._library = Library(endpoint, access.token, limiter, secrets, has_token=self.has_token)
        self._call = self._library.call
        self.billing = Billing(self._library)

    @property
    def _api(self) -> Any:
        return self._library.api

    @property
    def endpoint(self) -> str:
        return self._library.endpoint

    @property
    def limiter(self) -> Limiter:
        return self._library.limiter

    @property
    def pace(self) -> Pace:
        return self.limiter.pace

    @property
    def requests(self) -> int:
        return self.limiter.requests

    def repository(self, space: str) -> Repository:
        """The files and commits of a Space. Asks nothing."""
        return Repository(space, self._library, self._access, self._known_commits)

    def token_for(self, space: str) -> str | None:
        """The token for the Space's own app; None for anonymous. Raises Unauthorized (keyless)."""
        token = self._access.app(space)
        self.known_secrets.add([token] if token else [])
        return token

    def check_write(self, space: str) -> None:
        """Raises Unauthorized when no token for writing can be had; a token that was found is not tried."""
        self._access.settings(space)

    # ------------------------------------------------------------ reads

    def whoami(self) -> Account | None:
        if self._access.token is None:
            return self._access.account
        raw = self._call("say whose token this is", "", lambda: self._library.json("/api/whoami-v2"))
        return understand("this token's account", lambda: wire.account(raw))

    def flavors(self) -> dict[str, Flavor]:
        raw = self._call("read hardware prices", "", lambda: self._library.json("/api/spaces/hardware"))
        return understand("hardware prices", lambda: wire.flavors(raw))

    def templates(self) -> dict[str, CreateSource]:
        raw = self._call("list templates", "", lambda: self._library.json("/api/spaces/templates"))
        return understand("the templates", lambda: wire.templates(raw))

    def list_spaces(
        self, *, author: str | None = None, search: str | None = None, details: bool = False
    ) -> Iterator[SpaceState]:
        """One item at a time, with its details where they are asked for. An item that makes no sense is left
        out, told and counted: whoever needs this Space reads it by itself."""
        query = [("author", author), ("search", search)]
        params: Params = [(name, value) for name, value in query if value is not None]
        params += [("expand", name) for name in (*EXPAND, *(DETAILS if details else ()))]
        for raw in self._library.items("list Spaces", author or "", "/api/spaces", params):
            try:
                yield understand("a Space", lambda: _space(raw, details=details))  # noqa: B023 - called at once
            except HubFault as error:
                self.left_out += 1
                self.limiter.notify(f"{_name(raw)} of a listing is left out. {error.message}")

    def space(self, space: str) -> SpaceState:
        """One Space with its details."""
        raw = self._read("read", space)
        return understand(space, lambda: _space(raw, details=True))

    def space_with_card(self, space: str) -> tuple[SpaceState, dict[str, Any]]:
        """The Space, and the settings at the top of its README (sdk_version, app_port, base_path …)."""
        raw = self._read("read", space)
        return understand(space, lambda: (wire.space(raw), wire.card(raw)))

    def runtime(self, known: SpaceState) -> SpaceState:
        raw = self._read("read the runtime of", known.id, "/runtime")
        return understand(known.id, lambda: wire.with_runtime(known, raw))

    def get(self, space: str, path: str) -> Json:
        return self._read(f"read {path} of", space, f"/{path}")

    def variables(self, space: str) -> dict[str, Variable]:
        raw = self._settings("read the variables of", space, "variables")
        return understand(f"the variables of {space}", lambda: wire.variables(raw))

    def secrets(self, space: str) -> dict[str, Secret]:
        raw = self._settings("list the secrets of", space, "secrets")
        return understand(f"the secrets of {space}", lambda: wire.secrets(raw))

    def visibilities(self, owner: str, *, is_org: bool) -> dict[str, str]:
        """What the owner's repository settings say; a Space of which they say nothing that makes sense is
        left out, and unknown."""
        whose = f"organizations/{quote(owner)}/" if is_org else ""
        path = f"/api/{whose}settings/repositories"
        items = self._library.items("read the repository settings of", owner, path)
        return dict(pair for raw in items if (pair := wire.visibility(raw)))

    def by_subdomain(self, subdomain: str) -> str | None:
        """The id behind a *.hf.space subdomain, if the Hub tells."""
        path = f"/api/spaces/by-subdomain/{quote(subdomain)}"
        raw = self._call("look up", subdomain, lambda: self._library.json(path))
        name = raw.get("id") if isinstance(raw, dict) else None
        return str(name) if name else None

    def logs(
        self,
        space: str,
        *,
        build: bool,
        follow: bool = False,
        tail: int | None = None,
        seconds: float | None = None,
    ) -> Iterator[str]:
        """Log lines without their line ends, the last `tail` of those that are there. Without follow, ends
        when the Hub has sent what it has; in any case `seconds` after its first line was asked for, however
        much the log still says."""
        end = math.inf if seconds is None else time.monotonic() + seconds

        def ask(call: Callable[[], T]) -> T:
            until, most = current_stream_end.set(end), current_stream_tail.set(tail)
            try:
                return self._call("read the logs of", space, call)
            finally:
                current_stream_end.reset(until)
                current_stream_tail.reset(most)

        lines = ask(
            lambda: iter(
                self._api.fetch_space_logs(space, build=build, follow=follow, token=self._auth(space))
            )
        )
        kept: list[str] = []
        while (line := ask(lambda: next(lines, None))) is not None:
            text = self.known_secrets.redact(str(line).rstrip("\n"))
            if tail is None or follow:
                yield text
            else:  # a Hub that does not know `tail` has sent all
                kept = [*kept, text][-tail:]
        yield from kept

    # ------------------------------------------------------------ writes

    def create(self, new: NewSpace) -> None:
        self.known_secrets.add(value for value, _ in new.secrets.values())
        try:
            self._call("create", new.id, lambda: self._create(new), write=True)
        except NotVisible as error:
            # Of the two Spaces of a copy, the new one can't be what is missing.
            missing = new.duplicate_from or new.template or "its owner"
            text = f"{new.id} can't be created: {missing} does not exist, or this token can't see it."
            raise Rejected(text, status=error.status) from None

    def delete(self, space: str) -> None:
        self._write("delete", space, self._api.delete_repo, repo_type="space")

    def set_visibility(self, space: str, visibility: str) -> None:
        settings = {"repo_type": "space", "visibility": visibility}
        self._write("set the visibility of", space, self._api.update_repo_settings, **settings)

    def set_hardware(self, space: str, flavor: str, sleep_time: int | None) -> None:
        request = self._api.request_space_hardware
        self._write("set the hardware of", space, request, flavor, sleep_time=sleep_time)

    def set_sleep_time(self, space: str, seconds: int) -> None:
        self._write("set the sleep time of", space, self._api.set_space_sleep_time, seconds)

    def pause(self, space: str) -> None:
        self._write("pause", space, self._api.pause_space)

    def restart(self, space: str, *, factory: bool = False) -> None:
        self._write("restart", space, self._api.restart_space, factory_reboot=factory)

    def set_dev_mode(self, space: str, enabled: bool) -> None:
        switch = self._api.enable_space_dev_mode if enabled else self._api.disable_space_dev_mode
        self._write("set the dev mode of", space, switch)

    def set_variable(self, space: str, key: str, variable: Variable) -> None:
        add = partial(self._api.add_space_variable, description=variable.description)
        self._write(f"set the variable {key} of", space, add, key, variable.value)

    def delete_variable(self, space: str, key: str) -> None:
        self._write(f"delete the variable {key} of", space, self._api.delete_space_variable, key)

    def set_secret(self, space: str, key: str, value: str, description: str) -> None:
        self.known_secrets.add([value])
        add = partial(self._api.add_space_secret, description=description)
        self._write(f"set the secret {key} of", space, add, key, value)

    def delete_secret(self, space: str, key: str) -> None:
        self._write(f"delete the secret {key} of", space, self._api.delete_space_secret, key)

    def set_volumes(self, space: str, volumes: tuple[Volume, ...]) -> None:
        # PUT takes one volume at least; none is a DELETE (docs/hub-api.md section 7).
        if volumes:
            sent = [wire.to_volume(volume) for volume in volumes]
            self._write("set the volumes of", space, self._api.set_space_volumes, sent)
        else:
            self._write("detach the volumes of", space, self._api.delete_space_volumes)

    def send(self, method: str, space: str, path: str, body: Json = None) -> None:
        def request(space: str, *, token: Auth) -> None:
            self._library.send(method, f"/api/spaces/{quote(space)}/{path}", body, token=token)

        self._write(f"{method.lower()} {path} of", space, request)

    # ------------------------------------------------------------ how

    def _auth(self, space: str) -> Auth:
        auth = self._access.settings(space)
        self.known_secrets.add([auth] if isinstance(auth, str) else [])
        return auth

    def _read(self, doing: str, space: str, rest: str = "") -> Any:
        """The JSON of what everybody may read of a public Space; `rest` follows its id in the path."""
        path = f"/api/spaces/{quote(space)}{rest}"

        def ask(auth: Auth) -> Any:
            self.known_secrets.add([auth] if isinstance(auth, str) else [])
            return self._call(doing, space, lambda: self._library.json(path, token=auth))

        return self._access.read(space, ask)

    def _settings(self, doing: str, space: str, name: str) -> Any:
        """The JSON of what only a writer may read."""
        path = f"/api/spaces/{quote(space)}/{name}"
        return self._call(doing, space, lambda: self._library.json(path, token=self._auth(space)))

    def _create(self, new: NewSpace) -> None:
        common: dict[str, Any] = {
            "repo_type": "space",
            "visibility": new.visibility,
            "space_hardware": new.hardware,
            "space_sleep_time": new.sleep_time,
            "space_secrets": [
                {"key": key, "value": value, "description": description}
                for key, (value, description) in new.secrets.items()
            ]
            or None,
            "space_variables": [wire.to_pair(key, item) for key, item in new.variables.items()] or None,
            "space_volumes": [wire.to_volume(volume) for volume in new.volumes] or None,
        }
        if new.duplicate_from:
            self._api.duplicate_repo(new.duplicate_from, new.id, **common)
        else:
            self._api.create_repo(new.id, space_sdk=new.sdk, **self._template(new), **common)

    def _template(self, new: NewSpace) -> dict[str, str]:
        """The template argument, which create_repo has since huggingface_hub 1.23."""
        if new.template is None:
            return {}
        if "space_template" not in inspect.signature(self._api.create_repo).parameters:
            raise Rejected(
                f"{new.id} can't be created from a template with the installed huggingface_hub.",
                hint="Upgrade it to 1.23 or later.",
            )
        return {"space_template": new.template}

    def _write(self, doing: str, space: str, method: Callable[..., object], *args: Any, **named: Any) -> None:
        """One write through a method of the library that takes the Space first."""
        try:
            self._call(
                doing, space, lambda: method(space, *args, token=self._auth(space), **named), write=True
            )
        except NeedsWrite as error:
            raise self._access.explained(error) from None


def _space(raw: Any, *, details: bool) -> SpaceState:
    state = wire.space(raw)
    return replace(state, details=wire.details(raw)) if details else state


def _name(raw: Any) -> str:
    """How an item is called that makes no sense."""
    name = raw.get("id") if isinstance(raw, Mapping) else None
    return one_line(name, 100) if isinstance(name, str) else "One item"
