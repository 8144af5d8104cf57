"""What a manifest says of a Space's repository: the folder with its files, and the keys of its card."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from hfspace.manifest.keys import Model, Unstrict, key
from hfspace.model import Json

OnFailure = Literal["report", "revert"]
Color = Literal["red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"]
Texts = Annotated[tuple[str, ...], Unstrict]


class FilesSpec(Model):
    """The folder that the Space's files come from; the short form is its path."""

    short = "from"

    folder: str = key(
        "The folder, relative to the manifest's file.",
        alias="from",
        default=...,
        example="./apps/whisper",
        as_written=True,
    )
    exclude: Texts = key(
        "What is left out beside what the folder's own .gitignore names, in the same language.",
        default=(),
        values="list of patterns",
        example='["tests/**"]',
    )
    prune: bool = key(
        "Files on the Hub that are not here are deleted; .gitattributes and README.md stay.",
        default=False,
        example="true",
    )
    on_failure: OnFailure = key(
        "When the new files do not come up: revert brings back those of the last commit that ran, once.",
        default="report",
        example="revert",
    )


class CardSpec(Model):
    """The keys of the README's front matter that are ours; the rest of the README is left as it is."""

    title: str | None = key("The name that people see.", example="Whisper demo", as_written=True)
    emoji: str | None = key("The sign beside it.", example="🎤", as_written=True)
    color_from: Color | None = key("Where the colors of its tile begin.", alias="colorFrom", example="blue")
    color_to: Color | None = key("Where they end.", alias="colorTo", example="indigo")
    short_description: str | None = key(
        "A line about it.", example="Speech to text in the browser", as_written=True
    )
    sdk_version: str | None = key("The version of Gradio (or Streamlit).", example="6.31.0", as_written=True)
    python_version: str | None = key("The version of Python.", example='"3.12"', as_written=True)
    app_file: str | None = key("The file that is started, or the page that is shown.", example="app.py")
    app_port: Annotated[int, Unstrict] | None = key(
        "The port that a Docker Space listens on.", example="7860"
    )
    app_build_command: str | None = key(
        "What builds a static Space before it is served.", example="npm run build"
    )
    base_path: str | None = key("The path that the Space opens with.", example="/docs")
    suggested_hardware: str | None = key("What who duplicates it is told to use.", example="t4-small")
    startup_duration_timeout: str | None = key(
        "How long a start may take before it counts as failed.", example="1h", as_written=True
    )
    license: str | None = key("The license, as the Hub names it.", example="apache-2.0", as_written=True)
    models: Texts | None = key("The models that it uses.", example="[openai/whisper-small]")
    datasets: Texts | None = key("The datasets that it uses.", example="[mozilla-foundation/common_voice]")
    tags: Texts | None = key("Words that it is found by.", example="[asr]")
    thumbnail: str | None = key("The picture for social media.", example="https://acme.ai/whisper.png")
    pinned: bool | None = key("Whether it stands first on its owner's page.", example="true")
    header: Literal["mini", "default"] | None = key("The size of the Hub's header.", example="mini")
    full_width: bool | None = key("Whether the app has the whole width.", alias="fullWidth", example="true")
    disable_embedding: bool | None = key("Whether other sites may not embed it.", example="true")
    custom_headers: Mapping[str, str] | None = key(
        "HTTP headers: those of cross-origin isolation.",
        example="{cross-origin-embedder-policy: require-corp}",
    )
    preload_from_hub: Texts | None = key(
        "What is downloaded at build time.", example="[openai/whisper-small config.json]"
    )
    hf_oauth: bool | None = key("Whether people can log in with their account of the Hub.", example="true")
    hf_oauth_scopes: Texts | None = key("What the login asks for.", example="[inference-api]")
    hf_oauth_expiration_minutes: Annotated[int, Unstrict] | None = key(
        "How long a login holds.", example="480"
    )
    hf_oauth_authorized_org: str | Texts | None = key("Whose members may log in.", example="acme")

    @property
    def owned(self) -> dict[str, Json]:
        """The declared keys as the front matter has them."""
        values: dict[str, Json] = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        return values
