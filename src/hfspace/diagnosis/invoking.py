"""The real call of a diagnosis: the declared example, sent once, and the answer held against `expect`."""

from __future__ import annotations

import time
from dataclasses import replace

from hfspace.diagnosis.verdicts import Diagnosis, Invocation, Verdict, verdict
from hfspace.errors import AppError
from hfspace.live.gradio.calls import Call, QueueOnly
from hfspace.live.gradio.codes import Code
from hfspace.live.gradio.contract import resolve
from hfspace.live.gradio.invoke import invoke
from hfspace.live.gradio.values import answer_problem, call_values
from hfspace.manifest.models import EndpointSpec


def with_invocation(known: Diagnosis, spec: EndpointSpec, token: str | None, timeout: float) -> Diagnosis:
    """`known` with the outcome of one call of at most `timeout` seconds. Whatever the app does is in it."""
    app = known.app
    endpoint, _ = resolve(spec, app) if app is not None else (None, [])
    if app is None or endpoint is None:
        return known
    call = Call(
        base=known.base, app=app, endpoint=endpoint, values=call_values(spec.example, app.kind),
        payload=spec.payload, token=token, timeout=timeout,
    )  # fmt: skip
    made = _make(call, spec)
    known = replace(known, invocation=made)
    line = f"call {endpoint.name} -> {'complete' if made.ok else made.problem} in {made.seconds:.2f} s"
    evidence = (*known.verdict.evidence, line)
    if made.ok:
        seen = f"{endpoint.name} was called and completed in {made.seconds:.2f} s."
        told = Verdict(code=Code.HEALTHY, seen=seen, why=known.verdict.why, evidence=evidence, problem=False)
        return replace(known, verdict=told)
    code = Code.QUEUE_ONLY if made.queue_only else Code.INVOKE_FAILED
    return replace(known, verdict=verdict(code, made.problem, evidence=evidence))


def _make(call: Call, spec: EndpointSpec) -> Invocation:
    started = time.monotonic()
    try:
        answer, seconds = invoke(call)
    except AppError as error:
        return Invocation(
            ok=False, seconds=time.monotonic() - started, problem=error.message,
            queue_only=isinstance(error, QueueOnly),
        )  # fmt: skip
    wrong = answer_problem(answer, spec.expect) if spec.expect is not None else ""
    problem = (
        f"{call.endpoint.name} completed, but its answer is not what is expected: {wrong}" if wrong else ""
    )
    return Invocation(ok=not wrong, seconds=seconds, answer=answer, problem=problem)
