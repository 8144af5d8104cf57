"""What the settings of a Space are made of: a variable, a secret, a volume, an endpoint, …"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from hfspace.manifest.keys import Duration, Model, key
from hfspace.manifest.values import parse_volume_source
from hfspace.model import Volume

OnError = Literal["report", "restart", "factory-rebuild"]
Payload = Literal["data", "inputs"]
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


def as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Label = Annotated[str, BeforeValidator(as_text)]


class VariableSpec(Model):
    """A variable; a plain scalar in the manifest is short for {value: ...}. Numbers are turned into text."""

    noun = "a variable"
    short = "value"

    value: Annotated[str, BeforeValidator(as_text)] = key(
        "The text.", default=..., example="openai/whisper-small", as_written=True
    )
    description: str | None = key("What people read beside it on the Hub.", example="CPU threads")


class SecretSpec(Model):
    """Where a secret's value comes from: exactly one of env and file. The value is never in the manifest."""

    noun = "a secret"

    env: str | None = key("The environment variable that holds the value.", example="WHISPER_HF_TOKEN")
    file: str | None = key("The file that holds the value, below the manifest's folder.", example="key.pem")
    description: str | None = key("What people read beside it on the Hub.", example="for the model")
    optional: bool = key("Left alone where its source is not set.", default=False, example="true")


class VolumeSpec(Model):
    """`source` is hf://TYPE/OWNER/NAME[@REV][/PATH], TYPE one of buckets, models, datasets, spaces."""

    noun = "a volume"

    source: str = key(
        "What is mounted: hf:// and buckets, models, datasets or spaces, then owner/name, @revision, /path.",
        default=...,
        example="hf://buckets/acme/audio",
    )
    mount_path: str = key("Where, as an absolute path.", default=..., example="/data")
    read_only: bool | None = key(
        "Buckets can be written unless this is true; repositories never.", example="true"
    )

    def volume(self) -> Volume:
        """The volume that the source URL names. Raises ValueError when it is not one."""
        parsed = parse_volume_source(self.source)
        # Repositories are always read-only, buckets writable unless told (docs/hub-api.md section 7).
        read_only = self.read_only if self.read_only is not None else parsed.type != "bucket"
        return replace(parsed, mount_path=self.mount_path, read_only=read_only)


class CreateSpec(Model):
    """How a missing Space is created. With neither: an empty repository with the declared sdk."""

    blank = (None, True)

    template: str | None = key("A template of the Hub.", example="SpacesExamples/jupyterlab")
    duplicate_from: str | None = key("The Space that it is a copy of.", example="acme/whisper")


class OnErrorSpec(Model):
    """What a failed Space asks for; the short form is the word of `do`."""

    short = "do"

    do: OnError = key("report, restart or factory-rebuild.", default="report", example="restart")
    after: Duration | None = key(
        "A Space that has been building or starting for longer counts as failed.", example="30m"
    )


class EndpointSpec(Model):
    """What the app is to serve: a Gradio endpoint by `api_name`, or an HTTP route by `path`."""

    api_name: str | None = key("A named endpoint of a Gradio app.", example="/predict")
    path: str | None = key("A route of an HTTP app; {name} is filled from params.", example="/items/{item}")
    method: Method | None = key("Of the route; without it, what the app describes.", example="GET")
    params: Mapping[str, Any] | None = key("Values of the {name} parts of the path.", example="{item: 7}")
    query: Mapping[str, Any] | None = key("Values of the query string.", example="{q: x}")
    body: Any = key("The JSON body, sent as it is.", example="{text: hello}")
    payload: Payload = key(
        'The shape of the body of `example`: {"data": [...]} or {"inputs": …, "parameters": …}.',
        default="data",
        example="inputs",
    )
    example: Any = key("What `call` and `diagnose --invoke` send by default.", example="[hello]")
    expect: Mapping[str, Any] | None = key(
        "A JSON Schema that the answer must satisfy.", example="{type: string}"
    )
