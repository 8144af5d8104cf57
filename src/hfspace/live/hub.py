"""The Hub through huggingface_hub: one method per request, HTTP answers turned into values and HubErrors.

Nothing above this file knows a status code or a library exception.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from hfspace.errors import HfspaceError, HubError, HubFault, NeedsWrite, NotVisible, Rejected
from hfspace.live import hub_errors, transport, wire
from hfspace.live.access import Auth, Keyless, Stored, access
from hfspace.live.limiter import Limiter, Pace
from hfspace.live.ports import NewSpace
from hfspace.live.transport import (
    current_endpoint,
    current_limiter,
    current_pages,
    current_stream_end,
    current_stream_tail,
)
from hfspace.model import Account, CreateSource, Flavor, Json, Secret, SpaceState, Variable, Volume
from hfspace.redaction import KnownSecrets

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

    Raises UsageError when the endpoint is no http(s) URL.
    """
    from hfspace.errors import UsageError

    if "@" in endpoint:
        # It would be in plans, reports and messages; the value is not repeated here either.
        raise UsageError(
            "HF_ENDPOINT holds a user or a password.", hint="Remove it: the token says who you are."
        )
    if not endpoint.startswith(("https://", "http://")):
        raise UsageError(f"HF_ENDPOINT is not a URL: {endpoint}.", hint="Write https://huggingface.co.")
    limiter = Limiter(pace or Pace(), notify)
    return HubClient(endpoint, access(token, endpoint, env or {}), limiter, secrets or KnownSecrets())


class HubClient:
    """The Hub. Safe to use from several threads. `known_secrets` are in no error and no log line of it."""

    def __init__(
        self, endpoint: str, access: Stored | Keyless, limiter: Limiter, secrets: KnownSecrets
    ) -> None:
        # Telemetry would be a hidden request (docs/hub-api.md section 15). The variable is read at the first
        # import of the library, which a program that uses us may have done long before.
        if os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1") == "1":
            from huggingface_hub import constants

            constants.HF_HUB_DISABLE_TELEMETRY = True
        from huggingface_hub import HfApi

        from hfspace import __version__

        transport.install()
        self.endpoint = endpoint
        self.limiter = limiter
        self._access = access
        self.known_secrets = secrets
        secrets.add([access.token] if access.token else [])
        self._api: Any = HfApi(
            endpoint=endpoint,
            token=access.token or False,
            library_name="hfspace",
            library_version=f"{__version__}; python/{platform.python_version()}",
        )

    @property
    def pace(self) -> Pace:
        return self.limiter.pace

    @property
    def requests(self) -> int:
        return self.limiter.requests

    @property
    def has_token(self) -> bool:
        return self._access.token is not None or self._access.account is not None

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
        raw = self._ask("say whose token this is", "", self._api.whoami)
        return self._understand("this token's account", lambda: wire.account(raw))

    def flavors(self) -> dict[str, Flavor]:
        raw = self._ask("read hardware prices", "", lambda: self._json("/api/spaces/hardware"))
        return self._understand("hardware prices", lambda: wire.flavors(raw))

    def templates(self) -> dict[str, CreateSource]:
        raw = self._ask("list the templates of", "Spaces", lambda: self._json("/api/spaces/templates"))
        return self._understand("the templates", lambda: wire.templates(raw))

    def list_spaces(
        self,
        *,
        author: str | None = None,
        search: str | None = None,
        limit: int | None = None,
        details: bool = False,
    ) -> Iterator[SpaceState]:
        """One item at a time, with its details where they are asked for; a page is fetched when its first
        item is asked for."""
        expand = [*EXPAND, *(DETAILS if details else ())]
        pages: set[str] = set()
        items = self._ask(
            "list Spaces",
            author or "",
            lambda: iter(self._api.list_spaces(author=author, search=search, limit=limit, expand=expand)),
            pages=pages,
        )
        while True:
            info = self._ask("list Spaces", author or "", lambda: next(items, None), pages=pages)
            if info is None:
                return
            try:
                state = self._understand("a listing", lambda: wire.space(info))  # noqa: B023 - called at once
            except HubFault as error:
                # It fails alone: whoever needs this Space reads it by itself.
                self.limiter.notify(f"One item of a listing is left out. {error.message}")
                continue
            yield replace(state, details=wire.details(info)) if details else state

    def space(self, space: str) -> SpaceState:
        """One Space with its details."""
        info = self._info(space)
        return self._understand(space, lambda: replace(wire.space(info), details=wire.details(info)))

    def space_with_card(self, space: str) -> tuple[SpaceState, dict[str, Any]]:
        """The Space, and the settings at the top of its README (sdk_version, app_port, base_path …)."""
        info = self._info(space)
        state = self._understand(space, lambda: wire.space(info))
        card = getattr(info, "card_data", None)
        return state, dict(card.to_dict()) if card is not None and hasattr(card, "to_dict") else {}

    def runtime(self, known: SpaceState) -> SpaceState:
        def ask(auth: Auth) -> Any:
            read = self._api.get_space_runtime
            return self._ask("read the runtime of", known.id, lambda: read(known.id, token=auth).raw)

        raw = self._access.read(known.id, ask)
        return self._understand(known.id, lambda: wire.with_runtime(known, raw))

    def get(self, space: str, path: str) -> Json:
        def ask(auth: Auth) -> Any:
            read = f"/api/spaces/{space}/{path}"
            return self._ask(f"read {path} of", space, lambda: self._json(read, auth=auth))

        return self._access.read(space, ask)

    def variables(self, space: str) -> dict[str, Variable]:
        found = self._ask(
            "read the variables of",
            space,
            lambda: self._api.get_space_variables(space, token=self._auth(space)),
        )
        return self._understand(
            f"the variables of {space}",
            lambda: {key: wire.variable(item.value, item.description) for key, item in found.items()},
        )

    def secrets(self, space: str) -> dict[str, Secret]:
        found = self._ask(
            "list the secrets of", space, lambda: self._api.get_space_secrets(space, token=self._auth(space))
        )
        return {key: wire.secret(item.description) for key, item in found.items()}

    def visibilities(self, owner: str, *, is_org: bool) -> dict[str, str]:
        items = self._ask(
            "read the repository settings of",
            owner,
            lambda: list(self._api.list_user_repos(owner if is_org else None)),
            pages=set(),
        )
        return {item.id: item.visibility for item in items if getattr(item, "type", "space") == "space"}

    def by_subdomain(self, subdomain: str) -> str | None:
        """The id behind a *.hf.space subdomain, if the Hub tells."""
        raw = self._ask("look up", subdomain, lambda: self._json(f"/api/spaces/by-subdomain/{subdomain}"))
        found = raw.get("id") if isinstance(raw, dict) else None
        return str(found) if found else None

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
        end = None if seconds is None else time.monotonic() + seconds

        def ask(call: Callable[[], T]) -> T:
            until, most = current_stream_end.set(end), current_stream_tail.set(tail)
            try:
                return self._ask("read the logs of", space, call)
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
            self._ask("create", new.id, lambda: self._create(new), write=True)
        except NotVisible as error:
            # Of the two Spaces of a copy, the new one can't be what is missing.
            missing = new.duplicate_from or new.template or "its owner"
            text = f"{new.id} can't be created: {missing} does not exist, or this token can't see it."
            raise Rejected(text, status=error.status) from None

    def delete(self, space: str) -> None:
        self._write(
            "delete", space, lambda: self._api.delete_repo(space, repo_type="space", token=self._auth(space))
        )

    def set_visibility(self, space: str, visibility: str) -> None:
        self._write(
            "set the visibility of",
            space,
            lambda: self._api.update_repo_settings(
                space, repo_type="space", visibility=visibility, token=self._auth(space)
            ),
        )

    def set_hardware(self, space: str, flavor: str, sleep_time: int | None) -> None:
        self._write(
            "set the hardware of",
            space,
            lambda: self._api.request_space_hardware(
                space, flavor, sleep_time=sleep_time, token=self._auth(space)
            ),
        )

    def set_sleep_time(self, space: str, seconds: int) -> None:
        self._write(
            "set the sleep time of",
            space,
            lambda: self._api.set_space_sleep_time(space, seconds, token=self._auth(space)),
        )

    def pause(self, space: str) -> None:
        self._write("pause", space, lambda: self._api.pause_space(space, token=self._auth(space)))

    def restart(self, space: str, *, factory: bool = False) -> None:
        self._write(
            "restart",
            space,
            lambda: self._api.restart_space(space, factory_reboot=factory, token=self._auth(space)),
        )

    def set_dev_mode(self, space: str, enabled: bool) -> None:
        switch = self._api.enable_space_dev_mode if enabled else self._api.disable_space_dev_mode
        self._write("set the dev mode of", space, lambda: switch(space, token=self._auth(space)))

    def set_variable(self, space: str, key: str, variable: Variable) -> None:
        self._write(
            f"set the variable {key} of",
            space,
            lambda: self._api.add_space_variable(
                space, key, variable.value, description=variable.description, token=self._auth(space)
            ),
        )

    def delete_variable(self, space: str, key: str) -> None:
        self._write(
            f"delete the variable {key} of",
            space,
            lambda: self._api.delete_space_variable(space, key, token=self._auth(space)),
        )

    def set_secret(self, space: str, key: str, value: str, description: str) -> None:
        self.known_secrets.add([value])
        self._write(
            f"set the secret {key} of",
            space,
            lambda: self._api.add_space_secret(
                space, key, value, description=description, token=self._auth(space)
            ),
        )

    def delete_secret(self, space: str, key: str) -> None:
        self._write(
            f"delete the secret {key} of",
            space,
            lambda: self._api.delete_space_secret(space, key, token=self._auth(space)),
        )

    def set_volumes(self, space: str, volumes: tuple[Volume, ...]) -> None:
        # PUT takes one volume at least; none is a DELETE (docs/hub-api.md section 7).
        if volumes:
            sent = [wire.to_volume(volume) for volume in volumes]
            self._write(
                "set the volumes of",
                space,
                lambda: self._api.set_space_volumes(space, sent, token=self._auth(space)),
            )
        else:
            self._write(
                "detach the volumes of",
                space,
                lambda: self._api.delete_space_volumes(space, token=self._auth(space)),
            )

    def send(self, method: str, space: str, path: str, body: Json = None) -> None:
        route = f"/api/spaces/{space}/{path}"
        send = lambda: self._json(route, method, self._auth(space), body)  # noqa: E731
        self._write(f"{method.lower()} {path} of", space, send)

    # ------------------------------------------------------------ how

    def _auth(self, space: str) -> Auth:
        auth = self._access.settings(space)
        self.known_secrets.add([auth] if isinstance(auth, str) else [])
        return auth

    def _info(self, space: str) -> Any:
        def ask(auth: Auth) -> Any:
            self.known_secrets.add([auth] if isinstance(auth, str) else [])
            return self._ask("read", space, lambda: self._api.space_info(space, token=auth))

        return self._access.read(space, ask)

    def _json(self, path: str, method: str = "GET", auth: Auth | None = None, body: Any = None) -> Any:
        import huggingface_hub as library

        headers = self._api._build_hf_headers(token=auth)
        response = library.get_session().request(method, f"{self.endpoint}{path}", headers=headers, json=body)
        library.hf_raise_for_status(response)
        return response.json() if response.content else None

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
        import inspect

        if new.template is None:
            return {}
        if "space_template" not in inspect.signature(self._api.create_repo).parameters:
            raise Rejected(
                f"{new.id} can't be created from a template with the installed huggingface_hub.",
                hint="Upgrade it to 1.23 or later.",
            )
        return {"space_template": new.template}

    def _write(self, doing: str, space: str, call: Callable[[], object]) -> None:
        try:
            self._ask(doing, space, call, write=True)
        except NeedsWrite as error:
            raise self._access.explained(error) from None

    def _ask(
        self,
        doing: str,
        what: str,
        call: Callable[[], T],
        *,
        write: bool = False,
        pages: set[str] | None = None,
    ) -> T:
        """Run one library call under our limiter; its failures become HubErrors. `pages` are those that a
        listing has asked for so far: it must not come back to one."""
        reset = current_limiter.set(self.limiter)
        at = current_endpoint.set(self.endpoint)
        turned = current_pages.set(pages)
        try:
            return call()
        except HfspaceError:
            raise
        except Exception as error:  # noqa: BLE001 - the library raises anything on an odd answer
            raise hub_errors.translate(
                error,
                doing=doing,
                what=what,
                endpoint=self.endpoint,
                has_token=self.has_token,
                write=write,
                secrets=self.known_secrets,
            ) from None
        finally:
            current_pages.reset(turned)
            current_endpoint.reset(at)
            current_limiter.reset(reset)

    def _understand(self, what: str, read: Callable[[], T]) -> T:
        try:
            return read()
        except HubError:
            raise
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise HubFault(
                f"The Hub's answer about {what} is not what it documents ({hub_errors.oddity(error)}).",
                hint="Run again; if it stays, the Hub changed: look for a newer hfspace.",
            ) from None
