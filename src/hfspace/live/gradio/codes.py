"""What a look at a Space can find: the codes of a diagnosis, which scripts may rely on."""

from __future__ import annotations

from enum import StrEnum


class Code(StrEnum):
    """One outcome each. The values are part of `diagnose --format json`."""

    HEALTHY = "healthy"
    ENDPOINT_MISMATCH = "endpoint_mismatch"
    INVOKE_FAILED = "invoke_failed"
    QUEUE_ONLY = "queue_only"
    MOUNTED_BELOW = "mounted_below"
    NOT_GRADIO = "not_gradio"
    MISSING_OR_PRIVATE = "missing_or_private"
    PRIVATE_NO_TOKEN = "private_no_token"  # noqa: S105 - a code, not a password
    WRONG_TOKEN = "wrong_token"  # noqa: S105
    WRONG_ROLE = "wrong_role"
    APP_LOGIN = "app_login"
    WRONG_SUBDOMAIN = "wrong_subdomain"
    PAUSED = "paused"
    SLEEPING = "sleeping"
    BUILDING = "building"
    BUILD_ERROR = "build_error"
    RUNTIME_ERROR = "runtime_error"
    CONFIG_ERROR = "config_error"
    NO_APP_FILE = "no_app_file"
    PROXY_UNREACHABLE = "proxy_unreachable"
    RATE_LIMITED = "rate_limited"
    UNREACHABLE = "unreachable"
    NOT_UNDERSTOOD = "not_understood"


UNDECIDED = frozenset({Code.UNREACHABLE, Code.NOT_UNDERSTOOD, Code.RATE_LIMITED})
"""Codes that say: could not find out. The command exits 1 for them, 2 for every problem it found."""
