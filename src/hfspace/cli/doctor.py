"""hfspace doctor: who this token is, and what it may do to each declared Space."""

from __future__ import annotations

import json
import platform
import shlex
from importlib.metadata import version

import click

from hfspace.cli.context import Context, hfspace_command
from hfspace.errors import HfspaceError, ManifestError, NotVisible
from hfspace.live.hub import HubClient
from hfspace.model import Account
from hfspace.report.cells import counted
from hfspace.text import plain

_LIBRARIES = ("hfspace", "huggingface_hub", "gradio_client")
_WRITING = frozenset({"admin", "write"})


@hfspace_command(name="doctor", epilog="\b\nExamples:\n  hfspace doctor\n  hfspace doctor --format json")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the report."
)
def command(context: Context, form: str) -> int:
    """Say which Hub, account and token role are used, and what they may do to each declared Space."""
    facts, spaces = examine(context)
    bad = any(answer.startswith("no") for answer in spaces.values())
    if form == "json":
        context.echo(json.dumps({"format_version": 1, "facts": facts, "spaces": spaces}, indent=2))
        return 1 if bad else 0
    for name, value in facts.items():
        context.echo(f"{name:<14}{plain(value)}")
    for space, answer in spaces.items():
        context.echo(f"  {plain(space)}: {plain(answer)}")
    return 1 if bad else 0


def examine(context: Context) -> tuple[dict[str, str], dict[str, str]]:
    """Facts of the setup, and one answer per declared Space ('yes …' or 'no …')."""
    hub = context.hub()
    account = hub.whoami()
    facts = {
        "endpoint": context.endpoint,
        "account": account.name if account else "none: no token was found",
        "token role": account.role if account else "-",
        "billing": _billing(account),
    }
    spaces: dict[str, str] = {}
    try:
        manifest = context.load_manifest()
        names = sorted(manifest.spaces)
        facts["manifest"] = f"{', '.join(context.manifest_files)}: {counted(len(names), 'Space')}"
        for space in names:
            spaces[space] = _answer(hub, space, account, created=manifest.spaces[space].create is not None)
    except ManifestError as error:
        command = shlex.join(["hfspace", "validate", *context.manifest_options])
        facts["manifest"] = f"{counted(len(error.problems), 'problem')}; see {command}"
    hub.flavors()
    left, quota = hub.limiter.left, hub.limiter.quota
    facts["rate limit"] = f"{left} of {quota} requests left" if left is not None else "not told by this Hub"
    facts["versions"] = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    facts["versions"] += f", Python {platform.python_version()}"
    return facts, spaces


def _answer(hub: HubClient, space: str, account: Account | None, *, created: bool) -> str:
    try:
        state = hub.space(space)
        if account is not None and account.role == "oidc":
            hub.check_write(space)
            return "yes: this job's identity was exchanged for a token"
    except NotVisible as error:
        return "missing: apply creates it" if created else f"no: {error.message}"
    except HfspaceError as error:
        return f"no: {error.message}"
    owner = state.id.split("/")[0]
    if account is None:
        return "read only: there is no token"
    if account.role == "read":
        return "read only: the token's role is read"
    if account.role == "oauth":
        return "partly: a login by browser can pause, but not restart or change hardware; use an access token"
    if account.role == "fineGrained":
        return "as far as this fine-grained token's scopes go: it needs repo.write on the Space"
    if owner == account.name or account.orgs.get(owner) in _WRITING:
        return "yes: read and write"
    return f"read only: {account.name} has no write role in {owner}"


def _billing(account: Account | None) -> str:
    if account is None:
        return "-"
    payers = [account.name] * account.can_pay + list(account.payers)
    plan = "PRO" if account.is_pro else "free plan"
    return (
        f"{plan}; paid hardware can be billed to {', '.join(payers)}"
        if payers
        else f"{plan}; no payment method"
    )
