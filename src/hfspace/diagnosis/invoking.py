"""The real call of a diagnosis: the declared example, sent once, and the answer held against `expect`."""

from __future__ import annotations

import time
from dataclasses import replace

from hfspace.diagnosis.verdicts import Diagnosis, Invocation, Verdict, verdict
from hfspace.errors import AppError
from hfspace.live.gradio.calls import AppCall, Download, QueueOnly
from hfspace.live.gradio.codes import Code
from hfspace.live.gradio.contract import resolve
from hfspace.live.gradio.invoke import invoke
from hfspace.live.gradio.sending import request_of
from hfspace.live.gradio.values import answer_problem, call_values
from hfspace.manifest.models import EndpointSpec
from hfspace.model import ServedApp, ServedEndpoint


def with_invocation(known: Diagnosis, spec: EndpointSpec, token: str | None, timeout: float) -> Diagnosis:
    """`known` with the outcome of one call of at most `timeout` seconds. Whatever the app does is in it."""
    app = known.app
    endpoint, _ = resolve(spec, app) if app is not None else (None, [])
    if app is None or endpoint is None:
        return known
    invocation = _make(known, app, endpoint, spec, token, timeout)
    known = replace(known, invocation=invocation)
    end = "complete" if invocation.ok else invocation.problem
    line = f"call {endpoint.name} -> {end} in {invocation.seconds:.2f} s"
    evidence = (*known.verdict.evidence, line)
    if invocation.ok:
        seen = f"{endpoint.name} was called and completed in {invocation.seconds:.2f} s."
        healthy = Verdict(
            code=Code.HEALTHY, seen=seen, why=known.verdict.why, evidence=evidence, problem=False
        )
        if app.kind == "http":  # of what was only assumed, this is there
            known = replace(known, app=replace(app, endpoints=(endpoint,)))
        return replace(known, verdict=healthy)
    code = Code.QUEUE_ONLY if invocation.queue_only else Code.INVOKE_FAILED
    return replace(known, verdict=verdict(code, invocation.problem, evidence=evidence))


def call_of(
    known: Diagnosis,
    app: ServedApp,
    endpoint: ServedEndpoint,
    spec: EndpointSpec,
    token: str | None,
    timeout: float,
) -> AppCall:
    """The call that `spec` declares. Raises EndpointError when a part of an HTTP request is missing."""
    gradio = app.kind == "gradio"
    return AppCall(
        base=known.base,
        app=app,
        endpoint=endpoint,
        values=call_values(spec.example) if gradio else None,
        ask=None if gradio else replace(request_of(spec, endpoint, token), cookies=known.cookies),
        token=token,
        cookies=known.cookies,
        timeout=timeout,
    )


def _make(
    known: Diagnosis,
    app: ServedApp,
    endpoint: ServedEndpoint,
    spec: EndpointSpec,
    token: str | None,
    timeout: float,
) -> Invocation:
    started = time.monotonic()
    try:
        result = invoke(call_of(known, app, endpoint, spec, token, timeout))
    except AppError as error:
        return Invocation(
            ok=False, seconds=time.monotonic() - started, problem=error.message,
            queue_only=isinstance(error, QueueOnly),
        )  # fmt: skip
    answer = result.answer
    if isinstance(answer, Download):
        answer = f"{answer.content_type}, {len(answer.content)} bytes"
    wrong = answer_problem(answer, spec.expect) if spec.expect is not None else ""
    problem = f"{endpoint.name} completed, but its answer is not what is expected: {wrong}" if wrong else ""
    return Invocation(ok=not wrong, seconds=result.seconds, answer=answer, problem=problem)
