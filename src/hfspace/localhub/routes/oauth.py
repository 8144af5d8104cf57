"""Keyless access: a CI job's OIDC token for a short-lived token of one Space (docs/hub-api.md section 12)."""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from typing import Any

from hfspace.localhub import machine
from hfspace.localhub.routes.call import Call, route
from hfspace.localhub.rules import Identity
from hfspace.localhub.wire import Answer

_GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
_ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"  # noqa: S105 - the name of a kind
_ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105
EXPIRES_IN = 3600


class _Bad(Exception):
    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.answer = Answer(status=400, body={"error": error, "error_description": description})


def token(call: Call) -> Answer:
    """POST /oauth/token."""
    try:
        return _exchanged(call)
    except _Bad as bad:
        return bad.answer


def _exchanged(call: Call) -> Answer:
    body = _body(call)
    if body.get("grant_type") != _GRANT or body.get("subject_token_type") != _ID_TOKEN:
        raise _Bad("invalid_request", "Only the exchange of an id_token is supported")
    claims = _claims(call, str(body.get("subject_token") or ""))
    resource = str(body.get("resource") or "")
    who = (
        _space_identity(call, resource, claims)
        if resource.startswith("spaces/")
        else _user(call, resource, claims)
    )
    token = f"hf_jwt_{secrets.token_urlsafe(24)}"
    call.world.issue(token, who)
    answer = {
        "access_token": token,
        "token_type": "bearer",
        "expires_in": EXPIRES_IN,
        "issued_token_type": _ACCESS_TOKEN,
    }
    return Answer(body=answer, effect=True, headers={"Cache-Control": "no-store"})


def _body(call: Call) -> dict[str, Any]:
    try:
        raw = json.loads(call.body or b"{}")
    except ValueError:
        raw = None
    if not isinstance(raw, dict):
        raise _Bad("invalid_request", "The body must be a JSON object")
    return raw


def _claims(call: Call, text: str) -> dict[str, Any]:
    """Who runs the workflow. The signature is not looked at: issuers are named in the seed."""
    parts = text.split(".")
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (IndexError, ValueError, binascii.Error):
        raise _Bad("invalid_grant", "The subject token is not a JWT") from None
    issuer = call.world.seed.hub.issuers.get(str(claims.get("iss"))) if isinstance(claims, dict) else None
    if issuer is None:
        raise _Bad("invalid_grant", "The issuer of the subject token is not known")
    if issuer.audience is not None and claims.get("aud") != issuer.audience:
        raise _Bad("invalid_grant", "The subject token is for another audience")
    expires = claims.get("exp")
    if isinstance(expires, int | float) and expires < call.world.client_now:
        raise _Bad("invalid_grant", "The subject token has expired")
    return dict(claims)


def _space_identity(call: Call, resource: str, claims: dict[str, Any]) -> Identity:
    space = resource.removeprefix("spaces/")
    doc = call.world.store.space(space)
    publishers = doc["trusted_publishers"] if doc else []
    if not any(_trusts(publisher, claims) for publisher in publishers):
        raise _Bad("invalid_grant", "No trusted publisher of this repository matches the subject token")
    name = machine.settled(doc, call.world.now)["id"] if doc else space
    return _issued(call, account=name.split("/")[0], space=name, resource=f"spaces/{name}")


def _trusts(publisher: dict[str, Any], claims: dict[str, Any]) -> bool:
    same = {
        "repository": claims.get("repository"),
        "issuer": claims.get("iss"),
        "workflow": str(claims.get("workflow_ref") or "").partition("@")[0].rpartition("/")[2],
        "ref": claims.get("ref"),
        "environment": claims.get("environment"),
    }
    return all(publisher.get(name) in {None, value} for name, value in same.items())


def _user(call: Call, resource: str, claims: dict[str, Any]) -> Identity:
    """A token for a user reads public and gated repositories, no more."""
    account = call.world.seed.accounts.get(resource)
    if account is None or account.type != "user" or claims.get("repository_owner") != resource:
        raise _Bad("invalid_grant", "The subject token does not belong to this user")
    return _issued(call, account=resource, space=None, resource=resource)


def _issued(call: Call, *, account: str, space: str | None, resource: str) -> Identity:
    places = (space,) if space else ()
    expires = call.world.now + EXPIRES_IN
    return Identity(
        account=account, role="oidc", writes=places, reads=places, expires=expires, resource=resource
    )


ROUTES = (route("POST", "/oauth/token", token),)
