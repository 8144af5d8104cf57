"""The trial that guides recommend, for an app that does not describe itself: five paths, two bodies, one at a
time until one works. It calls functions of the app: only ever made where somebody asked for it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import replace

from hfspace.diagnosis.verdicts import Diagnosis, Trial, Verdict
from hfspace.live.gradio.codes import Code
from hfspace.live.gradio.fetch import AppAnswer, Ask, fetch_all
from hfspace.live.gradio.http_calls import detail
from hfspace.live.gradio.urls import SEED_PATHS
from hfspace.manifest.models import EndpointSpec, Payload
from hfspace.model import Json

_KINDS = frozenset({"http", "unknown", "static"})
_CODES = frozenset({Code.NOT_GRADIO, Code.INVOKE_FAILED, Code.ENDPOINT_MISMATCH, Code.NOT_UNDERSTOOD})
_MOST_BYTES = 1 << 20
BODIES: Mapping[Payload, Json] = {
    "inputs": {"inputs": "Hello", "parameters": {"max_new_tokens": 25, "temperature": 0.1}},
    "data": {"data": ["Hello"]},
}
"""The two bodies, as an `example` of each payload form."""


def can_be_tried(diagnosis: Diagnosis) -> bool:
    """Whether an HTTP app answers, and nothing says what it serves."""
    app, code = diagnosis.app, diagnosis.verdict.code
    if app is None or app.kind not in _KINDS or code not in _CODES:
        return False
    return app.kind == "http" or code is Code.NOT_GRADIO


def run_trial(diagnosis: Diagnosis, token: str | None, timeout: float, advice: str = "") -> Diagnosis:
    """`diagnosis` with every attempt, the last of them the one that worked: then `advice` is what to do.
    `timeout` is in seconds, for all of them."""
    deadline = time.monotonic() + timeout
    attempts: list[Trial] = []
    for path in SEED_PATHS:
        for payload, body in BODIES.items():
            left = deadline - time.monotonic()
            if left <= 0:
                return _without_success(diagnosis, attempts, f"they took longer than {timeout:g} s")
            ask = Ask(
                url=f"{diagnosis.base}{path}", method="POST", token=token, body=json.dumps(body).encode()
            )
            (answer,) = fetch_all([ask], timeout=left, max_bytes=_MOST_BYTES)
            attempts.append(_attempt(path, payload, body, answer))
            if attempts[-1].ok:
                return _with_success(diagnosis, attempts, answer, advice)
            if answer.status in {404, 405}:
                break  # it is the path that is not served, whatever the body
    return _without_success(diagnosis, attempts, "none of them worked")


def endpoint_of(diagnosis: Diagnosis, old: EndpointSpec | None) -> EndpointSpec | None:
    """What the trial showed to work, as it is declared; None when nothing did."""
    last = diagnosis.attempts[-1] if diagnosis.attempts else None
    if last is None or not last.ok:
        return None
    values = {"path": last.path, "payload": last.payload, "example": last.body}
    if old is not None and old.expect is not None:
        values["expect"] = old.expect
    return EndpointSpec.model_validate(values)


def _attempt(path: str, payload: Payload, body: Json, answer: AppAnswer) -> Trial:
    page = answer.content_type == "text/html"
    ok = 200 <= answer.status < 300 and not page
    status = str(answer.status) + (" with a web page" if page else "") + ("" if ok else detail(answer))
    outcome = status if answer.status else answer.problem
    return Trial(path=path, payload=payload, body=body, ok=ok, outcome=outcome, seconds=answer.seconds)


def _with_success(diagnosis: Diagnosis, attempts: list[Trial], answer: AppAnswer, advice: str) -> Diagnosis:
    last = attempts[-1]
    parsed = answer.json()
    text = json.dumps(parsed, ensure_ascii=False) if parsed is not None else answer.text
    seen = f"POST {last.path} took the payload form {last.payload} and answered {answer.status}."
    verdict = Verdict(
        code=Code.HEALTHY, seen=seen, why=f"It answered {text[:200]}",
        todo=advice, evidence=diagnosis.verdict.evidence, problem=False,
    )  # fmt: skip
    return replace(
        diagnosis, verdict=verdict, attempts=tuple(attempts), call_url=f"{diagnosis.base}{last.path}"
    )


def _without_success(diagnosis: Diagnosis, attempts: list[Trial], why: str) -> Diagnosis:
    paths = len({item.path for item in attempts})
    seen = f"{diagnosis.verdict.seen} {len(attempts)} calls of {paths} usual paths were tried: {why}."
    verdict = replace(
        diagnosis.verdict, seen=seen, todo="Look into the app's code for its routes, and declare one."
    )
    return replace(diagnosis, verdict=verdict, attempts=tuple(attempts))
