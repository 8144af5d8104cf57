"""A Space to call from Python or the command line, with its declared endpoint and payload."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from hfspace.diagnosis.invoking import call_of
from hfspace.diagnosis.run import DiagnosisOptions, examine
from hfspace.diagnosis.simple import declared, load_manifest, open_hub
from hfspace.diagnosis.stage import SpaceLookup
from hfspace.diagnosis.verdicts import Diagnosis
from hfspace.errors import UsageError
from hfspace.live.gradio.calls import CALL_SECONDS, AppCall, CallEvent, Download, EndpointError
from hfspace.live.gradio.client_calls import Conversation
from hfspace.live.gradio.codes import Code
from hfspace.live.gradio.contract import HTTP_KINDS, check, resolve
from hfspace.live.gradio.files import Clean, as_it_is, save_download, save_files
from hfspace.live.gradio.findings import Finding, listed, name_key, only_endpoint
from hfspace.live.gradio.invoke import invoke, stream
from hfspace.live.gradio.sending import as_form
from hfspace.live.gradio.tokens import host_token
from hfspace.live.gradio.values import answer_problem
from hfspace.manifest.models import EndpointSpec
from hfspace.model import Json, ServedApp, ServedEndpoint

_CALLABLE = frozenset({Code.HEALTHY, Code.NOT_GRADIO, Code.MOUNTED_BELOW, Code.ENDPOINT_MISMATCH})
_ABOUT_VALUES = frozenset({"example", "body", "payload", "params", "query", "method"})
MISSING = object()
"""No values were given: the declared ones are sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One Space whose app was read once; every `call` is one call of its declared endpoint.

    Calls of a Gradio app share one session, so that a conversation keeps its state. `close`, or leaving a
    `with` block, ends it; so does a call that reaches its deadline, and the end of the program.
    """

    found: Diagnosis
    spec: EndpointSpec
    token: str | None = field(default=None, repr=False)
    conversation: Conversation = field(default_factory=Conversation, repr=False, compare=False)

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End the session with the app. A later call begins another one."""
        self.conversation.close()

    def at(self, api_name: str) -> Connection:
        """Another endpoint of the same app, in the same session."""
        return replace(self, spec=EndpointSpec(api_name=api_name))

    @property
    def endpoint(self) -> ServedEndpoint:
        """The served endpoint that is declared. Raises EndpointError when nothing served fits."""
        return _endpoint(self.spec, self.found)

    def problems(self, values: Json) -> tuple[Finding, ...]:
        """Why these values do not fit, found without calling."""
        app = self.found.app
        return _problems(self._sending(values), app) if app is not None else ()

    def _sending(self, values: Json) -> EndpointSpec:
        """What is declared, with these values in the place of its body or example."""
        own = {key: getattr(self.spec, key) for key in self.spec.model_fields_set - {"body", "example"}}
        return EndpointSpec(**own, example=values)

    def call(
        self, *values: Json, timeout: float = CALL_SECONDS, save_to: str | Path | None = None, **named: Json
    ) -> Json:
        """The answer to these values, by position or by name; the declared example when none are given.

        Files in the answer are saved below `save_to`, if given. Raises EndpointError when the values do not
        fit, the app fails or takes longer than `timeout` seconds, or the answer does not satisfy `expect`.
        """
        call = self.prepare(_one_of(values, named), timeout)
        return self.finish(invoke(call, self.conversation).answer, call, save_to)

    def stream(self, *values: Json, timeout: float = CALL_SECONDS, **named: Json) -> Iterator[Json]:
        """The steps of a generator, or the events of an HTTP stream, as they come. Raises as `call`."""
        for step in stream(self.prepare(_one_of(values, named), timeout), self.conversation):
            yield step.data if isinstance(step, CallEvent) else step

    def served(self, *, sending: bool) -> ServedEndpoint:
        """The endpoint, of a path with several methods the one that takes values. Raises EndpointError."""
        return _endpoint(self._sending([]) if sending else self.spec, self.found)

    def with_uploads(self, fields: Collection[str]) -> Connection:
        """The same route taking a form in which these fields are files. Raises EndpointError."""
        app = self.found.app
        endpoint = self.served(sending=True)
        if app is None or app.kind not in HTTP_KINDS:
            raise EndpointError(
                f"{endpoint.name} is a Gradio endpoint.", hint="Give the path of a file as its value."
            )
        form = as_form(endpoint, fields)
        routes = tuple(form if item is endpoint else item for item in app.endpoints)
        return replace(self, found=replace(self.found, app=replace(app, endpoints=routes)))

    def prepare(self, values: object, timeout: float, *, fitting: bool = True) -> AppCall:
        """The call of the declared endpoint with `values` (a list, a mapping, or one value), which must fit
        unless `fitting` is False. Raises EndpointError."""
        app = self.found.app
        if app is None:
            raise EndpointError(self.found.verdict.seen)
        spec = self.spec
        if values is not MISSING:
            spec = self._sending(values)
        elif spec.example is None and "body" not in spec.model_fields_set:
            # Nothing is sent: what the endpoint needs is told before.
            spec = self._sending([] if app.kind == "gradio" else {})
        endpoint = _endpoint(spec, self.found)
        if fitting:
            _refuse(_problems(spec, app))
        return call_of(self.found, app, endpoint, spec, self.token, timeout)

    def finish(
        self,
        answer: Json,
        call: AppCall,
        save_to: str | Path | None,
        clean: Clean = as_it_is,
    ) -> Json:
        """The answer with `expect` held against it, and its files saved as `clean` leaves them. Raises
        EndpointError."""
        if isinstance(answer, Download):
            return answer if save_to is None else str(save_download(answer, Path(save_to), clean))
        if self.spec.expect is not None and (wrong := answer_problem(answer, self.spec.expect)):
            raise EndpointError(f"The answer of {call.endpoint.name} is not what is expected: {wrong}")
        return save_files(answer, call, Path(save_to), clean)[0] if save_to is not None else answer


def connect(
    space: str,
    *,
    manifest: str | Path | Sequence[str | Path] | None = "spaces.yaml",
    endpoint: EndpointSpec | None = None,
    api_name: str | None = None,
    auth: tuple[str, str] | None = None,
    hub: SpaceLookup | None = None,
    options: DiagnosisOptions | None = None,
    env: Mapping[str, str] | None = None,
) -> Connection:
    """The Space `owner/name`, ready to call. Its endpoint is `endpoint` or the Gradio endpoint `api_name`,
    else the declared one, else the only one that the app serves. `auth` is the user and password that the
    app's own login asks for (auth= of Gradio).

    Raises EndpointError when the Space can't be called, with the reason; UsageError for two endpoints.
    """
    environment = os.environ if env is None else env
    door = hub or open_hub(environment)
    if endpoint is not None and api_name is not None:
        raise UsageError("Give an endpoint or an api_name, not both.")
    if api_name is not None:
        endpoint = EndpointSpec(api_name=api_name)
    if endpoint is None and manifest is not None and _exists(manifest):
        endpoint = declared(load_manifest(manifest, environment), space)
    chosen = options or DiagnosisOptions()
    return open_connection(space, door, endpoint, replace(chosen, auth=auth) if auth else chosen)


def open_connection(
    space: str, hub: SpaceLookup, endpoint: EndpointSpec | None, options: DiagnosisOptions
) -> Connection:
    """As `connect`, with everything given."""
    diagnosis = examine(
        space, hub, endpoint=endpoint, options=replace(options, invoke=False, ask_declared=False)
    )
    if diagnosis.hub:
        options.notify(f"The Hub: {diagnosis.hub}")
    if diagnosis.app is None or diagnosis.verdict.code not in _CALLABLE:
        raise EndpointError(diagnosis.verdict.seen, hint=diagnosis.verdict.todo)
    if endpoint is None and diagnosis.space is not None:
        endpoint = options.declared(diagnosis.space)
    if endpoint is None:
        if diagnosis.verdict.code is Code.MOUNTED_BELOW and diagnosis.app.kind != "gradio":
            raise EndpointError(diagnosis.verdict.seen, hint=diagnosis.verdict.todo)
        endpoint = _only_endpoint(space, diagnosis.app)
    token = token_of(diagnosis, hub, zero_gpu=options.zero_gpu)
    return Connection(found=diagnosis, spec=endpoint, token=token)


def token_of(diagnosis: Diagnosis, hub: SpaceLookup, *, zero_gpu: bool = False) -> str | None:
    """The token that may go to this app: only where the Hub named its host."""
    state = diagnosis.state
    if state is None or not state.host or not diagnosis.base.startswith(state.host.rstrip("/")):
        return None
    needed = state.visibility == "private" or zero_gpu
    return host_token(state.host, hub_endpoint=hub.endpoint, token=hub.token_for(state.id), needed=needed)


def _one_of(values: tuple[Json, ...], named: dict[str, Json]) -> object:
    """The values by position or by name; MISSING for none. Raises UsageError for both."""
    if values and named:
        raise UsageError("Give the values by position or by name, not both.")
    return named or list(values) or MISSING


def _endpoint(spec: EndpointSpec, diagnosis: Diagnosis) -> ServedEndpoint:
    endpoint, findings = resolve(spec, diagnosis.app) if diagnosis.app else (None, [])
    if endpoint is None:
        problem = findings[0] if findings else None
        raise EndpointError(
            problem.message if problem else diagnosis.verdict.seen, hint=problem.hint if problem else ""
        )
    return endpoint


def _only_endpoint(space: str, app: ServedApp) -> EndpointSpec:
    spec = only_endpoint(app)
    if spec is None:
        names, key = listed(app), name_key(app)
        option, example = key.replace("_", "-"), names[0] if names else "/…"
        raise EndpointError(
            f"No endpoint is declared for {space}, and the app serves {', '.join(names[:8]) or 'none'}.",
            hint=f"Declare it in the manifest (endpoint: {{{key}: {example}}}), or name it: "
            f"hfspace call {space} --{option} {example}",
        )
    return spec


def _problems(spec: EndpointSpec, app: ServedApp) -> tuple[Finding, ...]:
    """What does not fit in the values of `spec`."""
    return tuple(item for item in check(spec, app) if item.key in _ABOUT_VALUES or item.code == "unsendable")


def _refuse(problems: tuple[Finding, ...]) -> None:
    """Raise EndpointError with every one of them."""
    if problems:
        messages = dict.fromkeys(item.message for item in problems)
        hints = dict.fromkeys(item.hint for item in problems if item.hint)
        raise EndpointError(" ".join(messages), hint=" ".join(hints))


def _exists(manifest: str | Path | Sequence[str | Path]) -> bool:
    return not isinstance(manifest, str | Path) or Path(manifest).exists()
