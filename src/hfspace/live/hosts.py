"""Which Space a *.hf.space host is: asked from the Hub, since a subdomain does not spell its owner."""

from __future__ import annotations

from hfspace.errors import HubError, UsageError
from hfspace.live.hub import HubClient

_MOST_OWNERS = 8


def resolve(hub: HubClient, host: str) -> str:
    """`owner/name` of `host`. Raises UsageError when the Hub names none.

    Asks /api/spaces/by-subdomain first; that path has been broken in public (gradio facts 3.2), so then
    lists the owners that the subdomain may begin with and compares the `subdomain` that the Hub gives.
    """
    subdomain = host.removesuffix(".hf.space").removesuffix(".static").lower()
    try:
        if space := hub.by_subdomain(subdomain):
            return space
    except HubError:
        pass
    parts = subdomain.split("-")
    for end in range(1, min(len(parts), _MOST_OWNERS + 1)):
        owner = "-".join(parts[:end])
        try:
            for state in hub.list_spaces(author=owner):
                if state.subdomain == subdomain:
                    return state.id
        except HubError:
            continue
    raise UsageError(
        f"The Hub does not say which Space {host} is.", hint="Write the Space as owner/name instead."
    )
