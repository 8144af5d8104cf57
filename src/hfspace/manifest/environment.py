"""Which names of the environment a manifest may read: for `${NAME}` in its values, and for secrets.

What `${NAME}` reads stands in plans, comments and artifacts, so it never reads a secret. In CI a manifest may
be anybody's: there HFSPACE_ENV_NAMES lists the names that it may read at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hfspace.redaction import TOKENS

NAMES_VARIABLE = "HFSPACE_ENV_NAMES"
"""Names separated by commas or white space; empty for none; not set: every name that is no secret."""

_LIKE_A_SECRET = re.compile(
    r"(?:^|_)(?:TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|KEY|CREDENTIALS?|PAT|DSN)$", re.IGNORECASE
)
_SOURCE = re.compile(r"""\benv["']?\s*:\s*["']?([A-Za-z_][A-Za-z0-9_]*)""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """The values, the names that are sources of secrets, and the only names that may be read (None: any)."""

    values: Mapping[str, str]
    sources: frozenset[str] = frozenset()
    names: frozenset[str] | None = None

    def refusal(self, name: str) -> tuple[str, str] | None:
        """Why `${name}` is not read: a message and a hint; None when it may be."""
        if name in TOKENS:
            return (
                f"${{{name}}} is a token, and would stand in every plan",
                f"Declare a secret: secrets: {{KEY: {{env: {name}}}}}.",
            )
        if name in self.sources:
            return (
                f"${{{name}}} is the source of a secret, and would stand in every plan",
                "Use it for the secret only.",
            )
        if self.names is not None and name not in self.names:
            return (
                f"${{{name}}} may not be read here",
                f"List it in {NAMES_VARIABLE}, or in the input env of the Action.",
            )
        if self.names is None and _LIKE_A_SECRET.search(name):
            return (
                f"${{{name}}} looks like a secret by its name, and would stand in every plan",
                f"Declare a secret: secrets: {{KEY: {{env: {name}}}}}; or list it in {NAMES_VARIABLE}.",
            )
        return None


def environment(env: Mapping[str, str], texts: Iterable[str] = ()) -> Environment:
    """What manifests with these texts may read of `env`. Every `env: NAME` in them counts as a source."""
    sources = frozenset(name for text in texts for name in _SOURCE.findall(text))
    return Environment(values=env, sources=sources, names=listed(env))


def listed(env: Mapping[str, str]) -> frozenset[str] | None:
    """The names in HFSPACE_ENV_NAMES; None when it is not set."""
    text = env.get(NAMES_VARIABLE)
    return None if text is None else frozenset(re.findall(r"[A-Za-z_][A-Za-z0-9_]*", text))
