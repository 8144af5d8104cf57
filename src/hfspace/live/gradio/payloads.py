"""Request bodies to show: what a call of a served endpoint looks like, in the forms that it takes."""

from __future__ import annotations

from hfspace.live.gradio.contract import values_of
from hfspace.live.gradio.openapi import body_parameters, takes
from hfspace.live.gradio.samples import sample
from hfspace.live.gradio.sending import RequestParts, url_of
from hfspace.live.gradio.urls import named_call_url, version_of
from hfspace.model import Json, ServedApp, ServedEndpoint


def data_body(endpoint: ServedEndpoint, app: ServedApp) -> Json:
    """`{"data": [...]}`, every value in its place. A state is a null below Gradio 6, and left out since."""
    keep = version_of(app.version) < (6, 0)
    parameters = endpoint.parameters if keep else values_of(endpoint.parameters)
    values = [None if item.component == "state" else sample(item) for item in parameters]
    return {"data": values} if endpoint.fn_index is None else {"data": values, "fn_index": endpoint.fn_index}


def named_body(endpoint: ServedEndpoint) -> Json:
    """The values by name, those with a default left out; None when a parameter has no name."""
    parameters = values_of(endpoint.parameters)
    if any(not parameter.name for parameter in parameters):
        return None
    return {str(parameter.name): sample(parameter) for parameter in parameters if not parameter.has_default}


def forms(endpoint: ServedEndpoint, app: ServedApp, base: str) -> dict[str, tuple[str, Json]]:
    """The payload forms that the endpoint takes: name of the form -> (URL, body)."""
    if app.kind == "gradio":
        bodies = {"data": (endpoint.url, data_body(endpoint, app))}
        url = named_call_url(base, app.prefix, app.version, endpoint.name)
        body = named_body(endpoint)
        return {**bodies, "named": (url, body)} if url and body is not None else bodies
    return {_form(endpoint): _request(endpoint)}


def _form(endpoint: ServedEndpoint) -> str:
    inside = body_parameters(endpoint)
    if not inside or all(item.name is None and not item.schema for item in inside):
        return "no body"
    if endpoint.content_type != "application/json":
        return endpoint.content_type
    return takes(endpoint) if takes(endpoint) in {"inputs", "data"} else "fields"


def _request(endpoint: ServedEndpoint) -> tuple[str, Json]:
    """The URL with a value for each part that it needs, and a body; None for no body."""
    required = [
        item for item in endpoint.parameters if not item.has_default or (item.name is None and item.schema)
    ]
    parts = RequestParts()
    for item in required:
        value = "FILE" if item.component == "file" else sample(item)
        if item.place != "body":
            (parts.path if item.place == "path" else parts.query)[str(item.name)] = value
        elif item.name is None:
            parts.body = value
        else:
            parts.body = {**(parts.body or {}), item.name: value}
    return url_of(endpoint, parts), parts.body
