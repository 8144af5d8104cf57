"""${NAME} and ${NAME:-default} in the values of a manifest."""

from __future__ import annotations

import re
from collections.abc import Callable

from hfspace.manifest.environment import Environment

_REFERENCE = re.compile(r"\$(?:(\$)|\{([A-Za-z_][A-Za-z0-9_]*)(:-([^}]*))?\}|\{([^}]*)(\}?))")
_SHELL = re.compile(r"([A-Za-z_][A-Za-z0-9_]*):?([-+?=])")
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")

_DIRECTION = re.compile(r"[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def unprintable(text: str) -> str | None:
    """What `text` holds that nobody can see, in words; None for nothing."""
    match = UNPRINTABLE.search(text)
    if match is None:
        return None
    if _DIRECTION.match(match[0]):
        return f"marks that turn the direction of text (U+{ord(match[0]):04X})"
    return "a byte order mark in it" if match[0] == "\ufeff" else "control characters"


def expand(text: str, env: Environment, complain: Callable[[str, str], None]) -> str:
    """`text` with its references replaced; `complain` gets a message and a hint for each that can't be.

    The value of a variable never appears in a message: it may be a secret.
    """

    def replaced(match: re.Match[str]) -> str:
        dollar, name, has_default, default, odd, closed = match.groups()
        if dollar:
            return "$"
        if name is None:
            complain(*_odd(odd or "", bool(closed)))
            return ""
        if default and "${" in default:
            message = f"the default of ${{{name}}} holds another reference"
            complain(message, "Write the default out, or set the variable where hfspace runs.")
            return ""
        if refusal := env.refusal(name):
            complain(*refusal)
            return ""
        value = env.values.get(name)
        if value is None or (has_default and value == ""):
            if not has_default:
                complain(
                    f"${{{name}}} is not set in the environment", f"Set it, or write ${{{name}:-default}}."
                )
            return default or ""
        if what := unprintable(value):
            complain(f"the value of ${{{name}}} has {what}", "Remove them where it is set.")
            return ""
        return value

    return _REFERENCE.sub(replaced, text)


def names(text: str) -> set[str]:
    """The names that `text` refers to."""
    return {match[2] for match in _REFERENCE.finditer(text) if match[2]}


def _odd(inside: str, closed: bool) -> tuple[str, str]:
    short = inside if len(inside) <= 40 else inside[:39] + "…"
    hint = "Write ${NAME} or ${NAME:-default}, and $$ for a dollar."
    if not closed:
        return f"'${{{short}' is not a reference: it has no '}}'", hint
    if inside.startswith("{"):
        hint = "An expression of a workflow is not read here: put it into env:, and write ${NAME}."
        return f"'${{{short}}}}}' is not a reference", hint
    shell = _SHELL.match(inside)
    if shell:
        hint = f"Write ${{{shell[1]}}} or ${{{shell[1]}:-default}}; nothing else of the shell is read."
    return f"'${{{short}}}' is not a reference", hint
